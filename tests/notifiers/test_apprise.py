"""Messages through Apprise: a local json:// server, and services of the test's own."""

import builtins
import datetime as dt
import json
import time

import apprise
import pytest
from apprise.decorators import notify

from itsm_core import InvalidValue
from itsm_core.notifiers import AppriseNotifier
from itsm_core.notifiers.apprise import outcome_of
from itsm_core.notifiers.words import Words
from itsm_core.ports import Delivered, Rejected, Retry, Unknown
from itsm_core.testing import NotifierContract

KEY = "X-Idempotency-Key"


class TestContract(NotifierContract):
    """Apprise keeps the promises of a notifier."""

    @pytest.fixture
    def server(self, web_server):
        return web_server((200, {}))

    @pytest.fixture
    def notifier(self, server):
        return AppriseNotifier(f"json://127.0.0.1:{server.port}/")

    @pytest.fixture
    def received(self, server):
        return lambda: server.requests

    @pytest.fixture
    def broken(self, closed_port):
        return AppriseNotifier(f"json://127.0.0.1:{closed_port}/")


@pytest.fixture
def service():
    """`service(schema, answer) -> calls`: an Apprise service of the test's own, its name free again after."""
    made = []

    def start(schema, answer=True):
        calls = []

        @notify(on=schema)
        def told(body, title, notify_type, *args, **kwargs):
            calls.append((title, body))
            return answer() if callable(answer) else answer

        made.append(schema)
        return calls

    yield start
    for schema in made:
        apprise.plugins.N_MGR.remove(schema)


def test_apprise_reaches_a_json_server_with_the_key_as_header(web_server, message):
    """Line 3 of "Done when": subject and body arrive at a local json:// server, the key beside them."""
    server = web_server((200, {}))
    url = f"json://127.0.0.1:{server.port}/a?:desk=one"
    assert AppriseNotifier({"ana@example.org": url})(message()) == Delivered()
    ((path, headers, body),) = server.requests
    held = json.loads(body)
    assert path == "/a"
    assert headers[KEY] == "INC-1:standard.1/0/0/lead/ana/email"
    assert (held["title"], held["message"], held["desk"]) == ("Mail is down", "Due at noon.", "one")


@pytest.mark.parametrize(
    ("key", "header"),
    [
        ("a&:title=x", "a&:title=x"),
        ("a+b/c", "a+b/c"),
        ("a%20b c", "a%2520b%20c"),
        ("工单", "%E5%B7%A5%E5%8D%95"),
        ("a\r\nEvil: 1", "a%0D%0AEvil:%201"),
    ],
)
def test_a_key_of_any_script_is_a_header(web_server, message, key, header):
    """Line breaks and signs of URLs in a key begin neither a header nor a parameter."""
    server = web_server((200, {}))
    assert AppriseNotifier(f"json://127.0.0.1:{server.port}/")(message(key=key)) == Delivered()
    ((_, headers, body),) = server.requests
    assert headers[KEY] == header
    assert "Evil" not in headers
    assert json.loads(body)["title"] == "Mail is down"


@pytest.mark.parametrize("scheme", ["xml", "form", "JSON"])
def test_the_key_goes_where_headers_go(web_server, message, scheme):
    """json, xml and form pass headers on."""
    server = web_server((200, {}))
    assert AppriseNotifier(f"{scheme}://127.0.0.1:{server.port}/")(message()) == Delivered()
    assert server.requests[0][1][KEY] == message().key


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("SUCCESS", Delivered), ("FAILURE", Retry), ("TIMEOUT", Retry), ("NOMATCH", Rejected),
        ("PARTIAL", Unknown),
    ],
)  # fmt: skip
def test_each_status_of_apprise_is_an_outcome(status, kind):
    """The table of escalation-and-on-call.md, section 6; the names are those of the package."""
    assert type(outcome_of(apprise.AppriseResultStatus[status].name)) is kind


def test_every_status_of_apprise_is_known():
    """A new one would be tried again without anybody having thought about it."""
    known = {"SUCCESS", "FAILURE", "NOMATCH", "PARTIAL", "TIMEOUT"}
    assert {status.name for status in apprise.AppriseResultStatus} == known


@pytest.mark.parametrize("status", [404, 503])
def test_a_failure_is_tried_again_by_us_and_not_by_apprise(web_server, message, status):
    """Apprise does not say which it was, and its own retries are off, also where the URL asks for them."""
    server = web_server((status, {}))
    notifier = AppriseNotifier(f"json://127.0.0.1:{server.port}/?retry=3&wait=0")
    assert notifier(message()) == Retry(reason="Apprise says FAILURE")
    assert len(server.requests) == 1


def test_a_slow_service_is_left_after_the_timeout(service, message):
    """Whether it arrived is not known to Apprise; the key makes a repeat harmless."""
    service("slowly", lambda: time.sleep(1.5) or True)
    notifier = AppriseNotifier("slowly://", timeout=dt.timedelta(milliseconds=100))
    started = time.monotonic()
    assert notifier(message()) == Retry(reason="Apprise says TIMEOUT")
    assert time.monotonic() - started < 1.2


def test_mails_through_apprise_do_not_wait_for_each_other(mail_server, message):
    """One instance of its mail service sleeps 5.5 s between two mails (measured); ours is new each time."""
    port, postbox = mail_server()
    url = f"mailto://127.0.0.1:{port}/?from=desk@example.org&to=ana@example.org&mode=insecure"
    notifier, started = AppriseNotifier(url), time.monotonic()
    assert [notifier(message(key=str(n))) for n in range(3)] == [Delivered()] * 3
    assert time.monotonic() - started < 5
    assert len(postbox.mails) == 3


@pytest.mark.parametrize("url", ["nosuchservice://token", "token", "json://", "slowly-not-there://x,y"])
def test_a_url_that_apprise_does_not_know_is_rejected(message, url):
    """For good, and without showing it: such URLs hold tokens."""
    outcome = AppriseNotifier(url)(message())
    assert isinstance(outcome, Rejected)
    assert "token" not in outcome.reason


def test_a_receiver_without_a_url_is_rejected(message):
    """Nobody is guessed."""
    assert isinstance(AppriseNotifier({"bob": "json://h"})(message()), Rejected)


def test_a_url_of_several_targets_is_rejected(mail_server, message):
    """Half of them could get it, and the repeat would reach that half twice."""
    port, postbox = mail_server()
    to = "ana@example.org,bob@example.org"
    outcome = AppriseNotifier(f"mailto://127.0.0.1:{port}/?from=d@example.org&to={to}&mode=insecure")(
        message()
    )
    assert outcome == Rejected("the receiver's Apprise URL names 2 targets; give each one")
    assert postbox.mails == []


def test_words_are_those_of_the_wording(service, message):
    """Control characters are shown; without a text the subject is said, without both the record is named."""
    calls = service("words")
    for words in (Words("S\r\nx", "T\x1b[2J"), Words("S", ""), Words("", "")):
        AppriseNotifier("words://", wording=lambda _, words=words: words)(message())
    assert calls[0] == ("S x", "T\\x1b[2J")
    assert calls[1][0] == "S"
    assert [body for _, body in calls[1:]] == ["S", "INC-1"]


def test_its_repr_shows_no_url():
    """Tokens stay out of logs."""
    assert "token" not in repr(AppriseNotifier("slack://token"))


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """When it is made, not when the first message goes out."""
    really = builtins.__import__

    def without(name, *rest, **more):
        if name == "apprise":
            raise ImportError(name)
        return really(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'itsm-core\[notify\]'"):
        AppriseNotifier("json://h")


@pytest.mark.parametrize(("timeout", "says"), [(5, "timedelta"), (dt.timedelta(0), "leaves no time; give")])
def test_a_timeout_is_a_length_of_time(timeout, says):
    """Refused when it is given, not when the first message goes out."""
    with pytest.raises(InvalidValue, match=says):
        AppriseNotifier("json://127.0.0.1/", timeout=timeout)
