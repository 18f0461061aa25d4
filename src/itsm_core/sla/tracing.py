"""The fold of clocks: events become a timeline, all at once or one by one.

`trace` folds a whole history and `extend` one more event; any split of a history gives the same
timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from itsm_core.actors import ActorKind
from itsm_core.business_time.instants import micros, parse_text, utc
from itsm_core.errors import InvalidValue
from itsm_core.events import Audience, Direction, Event, Phase, WaitsOn, effective, told_once
from itsm_core.priority import Priority
from itsm_core.sla.timeline import Claim, Justified, Mark, Promised, Said, Timeline, Word
from itsm_core.values import member, trusted

LIVE_CHANNELS = frozenset({"phone", "walk_in", "chat"})
"""Channels on which the contact itself is the answer: a person is speaking."""


def trace(events: Iterable[Event]) -> Timeline:
    """The timeline of a whole history, in any order, corrections applied.

    What came to be known only after the record was closed, and happened before, changes no settled clock:
    it counts once a `restated` event takes it up (`restating.restatements` says what it would change).

    The opening comes first. What is dated before it, as a correction of the opening may bring
    about, counts from the opening on. A history without opening has an empty timeline.
    """
    known = tuple(events)
    return as_it_happened(known) or put_in_order(known)


def as_it_happened(events: tuple[Event, ...]) -> Timeline | None:
    """The timeline of events that stand in order, each once, the opening first, and none mends another.

    None of any other history.
    """
    draft, us, seq = _Draft(None), _EMPTY.until_us, 0
    for event in events:
        at, kind = micros(event.occurred_at), event.kind
        if event.seq <= seq or at < us or kind in _MENDING or (seq == 0) is not (kind == "opened"):
            return None
        if at == us and draft.marks and draft.marks[-1].phase is Phase.CLOSED:
            return None  # at the instant of the closing: perhaps too late for what was settled
        us, seq = at, event.seq
        step = _STEPS.get(kind)
        if step is not None:
            step(draft, event, us)
    if len({event.id for event in events}) < len(events):
        return None  # one of them is told twice, or they are two under one id
    draft.until_us, draft.seq = us, seq
    return draft.timeline() if events else None


_MENDING = frozenset({"corrected", "restated"})


def put_in_order(events: Iterable[Event]) -> Timeline:
    """The timeline of any history: each event once and in its place, corrections applied, none too late."""
    return _folded(effective(in_time(events)))


def retrace(events: Iterable[Event]) -> Timeline:
    """The timeline with everything that is known by now, as if nothing were settled."""
    return _folded(effective(events))


def in_time(events: Iterable[Event]) -> list[Event]:
    """The events that clocks count: all but those that came too late for what was settled."""
    known = sorted(told_once(events).values(), key=_by_seq)
    closed = next((event for event in known if _closes(event)), None)
    if closed is None:
        return known
    late = _Late()
    for event in known:
        late.take(event)
    return [event for event in known if event.id not in late.found]


class _Late:
    """Which events came after the record was settled and tell of before."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.seen: dict[str, Event] = {}
        self.settled: Event | None = None
        self.closed = False

    def take(self, event: Event) -> None:
        """One more event, in the order in which they came to be known."""
        self.seen[event.id] = event
        if event.kind == "restated":
            self.found.clear()
        elif self.settled is not None and self._is_late(event, self.settled):
            self.found.add(event.id)
        elif event.fields.get("phase") is not None:
            self.closed = _closes(event)
            self.settled = event if self.closed else self.settled

    def _is_late(self, event: Event, settled: Event) -> bool:
        if event.kind != "corrected":
            if event.occurred_at != settled.occurred_at:
                return event.occurred_at < settled.occurred_at
            return self.closed and event.recorded_at > settled.recorded_at and not _opens(event)
        mended = self.seen.get(str(event.fields.get("event")))
        return mended is not None and mended.seq <= settled.seq


def _closes(event: Event) -> bool:
    return event.fields.get("phase") == Phase.CLOSED


def _opens(event: Event) -> bool:
    """Whether it takes work up again, which at the very instant of the closing is no news of before."""
    phase = event.fields.get("phase")
    return phase is not None and member(Phase, phase, "phase").is_open


def _by_seq(event: Event) -> tuple[int, str]:
    return event.seq, event.id


def _folded(ordered: Sequence[Event]) -> Timeline:
    draft = _Draft(None)
    opening = next((event for event in ordered if event.kind == "opened"), None)
    if opening is not None:
        us = start = micros(opening.occurred_at)
        draft.take(opening, start)
        for event in ordered:
            if event is not opening:
                us = micros(event.occurred_at)
                draft.take(event, max(start, us))
        last = ordered[-1]
        draft.until_us, draft.seq = start if last is opening else us, last.seq
    elif ordered:
        draft.until_us, draft.seq = micros(ordered[-1].occurred_at), ordered[-1].seq
    return draft.timeline()


def extend(timeline: Timeline | None, event: Event) -> Timeline:
    """The timeline after one more event, which must be the next in order and no correction.

    The event that was taken last changes nothing when it comes again. What `follows` says no to
    is refused: `trace` the whole history then.
    """
    found = extended(timeline, event)
    if found is None:
        raise InvalidValue(
            "event",
            event.id,
            "is late, a correction or a late opening, and changes what was folded already",
            "fold all events of the record anew: trace(events)",
        )
    return found


def extended(timeline: Timeline | None, event: Event) -> Timeline | None:
    """The same, and None for an event that does not follow."""
    us = micros(event.occurred_at)
    if timeline is not None and us == timeline.until_us and event.seq == timeline.seq:
        return timeline
    if not _follows(timeline, event, us):
        return None
    draft = _Draft(timeline)
    draft.take(event, us)
    return draft.timeline()


def follows(timeline: Timeline | None, event: Event) -> bool:
    """Whether `extend` may take the event; if not, `trace` all anew.

    It may not take what changes the meaning of events folded already: a late event, a correction, a
    restatement, an opening that comes after others, or what is told later of the closing's own instant.
    """
    return _follows(timeline, event, micros(event.occurred_at))


def _follows(timeline: Timeline | None, event: Event, us: int) -> bool:
    if timeline is None:
        return event.kind not in ("corrected", "restated")
    if event.kind in _UPHEAVALS:
        return False
    if timeline.settled and us == timeline.until_us and event.recorded_at > event.occurred_at:
        return False  # perhaps at the instant of a closing, told later: too late for what was settled
    return (us, event.seq) > (timeline.until_us, timeline.seq)


_UPHEAVALS = frozenset({"corrected", "opened", "restated"})


class _Draft:
    """A timeline while events are being folded in."""

    __slots__ = (
        "claims",
        "justified",
        "marks",
        "messages_known",
        "monitored",
        "priorities",
        "promised",
        "seq",
        "started_us",
        "until_us",
        "words",
    )

    def __init__(self, timeline: Timeline | None) -> None:
        held = _EMPTY if timeline is None else timeline
        self.until_us, self.seq, self.started_us = held.until_us, held.seq, held.started_us
        self.marks, self.words, self.priorities = list(held.marks), list(held.words), held.priorities
        self.promised, self.monitored = held.promised, held.monitored
        self.messages_known = held.messages_known
        self.claims, self.justified = held.claims, held.justified

    def timeline(self) -> Timeline:
        return _timeline(
            self.until_us, self.seq, self.started_us, tuple(self.marks), tuple(self.words), self.priorities,
            self.promised, self.messages_known, self.monitored, self.claims, self.justified,
        )  # fmt: skip

    def take(self, event: Event, us: int) -> None:
        """Folds one event; without an opening none says anything."""
        self.until_us, self.seq = us, event.seq
        step = _STEPS.get(event.kind)
        if step is not None and (self.started_us is not None or event.kind == "opened"):
            step(self, event, us)


_EMPTY = Timeline(until_us=1 - 2**53, seq=0)


def _opened(draft: _Draft, event: Event, us: int) -> None:
    """The record is there: its first mark. A person asks by opening it, and is answered by a live contact.

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
    if kind is ActorKind.PERSON:
        live = event.channel in LIVE_CHANNELS
        _word(draft, event, us, Said.LIVE_CONTACT if live else Said.REQUEST)
    _priority(draft, event, us)


def _transitioned(draft: _Draft, event: Event, us: int) -> None:
    last = draft.marks[-1]
    _mark(draft, event, us, last.phase, last.state)
    if draft.monitored and event.fields.get("trigger") == "start":
        _acknowledged(draft, event, us)
    if "priority" in event.fields:
        _priority(draft, event, us)


def _mark(draft: _Draft, event: Event, us: int, phase: Phase, state: str) -> None:
    """Adds a mark if anything a clock may ask for has changed."""
    fields = event.fields
    get = fields.get
    told, waits, outcome = get("phase"), get("waits_on"), get("outcome")
    if told is not None:
        phase = _PHASES.get(told) or member(Phase, told, "phase")
    waits_on = None if waits is None else _WAITS.get(waits) or member(WaitsOn, waits, "waits_on")
    state = event.to_state or state
    if draft.marks:
        last = draft.marks[-1]
        group, assignee, owner = (
            get("group", last.group), get("assignee", last.assignee), get("owner", last.owner),
        )  # fmt: skip
        if (
            phase is last.phase and state == last.state and waits_on is last.waits_on
            and outcome == last.outcome
            and (group, assignee, owner) == (last.group, last.assignee, last.owner)
        ):  # fmt: skip
            return
    else:
        group, assignee, owner = get("group"), get("assignee"), get("owner")
    draft.marks.append(_made(us, phase, waits_on, state, outcome, event.id, group, assignee, owner))


_made, _timeline, _said = trusted(Mark), trusted(Timeline), trusted(Word)


def _assigned(draft: _Draft, event: Event, us: int) -> None:
    """Somebody else has it from now on; nothing else about it changes."""
    last, get = draft.marks[-1], event.fields.get
    who = get("group", last.group), get("assignee", last.assignee), get("owner", last.owner)
    if who != (last.group, last.assignee, last.owner):
        draft.marks.append(_made(us, last.phase, last.waits_on, last.state, last.outcome, event.id, *who))
    _priority(draft, event, us)


_PHASES = {phase.value: phase for phase in Phase}
_WAITS = {reason.value: reason for reason in WaitsOn}
_PRIORITIES = {priority.value: priority for priority in Priority}


def _word(draft: _Draft, event: Event, us: int, said: Said) -> None:
    draft.words.append(_said(us, said, event.id))


def _acknowledged(draft: _Draft, event: Event, us: int) -> None:
    """Where monitoring opened the record, nobody waits for words: a person's acknowledgement answers."""
    if draft.monitored and event.actor.kind is ActorKind.PERSON:
        _word(draft, event, us, Said.ACKNOWLEDGEMENT)


def _priority(draft: _Draft, event: Event, us: int) -> None:
    priority = event.fields.get("priority")
    if priority is not None and (not draft.priorities or draft.priorities[-1][1] != priority):
        known = _PRIORITIES.get(priority) or member(Priority, priority, "priority")
        draft.priorities = (*draft.priorities, (us, known))


_HEARD = frozenset({Audience.REQUESTER.value, Audience.PUBLIC.value})


def _communicated(draft: _Draft, event: Event, us: int) -> None:
    """Words: a person's answer follows earlier promises, and may promise anew."""
    fields = event.fields
    if fields.get("audience") not in _HEARD:
        return
    said = None if fields.get("automatic") else _SPOKEN.get((fields.get("direction"), event.actor.kind))
    if said is not None:
        _word(draft, event, us, said)
    if fields.get("direction") != Direction.OUTBOUND:
        return
    due = fields.get("promise_due")
    if said is Said.MESSAGE and draft.promised:
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


_SPOKEN: dict[tuple[Any, ActorKind], Said] = {
    ("outbound", ActorKind.PERSON): Said.MESSAGE,
    ("outbound", ActorKind.AI_AGENT): Said.AI_MESSAGE,
    ("inbound", ActorKind.PERSON): Said.REQUEST,
}
"""What words are, by direction and who said them; those of machines and suppliers count for no clock."""


def _followed(promised: Promised, event: Event, us: int, renewed: bool) -> Promised:
    if promised.followed_us is not None:
        return promised
    return attrs.evolve(promised, followed_us=us, followed_by=event.id, renewed=renewed)


def _claimed(draft: _Draft, event: Event, us: int) -> None:
    get = event.fields.get
    since, until = get("since"), get("until")
    claim = Claim(
        us,
        get("exception", ""),
        metric=get("metric"),
        since_us=None if since is None else parse_text(since, "since"),
        until_us=None if until is None else parse_text(until, "until"),
        event=event.id,
    )
    draft.claims = (*draft.claims, claim)


def _justified(draft: _Draft, event: Event, us: int) -> None:
    get = event.fields.get
    said = Justified(
        us, get("metric", ""), by=event.actor.id, event=event.id, confirmation=get("confirmation") or None
    )
    draft.justified = (*draft.justified, said)


_STEPS = {
    "opened": _opened,
    "transitioned": _transitioned,
    "communicated": _communicated,
    "acknowledged": _acknowledged,
    "assigned": _assigned,
    "reprioritised": _priority,
    "migrated": _transitioned,
    "exception_claimed": _claimed,
    "overrun_justified": _justified,
}
