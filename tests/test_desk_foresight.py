"""The preview and the desk: with no input the desk does what was foreseen, row by row."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core import Actor, BusinessCalendar, ServiceDesk, default_agreement, stores
from itsm_core.escalation import Branch, Condition, EscalationPolicy, EscalationStep, Repeat, Trigger, foresee

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
UMA = Actor.person("uma")
DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", name="desk")
AGREEMENT = default_agreement(BusinessCalendar.always("UTC"))
PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("0m wall"), to="on_call:network")


def nobody_on_call(name, *_):
    return () if name.startswith("on_call:") else (name,)


def written(desk):
    """What the desk wrote of its policy: key, instant, and why not."""
    return [
        (event.fields["key"], event.occurred_at, event.fields.get("why"))
        for event in desk.history("INC-1")
        if event.kind in ("escalated", "not_escalated")
    ]


def woken(policy, resolver, end, late=dt.timedelta()):
    """A desk whose worker comes at each due instant, or a little late."""
    desk = ServiceDesk(
        stores.open("memory://"), agreement=AGREEMENT, policy=policy, resolver=resolver, calendar=DESK
    )
    desk.open(
        "Mail is down", actor=UMA, at=T0, record_id="INC-1", fields={"impact": "high", "urgency": "high"}
    )
    while (due := desk.next_due()) is not None and due + late <= end:
        desk.tick(due + late)
    return desk


def foreseen(policy, resolver, length):
    """The rows of the preview, under the name of the record that the desk opened."""
    told = foresee(
        policy, AGREEMENT, {"impact": "high", "urgency": "high"}, T0, length, resolver, calendar=DESK
    )
    return [(row.key.replace("preview:", "INC-1:", 1), row.at, row.skipped) for row in told.rows]


def test_the_desk_does_what_was_foreseen():
    """Nobody on call, a fork by hours, a repetition, work that moves, thresholds."""
    policy = EscalationPolicy("line", 1, last_resort="duty", steps=[
        PAGE,
        EscalationStep("fork", after="30m business", branches=[Branch(Condition(hours="outside"), "night")]),
        EscalationStep("lead", after="0m wall", to=("role:lead", "user:bo"), then="again"),
        EscalationStep("night", after="5m wall", to="night-shift"),
        EscalationStep("again", after="2h wall", repeat=Repeat("page", 3)),
        EscalationStep("half", "50 %", group="second-line"),
        EscalationStep("most", "75 %", to="manager"),
        EscalationStep("quiet", trigger=Trigger.silent("3h wall"), to="role:lead"),
    ])  # fmt: skip
    desk = woken(policy, nobody_on_call, T0 + 24 * HOUR)
    rows = foreseen(policy, nobody_on_call, 24 * HOUR)
    assert written(desk) == rows
    assert len(rows) > 12


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 120),
            st.sampled_from(["on_call:a", "lead", "user:bo"]),
            st.sampled_from(["wall", "business"]),
        ),
        max_size=4,
    ),
    st.lists(st.integers(10, 150), max_size=3, unique=True),
    st.integers(0, 2),
)
def test_with_no_input_the_desk_and_the_preview_agree(steps, shares, times):
    """Law, on the whole road: decided, stored, folded and woken again, the same keys at the same instants."""
    chain = [EscalationStep(f"s{n}", after=f"{m}m {unit}", to=to) for n, (m, to, unit) in enumerate(steps)]
    again = [EscalationStep("again", after="20m wall", repeat=Repeat("page", times))] if times else []
    thresholds = [EscalationStep(f"t{share}", share, to="lead") for share in shares]
    policy = EscalationPolicy("p", 1, steps=[PAGE, *chain, *again, *thresholds], last_resort="duty")
    desk = woken(policy, nobody_on_call, T0 + 20 * HOUR)
    assert written(desk) == foreseen(policy, nobody_on_call, 20 * HOUR)


def test_every_effect_that_is_stored_says_when_it_was_due_and_when_it_fired():
    """A worker that is three minutes late each time: the lateness is three minutes, or more for what waited anew."""
    policy = EscalationPolicy("p", 1, last_resort="duty", steps=[
        PAGE, EscalationStep("lead", after="15m wall", to="lead"), EscalationStep("half", "50 %", to="boss"),
    ])  # fmt: skip
    desk = woken(policy, lambda name, *_: (name,), T0 + 24 * HOUR, late=3 * MINUTE)
    found = [event for event in desk.history("INC-1") if event.kind == "escalated"]
    assert [event.fields["step"] for event in found] == ["page", "lead", "half"]
    scheduled = [dt.datetime.fromisoformat(event.fields["scheduled_at"]) for event in found]
    assert [event.occurred_at - at for event, at in zip(found, scheduled, strict=True)] == [3 * MINUTE] * 3
    assert scheduled == [T0, T0 + 18 * MINUTE, T0 + 2 * HOUR]
