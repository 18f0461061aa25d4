"""The contract of notifiers: kept by those that ship, and broken by those that are planted."""

import io
import logging
import sys

import attrs
import pytest

from itsm_core.notifiers import ConsoleNotifier, FunctionNotifier, LoggingNotifier
from itsm_core.ports import Delivered, Retry, Unknown
from itsm_core.testing import NotifierContract
from itsm_core.testing.contract.report import report_on


class TestConsole(NotifierContract):
    """Lines on a stream; a stream that is closed is a receiver that is down."""

    @pytest.fixture
    def stream(self):
        return io.StringIO()

    @pytest.fixture
    def notifier(self, stream):
        return ConsoleNotifier(stream)

    @pytest.fixture
    def received(self, stream):
        return lambda: stream.getvalue().splitlines()

    @pytest.fixture
    def broken(self):
        stream = io.StringIO()
        stream.close()
        return ConsoleNotifier(stream)


class TestLogging(NotifierContract):
    """Records of a logger."""

    @pytest.fixture
    def notifier(self):
        return LoggingNotifier(logging.getLogger("itsm_core.test"))

    @pytest.fixture
    def received(self, caplog):
        caplog.set_level(logging.INFO, logger="itsm_core.test")
        return lambda: caplog.messages


class TestFunction(NotifierContract):
    """A function of the host."""

    @pytest.fixture
    def sent(self):
        return []

    @pytest.fixture
    def notifier(self, sent):
        return FunctionNotifier(lambda *words: sent.append(words))

    @pytest.fixture
    def received(self, sent):
        return lambda: sent

    @pytest.fixture
    def broken(self):
        def fail(*_):
            raise OSError

        return FunctionNotifier(fail)


class TestAwaited(NotifierContract):
    """An async function that knows the keys it has sent."""

    idempotent = True

    @pytest.fixture
    def sent(self):
        return {}

    @pytest.fixture
    def notifier(self, sent):
        async def send(message):
            sent[message.key] = message

        return send

    @pytest.fixture
    def received(self, sent):
        return lambda: list(sent)

    @pytest.fixture
    def broken(self):
        async def fail(_):
            raise ConnectionError

        return fail


def _unsent(_):
    return Delivered()


@attrs.define
class _Once:
    keys: set = attrs.field(factory=set)

    def __call__(self, message):
        if message.key in self.keys:
            return Unknown("seen before")
        self.keys.add(message.key)
        return Delivered()


def _fussy(message):
    if not message.body.isascii():
        raise UnicodeError(message.body)
    return Delivered()


def broken(notifier, down=None, **flags):
    """A contract for a notifier with a bug: nothing arrives, and what is down is said to be delivered."""
    fixtures = {
        "notifier": pytest.fixture(lambda self: notifier() if notifier is _Once else notifier),
        "received": pytest.fixture(lambda self: lambda: ()),
        "broken": pytest.fixture(lambda self: down or (lambda _: Retry())),
    }
    return type("Broken", (NotifierContract,), {**fixtures, **flags})


BROKEN = {
    "test_p1_a_message_is_answered": broken(lambda _: "sent"),
    "test_p2_delivered_means_that_it_arrived": broken(_unsent),
    "test_p3_a_repeat_is_answered_as_the_first": broken(_Once),
    "test_p3_a_repeat_does_not_arrive_again": broken(_unsent, idempotent=True),
    "test_p4_a_receiver_that_is_down_does_not_have_it": broken(_unsent, down=_unsent),
    "test_p5_hostile_text_is_answered": broken(_fussy),
    "test_p6_several_threads_may_send": broken(lambda _: "sent"),
}


@pytest.mark.parametrize("check", BROKEN)
def test_a_broken_notifier_is_caught_by_a_check_that_names_it(check, monkeypatch):
    """Each check of the contract fails for the bug that it is there for."""
    module = type(pytest)("broken_notifiers")
    module.Broken = BROKEN[check]
    monkeypatch.setitem(sys.modules, "broken_notifiers", module)
    report = report_on("broken_notifiers:Broken")
    assert check in {found.name.partition("[")[0] for found in report.of("failed")}
    assert report.contract == "NotifierContract"


def test_what_is_not_given_is_left_out_with_the_reason(monkeypatch):
    """A contract with nothing but a notifier."""
    module = type(pytest)("bare_notifiers")
    module.Bare = type("Bare", (NotifierContract,), {"notifier": pytest.fixture(lambda self: _unsent)})
    monkeypatch.setitem(sys.modules, "bare_notifiers", module)
    reasons = {check.why for check in report_on("bare_notifiers:Bare").of("left out")}
    assert {reason.partition(":")[0] for reason in reasons} == {
        "no fixture `received`",
        "no fixture `broken`",
    }
