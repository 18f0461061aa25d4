"""What the clocks of a record need to know of its history: a small value, folded event by event.

A timeline knows no target: response, resolution and later metrics read the same one. `trace` folds
a whole history and `extend` one more event, and any split of a history gives the same timeline. It
holds what the events say and nothing derived, so a snapshot may keep it or drop it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

import attrs

from itsm_core.actors import ActorKind
from itsm_core.business_time.instants import micros, parse_text, utc
from itsm_core.errors import InvalidValue
from itsm_core.events import Audience, Direction, Event, Phase, WaitsOn, effective
from itsm_core.priority import Priority

LIVE_CHANNELS = frozenset({"phone", "walk_in", "chat"})
"""Channels on which the contact itself is the answer: a person is speaking."""

VOIDING = frozenset({"cancelled", "duplicate", "merged", "retyped"})
"""Outcomes of a closed record that void its clocks: the promise fell away."""


DONE = (Phase.RESOLVED, Phase.CLOSED)
"""The phases in which nothing more is owed; a tuple, because identity is quicker than hashing."""


class Answered(StrEnum):
    """How a requester was first answered."""

    MESSAGE = "message"
    LIVE_CONTACT = "live_contact"
    ACKNOWLEDGEMENT = "acknowledgement"


@attrs.frozen
class Mark:
    """An instant (microseconds UTC) from which on phase, wait or state are as said."""

    us: int
    phase: Phase
    waits_on: WaitsOn | None = attrs.field(kw_only=True)
    state: str = attrs.field(kw_only=True)
    outcome: str | None = attrs.field(kw_only=True)
    event: str = attrs.field(kw_only=True)

    @property
    def voids(self) -> bool:
        """Whether the record is closed with an outcome that voids its clocks."""
        return self.outcome in VOIDING and self.phase is Phase.CLOSED


@attrs.frozen
class Answer:
    """The first answer: when (microseconds UTC), how, and the event that says so."""

    us: int
    how: Answered
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
class Timeline:
    """What all clocks of one record share. Instants are integer microseconds UTC.

    `until_us` and `seq` are the place of the newest event. `messages_known` is False when the
    history by its nature holds no messages; `monitored` tells that monitoring opened the record.
    """

    until_us: int
    seq: int
    started_us: int | None = attrs.field(default=None, kw_only=True)
    marks: tuple[Mark, ...] = attrs.field(default=(), kw_only=True)
    answer: Answer | None = attrs.field(default=None, kw_only=True)
    priorities: tuple[tuple[int, Priority], ...] = attrs.field(default=(), kw_only=True)
    promised: tuple[Promised, ...] = attrs.field(default=(), kw_only=True)
    messages_known: bool = attrs.field(default=True, kw_only=True)
    monitored: bool = attrs.field(default=False, kw_only=True)

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
        answer, started = self.answer, self.started_us
        return attrs.evolve(
            self,
            until_us=us,
            started_us=None if started is None or started > us else started,
            marks=tuple(mark for mark in self.marks if mark.us <= us),
            answer=None if answer is None or answer.us > us else answer,
            priorities=tuple(pair for pair in self.priorities if pair[0] <= us),
            promised=tuple(p.as_of(us) for p in self.promised if p.made_us <= us),
        )


def trace(events: Iterable[Event]) -> Timeline:
    """The timeline of a whole history, in any order, corrections applied.

    The opening comes first. What is dated before it, as a correction of the opening may bring
    about, counts from the opening on. A history without opening has an empty timeline.
    """
    ordered, draft = effective(events), _Draft(None)
    opening = next((event for event in ordered if event.kind == "opened"), None)
    if opening is not None:
        start = micros(opening.occurred_at)
        draft.take(opening, start)
        for event in ordered:
            if event is not opening:
                draft.take(event, max(start, micros(event.occurred_at)))
    if ordered:
        draft.until_us, draft.seq = micros(ordered[-1].occurred_at), ordered[-1].seq
    return draft.timeline()


def extend(timeline: Timeline | None, event: Event) -> Timeline:
    """The timeline after one more event, which must be the next in order and no correction.

    The event that was taken last changes nothing when it comes again. What `follows` says no to
    is refused: `trace` the whole history then.
    """
    us = micros(event.occurred_at)
    if timeline is not None and (us, event.seq) == (timeline.until_us, timeline.seq):
        return timeline
    if not _follows(timeline, event, us):
        raise InvalidValue(
            "event",
            event.id,
            "is late, a correction or a late opening, and changes what was folded already",
            "fold all events of the record anew: trace(events)",
        )
    draft = _Draft(timeline)
    draft.take(event, us)
    return draft.timeline()


def follows(timeline: Timeline | None, event: Event) -> bool:
    """Whether `extend` may take the event; if not, `trace` all anew.

    It may not take what changes the meaning of events folded already: a late event, a correction,
    or an opening that comes after others.
    """
    return _follows(timeline, event, micros(event.occurred_at))


def _follows(timeline: Timeline | None, event: Event, us: int) -> bool:
    if timeline is None:
        return event.kind != "corrected"
    if event.kind in _UPHEAVALS:
        return False
    return (us, event.seq) > (timeline.until_us, timeline.seq)


_UPHEAVALS = frozenset({"corrected", "opened"})


class _Draft:
    """A timeline while events are being folded in."""

    __slots__ = (
        "answer",
        "marks",
        "messages_known",
        "monitored",
        "priorities",
        "promised",
        "seq",
        "started_us",
        "until_us",
    )

    def __init__(self, timeline: Timeline | None) -> None:
        held = _EMPTY if timeline is None else timeline
        self.until_us, self.seq, self.started_us = held.until_us, held.seq, held.started_us
        self.marks, self.answer, self.priorities = list(held.marks), held.answer, held.priorities
        self.promised, self.monitored = held.promised, held.monitored
        self.messages_known = held.messages_known

    def timeline(self) -> Timeline:
        return Timeline(
            self.until_us,
            self.seq,
            started_us=self.started_us,
            marks=tuple(self.marks),
            answer=self.answer,
            priorities=self.priorities,
            promised=self.promised,
            messages_known=self.messages_known,
            monitored=self.monitored,
        )

    def take(self, event: Event, us: int) -> None:
        """Folds one event; without an opening none says anything."""
        self.until_us, self.seq = us, event.seq
        step = _STEPS.get(event.kind)
        if step is not None and (self.started_us is not None or event.kind == "opened"):
            step(self, event, us)


_EMPTY = Timeline(until_us=1 - 2**53, seq=0)


def _opened(draft: _Draft, event: Event, us: int) -> None:
    """The record is there: its first mark, and a live contact answers at once.

    A successor keeps the start of the promise that was made for the record before it.
    """
    since = event.fields.get("promised_since")
    began = us if since is None else min(us, parse_text(since, "promised_since"))
    if draft.started_us is None:
        draft.started_us = began
    kind = event.actor.kind
    draft.monitored = kind is ActorKind.MONITORING
    draft.messages_known = event.fields.get("messages") != "none"
    _mark(draft, event, began, Phase.NEW, "new")
    if event.channel in LIVE_CHANNELS and kind is ActorKind.PERSON:
        _answered(draft, event, us, Answered.LIVE_CONTACT)
    _priority(draft, event, us)


def _transitioned(draft: _Draft, event: Event, us: int) -> None:
    last = draft.marks[-1]
    _mark(draft, event, us, last.phase, last.state)
    if draft.monitored and event.fields.get("trigger") == "start":
        _acknowledged(draft, event, us)
    _priority(draft, event, us)


def _mark(draft: _Draft, event: Event, us: int, phase: Phase, state: str) -> None:
    """Adds a mark if anything a clock may ask for has changed."""
    fields = event.fields
    told, waits = fields.get("phase"), fields.get("waits_on")
    if told is not None:
        phase = _PHASES.get(told) or Phase(told)
    waits_on = None if waits is None else _WAITS.get(waits) or WaitsOn(waits)
    state, outcome = event.to_state or state, fields.get("outcome")
    if draft.marks:
        last = draft.marks[-1]
        same = last.phase is phase and last.waits_on is waits_on
        if same and last.state == state and last.outcome == outcome:
            return
    mark = Mark(us, phase, waits_on=waits_on, state=state, outcome=outcome, event=event.id)
    draft.marks.append(mark)


_PHASES = {phase.value: phase for phase in Phase}
_WAITS = {reason.value: reason for reason in WaitsOn}
_PRIORITIES = {priority.value: priority for priority in Priority}


def _answered(draft: _Draft, event: Event, us: int, how: Answered) -> None:
    if draft.answer is None:
        draft.answer = Answer(us, how, event=event.id)


def _acknowledged(draft: _Draft, event: Event, us: int) -> None:
    """Where monitoring opened the record, nobody waits for words: a person's acknowledgement answers."""
    if draft.monitored and event.actor.kind is ActorKind.PERSON:
        _answered(draft, event, us, Answered.ACKNOWLEDGEMENT)


def _priority(draft: _Draft, event: Event, us: int) -> None:
    priority = event.fields.get("priority")
    if priority is not None and (not draft.priorities or draft.priorities[-1][1] != priority):
        draft.priorities = (*draft.priorities, (us, _PRIORITIES.get(priority) or Priority(priority)))


_HEARD = frozenset({Audience.REQUESTER.value, Audience.PUBLIC.value})


def _communicated(draft: _Draft, event: Event, us: int) -> None:
    """Words that went out: a person's answer, follow earlier promises, and may promise anew."""
    fields = event.fields
    if fields.get("direction") != Direction.OUTBOUND or fields.get("audience") not in _HEARD:
        return
    due = fields.get("promise_due")
    if event.actor.kind is ActorKind.PERSON and not fields.get("automatic"):
        _answered(draft, event, us, Answered.MESSAGE)
        if draft.promised:
            draft.promised = tuple(_followed(p, event, us, due is not None) for p in draft.promised)
    if due is not None:
        promised = Promised(
            us,
            utc(parse_text(due, "promise_due")),
            by=event.actor.id,
            event=event.id,
            channel=event.channel,
            wording=fields.get("text_digest"),
        )
        draft.promised = (*draft.promised, promised)


def _followed(promised: Promised, event: Event, us: int, renewed: bool) -> Promised:
    if promised.followed_us is not None:
        return promised
    return attrs.evolve(promised, followed_us=us, followed_by=event.id, renewed=renewed)


_STEPS = {
    "opened": _opened,
    "transitioned": _transitioned,
    "communicated": _communicated,
    "acknowledged": _acknowledged,
    "assigned": _priority,
    "reprioritised": _priority,
    "migrated": _transitioned,
}
