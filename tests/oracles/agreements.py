"""Agreements of every kind, drawn: targets of known and own metrics on calendars that may be combined."""

import datetime as dt

from hypothesis import strategies as st

from calendars import desks
from itsm_core.business_time import BusinessCalendar
from itsm_core.events import Phase, WaitsOn
from itsm_core.priority import Priority
from itsm_core.sla import ANSWERS, Agreement, Condition, Measure, Metric, Said, Target
from itsm_core.sla.agreements.exceptions import AgreedException
from itsm_core.sla.agreements.targets import KINDS, PAUSABLE
from itsm_core.sla.agreements.workload import PERIODS, WorkloadLimit

words = st.text(min_size=1, max_size=5)
names = st.frozensets(words, max_size=2)
dates = st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1))
durations = st.sampled_from(
    [
        "1us",
        "90m",
        "4h",
        "1 business day",
        "30 calendar days",
        "end of business day",
        "end of business day +2",
    ]
).map(lambda text: dt.timedelta(microseconds=1) if text == "1us" else text)
values = st.recursive(
    st.booleans() | st.integers(-5, 5) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=3,
)
lasting = st.builds(
    Condition,
    phases=st.frozensets(st.sampled_from(Phase)), states=names, waits_on=st.frozensets(st.sampled_from(WaitsOn)),
    outcomes=names, groups=names, assigned=st.sampled_from([None, True, False]), unless=st.booleans(),
)  # fmt: skip
conditions = lasting | st.builds(Condition, words=st.frozensets(st.sampled_from(Said)), states=names)
several, pauses = st.lists(conditions, max_size=2), st.lists(lasting, max_size=2)
_parts = {
    "stop": several, "pause": pauses, "resume": pauses, "reset": several, "void": several, "once": st.booleans(),
}  # fmt: skip
measures = st.builds(Measure, start=st.lists(conditions, min_size=1, max_size=2), **_parts) | st.builds(
    Measure, start=st.lists(lasting, min_size=1, max_size=2), while_started=st.just(True), **_parts
)
_ANSWERS = st.frozensets(st.sampled_from(sorted(set(Said) - {Said.REQUEST})), min_size=1)


@st.composite
def calendars(draw):
    """A calendar that opens, with a name and a version or without."""
    calendar = draw(desks).calendar
    name, version = draw(st.sampled_from([None, "desk", "a.b"])), draw(st.integers(1, 3))
    opens = calendar != BusinessCalendar.never(calendar.zone)
    calendar = calendar if opens else BusinessCalendar.always("UTC")
    return calendar.named(name, version)


@st.composite
def targets(draw, number, calendar, side):
    """A target of this number; what `side` says of kind and party it says, too."""
    kind = side["kind"] or draw(st.sampled_from(KINDS))
    metric = draw(st.sampled_from([*Metric, "approval"]))
    measure = draw(measures if metric == "approval" else st.none() | measures)
    waits = sorted(PAUSABLE if kind == "customer" else WaitsOn)
    silent = kind == "customer" and metric == "response"
    return Target(
        f"t{number}", metric, duration=draw(durations), calendar=calendar, measure=measure, kind=kind,
        pauses_on=frozenset() if silent else draw(st.frozensets(st.sampled_from(waits))),
        priorities=draw(st.frozensets(st.sampled_from(Priority))),
        when=draw(st.dictionaries(words, st.lists(values, max_size=2), max_size=2)),
        reopen=draw(st.sampled_from(["continue", "include_closed", "new_cycle", "none"])),
        on_retarget=draw(st.sampled_from(["retroactive", "carry", "restart"])),
        on_pause=draw(st.sampled_from(["extend", "fixed"])),
        answered_by=draw(st.just(ANSWERS) | _ANSWERS),
        after=None if metric == "response" else draw(st.sampled_from([None, "response"])),
        party=draw(st.none() | (st.just(side["party"]) if side["party"] else words)),
    )  # fmt: skip


@st.composite
def exceptions(draw, held, metrics):
    """Up to two exceptions of these metrics, in hours of these calendars or of whole cycles."""
    return [
        AgreedException(
            f"e{number}", draw(st.text(max_size=5)), metrics=draw(st.lists(st.sampled_from(metrics), max_size=2)),
            when=draw(st.dictionaries(words, st.lists(values, max_size=2), max_size=2)),
            times=draw(st.sampled_from([None, *held])), claimed=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 2)))
    ]  # fmt: skip


@st.composite
def limits(draw):
    """Up to two workload limits."""
    return [
        WorkloadLimit(
            f"w{number}", draw(st.integers(1, 3)), per=draw(st.sampled_from(PERIODS)),
            processes=draw(names), services=draw(names),
            priorities=draw(st.frozensets(st.sampled_from(Priority))),
        )
        for number in range(draw(st.integers(0, 2)))
    ]  # fmt: skip


@st.composite
def agreements(draw):
    """An agreement of one to three targets on one or two calendars."""
    held = draw(st.lists(calendars(), min_size=1, max_size=2))
    count = draw(st.integers(1, 3))
    side = {"kind": draw(st.sampled_from([None, *KINDS])), "party": draw(st.none() | words)}
    first, last = sorted((draw(dates), draw(dates) + dt.timedelta(days=3700)))
    promised = [draw(targets(number, draw(st.sampled_from(held)), side)) for number in range(count)]
    begins = draw(st.sampled_from([None, first]))
    policies = ["pin"] if begins is None else ["pin", "reassess_open"]
    return Agreement(
        draw(words), draw(st.integers(1, 9)), name=draw(st.text(max_size=5)),
        targets=promised,
        exceptions=draw(exceptions(held, [one.metric for one in promised])), workload=draw(limits()), **side,
        on_policy_change=draw(st.sampled_from(policies)),
        customers=draw(names), services=draw(names), processes=draw(names),
        valid_from=begins, valid_to=draw(st.sampled_from([None, last])),
        agreed_with=draw(st.none() | words), agreed_on=draw(st.none() | dates),
    )  # fmt: skip
