"""The votes of one panel as they come in, and whether they are enough."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import attrs

from itsm_core.approvals.rules import Panel


class Verdict(StrEnum):
    """How a round or one of its panels stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


APPROVE, REJECT, ABSTAIN = "approve", "reject", "abstain"
STRICTNESS = {APPROVE: 0, ABSTAIN: 1, REJECT: 2}
"""The votes there are; the higher the further from approval."""


@attrs.define
class Count:
    """One panel's count while the votes of a round are gone through; decided once and for all.

    Decided means certain: approved when it would be if all the rest refused, rejected when it would
    be if all the rest approved. Seats that nobody may fill count as votes that never come: a dead end
    is no refusal.
    """

    panel: Panel
    members: tuple[str, ...]
    choices: dict[str, str] = attrs.field(factory=dict)
    hands: dict[str, str] = attrs.field(factory=dict)
    numbers: dict[str, int] = attrs.field(factory=lambda: dict.fromkeys(STRICTNESS, 0))
    veto: frozenset[str] = attrs.field(init=False)
    mandatory: frozenset[str] = attrs.field(init=False)
    awaited: set[str] = attrs.field(init=False)
    empty_seats: int = attrs.field(init=False)
    verdict: Verdict = Verdict.PENDING
    decided_at: dt.datetime | None = None
    decided_by: str | None = None
    barred_by: str | None = None

    def __attrs_post_init__(self) -> None:
        self.veto, self.mandatory = frozenset(self.panel.veto), frozenset(self.panel.mandatory)
        self.awaited = set(self.mandatory | self.veto.intersection(self.members))
        self.empty_seats = max(0, self.needed - len(self.members))

    @property
    def needed(self) -> int:
        """How many must approve as things stand."""
        return self.panel.votes_needed(len(self.members) - self.numbers[ABSTAIN])

    @property
    def enough(self) -> bool:
        """Whether so many have approved."""
        return self.numbers[APPROVE] >= self.needed

    def take(self, voice: str, choice: str, *, at: dt.datetime, by: str) -> None:
        """Counts a vote in the place of the voice's earlier one, and decides if that is enough."""
        before = self.choices.get(voice)
        if before is not None:
            self.numbers[before] -= 1
        self.choices[voice], self.hands[voice] = choice, by
        self.numbers[choice] += 1
        self.awaited.discard(voice)
        self.verdict = self._verdict(voice, choice)
        if self.verdict is not Verdict.PENDING:
            self.decided_at, self.decided_by = at, by

    def _verdict(self, voice: str, choice: str) -> Verdict:
        vetoed = choice == REJECT and voice in self.veto
        if vetoed or (choice != APPROVE and voice in self.mandatory):
            self.barred_by = voice
            return Verdict.REJECTED
        if self.enough and not self.awaited:
            return Verdict.APPROVED
        still = len(self.members) - len(self.choices) + self.empty_seats
        return Verdict.REJECTED if self.numbers[APPROVE] + still < self.needed else Verdict.PENDING

    def who(self, choice: str) -> tuple[str, ...]:
        """The members who voted so, in the order of the panel."""
        return tuple(name for name in self.members if self.choices.get(name) == choice)

    def waiting_for(self) -> tuple[str, ...]:
        """The members whose vote it still takes; once enough approve, those without whom it cannot be."""
        if self.verdict is not Verdict.PENDING:
            return ()
        open_for = self.awaited if self.enough else frozenset(self.members)
        return tuple(name for name in self.members if name in open_for and name not in self.choices)
