"""`NotifierContract`: subclass it, give it one fixture, and what a notifier owes is checked."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from itsm_core.ports import Delivered, Message, Outcome, Rejected, Retry, Unknown
from itsm_core.testing.contract.guard import Guarded
from itsm_core.testing.contract.samples import HOSTILE, message
from itsm_core.testing.contract.store import fixture_or_none
from itsm_core.testing.contract.subject import in_threads, need

NO_RECEIVED = "no fixture `received`: a function that gives what has arrived"
NO_BROKEN = "no fixture `broken`: a notifier whose receiver is down"
ANSWERS = (Delivered, Retry, Rejected, Unknown)


class NotifierContract(Guarded):
    """The numbered promises of `ports.Notifier`, as checks that pytest runs.

        class TestMyNotifier(NotifierContract):
            @pytest.fixture
            def notifier(self):
                return MyNotifier("localhost")

    The fixture `notifier` gives what is called with a message; what it returns may be awaitable. Two more
    are optional; without them the checks that need them are left out:

    - `received`: a function that gives the list of what has arrived so far at the receiver.
    - `broken`: a notifier whose receiver is down.

    `example` is a message that the notifier takes. `idempotent`: a repeat of a key does not arrive again.
    """

    example: ClassVar[Message] = message("example")
    idempotent: ClassVar[bool] = False

    @pytest.fixture
    def arrived(self, request: pytest.FixtureRequest) -> Callable[[], Sequence[Any]]:
        """The fixture `received`; where there is none, the check is left out."""
        given: Callable[[], Sequence[Any]] | None = fixture_or_none(request, "received")
        if given is None:
            pytest.skip(NO_RECEIVED)
        return given

    def test_p1_a_message_is_answered(self, notifier: Any) -> None:
        """By one of the four outcomes, or None for delivered."""
        assert isinstance(answer(notifier, self.example), ANSWERS)

    def test_p2_delivered_means_that_it_arrived(
        self, notifier: Any, arrived: Callable[[], Sequence[Any]]
    ) -> None:
        """What is said to be delivered has arrived, once."""
        before = len(arrived())
        assert isinstance(answer(notifier, self.example), Delivered)
        assert len(arrived()) == before + 1

    def test_p3_a_repeat_is_answered_as_the_first(self, notifier: Any) -> None:
        """A message may come again, with its key and one attempt more."""
        assert type(answer(notifier, self.example)) is type(answer(notifier, _again(self.example)))

    def test_p3_a_repeat_does_not_arrive_again(
        self, notifier: Any, arrived: Callable[[], Sequence[Any]]
    ) -> None:
        """Where the receiver drops repeats, a key arrives once; another key arrives beside it."""
        need(self.idempotent, "idempotent = False: repeats may arrive")
        before = len(arrived())
        for sent in (self.example, _again(self.example), _again(self.example, key="another")):
            answer(notifier, sent)
        assert len(arrived()) == before + 2

    def test_p4_a_receiver_that_is_down_does_not_have_it(self, request: pytest.FixtureRequest) -> None:
        """The answer is to try again, or that nobody knows; raising says the same."""
        broken = fixture_or_none(request, "broken")
        need(broken is not None, NO_BROKEN)
        try:
            outcome = answer(broken, self.example)
        except Exception:
            return
        assert isinstance(outcome, (Retry, Unknown))

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_p5_hostile_text_is_answered(self, notifier: Any, text: str) -> None:
        """Whoever writes a ticket chooses its words: none of them makes a notifier raise."""
        sent = _again(self.example, subject=text, body=text)
        assert isinstance(answer(notifier, sent), ANSWERS)

    def test_p6_several_threads_may_send(self, notifier: Any) -> None:
        """Workers share a notifier."""
        answers = list[Outcome]()

        def work(n: int) -> None:
            answers.extend(answer(notifier, _again(self.example, key=f"{n}.{turn}")) for turn in range(5))

        in_threads(work, [(n,) for n in range(4)])
        assert len(answers) == 20
        assert {type(outcome) for outcome in answers} <= set(ANSWERS)


def answer(notifier: Any, sent: Message) -> Outcome:
    """What a notifier answers, awaited if need be; None is delivered."""
    answered = notifier(sent)
    if inspect.isawaitable(answered):
        answered = asyncio.run(_awaited(answered))
    outcome: Outcome = Delivered() if answered is None else answered
    return outcome


async def _awaited(answered: Any) -> Any:
    return await answered


def _again(sent: Message, **changed: Any) -> Message:
    return attrs.evolve(sent, **{"attempt": sent.attempt + 1, **changed})
