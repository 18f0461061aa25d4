"""Rules about terms: who is promised what, from when to when, and with whom it was agreed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Budget, Duration
from itsm_core.business_time.instants import utc
from itsm_core.business_time.local_hours import for_ever
from itsm_core.business_time.offsets import year_start
from itsm_core.business_time.schedule import Schedule
from itsm_core.events import Phase
from itsm_core.lifecycle.graph import told, told_all
from itsm_core.priority import Priority
from itsm_core.sla.agreements.agreement import Agreement
from itsm_core.sla.agreements.targets import PAUSABLE, Metric, Target
from itsm_core.sla.agreements.workload import begins, period_of
from itsm_core.sla.checking.situations import Places, Reading, Rule

_MOST_CASES = 1_000
_DAY = dt.timedelta(days=1)
_FAR = dt.datetime(2299, 1, 1, tzinfo=dt.UTC)


# --- which target for which record ----------------------------------------------------------------


def _meant(target: Target) -> frozenset[Priority]:
    return target.priorities or frozenset(Priority)


def _covered(reading: Reading) -> Places:
    targets = reading.agreement.targets
    for metric in (Metric.RESPONSE, Metric.RESOLUTION):
        held = [_meant(target) for target in targets if target.metric == metric]
        missing = sorted(set(Priority).difference(*held)) if held else []
        if missing:
            said = f"no target of {metric} is meant for {told_all(missing)}, so nothing is promised there"
            yield reading.agreement.label, said, "add one, or be sure that it is meant so"


def _chosen(reading: Reading) -> Places:
    targets = reading.agreement.targets
    for place, target in enumerate(targets):
        before = [one for one in targets[:place] if one.metric == target.metric]
        takers = _takers(target, before)
        if takers:
            said = f"is never chosen, for what stands before it takes every record: {told_all(takers)}"
            yield target.id, said, "put the narrower one before, or remove it"


def _takers(target: Target, before: list[Target]) -> list[str]:
    """The earlier targets that together take every record a target is meant for; none if one is left."""
    grades = [*sorted(target.priorities)] if target.priorities else [None, *Priority]
    found: set[str] = set()
    for grade, values in product(grades, _cases(target)):
        taker = next((one for one in before if _takes(one, grade, values)), None)
        if taker is None:
            return []
        found.add(taker.id)
    return [one.id for one in before if one.id in found]


def _takes(earlier: Target, grade: Priority | None, values: dict[str, tuple[Any, ...]]) -> bool:
    """Whether an earlier target applies to every record with this priority and values of these."""
    if earlier.priorities and grade not in earlier.priorities:
        return False
    return all(
        name in values and all(value in among for value in values[name]) for name, among in earlier.when
    )


def _cases(target: Target) -> Iterable[dict[str, tuple[Any, ...]]]:
    """The values that a target asks for, one at a time; all at once where that is too many."""
    count = 1
    for _, among in target.when:
        count *= len(among)
    if count > _MOST_CASES:
        return [dict(target.when)]
    names = [name for name, _ in target.when]
    rows = product(*(among for _, among in target.when))
    return [dict(zip(names, ((value,) for value in row), strict=True)) for row in rows]


def _after(reading: Reading) -> Places:
    metrics = reading.agreement.metrics
    for target in reading.agreement.targets:
        if target.after is not None and target.after not in metrics:
            said = f"waits for {told(target.after)}, which no target measures, so it waits for nothing"
            yield target.id, said, f"name one of {told_all(metrics)}, or leave after out"


# --- how long -------------------------------------------------------------------------------------


def _length(duration: Duration) -> tuple[type, int]:
    """A kind of duration and its number; only two of one kind can be compared without a calendar."""
    if isinstance(duration, Budget):
        return Budget, duration.us
    return type(duration), duration.n


def _pairs(reading: Reading, first: Metric, second: Metric) -> Iterator[tuple[Target, Target]]:
    """Targets of two metrics for one priority and one kind of record, counted on one calendar."""
    targets = reading.agreement.targets
    for one, other in product(targets, targets):
        if (one.metric, other.metric) == (first, second) and _meant(one) & _meant(other):
            alike = one.calendar == other.calendar and one.when == other.when
            if alike and type(one.duration) is type(other.duration):
                yield one, other


def _together(reading: Reading) -> Places:
    """The first target that a record has decides what its clock waits for, whatever comes later."""
    first: dict[str, Target] = {}
    for target in reading.agreement.targets:
        other = first.setdefault(target.metric, target)
        if target.after != other.after:
            waits = f"waits for {target.after or 'nothing'}, and {other.id} for {other.after or 'nothing'}"
            yield target.id, waits, f"give every target of {told(target.metric)} the same `after`"


def _theirs(reading: Reading) -> Places:
    for scenes in reading.scenes:
        if scenes.target.kind != "customer" or not scenes.measure.pause:
            continue
        waiting = (mark for mark in scenes.running() if mark.phase is Phase.WAITING and scenes.pauses(mark))
        ours = sorted({mark.waits_on for mark in waiting if mark.waits_on} - PAUSABLE)
        if ours:
            said = f"is agreed with a customer, and its clock stands still while we wait for {told_all(ours)}"
            yield scenes.target.id, said, "let pause name waits on the customer's side"


def _ordered(reading: Reading) -> Places:
    for response, resolution in _pairs(reading, Metric.RESPONSE, Metric.RESOLUTION):
        if _length(resolution.duration) < _length(response.duration):
            said = f"is due after {resolution.duration}, before the response of {response.id} is"
            yield resolution.id, f"{said} ({response.duration})", "give it more time, or the response less"


def _spoken(reading: Reading) -> Places:
    for update, resolution in _pairs(reading, Metric.UPDATE, Metric.RESOLUTION):
        if _length(update.duration) >= _length(resolution.duration):
            said = f"asks for words every {update.duration}, and {resolution.id} is due after"
            remedy = "speak more often, or leave it out"
            yield update.id, f"{said} {resolution.duration}, so none are ever due", remedy


# --- with whom, and from when to when -------------------------------------------------------------


def _agreed(reading: Reading) -> Places:
    agreement = reading.agreement
    missing = [name for name in ("agreed_with", "agreed_on") if getattr(agreement, name) is None]
    if missing:
        remedy = f"give {' and '.join(missing)}; minutes or a mail will do (ISO/IEC 20000-1, 8.3.3)"
        yield agreement.label, "not agreed", remedy


def _alone(reading: Reading) -> Places:
    mine = reading.agreement
    for other in reading.others:
        if other == mine or _sides(other) != _sides(mine):
            continue
        if all(_meet(a, b) for a, b in zip(_scope(mine), _scope(other), strict=True)):
            days = _common(mine, other)
            if days is not None:
                said = f"covers records that {told(other.label)} covers too, {days}"
                yield mine.label, said, "end one before the other begins; else the first one given decides"


def _sides(agreement: Agreement) -> set[tuple[str, str | None]]:
    return {(target.kind, target.party) for target in agreement.targets}


def _scope(agreement: Agreement) -> tuple[frozenset[str], ...]:
    return agreement.customers, agreement.services, agreement.processes


def _meet(a: frozenset[str], b: frozenset[str]) -> bool:
    return not a or not b or bool(a & b)


def _common(a: Agreement, b: Agreement) -> str | None:
    """The days on which both are in force, in words; None if there are none."""
    first = max((day for day in (a.valid_from, b.valid_from) if day), default=None)
    end = min((day for day in (a.valid_to, b.valid_to) if day), default=None)
    if first and end and end <= first:
        return None
    if first is None and end is None:
        return "always"
    begun = f"from {first} on" if first else ""
    return " ".join(word for word in (begun, f"until {end}" if end else "") if word)


def _in_force(reading: Reading) -> Places:
    end = reading.agreement.valid_to
    if reading.at is not None and end is not None:
        day = reading.at.astimezone(reading.agreement.targets[0].calendar.zone).date()
        if end <= day:
            said = f"has not been in force since {end}, and it is {day}"
            yield reading.agreement.label, said, "agree on the next version, with a valid_to of its own"


def _open(reading: Reading) -> Places:
    told_of: set[BusinessCalendar] = set()
    for target in reading.agreement.targets:
        last = None if target.calendar in told_of else _last_closing(target.calendar)
        told_of.add(target.calendar)
        end = reading.agreement.valid_to
        if last is not None and (end is None or end > last + _DAY):
            said = f"its calendar never opens after {last}, so later records never fall due"
            yield target.id, said, "give the calendar hours, or end the agreement with it (valid_to)"


def _last_closing(calendar: BusinessCalendar) -> dt.date | None:
    """The last date on which a calendar closes for good; None if it opens for ever."""
    rules = calendar.rules
    if isinstance(rules, Schedule):
        ends, far = rules.closed_after, utc(year_start(2100))
        last = min(rules.settled[1] + 3, _FAR.toordinal())
        far = dt.datetime.fromordinal(max(last, 1)).replace(tzinfo=dt.UTC)
    else:
        ends, far = for_ever(rules, year_start(2100), after=True) is False, utc(year_start(2100))
    closed = calendar.previous_close(far.astimezone(calendar.zone)) if ends else None
    return None if closed is None else closed.date()


def _parties(reading: Reading) -> Places:
    for target in reading.agreement.targets:
        if target.kind != "customer" and target.party is None:
            whom = "team" if target.kind == "internal" else "supplier"
            said = f"is agreed with a {whom} that it does not name"
            yield target.id, said, f'name the group that has the record then: party="{whom}"'


def _one_kind(reading: Reading) -> Places:
    kinds = sorted({target.kind for target in reading.agreement.targets})
    if len(kinds) > 1:
        said = f"mixes targets agreed with {told_all(kinds, ' and ')}"
        yield reading.agreement.label, said, "write an agreement for each; check_chain holds them together"


# --- what it holds for ----------------------------------------------------------------------------


def _limits(reading: Reading) -> Places:
    agreement = reading.agreement
    for limit in agreement.workload:
        for name in ("processes", "services"):
            mine, limited = getattr(agreement, name), getattr(limit, name)
            if not _meet(mine, limited):
                said = f"counts no record of the agreement, which covers the {name} {told_all(sorted(mine))}"
                yield limit.id, said, f"name some of these {name}, or leave them out"


def _whole_periods(reading: Reading) -> Places:
    agreement = reading.agreement
    for limit in agreement.workload:
        for name in ("valid_from", "valid_to"):
            day = getattr(agreement, name)
            if day is not None and not begins(limit.per, day):
                said = (
                    f"counts only a part of the {limit.per} {period_of(limit.per, day)}, for {name} is {day}"
                )
                yield limit.id, said, f"let versions change where a {limit.per} begins"


def _exceptional(reading: Reading) -> Places:
    for exception in reading.agreement.exceptions:
        if not (exception.when or exception.claimed or exception.times is not None):
            whole = told_all(exception.metrics) if exception.metrics else "everything"
            said = f"excuses {whole} at any time, so nothing is promised"
            yield exception.id, said, "say when it applies: when, times, or claimed"


# --- what becomes of open records -----------------------------------------------------------------


def _earlier(reading: Reading) -> list[Agreement]:
    mine = reading.agreement
    return [one for one in reading.others if one.id == mine.id and one.version < mine.version]


def _succeeds(reading: Reading) -> Places:
    mine = reading.agreement
    if mine.on_policy_change == "reassess_open" and reading.others and not _earlier(reading):
        said = "takes over open records, and no earlier version stands beside it"
        yield mine.label, said, "keep the earlier version, or leave on_policy_change out"


def _kept(reading: Reading) -> Places:
    mine = reading.agreement
    for other in _earlier(reading) if mine.on_policy_change == "reassess_open" else ():
        lost = [metric for metric in other.metrics if metric not in mine.metrics]
        if lost:
            said = (
                f"takes over open records of {told(other.label)}, whose {told_all(lost)} it does not measure"
            )
            yield mine.label, said, "measure it, or be sure that these clocks may go"


TERM_RULES = (
    Rule(
        "A010", "Every priority is promised a response and a resolution, if any is.", _covered, warning=True
    ),
    Rule("A011", "No target is shadowed by earlier ones of its metric.", _chosen),
    Rule("A012", "Some target measures the metric that another one waits for.", _after),
    Rule("A013", "A resolution is not due before its response.", _ordered),
    Rule("A014", "Words are due before the resolution is.", _spoken, warning=True),
    Rule("A015", "It is said with whom and when it was agreed.", _agreed, warning=True),
    Rule("A016", "No two agreements cover the same records on the same days.", _alone, warning=True),
    Rule("A017", "The agreement is not over.", _in_force),
    Rule("A018", "Its calendars open for as long as it is in force.", _open),
    Rule("A019", "A target agreed with a team or a supplier names it.", _parties, warning=True),
    Rule("A020", "All targets are agreed with one side.", _one_kind),
    Rule("A021", "A workload limit counts records that the agreement covers.", _limits),
    Rule(
        "A022",
        "It begins and ends where the periods of its workload limits do.",
        _whole_periods,
        warning=True,
    ),
    Rule("A023", "No exception applies always.", _exceptional),
    Rule("A024", "There is an earlier version whose open records it takes over.", _succeeds, warning=True),
    Rule("A025", "Records that it takes over keep their clocks.", _kept, warning=True),
    Rule("A026", "The targets of one metric all wait for the same metric, or for none.", _together),
    Rule("A027", "A customer's clock waits for nobody but the customer.", _theirs, warning=True),
)
