"""What falls due when: the open clocks of many records, in the order in which they want work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import attrs

from itsm_core.business_time import format_duration
from itsm_core.business_time.instants import micros
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.explaining.shares import percent
from itsm_core.sla.explaining.tables import Table
from itsm_core.sla.many.batch import Judged, all_judged
from itsm_core.sla.spans import ClockState, Verdict


@attrs.frozen
class Due:
    """An open clock of a record, by the id under which it was judged."""

    id: str
    clock: Clock

    @property
    def overdue(self) -> bool:
        """Whether the promise is broken already."""
        return self.clock.elapsed_us > self.clock.budget_us

    @property
    def remaining(self) -> dt.timedelta:
        """The open time that is left, never negative."""
        return self.clock.remaining


@attrs.frozen(kw_only=True)
class Agenda:
    """Open clocks: those `due`, overdue first, those `paused` by how little is left, those `never` due.

    Of those `unknown` nobody kept what would have stopped them; `not_judged` names the records whose
    clocks nobody knows.
    """

    due: tuple[Due, ...] = ()
    paused: tuple[Due, ...] = ()
    never: tuple[Due, ...] = ()
    unknown: tuple[Due, ...] = ()
    not_judged: tuple[str, ...] = ()

    def table(self) -> Table:
        """A row for each clock, in this order."""
        rows = [_cells(one) for one in (*self.due, *self.paused, *self.never, *self.unknown)]
        missing = ", ".join(self.not_judged)
        notes = (f"Not judged: {missing}",) if missing else ()
        headings = ("record", "metric", "due", "left", "used")
        return Table("", headings, rows=tuple(rows), notes=notes, words=3)

    def __str__(self) -> str:
        return self.table().text().strip("\n") or "Nothing is due"

    def _repr_html_(self) -> str:
        return self.table().html()


def _cells(one: Due) -> tuple[str, ...]:
    clock, due = one.clock, one.clock.due_at
    if clock.verdict is Verdict.UNKNOWN:
        return one.id, str(clock.target.metric), "unknown", "-", "-"
    waits = "paused" if clock.state is ClockState.PAUSED and not clock.unlimited else "never"
    told = waits if due is None else f"{due:%Y-%m-%d %H:%M %z}"
    share = percent(clock.share) if clock.budget_us else "-"
    return one.id, str(clock.target.metric), told, _left(one), share


def _left(one: Due) -> str:
    """The open time that is left, or by how much it is overdue."""
    if one.clock.unlimited:
        return "-"
    return f"-{format_duration(one.clock.overrun)}" if one.overdue else format_duration(one.remaining)


def agenda(judged: Iterable[Judged], until: dt.datetime | None = None) -> Agenda:
    """The open clocks of many records in the order in which they fall due, if nothing happens.

    With `until` those that fall due later are left out; overdue ones never are. Give the records as
    `evaluate_all` judged them: what stopped is left out, and what could not be judged is named.
    """
    limit = None if until is None else micros(until, "until")
    due: list[tuple[int, Due]] = []
    paused, never, unknown, problems = [], [], [], []
    for found in all_judged(judged):
        if found.problem is not None:
            problems.append(found.id)
        for entry in _open(found):
            clock = entry.clock
            us = clock.due_us
            if clock.verdict is Verdict.UNKNOWN:
                unknown.append(entry)
            elif us is not None:
                if entry.overdue or limit is None or us <= limit:
                    due.append((us, entry))
            elif clock.unlimited or clock.state is not ClockState.PAUSED:
                never.append(entry)
            else:
                paused.append(entry)
    return Agenda(
        due=tuple(entry for _, entry in sorted(due, key=lambda pair: (pair[0], *_name(pair[1])))),
        paused=tuple(sorted(paused, key=lambda entry: (entry.remaining, *_name(entry)))),
        never=tuple(sorted(never, key=_name)),
        unknown=tuple(sorted(unknown, key=_name)),
        not_judged=tuple(problems),
    )


def _open(one: Judged) -> Iterator[Due]:
    """The clocks of a record that go on."""
    for clock in one.clocks.values():
        if clock.started_us is not None and clock.stopped_us is None:
            yield Due(one.id, clock)


def _name(entry: Due) -> tuple[str, str]:
    return entry.id, str(entry.clock.target.metric)
