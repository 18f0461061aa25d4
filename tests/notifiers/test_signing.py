"""Signatures of webhooks, as standardwebhooks.com defines them."""

import base64
import datetime as dt
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from itsm_core import InvalidValue, NaiveDatetime
from itsm_core.notifiers import verify_webhook
from itsm_core.notifiers.signing import keys_of, signature, signed_headers, webhook_id

# The vector of the specification's own libraries (escalation-and-on-call.md, section 6).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, STAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AT = dt.datetime.fromtimestamp(STAMP, dt.UTC)
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()
HEADERS = {"webhook-id": ID, "webhook-timestamp": str(STAMP), "webhook-signature": SIGNATURE}


def test_the_published_vector():
    """Key, id, timestamp and body give the published signature."""
    assert signature(*keys_of(SECRET), ID, STAMP, BODY) == SIGNATURE
    assert signed_headers(keys_of(SECRET), ID, AT, BODY) == HEADERS


@given(st.binary(min_size=24, max_size=64), st.text(min_size=1), st.integers(0, 2**33), st.text())
def test_the_reference_library_signs_the_same(key, message_id, stamp, body):
    """Any key, id, instant and body: ours is the signature of the package `standardwebhooks`."""
    at = dt.datetime.fromtimestamp(stamp, dt.UTC)
    ours = signature(key, message_id, stamp, body.encode())
    assert ours == Webhook(key).sign(message_id, at, body)


def test_the_zone_of_the_clock_does_not_matter():
    """The reference library signs an aware instant of another zone with a wrong epoch; here it is itself."""
    there = AT.astimezone(dt.timezone(dt.timedelta(hours=8)))
    assert signed_headers(keys_of(SECRET), ID, there, BODY) == HEADERS


def test_two_keys_make_two_signatures():
    """While keys change, either of them verifies."""
    headers = signed_headers(keys_of([OTHER, SECRET]), ID, AT, BODY)
    assert headers["webhook-signature"].split(" ")[1] == SIGNATURE
    for secrets in (SECRET, OTHER, ["whsec_" + "A" * 32, OTHER]):
        assert verify_webhook(BODY, headers, secrets=secrets, now=AT) == ID


def test_a_genuine_webhook_gives_its_id():
    """Header names in any case, the body as bytes or text."""
    upper = {name.title(): value for name, value in HEADERS.items()}
    assert verify_webhook(BODY.decode(), upper, secrets=SECRET, now=AT) == ID


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_are_tolerated_and_no_more(seconds):
    """Old ones are repeats of somebody who listened; the bounds themselves are allowed."""
    now = AT + dt.timedelta(seconds=seconds)
    assert verify_webhook(BODY, HEADERS, secrets=SECRET, now=now) == ID
    beyond = now + dt.timedelta(microseconds=1 if seconds > 0 else -1)
    with pytest.raises(InvalidValue, match="is too old" if seconds > 0 else "is too far in the future"):
        verify_webhook(BODY, HEADERS, secrets=SECRET, now=beyond)


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({}, BODY, "lacks these headers"),
        ({**HEADERS, "webhook-signature": ""}, BODY, "webhook-signature.*lacks"),
        ({**HEADERS, "webhook-timestamp": "1614265330.5"}, BODY, "no number of seconds"),
        ({**HEADERS, "webhook-timestamp": "9" * 5000}, BODY, "no number of seconds"),
        ({**HEADERS, "webhook-timestamp": "٣"}, BODY, "no number of seconds"),
        (HEADERS, BODY + b" ", "none of the keys"),
        (HEADERS, "\ud800", "none of the keys"),
        ({**HEADERS, "webhook-id": "msg_other"}, BODY, "none of the keys"),
        ({**HEADERS, "webhook-id": "\ud800"}, BODY, "none of the keys"),
        ({**HEADERS, "webhook-signature": SIGNATURE.replace("v1", "v1a")}, BODY, "none of the keys"),
        ({**HEADERS, "webhook-signature": "v1,é \ud800 v1, ,"}, BODY, "none of the keys"),
    ],
)
def test_what_is_not_genuine_is_refused(headers, body, reason):
    """Each with its reason; the remedy is to answer 401."""
    with pytest.raises(InvalidValue, match=f"(?s){reason}.*answer 401"):
        verify_webhook(body, headers, secrets=SECRET, now=AT)


@pytest.mark.parametrize(
    ("key", "made"),
    [
        ("INC-1:standard.1/0/0/lead/ana/email", "INC-1:standard.1/0/0/lead/ana/email"),
        ("e.7#said", "e.7#said"),
        ("a.1614265330", "a%2E1614265330"),
        ("a.1.2.x", "a%2E1%2E2.x"),
        ("a.1.22", "a%2E1%2E22"),
        ("工单.7", "%E5%B7%A5%E5%8D%95%2E7"),
    ],
)
def test_an_id_is_the_key_unless_it_could_hide_another_timestamp(key, made):
    """What is signed is parted by full stops: a number between two of the id's would pass for the timestamp."""
    assert webhook_id(key) == made


@given(st.text("a.1%/", min_size=1), st.integers(0, 2**33))
def test_what_is_signed_can_be_parted_in_one_way(key, stamp):
    """No other id, whole number and body give the same bytes, and other keys give other ids."""
    whole = f"{webhook_id(key)}.{stamp}.{{}}"
    parted = [whole[:at] for at in range(len(whole)) if re.match(r"\.[0-9]+\.", whole[at:])]
    assert parted == [webhook_id(key)]
    assert unquote(webhook_id(key)) == key


def test_an_id_that_hides_another_timestamp_is_refused():
    """A genuine webhook to somebody else, parted anew, would be that."""
    headers = signed_headers(keys_of(SECRET), "a.1614265330", AT, BODY)
    with pytest.raises(InvalidValue, match="could hide another timestamp; answer 401"):
        verify_webhook(BODY, headers, secrets=SECRET, now=AT)


def test_another_key_does_not_verify():
    """A signature of somebody else is refused."""
    with pytest.raises(InvalidValue, match="none of the keys"):
        verify_webhook(BODY, HEADERS, secrets=OTHER, now=AT)


def test_the_clock_of_the_receiver_has_a_zone():
    """A naive instant names no moment."""
    with pytest.raises(NaiveDatetime):
        verify_webhook(BODY, HEADERS, secrets=SECRET, now=AT.replace(tzinfo=None))


@pytest.mark.parametrize("size", [24, 64])
def test_keys_of_24_to_64_bytes_are_taken(size):
    """With or without the prefix, padded or not."""
    text = base64.b64encode(b"k" * size).decode()
    assert keys_of([f"whsec_{text}", text.rstrip("=")]) == (b"k" * size,) * 2


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("whsec_" + base64.b64encode(b"s3cret" + b"k" * 17).decode(), "holds 23 bytes"),
        ("whsec_" + base64.b64encode(b"s3cret" + b"k" * 59).decode(), "holds 65 bytes"),
        ("whsec_s3cret!s3cret!s3cret!s3cret!s3cret", "is no base64"),
        ("whsec_s3cre", "is no base64"),
        (b"whsec_s3cret", "is bytes, no text"),
        ("whsec_sécret", "is no base64"),
    ],
)
def test_a_key_that_will_not_do_is_refused_without_being_shown(secret, reason):
    """Too short, too long, no base64 or no text; the message names the reason only."""
    with pytest.raises(InvalidValue, match=f"{reason}; give") as caught:
        keys_of([secret])
    assert "cret" not in str(caught.value).partition(";")[0].replace("secret", "")
    assert base64.b64encode(b"s3cret").decode() not in str(caught.value)


@pytest.mark.parametrize("given", [None, 7, b"whsec_s3cret"])
def test_secrets_that_are_no_texts_are_refused_without_being_shown(given):
    """Such as the variable of an environment that has none."""
    with pytest.raises(InvalidValue, match="no texts; give") as caught:
        keys_of(given)
    assert "s3cret" not in str(caught.value)


def test_no_key_at_all_is_refused():
    """An unsigned webhook proves nothing."""
    with pytest.raises(InvalidValue, match="holds none"):
        keys_of([])


@pytest.mark.parametrize("wrong", [b"1700000000", 1_700_000_001, ["1700000000"], None])
def test_headers_that_are_no_texts_are_refused(wrong):
    """Such as the bytes of an ASGI server: they are refused, and nothing breaks."""
    with pytest.raises(InvalidValue, match="lacks these headers as texts"):
        verify_webhook(
            b"",
            {"webhook-id": "k", "webhook-timestamp": wrong, "webhook-signature": "v1,x"},
            secrets="",
            now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
        )
