"""Many records judged one after the other, in constant memory.

    histories -> evaluate_all(histories, agreement, at) -> one `Judged` for each record

A history that cannot be judged is told by its `problem`, and the next one follows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import attrs

from itsm_core.business_time.instants import micros
from itsm_core.business_time.windows import printable
from itsm_core.errors import InvalidValue, ItsmError
from itsm_core.events import Event
from itsm_core.records import Record, fold, folded
from itsm_core.sla.agreements.agreement import Agreement, opened_under, version_at
from itsm_core.sla.agreements.workload import Load
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.clocks.evaluation import clocks_at
from itsm_core.sla.timeline import Timeline
from itsm_core.sla.tracing import as_it_happened, put_in_order
from itsm_core.values import each, only

History = Iterable[Event]
Histories = Mapping[str, History] | Iterable[History | tuple[str, History]]
"""The histories of many records: by id, in pairs with their ids, or one after the other."""

Agreements = Agreement | Iterable[Agreement]
"""One agreement, or several of which the first that covers a record judges it (see `judged_by`)."""


@attrs.frozen
class Problem:
    """Why a history cannot be judged: a stable `code`, and a sentence.

    The codes are `unreadable` (what should be events is not, or fails while being read),
    `several_records`, `not_recorded` (by `known_at`), `no_opening` and `unmeasurable`.
    """

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@attrs.frozen(repr=False)
class Judged:
    """A record and its clocks by metric, or the problem that kept it from being judged.

    `id` is the one that the histories were given under, else the record's own. `agreement` names the
    agreement that judges the record, and its version; None where none does. `agreed` tells whether it says
    with whom and when it was agreed, and `loads` the workload limits that the record counts towards.
    """

    id: str
    record: Record | None = attrs.field(default=None, kw_only=True)
    clocks: Mapping[str, Clock] = attrs.field(factory=dict, kw_only=True)
    agreement: str | None = attrs.field(default=None, kw_only=True)
    problem: Problem | None = attrs.field(default=None, kw_only=True)
    agreed: bool = attrs.field(default=False, kw_only=True)
    loads: tuple[Load, ...] = attrs.field(default=(), kw_only=True)

    def __repr__(self) -> str:
        return printable(f"<{self.id}{self._outcome}>")

    @property
    def _outcome(self) -> str:
        if self.problem is not None:
            return f": not judged, {self.problem}"
        if self.agreement is None:
            return ": not covered"
        told = ", ".join(f"{metric} {_told(clock)}" for metric, clock in self.clocks.items())
        return f" by {self.agreement}: {told or 'no target'}"

    @property
    def covered(self) -> bool:
        """Whether an agreement speaks of the record."""
        return self.agreement is not None

    @property
    def settled(self) -> bool:
        """Whether there are clocks and all of them are final; until then they are provisional."""
        return bool(self.clocks) and all(clock.settled for clock in self.clocks.values())


def _told(clock: Clock) -> str:
    """Raw verdict first, the adjusted one second."""
    adjusted = "" if clock.adjusted is None else f", adjusted {clock.adjusted.verdict.replace('_', ' ')}"
    return _raw(clock) + adjusted


def _raw(clock: Clock) -> str:
    if clock.stopped_us is None:
        return f"{clock.verdict}, {clock.state}" if clock.breached else clock.state
    return f"{clock.verdict.replace('_', ' ')}{'' if clock.settled else ' (provisional)'}"


def evaluate_all(
    histories: Histories, agreement: Agreements, at: dt.datetime, *, known_at: dt.datetime | None = None
) -> Iterator[Judged]:
    """The records of many histories judged at an instant, one by one, in the order given.

    Histories are read lazily and none is kept: a mapping by record id, pairs such as those of
    `itertools.groupby(events, key=lambda event: event.record)`, or the histories alone. Of several
    agreements the first that covers a record judges it, or a later version that took it over. With
    `known_at` only what had been recorded by then counts.
    """
    agreements, _ = agreements_of(agreement), micros(at)
    return (judged(one, agreements, at) for one in read_all(histories, known_at))


def all_judged(value: Iterable[Judged]) -> Iterator[Judged]:
    """The judged records given, one by one; whatever else is refused with the way to judge some."""
    if isinstance(value, Judged) or not isinstance(value, Iterable):
        raise InvalidValue("judged", value, "is no list of Judged", _JUDGED)
    return (only(Judged, one, "judged", _JUDGED) for one in value)


_JUDGED = "give what evaluate_all(histories, agreement, at) yields"


def agreements_of(value: Agreements) -> tuple[Agreement, ...]:
    """The agreements given, at least one."""
    remedy = "give one, such as default_agreement(calendar), or a list of them"
    found = (value,) if isinstance(value, Agreement) else each(Agreement, value, "agreement", remedy)
    if not found:
        raise InvalidValue("agreement", value, "names none, so nothing could be judged", remedy)
    return found


def judged(one: Known | Judged, agreements: tuple[Agreement, ...], at: dt.datetime) -> Judged:
    """What is known of a record, judged; what could not be read stays as it is."""
    if isinstance(one, Judged):
        return one
    first = opened_under(agreements, one.record)
    if first is None:
        return Judged(one.id, record=one.record)
    agreement = version_at(first, agreements, one.record, one.timeline, at)
    clocks: dict[str, Clock] = {}
    problem = None
    try:
        clocks = clocks_at(one.record, one.timeline, agreement, at)
    except ItsmError as wrong:
        problem = Problem("unmeasurable", str(wrong))
    return Judged(
        one.id, record=one.record, clocks=clocks, agreement=agreement.label, agreed=agreement.agreed,
        loads=first.loads(one.record, one.timeline) if first.workload else (), problem=problem,
    )  # fmt: skip


# --- reading ------------------------------------------------------------------------------------


class Known(NamedTuple):
    """What the events of one record say, ready to be judged by any agreement."""

    id: str
    record: Record
    timeline: Timeline


def read_all(histories: Histories, known_at: dt.datetime | None = None) -> Iterator[Known | Judged]:
    """What is known of each record, one by one; a `Judged` with its problem where nothing can be.

    What is wrong with the arguments is refused at once.
    """
    limit = None if known_at is None else micros(known_at, "known_at")
    remedy = "give an iterable of histories: [desk.history(id) for id in ids], or a mapping by record id"
    if isinstance(histories, (str, bytes, Event)) or not isinstance(histories, Iterable):
        raise InvalidValue("histories", histories, "are no histories of records", remedy)
    items = histories.items() if isinstance(histories, Mapping) else histories
    return (_read(item, place, limit) for place, item in enumerate(items, start=1))


def _read(item: Any, place: int, limit: int | None) -> Known | Judged:
    name, history = item if _is_pair(item) else (None, item)
    if isinstance(history, Event):
        raise InvalidValue(
            "histories", history, "are the events of records, not grouped by record",
            "group them: itertools.groupby(events, key=lambda event: event.record)",
        )  # fmt: skip
    try:
        events = each(Event, history, "history", "give the events of one record")
    except _UNFIT as wrong:
        return Judged(f"history {place}" if name is None else str(name), problem=_unreadable(wrong))
    found = str(name) if name is not None else events[0].record if events else f"history {place}"
    return _known(found, events, limit)


def _is_pair(item: Any) -> bool:
    """Whether it is an id with a history; no event is a text, so no history is mistaken for one."""
    return isinstance(item, tuple) and len(item) == 2 and not isinstance(item[0], Event)


def _known(name: str, events: tuple[Event, ...], limit: int | None) -> Known | Judged:
    records = {event.record for event in events}
    if len(records) > 1:
        told = ", ".join(sorted(records)[:3]) + (", ..." if len(records) > 3 else "")
        return Judged(name, problem=Problem("several_records", f"it holds events of {told}"))
    said = events
    if limit is not None:
        said = tuple(event for event in events if micros(event.recorded_at) <= limit)
    if not said or (said[0].kind != "opened" and all(event.kind != "opened" for event in said)):
        return Judged(name, problem=_unopened(late=len(said) < len(events)))
    try:
        timeline = as_it_happened(said)
        if timeline is not None:
            return Known(name, folded(said), timeline)
        return Known(name, fold(said), put_in_order(said))
    except _UNFIT as wrong:
        return Judged(name, problem=_unreadable(wrong))


def _unopened(*, late: bool) -> Problem:
    if late:
        return Problem("not_recorded", "its opening had not been recorded by then")
    return Problem("no_opening", "it holds no `opened` event; give the whole history")


_UNFIT = (ItsmError, ArithmeticError, LookupError, TypeError, ValueError)
"""What reading and folding raise over events that do not make sense."""


def _unreadable(wrong: Exception) -> Problem:
    """What a history came to grief over; one bad one does not end a batch."""
    ours = isinstance(wrong, ItsmError)
    return Problem("unreadable", str(wrong) if ours else f"{type(wrong).__name__}: {wrong}")
