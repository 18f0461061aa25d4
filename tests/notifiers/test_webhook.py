"""Messages as signed webhooks, against real HTTP servers on loopback."""

import asyncio
import base64
import datetime as dt
import json
import socket
import ssl
import time

import attrs
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from itsm_core import Actor, AsyncServiceDesk, InvalidValue, ServiceDesk, stores
from itsm_core.notifiers import WebhookNotifier, verify_webhook
from itsm_core.notifiers.connecting import is_public
from itsm_core.notifiers.webhook import as_event, outcome_of, waiting_time
from itsm_core.ports import Delivered, Rejected, Retry, Unknown
from itsm_core.testing import NotifierContract

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(bytes(range(24))).decode()
NOW = dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def real_time():
    """The clock of this machine, which the reference library reads too."""
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def posting():
    """`posting(url, **settings) -> WebhookNotifier` that may post to loopback."""

    def made(url, secrets=SECRET, **settings):
        held = {"clock": real_time, "allow_private": True, "timeout": 5 * SECOND}
        return WebhookNotifier(url, secrets, **{**held, **settings})

    return made


class TestContract(NotifierContract):
    """A webhook keeps the promises of a notifier."""

    @pytest.fixture
    def server(self, web_server):
        return web_server()

    @pytest.fixture
    def notifier(self, server, posting):
        return posting(server.url)

    @pytest.fixture
    def received(self, server):
        return lambda: server.requests

    @pytest.fixture
    def broken(self, posting, closed_port):
        return posting(f"http://127.0.0.1:{closed_port}/")


# --- what arrives -----------------------------------------------------------------------------


def test_the_reference_library_verifies_it(web_server, posting, message):
    """Line 3 of "Done when": the package `standardwebhooks` takes what we sent, and nobody else's."""
    server = web_server()
    assert posting(server.url)(message()) == Delivered("HTTP 204")
    ((path, headers, body),) = server.requests
    assert path == "/hook"
    assert Webhook(SECRET).verify(body, headers) == {
        "type": "itsm.message",
        "timestamp": "2024-01-01T08:00:00+00:00",
        "data": {
            "key": "INC-1:standard.1/0/0/lead/ana/email",
            "record": "INC-1",
            "to": "ana@example.org",
            "channel": "email",
            "audience": "internal",
            "subject": "Mail is down",
            "body": "Due at noon.",
            "facts": {},
        },
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers)


def test_while_keys_change_both_verify(web_server, posting, message):
    """Every secret signs; a receiver with the old or the new one is content."""
    server = web_server()
    posting(server.url, [SECRET, OLD])(message())
    ((_, headers, body),) = server.requests
    for secret in (SECRET, OLD):
        Webhook(secret).verify(body, headers)
        assert verify_webhook(body, headers, secrets=secret, now=real_time()) == message().key


def test_a_second_try_has_the_same_id_and_body_and_its_own_timestamp(web_server, posting, message):
    """The id is the key, so that the receiver drops repeats; the timestamp is that of the try."""
    server, times = web_server(), iter([NOW, NOW + 90 * SECOND])
    notifier = posting(server.url, clock=lambda: next(times))
    for attempt in range(2):
        notifier(message(attempt=attempt))
    (_, first, body), (_, second, again) = server.requests
    assert first["webhook-id"] == second["webhook-id"] == "INC-1:standard.1/0/0/lead/ana/email"
    assert body == again
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1704096000", "1704096090")
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("工单-1/0", "%E5%B7%A5%E5%8D%95-1/0"),
        ("a\r\nEvil: 1", "a%0D%0AEvil:%201"),
        ("100%", "100%25"),
        ("\ud800", "?"),
    ],
)
def test_a_key_that_no_header_can_hold_is_written_as_in_a_url(web_server, posting, message, key, sent):
    """Other scripts and line breaks: one id for one key, and no header of an attacker's."""
    server = web_server()
    assert posting(server.url)(message(key=key)) == Delivered("HTTP 204")
    ((_, headers, body),) = server.requests
    assert headers["webhook-id"] == sent
    assert "Evil" not in headers
    Webhook(SECRET).verify(body, headers)


def test_a_host_says_what_is_posted(web_server, posting, message):
    """`payload` replaces the object; the path, the query and other facts of the URL are kept."""
    server = web_server()
    payload = {"id": 7, "名": ["x"]}
    posting(f"http://127.0.0.1:{server.port}?a=b%20c", payload=lambda _: payload)(message())
    ((path, headers, body),) = server.requests
    assert (path, json.loads(body)) == ("/?a=b%20c", payload)
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Content-Type"] == "application/json"


def test_halves_of_surrogate_pairs_are_replaced(message):
    """JSON of another language would refuse the whole message."""
    assert as_event(message(body="a\ud800"))["data"]["body"] == "a?"


# --- what an answer means ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (101, Unknown, "no more"), (200, Delivered, ""), (204, Delivered, ""), (299, Delivered, ""),
        (301, Rejected, "redirects are not followed"), (304, Rejected, "redirects are not followed"),
        (400, Rejected, "HTTP 400"), (401, Rejected, "HTTP 401"), (404, Rejected, "HTTP 404"),
        (408, Retry, "408"), (409, Rejected, "409"), (410, Rejected, "wants no more"), (425, Retry, "425"),
        (429, Retry, "429"), (500, Retry, "500"), (502, Retry, "502"), (503, Retry, "503"),
        (504, Retry, "504"), (599, Retry, "599"),
    ],
)  # fmt: skip
def test_a_status_is_an_outcome(status, kind, words):
    """2xx arrived; 429 and 5xx later; 410, redirects and other 4xx never (Standard Webhooks)."""
    outcome = outcome_of(status, None, NOW)
    assert type(outcome) is kind
    assert words in getattr(outcome, "reason", "")


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", 120 * SECOND),
        (" 0 ", 0 * SECOND),
        ("Mon, 01 Jan 2024 08:01:30 GMT", 90 * SECOND),
        ("Monday, 01-Jan-24 08:01:30 GMT", 90 * SECOND),
        ("Mon, 01 Jan 2024 08:01:30 -0000", 90 * SECOND),
        ("Mon, 01 Jan 2024 07:00:00 GMT", 0 * SECOND),
        ("Fri, 01 Jan 2999 00:00:00 GMT", dt.timedelta(days=365)),
        ("999999999", dt.timedelta(days=365)),
        ("9" * 5000, dt.timedelta(days=365)),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Mon, 99 Jan 2024 08:01:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, wait):
    """Both forms of RFC 9110 10.2.3; the past is now, nonsense is nothing, ages are a year."""
    assert waiting_time(text, NOW) == wait


def test_retry_after_is_honoured(web_server, posting, message):
    """The wait that the receiver asks for comes with the outcome."""
    server = web_server((429, {"Retry-After": "7"}), (503, {}))
    notifier = posting(server.url)
    assert notifier(message()) == Retry(7 * SECOND, "the receiver answered HTTP 429")
    assert notifier(message()) == Retry(None, "the receiver answered HTTP 503")


def test_no_redirect_is_followed(web_server, posting, message):
    """It could lead inside, or take the words elsewhere."""
    target = web_server()
    server = web_server((307, {"Location": target.url}))
    assert isinstance(posting(server.url)(message()), Rejected)
    assert target.requests == []


# --- receivers that misbehave -----------------------------------------------------------------


def read_request(connection):
    """Reads a request with its body."""
    with connection.makefile("rb") as incoming:
        head = dict(
            line.split(b": ") for line in iter(lambda: incoming.readline().strip(), b"") if b": " in line
        )
        incoming.read(int(head[b"Content-Length"]))


def test_a_receiver_that_hangs_up_may_have_it(tcp_server, posting, message):
    """The request was sent and no answer came: nobody knows."""
    outcome = posting(f"http://127.0.0.1:{tcp_server(read_request)}/token-in-path")(message())
    assert outcome == Unknown("no answer from 127.0.0.1: RemoteDisconnected")


def test_a_half_closed_receiver_may_have_it(tcp_server, posting, message):
    """It will say no more and does not hang up: that is known at once, not after the timeout."""

    def talk(connection):
        read_request(connection)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    started = time.monotonic()
    outcome = posting(f"http://127.0.0.1:{tcp_server(talk)}/")(message())
    assert isinstance(outcome, Unknown)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "answer", [b"\x00\xff nonsense\r\n\r\n", b"HTTP/1.1 200" + b"x" * 70_000, b"HTTP/1.1"]
)
def test_an_answer_that_is_none_is_unknown(tcp_server, posting, message, answer):
    """Nonsense, an endless line, half a line."""

    def talk(connection):
        read_request(connection)
        connection.sendall(answer)

    assert isinstance(posting(f"http://127.0.0.1:{tcp_server(talk)}/")(message()), Unknown)


@pytest.mark.parametrize("drop", [b"H", b""])
def test_a_slow_receiver_does_not_hold_a_worker(tcp_server, posting, message, drop):
    """A byte now and then, or none at all: after the timeout the outcome is unknown."""

    def talk(connection):
        read_request(connection)
        for _ in range(40):
            connection.sendall(drop)
            time.sleep(0.02)

    notifier = posting(f"http://127.0.0.1:{tcp_server(talk)}/", timeout=dt.timedelta(milliseconds=300))
    started = time.monotonic()
    assert notifier(message()) == Unknown("no answer from 127.0.0.1: TimeoutError")
    assert time.monotonic() - started < 1.5


def test_an_endless_answer_is_not_read(tcp_server, posting, message):
    """The status says it all; of the body nothing is read."""

    def talk(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    started = time.monotonic()
    assert posting(f"http://127.0.0.1:{tcp_server(talk)}/")(message()) == Delivered("HTTP 200")
    assert time.monotonic() - started < 2


def test_a_receiver_that_is_down_is_tried_again(posting, message, closed_port):
    """Nothing was sent, so nothing is in doubt."""
    outcome = posting(f"http://127.0.0.1:{closed_port}/")(message())
    assert isinstance(outcome, Retry)
    assert "refused" in outcome.reason


def test_a_name_that_does_not_exist_is_tried_again(posting, message):
    """RFC 6761: no name below .invalid exists."""
    assert isinstance(posting("https://nowhere.invalid/")(message()), Retry)


# --- TLS --------------------------------------------------------------------------------------


def test_it_reaches_a_server_whose_certificate_is_trusted(web_server, certified, trusting, posting, message):
    """Over TLS, with the host's own settings."""
    server = web_server(tls=certified("localhost"))
    assert posting(server.url, context=trusting)(message()) == Delivered("HTTP 204")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [
        ("localhost", False, "the certificate of localhost is not to be trusted: unable to get local issuer"),
        ("other.example", True, "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
def test_a_bad_certificate_gets_nothing(
    web_server, certified, trusting, posting, message, name, trusted, reason
):
    """An unknown issuer or another's name: nothing is sent, and the reason says what is wrong."""
    server = web_server(tls=certified(name))
    context = trusting if trusted else ssl.create_default_context()
    outcome = posting(server.url, context=context)(message())
    assert isinstance(outcome, Retry)
    assert reason in outcome.reason
    assert server.requests == []


# --- where it may post ------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0x7f.1"])
def test_addresses_inside_are_refused(message, host):
    """By the address that would be connected to, whatever the name says; for good."""
    outcome = WebhookNotifier(f"https://{host}/", SECRET, clock=real_time)(message())
    assert isinstance(outcome, Rejected)
    assert "allow_private=True" in outcome.reason


def test_a_name_that_turns_to_an_address_inside_is_refused(monkeypatch, web_server, posting, message):
    """DNS rebinding: the first look-up is outside, the next inside; what is connected to is looked at."""
    server, looked_at = web_server(), []
    notifier = WebhookNotifier(f"https://localhost:{server.port}/", SECRET, clock=real_time)
    monkeypatch.setattr(
        "itsm_core.notifiers.webhook.is_public", lambda a: looked_at.append(a) or is_public(a)
    )
    assert isinstance(notifier(message()), Rejected)
    assert set(looked_at) <= {"127.0.0.1", "::1"}
    assert looked_at
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.org/s3cret", "would send words in the clear; say https://, or allow_private"),
        ("ftp://hooks.example.org/s3cret", "is no http"),
        ("file:///s3cret", "is no http"),
        ("https:///s3cret", "is no http"),
        ("https://user:s3cret@hooks.example.org/", "is no http"),
        ("https://hooks.example.org:0/s3cret", "is no http"),
        ("https://hooks.example.org:99999/s3cret", "is no http"),
        ("https://[::1/s3cret", "is no http"),
        ("https://hooks.example.org/s3cret\r\nEvil: 1", "is no http"),
        ("https://hooks.example.org/s3cret path", "is no http"),
        ("https://hooks.example.org/秘密s3cret", "is no http"),
        ("https://" + "a" * 64 + ".example/s3cret", "is no http"),
        ("https://hooks.example.org/#s3cret", "is no http"),
        (b"https://hooks.example.org/s3cret", "is no http"),
    ],
)
def test_a_url_that_will_not_do_is_refused_without_its_path(url, reason):
    """Paths and users of webhooks are secrets: the message shows scheme and host only."""
    with pytest.raises(InvalidValue, match=reason) as caught:
        WebhookNotifier(url, SECRET, clock=real_time)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("said", ["no", "false", 1, None])
def test_private_addresses_are_allowed_by_true_alone(said):
    """A text of an environment variable, such as "false", is not."""
    with pytest.raises(InvalidValue, match=r"allow_private .*: is no bool; say True or False"):
        WebhookNotifier("https://hooks.example.org/", SECRET, clock=real_time, allow_private=said)


@pytest.mark.parametrize("timeout", [0 * SECOND, -SECOND, 5])
def test_a_timeout_is_some_time(timeout):
    """A number has no unit, and no time is none."""
    with pytest.raises(InvalidValue, match=r"timeout .*timedelta"):
        WebhookNotifier("https://hooks.example.org/", SECRET, clock=real_time, timeout=timeout)


def test_its_repr_shows_the_host_only():
    """Neither the path nor a key."""
    notifier = WebhookNotifier("https://hooks.example.org/s3cret", SECRET, clock=real_time)
    assert repr(notifier) == "<webhook to hooks.example.org>"


def test_one_is_made_of_another():
    """attrs.evolve changes one setting and keeps the others."""
    notifier = WebhookNotifier("https://hooks.example.org/", iter([SECRET, OLD]), clock=real_time)
    made = attrs.evolve(notifier, timeout=2 * SECOND)
    assert (made.secrets, made.timeout) == ((SECRET, OLD), 2 * SECOND)


def test_a_secret_that_is_none_is_refused_at_once():
    """Not when the first message goes out."""
    with pytest.raises(InvalidValue, match="webhook secret"):
        WebhookNotifier("https://hooks.example.org/", "whsec_short", clock=real_time)


# --- through the desk -------------------------------------------------------------------------

BOB, ANA = Actor.person("bob"), Actor.person("ana", "agent")


def tries(desk, server, now):
    """When the server was tried, in the time since `NOW`: the desk ticks whenever something is due."""
    tried = []
    while (due := desk.next_due()) is not None:
        before = len(server.requests)
        desk.tick(due - SECOND / 1000)
        assert len(server.requests) == before, "too early"
        now[0] = due
        desk.tick(due)
        tried += [due - NOW] * (len(server.requests) - before)
    return tried


def telling(store, notifier, channel):
    """A desk that has something to tell the requester by this channel."""
    desk = ServiceDesk(store, notifiers=notifier)
    desk.open("Mail is down", actor=BOB, at=NOW, record_id="INC-1")
    desk.communicate("INC-1", "We are on it.", actor=ANA, at=NOW, channel=channel)
    return desk


def test_a_server_that_answers_503_twice_gets_exactly_the_scheduled_retries(web_server, posting, store):
    """Line 3 of "Done when": tried at 0, 5 and 20 seconds (waits of 0, 5, 15), each signed anew, and no more."""
    server, now = web_server((503, {}), (503, {}), (204, {})), [NOW]
    desk = telling(store, posting(server.url, clock=lambda: now[0]), "chat")
    assert tries(desk, server, now) == [0 * SECOND, 5 * SECOND, 20 * SECOND]
    stamps = [int(headers["webhook-timestamp"]) for _, headers, _ in server.requests]
    assert stamps == [1704096000, 1704096005, 1704096020]
    assert len({headers["webhook-id"] for _, headers, _ in server.requests}) == 1
    assert len({body for _, _, body in server.requests}) == 1
    assert len({headers["webhook-signature"] for _, headers, _ in server.requests}) == 3


def test_by_the_channel_webhook_the_retries_are_those_of_standard_webhooks(web_server, posting, store):
    """At once, after 5 seconds, after 5 more minutes, each wait up to a tenth longer (their jitter)."""
    server, now = web_server((503, {}), (503, {}), (204, {})), [NOW]
    desk = telling(store, posting(server.url, clock=lambda: now[0]), "webhook")
    first, second, third = tries(desk, server, now)
    assert first == 0 * SECOND
    assert 5 * SECOND <= second <= 5.5 * SECOND
    assert 300 * SECOND <= third - second <= 330 * SECOND


def test_the_desk_waits_as_long_as_the_server_asks(web_server, posting, store):
    """`Retry-After` in seconds, then as a date; where it asks for less than the schedule, the schedule holds."""
    server = web_server(
        (429, {"Retry-After": "90"}),
        (503, {"Retry-After": "Mon, 01 Jan 2024 08:05:00 GMT"}),
        (503, {"Retry-After": "1"}),
        (204, {}),
    )
    now = [NOW]
    desk = telling(store, posting(server.url, clock=lambda: now[0]), "chat")
    assert tries(desk, server, now) == [0 * SECOND, 90 * SECOND, 300 * SECOND, 330 * SECOND]


def test_a_receiver_that_is_gone_is_not_asked_again(web_server, posting, store):
    """410: one try, and the failure says why."""
    server = web_server((410, {}))
    desk = telling(store, posting(server.url), "webhook")
    ((_, reason),) = desk.tick(NOW).failures
    assert reason == "the receiver answered HTTP 410: it wants no more; remove it"
    assert desk.tick(NOW + dt.timedelta(days=9)).retried == 0
    assert len(server.requests) == 1


def test_an_async_desk_posts_too(web_server, posting):
    """A plain notifier runs in a thread."""
    server = web_server()

    async def told():
        store = await stores.open_async("memory://")
        async with AsyncServiceDesk(store, notifiers=posting(server.url)) as desk:
            await desk.open("Mail is down", actor=BOB, at=NOW, record_id="INC-1")
            await desk.communicate("INC-1", "We are on it.", actor=ANA, at=NOW)
            return await desk.tick(NOW)

    assert asyncio.run(told()).delivered == 1
    assert len(server.requests) == 1


def test_a_clock_is_a_function():
    """The instant at which a notifier was made is no clock: every message would be signed with it."""
    with pytest.raises(InvalidValue, match="is no function; give one that says the time"):
        WebhookNotifier("https://hooks.example.org/", SECRET, clock=dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
