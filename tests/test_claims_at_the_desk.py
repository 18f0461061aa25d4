"""Claims and justifications at a desk: a manager's, of what the agreement and the history hold."""

import datetime as dt

import pytest

from itsm_core import Actor, ServiceDesk
from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue, TransitionRefused
from itsm_core.sla import AgreedException, Agreement, Target, overruns, trace

T0 = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
H = dt.timedelta(hours=1)
ANA, MONA, UMA = Actor.person("ana", "agent"), Actor.person("mona", "manager"), Actor.person("uma")
AROUND = BusinessCalendar.always("UTC")
DONE = {"resolution_outcome": "workaround", "resolution_notes": "x"}
AGREED = Agreement(
    "gold", 1, targets=[Target("fix", "resolution", duration="4h", calendar=AROUND)],
    exceptions=[
        AgreedException("storm", claimed=True),
        AgreedException("flood", claimed=True, metrics="resolution"),
        AgreedException("noon", times=BusinessCalendar.weekly("mon-sun 12:00-13:00", zone="UTC")),
    ],
)  # fmt: skip


@pytest.fixture
def desk(store):
    """A desk with one incident that was resolved after six hours of four."""
    return late(ServiceDesk(store, agreement=AGREED))


def late(desk):
    """The desk with that incident."""
    desk.open("Mail", actor=UMA, at=T0, record_id="INC-1")
    desk.fire("INC-1", "start", actor=ANA, at=T0)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + 6 * H, fields=DONE)
    return desk


def says(desk, trigger, actor=MONA, at=T0 + 7 * H, **fields):
    """A claim or a justification."""
    return desk.fire("INC-1", trigger, actor=actor, at=at, fields={"reason": "agreed by phone", **fields})


def clock(desk):
    """The clock the next day."""
    return desk.clocks("INC-1", T0 + 24 * H)["resolution"]


def test_a_manager_claims_an_exception_and_the_raw_verdict_stays(desk):
    """Void beside breached; one hour of noon is excused anyway."""
    assert (clock(desk).adjusted.verdict, clock(desk).adjusted.by) == ("breached", ("noon",))
    says(desk, "claim_exception", exception="storm")
    now = clock(desk)
    assert (now.verdict, now.adjusted.verdict, now.adjusted.by) == ("breached", "void", ("storm", "noon"))
    assert now.adjusted.events == (desk.history("INC-1")[-1].id,)


def test_an_agent_may_neither_claim_nor_justify(desk):
    """The approver is a manager."""
    for trigger, fields in (
        ("claim_exception", {"exception": "strom"}),
        ("justify_overrun", {"metric": "x"}),
    ):
        with pytest.raises(TransitionRefused) as refused:
            says(desk, trigger, actor=ANA, **fields)
        assert refused.value.codes == ("role",)


# fmt: off
WRONG = [
    # command,          fields,                                           refused of,     says
    ("claim_exception", {"exception": "strom"},                           "exception",    "did you mean storm"),
    ("claim_exception", {"exception": "noon"},                            "exception",    "use one of storm, flood"),
    ("claim_exception", {"exception": "storm", "metric": "resolutions"},  "metric",       "did you mean resolution"),
    ("claim_exception", {"exception": "storm", "metric": "response"},     "metric",       "use one of resolution"),
    ("justify_overrun", {"metric": "response"},                           "metric",       "no target of gold@1"),
    ("justify_overrun", {"metric": "resolution", "confirmation": "m9"},   "confirmation", "no message of the requester"),
]
# fmt: on


@pytest.mark.parametrize(("trigger", "fields", "what", "said"), WRONG)
def test_what_would_say_nothing_is_refused_by_name(desk, trigger, fields, what, said):
    """A misspelt exception, one that needs no claim, a metric nobody promised; nothing is written."""
    before = desk.history("INC-1")
    with pytest.raises(InvalidValue, match=said) as refused:
        says(desk, trigger, **fields)
    assert refused.value.what == what
    assert desk.history("INC-1") == before


def test_a_confirmation_is_the_requesters_own_message(desk):
    """By the id of the message or of its event; not what somebody else wrote, nor our own words."""
    desk.receive("INC-1", "Take your time", actor=Actor.person("eva"), at=T0 + 2 * H, message_id="m1")
    desk.receive("INC-1", "Out of office", actor=UMA, at=T0 + 2 * H, message_id="m2", automatic=True)
    desk.communicate("INC-1", "Was that fine?", actor=ANA, at=T0 + 6 * H)
    ours = desk.history("INC-1")[-1].id
    for message in ("m1", "m2", ours):
        with pytest.raises(InvalidValue, match="confirmation"):
            says(desk, "justify_overrun", metric="resolution", confirmation=message)
    desk.receive("INC-1", "It was", actor=UMA, at=T0 + 3 * H, message_id="m3")
    event = next(e.id for e in desk.history("INC-1") if e.fields.get("message_id") == "m3")
    for message in ("m3", event):
        says(desk, "justify_overrun", metric="resolution", confirmation=message)
    first, second = overruns(trace(desk.history("INC-1")), T0 + 24 * H)
    assert (first.confirmed, first.by, second.confirmation) == (True, "mona", event)
    assert (clock(desk).verdict, len(clock(desk).justified)) == ("breached", 2)


def test_a_closed_record_may_be_claimed_and_justified(desk):
    """Reports are looked at when all is over; the settled verdict stays."""
    desk.fire("INC-1", "close", actor=ANA, at=T0 + 7 * H, fields={"closure_code": "user_confirmed"})
    says(desk, "claim_exception", at=T0 + 9 * H, exception="flood", metric="resolution")
    says(desk, "justify_overrun", at=T0 + 9 * H, metric="resolution")
    now = clock(desk)
    assert (now.settled, now.verdict, now.adjusted.verdict, len(now.justified)) == (
        True,
        "breached",
        "void",
        1,
    )


def test_a_desk_without_an_agreement_takes_what_it_is_told(store):
    """It cannot know the names; a confirmation it can."""
    desk = late(ServiceDesk(store))
    says(desk, "claim_exception", exception="anything", metric="own")
    assert trace(desk.history("INC-1")).claims[0].exception == "anything"
    with pytest.raises(InvalidValue, match="confirmation"):
        says(desk, "justify_overrun", metric="own", confirmation="m1")


def test_where_nothing_may_be_claimed_a_claim_says_so(store):
    """An agreement without such exceptions."""
    plain = Agreement("plain", 1, targets=AGREED.targets)
    desk = late(ServiceDesk(store, agreement=plain))
    with pytest.raises(InvalidValue, match="nothing may be claimed there"):
        says(desk, "claim_exception", exception="storm")


def test_the_stored_snapshot_keeps_claims(desk):
    """The next command finds them, though it reads no events anew."""
    says(desk, "claim_exception", exception="storm")
    snapshot, _ = desk.store.load("INC-1")
    assert [claim.exception for claim in snapshot.timeline.claims] == ["storm"]
