"""What the clocks of a record need to know of its history: states, words, priorities, promises.

A timeline knows no target: all metrics read the same one. It holds what the events say and nothing
derived, so a snapshot may keep it or drop it.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from itertools import pairwise

import attrs

from itsm_core.events import Phase, WaitsOn
from itsm_core.priority import Priority

VOIDING = frozenset({"cancelled", "duplicate", "merged", "retyped"})
"""Outcomes of a closed record that void its clocks: the promise fell away."""

DONE = (Phase.RESOLVED, Phase.CLOSED)
"""The phases in which nothing more is owed."""


class Said(StrEnum):
    """What passed between the desk and the requester: words, or what is as good as words."""

    MESSAGE = "message"
    AI_MESSAGE = "ai_message"
    LIVE_CONTACT = "live_contact"
    ACKNOWLEDGEMENT = "acknowledgement"
    REQUEST = "request"


ANSWERS = frozenset({Said.MESSAGE, Said.LIVE_CONTACT, Said.ACKNOWLEDGEMENT})
"""What answers a requester unless a target says otherwise: never an automatic reply, nor an AI agent."""


@attrs.frozen
class Mark:
    """An instant (microseconds UTC) from which on state, wait and assignment are as said."""

    us: int
    phase: Phase
    waits_on: WaitsOn | None = attrs.field(kw_only=True)
    state: str = attrs.field(kw_only=True)
    outcome: str | None = attrs.field(kw_only=True)
    event: str = attrs.field(kw_only=True)
    group: str | None = attrs.field(default=None, kw_only=True)
    assignee: str | None = attrs.field(default=None, kw_only=True)
    owner: str | None = attrs.field(default=None, kw_only=True)

    @property
    def voids(self) -> bool:
        """Whether the record is closed with an outcome that voids its clocks."""
        return self.outcome in VOIDING and self.phase is Phase.CLOSED


@attrs.frozen
class Word:
    """Something said: when (microseconds UTC), what, and the event that tells."""

    us: int
    said: Said
    event: str = attrs.field(kw_only=True)


@attrs.frozen
class Promised:
    """A word given to the requester: the next one comes by `due`.

    `followed_us` is when a person next answered, `renewed` whether that answer promised anew.
    """

    made_us: int
    due: dt.datetime
    by: str = attrs.field(kw_only=True, repr=False)
    event: str = attrs.field(kw_only=True)
    channel: str | None = attrs.field(default=None, kw_only=True)
    wording: str | None = attrs.field(default=None, kw_only=True, repr=False)
    followed_us: int | None = attrs.field(default=None, kw_only=True)
    followed_by: str | None = attrs.field(default=None, kw_only=True)
    renewed: bool = attrs.field(default=False, kw_only=True)

    def as_of(self, us: int) -> Promised:
        """The promise as it stood at an instant: without an answer that came later."""
        if self.followed_us is None or self.followed_us <= us:
            return self
        return attrs.evolve(self, followed_us=None, followed_by=None, renewed=False)


@attrs.frozen
class Claim:
    """That an agreed exception applies: which, to which metric (None: all), in which stretch of time."""

    us: int
    exception: str
    metric: str | None = attrs.field(default=None, kw_only=True)
    since_us: int | None = attrs.field(default=None, kw_only=True)
    until_us: int | None = attrs.field(default=None, kw_only=True)
    event: str = attrs.field(kw_only=True)


@attrs.frozen
class Justified:
    """That taking longer was care: of which metric, who approved, and where the requester confirmed it."""

    us: int
    metric: str
    by: str = attrs.field(kw_only=True, repr=False)
    event: str = attrs.field(kw_only=True)
    confirmation: str | None = attrs.field(default=None, kw_only=True)

    @property
    def confirmed(self) -> bool:
        """Whether it names the words in which the requester confirmed."""
        return self.confirmation is not None


@attrs.frozen
class Timeline:
    """What all clocks of one record share. Instants are integer microseconds UTC.

    `until_us` and `seq` are the place of the newest event. `messages_known` is False when the
    history by its nature holds no messages; `monitored` tells that monitoring opened the record.
    """

    until_us: int
    seq: int
    started_us: int | None = attrs.field(default=None, kw_only=True)
    marks: tuple[Mark, ...] = attrs.field(default=(), kw_only=True)
    words: tuple[Word, ...] = attrs.field(default=(), kw_only=True)
    priorities: tuple[tuple[int, Priority], ...] = attrs.field(default=(), kw_only=True)
    promised: tuple[Promised, ...] = attrs.field(default=(), kw_only=True)
    messages_known: bool = attrs.field(default=True, kw_only=True)
    monitored: bool = attrs.field(default=False, kw_only=True)
    claims: tuple[Claim, ...] = attrs.field(default=(), kw_only=True)
    justified: tuple[Justified, ...] = attrs.field(default=(), kw_only=True)

    def answer(self, by: frozenset[Said] = ANSWERS) -> Word | None:
        """The first word that answers; None if none does."""
        return next((word for word in self.words if word.said in by), None)

    @property
    def settled(self) -> bool:
        """Whether the record is closed, so that its stopped clocks are final."""
        return bool(self.marks) and self.marks[-1].phase is Phase.CLOSED

    @property
    def reopened(self) -> int:
        """How often the record went from resolved or closed back to work."""
        return sum(b.phase.is_open and not a.phase.is_open for a, b in pairwise(self.marks))

    def priority_at(self, us: int) -> Priority | None:
        """The priority the record had at an instant, or else the first it was given."""
        held = self.priorities
        return next((p for since, p in reversed(held) if since <= us), held[0][1] if held else None)

    def as_of(self, us: int) -> Timeline:
        """The timeline as it stood at an instant: without what happened later."""
        if us >= self.until_us:
            return self
        started = self.started_us
        return attrs.evolve(
            self,
            until_us=us,
            started_us=None if started is None or started > us else started,
            marks=tuple(mark for mark in self.marks if mark.us <= us),
            words=tuple(word for word in self.words if word.us <= us),
            priorities=tuple(pair for pair in self.priorities if pair[0] <= us),
            promised=tuple(p.as_of(us) for p in self.promised if p.made_us <= us),
            claims=tuple(claim for claim in self.claims if claim.us <= us),
            justified=tuple(one for one in self.justified if one.us <= us),
        )
