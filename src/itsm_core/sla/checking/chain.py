"""Whether what teams and suppliers promise fits what was promised to the customer.

    check_chain(agreement, [team, supplier], at) -> Chain -> which promise comes too late, and when

Compared are due instants: whoever is asked at an instant, the promise below must not fall due after the
customer's. All clocks start at that instant and none pauses. Every start in the span is compared, to the
microsecond (ISO/IEC 20000-1, 8.3.4: internal and supplier agreements are aligned with those above).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import attrs

from itsm_core.business_time.instants import HOUR, MINUTE, SECOND, later, micros, utc
from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.sla.agreements.agreement import Agreement
from itsm_core.sla.agreements.targets import Target
from itsm_core.sla.checking.turning_points import Step, due, starts
from itsm_core.sla.explaining.tables import Table
from itsm_core.values import NO_FIELDS, as_fields, each, only, texts

YEAR = dt.timedelta(days=366)
LONGEST = dt.timedelta(days=10 * 366)


class Fit(StrEnum):
    """Whether what is promised below fits: not at all where nothing is."""

    FITS = "fits"
    LATE = "late"
    NOTHING = "nothing"


@attrs.frozen(kw_only=True)
class ChainLink:
    """One promise to the customer held against what is promised below it, for one priority.

    Of a `LATE` one, `asked_us` is the start with the greatest lateness; `promised_us` and `below_us` are
    the due instants then. `below_us` and `late_us` are None where the promise below never falls due.
    """

    metric: str
    priority: Priority
    promised: Target
    below: tuple[Target, ...]
    fit: Fit
    asked_us: int | None = None
    promised_us: int | None = None
    below_us: int | None = None

    @property
    def late_us(self) -> int | None:
        """The greatest lateness in microseconds of wall time; None if nothing is late, or without end."""
        if self.below_us is None or self.promised_us is None:
            return None
        return self.below_us - self.promised_us

    @property
    def lateness(self) -> dt.timedelta | None:
        """The greatest lateness in wall time."""
        return None if self.late_us is None else dt.timedelta(microseconds=self.late_us)

    @property
    def asked_at(self) -> dt.datetime | None:
        """The start with the greatest lateness, in the zone of the promise to the customer."""
        return self._when(self.asked_us)

    @property
    def promised_at(self) -> dt.datetime | None:
        """When the promise to the customer is due then."""
        return self._when(self.promised_us)

    @property
    def below_at(self) -> dt.datetime | None:
        """When the promise below is due then."""
        return self._when(self.below_us)

    def _when(self, us: int | None) -> dt.datetime | None:
        return None if us is None else utc(us).astimezone(self.promised.calendar.zone)

    def __str__(self) -> str:
        head = f"{self.priority} {self.metric}"
        names = ", then ".join(target.id for target in self.below)
        if self.fit is Fit.NOTHING:
            return f"{head}: nothing is promised below {self.promised.id}"
        if self.fit is Fit.FITS:
            return f"{head}: {names} fits {self.promised.id}"
        end = "never ends" if self.below_at is None else f"may take until {_minute(self.below_at)}"
        told = f"asked at {_minute(self.asked_at)}, {names} {end}, and {self.promised.id} ends"
        late = "" if self.late_us is None else f", {_length(self.late_us)} before"
        return f"{head}: {told} {_minute(self.promised_at)}{late}"

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        instants = {name: getattr(self, name) for name in ("asked_at", "promised_at", "below_at")}
        return {
            "metric": self.metric,
            "priority": self.priority.value,
            "promised": self.promised.id,
            "below": [target.id for target in self.below],
            "fit": self.fit.value,
            "late_us": self.late_us,
            **{name: None if at is None else at.isoformat() for name, at in instants.items()},
        }


@attrs.frozen(repr=False)
class Chain:
    """Each promise to the customer held against those below, over a span of starts `[start, end)`."""

    agreement: str
    below: tuple[str, ...]
    links: tuple[ChainLink, ...] = attrs.field(kw_only=True)
    start: dt.datetime = attrs.field(kw_only=True)
    end: dt.datetime = attrs.field(kw_only=True)
    in_sequence: bool = attrs.field(default=False, kw_only=True)

    @property
    def late(self) -> tuple[ChainLink, ...]:
        """The promises that those below do not fit."""
        return tuple(link for link in self.links if link.fit is Fit.LATE)

    @property
    def fits(self) -> bool:
        """Whether every promise is backed: each has one below it, and none of them comes too late."""
        return bool(self.links) and all(link.fit is Fit.FITS for link in self.links)

    def __repr__(self) -> str:
        return f"<chain of {self.agreement}: {len(self.late)} of {len(self.links)} late>"

    def __str__(self) -> str:
        return self._table().text()

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "agreement": self.agreement,
            "below": list(self.below),
            "in_sequence": self.in_sequence,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "fits": self.fits,
            "links": [link.to_dict() for link in self.links],
        }

    def _repr_html_(self) -> str:
        return self._table().html()

    def _table(self) -> Table:
        how = ", then ".join(self.below) if self.in_sequence else ", ".join(self.below)
        span = f"asked from {_minute(self.start)} up to {_minute(self.end)}"
        late = tuple(str(link) for link in self.late)
        return Table(
            f"{self.agreement} over {how}, {span}: {'fits' if self.fits else 'does not fit'}",
            ("priority", "metric", "promised", "below", "fit"),
            rows=tuple(_row(link) for link in self.links),
            notes=late,
            words=5,
        )


def _row(link: ChainLink) -> tuple[str, ...]:
    below = ", then ".join(f"{target.id} ({target.duration})" for target in link.below)
    promised = f"{link.promised.id} ({link.promised.duration})"
    return link.priority.value, link.metric, promised, below or "nothing", link.fit.value


def _minute(at: dt.datetime | None) -> str:
    assert at is not None  # noqa: S101 - asked of late links alone, and of ends that are there
    wall = at.strftime("%a %d %b %Y %H:%M")
    fine = at.strftime(":%S.%f").rstrip("0").rstrip(".") if at.second or at.microsecond else ""
    return f"{wall}{fine} {at.tzname()}"


def _length(us: int) -> str:
    """Wall time in hours, minutes and seconds: days would be ambiguous."""
    counts = ((us // HOUR, "h"), (us % HOUR // MINUTE, "m"), (us % MINUTE // SECOND, "s"))
    parts = [f"{count}{unit}" for count, unit in counts if count]
    rest = us % SECOND
    return " ".join([*parts, *([f"{rest} microseconds"] if rest else [])])


def check_chain(
    agreement: Agreement,
    below: Agreement | Iterable[Agreement],
    at: dt.datetime,
    *,
    until: dt.datetime | None = None,
    metrics: Iterable[str] | str = (),
    fields: Mapping[str, Any] | None = None,
    in_sequence: bool = False,
) -> Chain:
    """Whether the promises below fit those of an agreement, for every start from `at` up to `until`.

    The span is a year unless told otherwise, ten at most. Each agreement below is held against the promise
    on its own; `in_sequence` adds them up: each begins when the one before it falls due. For each priority
    and metric (all of the agreement, or the `metrics` named) the first target that applies to a record with
    these `fields` counts. Where nothing is promised below, nothing fits.
    """
    remedy = "make one: Agreement(...)"
    only(Agreement, agreement, "agreement", remedy)
    parts = (below,) if isinstance(below, Agreement) else each(Agreement, below, "below", remedy)
    if not parts:
        raise InvalidValue("below", below, "is empty", "give the agreements with teams and suppliers")
    a, b = _span(at, until)
    wanted = _metrics(agreement, metrics)
    values = NO_FIELDS if fields is None else as_fields(fields)
    compare = _Comparison(a, b)
    links = [
        compare.link(metric, priority, promised, _below(rows))
        for metric in wanted
        for priority in Priority
        if (promised := _first(agreement, metric, priority, values)) is not None
        for rows in _groups([_first(one, metric, priority, values) for one in parts], in_sequence)
    ]
    zone = agreement.targets[0].calendar.zone
    return Chain(
        agreement.label,
        tuple(one.label for one in parts),
        links=tuple(links),
        start=utc(a).astimezone(zone),
        end=utc(b).astimezone(zone),
        in_sequence=in_sequence,
    )


def _span(at: dt.datetime, until: dt.datetime | None) -> tuple[int, int]:
    a = micros(at)
    b = micros(later(utc(a), YEAR)) if until is None else micros(until, "until")
    if b <= a:
        raise InvalidValue("until", until, "is not after the start", "give a later instant")
    if b - a > LONGEST // dt.timedelta(microseconds=1):
        raise InvalidValue("until", until, "is more than ten years away", "look at a shorter span")
    return a, b


def _metrics(agreement: Agreement, metrics: Iterable[str] | str) -> tuple[str, ...]:
    known = agreement.metrics
    wanted = texts(metrics, "metrics", f"use some of {', '.join(known)}") or known
    unknown = sorted(set(wanted).difference(known))
    if unknown:
        raise InvalidValue("metrics", unknown, "are promised to nobody", f"use some of {', '.join(known)}")
    return tuple(map(str, wanted))


def _first(agreement: Agreement, metric: str, priority: Priority, values: Mapping[str, Any]) -> Target | None:
    fitting = (one for one in agreement.targets if one.metric == metric)
    return next((one for one in fitting if one.applies_to(priority, values)), None)


def _groups(rows: list[Target | None], in_sequence: bool) -> Iterator[list[Target | None]]:
    """What is compared together: all in sequence, or each on its own."""
    if in_sequence:
        yield rows
    else:
        yield from ([row] for row in rows)


def _below(rows: list[Target | None]) -> tuple[Target, ...]:
    """The promises of a group; none if one of it is missing, for then nobody knows how long it takes."""
    return tuple(row for row in rows if row is not None) if None not in rows else ()


_Worst = tuple[int, int, int | None]
"""A start, and when the promise above and the one below it are due."""


class _Comparison:
    """The comparisons of a span, each made once."""

    def __init__(self, a: int, b: int) -> None:
        self.a, self.b = a, b
        self.known: dict[tuple[Step, ...], _Worst | None] = {}

    def link(self, metric: str, priority: Priority, promised: Target, below: tuple[Target, ...]) -> ChainLink:
        """One promise held against those below."""
        told = ChainLink(metric=metric, priority=priority, promised=promised, below=below, fit=Fit.NOTHING)
        if not below:
            return told
        worst = self._worst(_step(promised), [_step(target) for target in below])
        if worst is None:
            return attrs.evolve(told, fit=Fit.FITS)
        asked, ends, other = worst
        return attrs.evolve(told, fit=Fit.LATE, asked_us=asked, promised_us=ends, below_us=other)

    def _worst(self, promised: Step, below: list[Step]) -> _Worst | None:
        key = (promised, *below)
        if key not in self.known:
            self.known[key] = _worst(promised, below, starts([[promised], below], self.a, self.b))
        return self.known[key]


def _step(target: Target) -> Step:
    return target.calendar, target.duration


def _worst(promised: Step, below: list[Step], candidates: list[int]) -> _Worst | None:
    """The greatest lateness; of several starts with it the first at a whole minute, or else the first."""
    worst: _Worst | None = None
    rank = (0, False)
    for at in candidates:
        ends = due([promised], at)
        other = due(below, at)
        if ends is None:
            continue
        if other is None:
            return at, ends, None
        found = (other - ends, at % MINUTE == 0)
        if other > ends and found > rank:
            worst, rank = (at, ends, other), found
    return worst
