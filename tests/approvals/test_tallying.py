"""Approvals: a golden table by hand, who may vote, what time does, and the laws with a slow oracle."""

import datetime as dt
import itertools
import pickle
import time
from fractions import Fraction

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsm_core.approvals import ApprovalRule, Delegation, OnExpiry, Panel, Tally, Verdict, tally, vote_reasons
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.records import Round, Vote
from itsm_core.values import as_fields

T = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
LATE = T + dt.timedelta(days=30)
SAID = {"+": "approve", "-": "reject", "0": "abstain"}
PENDING, APPROVED, REJECTED = Verdict


def after(minutes):
    """The instant so many minutes after the round was opened."""
    return T + minutes * MINUTE


def vote(who, sign, minute=1, *, by=None, event=None):
    """A vote of `who`, cast by somebody else if `by` says so."""
    at = after(minute)
    if by is None:
        return Vote(who, SAID[sign], at=at, event=event or f"e{minute}")
    return Vote(by, SAID[sign], at=at, on_behalf_of=who, event=event or f"e{minute}")


def asked(rule, *votes, **changed):
    """A round under a rule, as it lies in a record."""
    plain = rule.to_dict() if isinstance(rule, ApprovalRule) else rule
    held = {"id": "r1", "opened_at": T, "by": "rita", "rule": as_fields(plain), "votes": votes}
    return Round(**{**held, **changed})


def cast(said):
    """The votes of a text such as "a+ b- c0 200*d+": each a minute after the one before."""
    votes = []
    for word in said.split():
        count, _, who = word.rpartition("*")
        names = [who[:-1]] if not count else [f"{who[:-1]}{n}" for n in range(int(count))]
        votes += [(name, who[-1]) for name in names]
    return tuple(vote(name, sign, minute) for minute, (name, sign) in enumerate(votes, 1))


def panel(members="abc", needed=1, name="CAB", **more):
    """A panel of letters, of names, or of so many people called m0, m1, ..."""
    people = [f"m{n}" for n in range(members)] if isinstance(members, int) else list(members)
    return Panel(name, people, needed=needed, **more)


def rule(*panels, **more):
    """A rule of these panels."""
    return ApprovalRule(panels, **more)


def stands(asked_for, said, at=LATE):
    """The verdict on votes, and the number of the vote that decided (None if none did)."""
    found = tally(asked(asked_for, *cast(said)), at)
    if found.decided_at is None:
        return found.verdict, None
    return found.verdict, (found.decided_at - T) // MINUTE


# --- the golden table ---------------------------------------------------------------------------

SNOW = "platforms.md 2.5, ServiceNow: wait for first | all | percentage"
ROUNDING = "platforms.md 2.5, ServiceNow rounds to the nearest, 2.49 -> 2; iso-20000.md 5.5: ceil, at least 1"
GLPI = "platforms.md 2.5, GLPI: threshold 0, 50, 100 %"
B3 = "platforms.md B3: GLPI accepts 199 of 200 for 100 %, and waits on after 1 no of 300"
SHIP = "iso-20000.md 5.5, table of authorities"
REQUESTS = "iso-20000.md 5.7, approval patterns: sequential, parallel-all, any-of group, k-of-n"
ISSUE = "issue 4, approvals"
ITOP = "platforms.md 2.1, iTop change: supervisor and manager groups"
FLOATS = "binary floats: 0.07 * 100 is 7.000000000000001, which rounds up to 8"

HALF, ALL = "50 %", "all"
NORMAL = rule(panel("m", name="change manager"), panel("s", name="service owner"))
CAB = rule(panel("abcd", HALF, name="half"), panel("abcd", 3, name="three"))
ECAB = rule(panel("cmo", 2, name="ECAB"))
PEER = rule(panel("ra"), excluded=["r"])
STEPS = rule(panel("m", name="manager"), panel("s", name="security"), sequential=True)

# fmt: off
TABLE = [
    # rule,                             votes,             verdict,  decided by vote, source
    (rule(panel("abc", 1)),             "",                PENDING,  None, "nobody has voted"),
    (rule(panel("abc", 1)),             "a+",              APPROVED, 1,    SNOW + ": first"),
    (rule(panel("abc", 1)),             "a-",              PENDING,  None, ISSUE + ": independent of order, so no first-no"),
    (rule(panel("abc", 1)),             "a- b+",           APPROVED, 2,    ISSUE + ": the same votes as b+ a-"),
    (rule(panel("abc", 1)),             "b+ a-",           APPROVED, 1,    ISSUE + ": the same votes as a- b+"),
    (rule(panel("abc", 1)),             "a- b- c-",        REJECTED, 3,    REQUESTS + ": nobody of the group is left"),
    (rule(panel("abc", ALL)),           "a+ b+",           PENDING,  None, SNOW + ": all"),
    (rule(panel("abc", ALL)),           "a+ b+ c+",        APPROVED, 3,    SNOW + ": all"),
    (rule(panel("abc", ALL)),           "a+ b-",           REJECTED, 2,    SNOW + ": all"),
    (rule(panel("abcde", HALF)),        "a+ b+",           PENDING,  None, ROUNDING + "; 2.5 takes 3"),
    (rule(panel("abcde", HALF)),        "a+ b+ c+",        APPROVED, 3,    ROUNDING + "; 2.5 takes 3"),
    (rule(panel("abcde", "49.8 %")),    "a+ b+",           PENDING,  None, ROUNDING + "; 2.49 takes 3, not 2"),
    (rule(panel("abcde", "49.8 %")),    "a+ b+ c+",        APPROVED, 3,    ROUNDING + "; 2.49 takes 3, not 2"),
    (rule(panel("abcd", "10 %")),       "",                PENDING,  None, ROUNDING + "; 0.4 takes 1, not 0"),
    (rule(panel("abcd", "10 %")),       "a+",              APPROVED, 1,    ROUNDING + "; 0.4 takes 1, not 0"),
    (rule(panel("abc", "2/3")),         "a+ b+",           APPROVED, 2,    ISSUE + ": exact fractions; two thirds of 3 are 2"),
    (rule(panel("abc", "66.67 %")),     "a+ b+",           PENDING,  None, ISSUE + ": 66.67 % is more than two thirds"),
    (rule(panel(100, "7 %")),           "7*m+",            APPROVED, 7,    FLOATS),
    (rule(panel(200, ALL)),             "199*m+",          PENDING,  None, B3),
    (rule(panel(200, ALL)),             "199*m+ m199-",    REJECTED, 200,  ISSUE + ": 199 of 200 do not pass 100 %"),
    (rule(panel(200, ALL)),             "200*m+",          APPROVED, 200,  B3),
    (rule(panel(300, ALL)),             "m17-",            REJECTED, 1,    B3),
    (rule(panel("abcd", HALF)),         "a+ b+",           APPROVED, 2,    GLPI),
    (rule(panel("abcd", HALF)),         "a- b-",           PENDING,  None, GLPI + "; the other half may still agree"),
    (rule(panel("abcd", HALF)),         "a- b- c-",        REJECTED, 3,    GLPI),
    (rule(panel("ab", 1)),              "a+ a-",           APPROVED, 1,    GLPI + "; there votes change afterwards, here it is frozen"),
    (rule(panel("ab", 2)),              "a+ a0 b+",        REJECTED, 2,    ISSUE + ": a later vote replaces the earlier one"),
    (rule(panel("abc", 2)),             "a- a+ b+",        APPROVED, 3,    ISSUE + ": a later vote replaces the earlier one"),
    (NORMAL,                            "m+",              PENDING,  None, SHIP + ", normal moderate: both"),
    (NORMAL,                            "s+ m+",           APPROVED, 2,    SHIP + ", normal moderate: both"),
    (NORMAL,                            "m+ s-",           REJECTED, 2,    SHIP + ", normal moderate: both"),
    (NORMAL,                            "s-",              REJECTED, 1,    SHIP + ", normal moderate: both"),
    (CAB,                               "a+ b+",           PENDING,  None, SHIP + ", normal high: half, and at least 3"),
    (CAB,                               "a+ b+ c+",        APPROVED, 3,    SHIP + ", normal high: half, and at least 3"),
    (CAB,                               "a- b-",           REJECTED, 2,    SHIP + ", normal high: 3 of 4 cannot agree any more"),
    (ECAB,                              "c+",              PENDING,  None, SHIP + ", emergency: 2 of 3"),
    (ECAB,                              "c- o+",           PENDING,  None, SHIP + ", emergency: 2 of 3"),
    (ECAB,                              "c- o+ m+",        APPROVED, 3,    SHIP + ", emergency: 2 of 3"),
    (ECAB,                              "c- o-",           REJECTED, 2,    SHIP + ", emergency: 2 of 3"),
    (PEER,                              "r+",              PENDING,  None, SHIP + ", normal low: a peer who is not the requester"),
    (PEER,                              "r+ a+",           APPROVED, 2,    SHIP + ", normal low: a peer who is not the requester"),
    (PEER,                              "a-",              REJECTED, 1,    "iso-20000.md CHG-15: nobody else is left to approve"),
    (rule(panel("abcd", ALL), excluded="d"), "a+ b+ c+",   APPROVED, 3,    ISSUE + ": a share is of those who may vote"),
    (rule(panel("abcd", HALF)),         "a0 b0 c+",        APPROVED, 3,    ISSUE + ": abstaining leaves the base; half of 2 is 1"),
    (rule(panel("abc", ALL)),           "a0 b+ c+",        APPROVED, 3,    ISSUE + ": abstaining leaves the base"),
    (rule(panel("abc", ALL)),           "a0 b0 c0",        REJECTED, 3,    ISSUE + ": at least one yes"),
    (rule(panel("abc", 2)),             "a0 b0",           REJECTED, 2,    ISSUE + ": abstaining lowers no number"),
    (rule(panel("abc", 2)),             "a0 b+",           PENDING,  None, ISSUE + ": abstaining is no yes"),
    (rule(panel("abc", 1, veto="c")),   "a+ b+",           PENDING,  None, ISSUE + ": veto; c may still refuse"),
    (rule(panel("abc", 1, veto="c")),   "a+ c0",           APPROVED, 2,    ISSUE + ": veto; not used"),
    (rule(panel("abc", 1, veto="c")),   "a+ c-",           REJECTED, 2,    ISSUE + ": veto"),
    (rule(panel("abc", 1, veto="c")),   "c-",              REJECTED, 1,    ISSUE + ": veto, at once"),
    (rule(panel("abc", 1, veto="c")),   "c+ a- b-",        APPROVED, 1,    ISSUE + ": a veto holder's yes is a yes"),
    (rule(panel("abc", 1, veto="c"), excluded="c"), "a+",  APPROVED, 1,    ISSUE + ": who is excluded has no veto"),
    (rule(panel("abc", 1, mandatory="b")), "a+ c+",        PENDING,  None, ISSUE + ": mandatory voter; SNOW knows them too"),
    (rule(panel("abc", 1, mandatory="b")), "a+ b+",        APPROVED, 2,    ISSUE + ": mandatory voter"),
    (rule(panel("abc", 1, mandatory="b")), "b+",           APPROVED, 1,    ISSUE + ": a mandatory yes counts as one"),
    (rule(panel("abc", 2, mandatory="b")), "b+",           PENDING,  None, ISSUE + ": a mandatory yes is not enough alone"),
    (rule(panel("abc", 1, mandatory="b")), "a+ b-",        REJECTED, 2,    ISSUE + ": mandatory voter"),
    (rule(panel("abc", 1, mandatory="b")), "b0",           REJECTED, 1,    ISSUE + ": a mandatory voter who abstains approves nothing"),
    (STEPS,                             "s+",              PENDING,  None, REQUESTS + "; given early"),
    (STEPS,                             "s+ m+",           APPROVED, 2,    REQUESTS + "; a vote given early counts"),
    (STEPS,                             "s-",              REJECTED, 1,    REQUESTS + "; all steps have to approve"),
    (rule(panel("ab", name="supervisors"), panel("bc", name="managers")), "b+", APPROVED, 1, ITOP + "; one vote counts in both"),
    (rule(panel("ab", name="supervisors"), panel("bc", name="managers")), "a+", PENDING, None, ITOP),
    (rule(panel("abc", 2)),             "x+ y+ a+",        PENDING,  None, "platforms.md 6.12: only members vote"),
]
# fmt: on


@pytest.mark.parametrize(("asked_for", "said", "verdict", "decided", "source"), TABLE)
def test_votes_come_to_what_the_table_says(asked_for, said, verdict, decided, source):
    """Each row: a rule, votes in their order, the verdict, and which vote decided it."""
    assert stands(asked_for, said) == (verdict, decided), source


@pytest.mark.parametrize(("asked_for", "said", "verdict", "decided", "source"), TABLE)
def test_a_verdict_shows_from_its_vote_on(asked_for, said, verdict, decided, source):
    """Before the deciding vote the same round was pending; at its very instant it is decided."""
    found = asked(asked_for, *cast(said))
    if decided is not None:
        assert tally(found, after(decided) - dt.timedelta(microseconds=1)).verdict is PENDING
        assert tally(found, after(decided)).verdict is verdict


# --- what a tally says --------------------------------------------------------------------------


def test_scenario_14_a_quorum_is_counted_on_whole_votes():
    """All of 200 with 199 yes waits for the last; all of 300 with one no is refused with that vote (GLPI)."""
    all_but_one = tally(asked(rule(panel(200, ALL)), *cast("199*m+")), LATE)
    assert (all_but_one.verdict, all_but_one.waiting_for) == (PENDING, ("m199",))
    refused = tally(asked(rule(panel(300, ALL)), *cast("m17-")), LATE)
    assert (refused.verdict, refused.decided_at, refused.waiting_for) == (REJECTED, after(1), ())
    last = tally(asked(rule(panel(200, ALL)), *cast("199*m+ m199+")), LATE)
    assert (last.verdict, last.decided_at) == (APPROVED, after(200))


def test_a_tally_names_who_said_what():
    """Panel by panel, in the order of its members."""
    votes = cast("d0 b- a+ c+")
    (cab,) = tally(asked(rule(panel("abcdef", 3)), *votes), LATE).panels
    assert cab.approvals == cab.approved_by == ("a", "c")
    assert cab.refusals == ("b",)
    assert cab.abstentions == ("d",)
    assert cab.waiting_for == ("e", "f")
    assert (cab.name, cab.verdict, cab.needed) == ("CAB", PENDING, 3)
    assert (cab.decided_at, cab.decided_by) == (None, None)


def test_a_decision_names_its_vote():
    """When, and who cast it, of the round and of each panel."""
    found = tally(asked(NORMAL, *cast("s+ m+")), LATE)
    assert (found.decided_at, found.decided_by) == (after(2), "m")
    assert [(one.name, one.decided_at, one.decided_by) for one in found.panels] == [
        ("change manager", after(2), "m"),
        ("service owner", after(1), "s"),
    ]
    assert (found.at, found.waiting_for, found.reasons) == (LATE, (), ())


def test_the_needed_number_follows_the_abstentions():
    """Half of six are three, half of four are two."""
    six = rule(panel("abcdef", HALF))
    assert tally(asked(six), LATE).panels[0].needed == 3
    assert tally(asked(six, *cast("a0 b0")), LATE).panels[0].needed == 2


def test_it_waits_for_members_of_all_undecided_panels():
    """Each once; who has voted and who sits only in decided panels is not waited for."""
    both = rule(panel("ab", name="one"), panel("bcd", 2, name="two"))
    assert tally(asked(both), LATE).waiting_for == ("a", "b", "c", "d")
    found = tally(asked(both, *cast("b+")), LATE)
    assert found.waiting_for == ("c", "d")
    assert [one.waiting_for for one in found.panels] == [(), ("c", "d")]


def test_in_sequence_it_waits_for_the_first_undecided_panel_only():
    """The next panel's turn comes when the one before has approved."""
    steps = rule(panel("ab", name="one"), panel("cd", name="two"), panel("e", name="three"), sequential=True)
    assert tally(asked(steps), LATE).waiting_for == ("a", "b")
    assert tally(asked(steps, *cast("a+")), LATE).waiting_for == ("c", "d")
    assert tally(asked(steps, *cast("c+")), LATE).waiting_for == ("a", "b")
    assert tally(asked(steps, *cast("c+ a+")), LATE).waiting_for == ("e",)


def test_where_enough_approve_it_waits_only_for_who_must_have_voted():
    """Mandatory members and holders of a veto; the votes of others change nothing any more."""
    careful = rule(panel("abcd", 1, mandatory="c", veto="d"))
    assert tally(asked(careful), LATE).waiting_for == ("a", "b", "c", "d")
    assert tally(asked(careful, *cast("a+")), LATE).waiting_for == ("c", "d")
    assert tally(asked(careful, *cast("a+ c+")), LATE).waiting_for == ("d",)


def test_nobody_is_waited_for_once_it_is_decided():
    """Neither by the round nor by a panel that was still open."""
    found = tally(asked(NORMAL, *cast("m-")), LATE)
    assert found.waiting_for == ()
    assert [one.waiting_for for one in found.panels] == [(), ()]
    assert [one.verdict for one in found.panels] == [REJECTED, PENDING]


def test_a_panel_keeps_its_decision_while_others_are_asked():
    """Frozen panel by panel: what the next panel builds on does not move."""
    found = tally(asked(NORMAL, *cast("m+ m-")), LATE)
    assert found.verdict is PENDING
    assert found.panels[0].approvals == ("m",)
    assert stands(NORMAL, "m+ m- s+") == (APPROVED, 3)


def test_a_vote_that_rejects_counts_in_all_panels_of_the_voter():
    """The display shows the refusal wherever it was said."""
    found = tally(asked(CAB, *cast("a- b-")), LATE)
    assert [one.refusals for one in found.panels] == [("a", "b"), ("a", "b")]


# fmt: off
SENTENCES = [
    (rule(panel(["ana", "bob", "cat"], 3), due=after(480)), "a+", "0 of 3 yes, waiting for ana, bob, cat; falls due 2026-03-02 17:00 UTC"),
    (rule(panel("abc", 3), due=after(480)), "a+ b+",        "2 of 3 yes, waiting for c; falls due 2026-03-02 17:00 UTC"),
    (rule(panel("abcdef", 2)),              "a- b0",         "0 of 2 yes, 1 no, 1 abstained, waiting for c, d, e and 1 more"),
    (NORMAL,                                "m+",            "change manager 1 of 1 yes; service owner 0 of 1 yes, waiting for s"),
    (rule(panel("ab", 1)),                  "a+",            "approved 2026-03-02 09:01 UTC by a: 1 of 1 yes"),
    (NORMAL,                                "m+ s+",         "approved 2026-03-02 09:02 UTC by s: change manager 1 of 1 yes; service owner 1 of 1 yes"),
    (rule(panel("abc", 2)),                 "a- b-",         "rejected 2026-03-02 09:02 UTC by b: CAB cannot reach 2 yes: 0 of 2 yes, 2 no"),
    (rule(panel("abc", 1, veto="c")),       "c-",            "rejected 2026-03-02 09:01 UTC by c: c refused it and has a veto in CAB"),
    (NORMAL,                                "m+ s-",         "rejected 2026-03-02 09:02 UTC by s: service owner cannot reach 1 yes: 0 of 1 yes, 1 no"),
    (rule(panel("abc", 1, mandatory="c")),  "a+ c0",         "rejected 2026-03-02 09:02 UTC by c: CAB needs the approval of c, who did not give it"),
    (rule(panel("ab", 2), excluded="b"),    "a+",            "stuck: CAB needs 2 yes, and 1 of its members may vote; ask anew under another rule"),
    (rule(panel(["a\nb: approved"])),       "",              r"0 of 1 yes, waiting for 'a\nb: approved'"),
]
# fmt: on


@pytest.mark.parametrize(("asked_for", "said", "sentence"), SENTENCES)
def test_a_tally_says_itself_in_one_sentence(asked_for, said, sentence):
    """For displays: how many of the yes it takes, whom it waits for, when it falls due."""
    assert tally(asked(asked_for, *cast(said)), after(60)).say() == sentence


def test_a_due_instant_is_shown_as_fine_as_it_is():
    """Nothing is rounded to the minute."""
    odd = rule(panel("ab", 2), due=after(480) + dt.timedelta(seconds=1, microseconds=5))
    assert tally(asked(odd), T).say().endswith("falls due 2026-03-02 17:00:01.000005 UTC")


# fmt: off
REASONS = [
    (NORMAL,                               "m+",  [("approval_pending", (("panel", "service owner"), ("waiting_for", ("s",))))]),
    (NORMAL,                               "",    [("approval_pending", (("panel", "change manager"), ("waiting_for", ("m",)))),
                                                   ("approval_pending", (("panel", "service owner"), ("waiting_for", ("s",))))]),
    (STEPS,                                "",    [("approval_pending", (("panel", "manager"), ("waiting_for", ("m",))))]),
    (NORMAL,                               "m-",  [("approval_rejected", (("by", "m"), ("panel", "change manager")))]),
    (rule(panel("ab", 2), excluded="b"),   "",    [("approval_stuck", (("panel", "CAB"),))]),
    (rule(panel("ab"), due=after(5)),      "",    [("approval_pending", (("panel", "CAB"), ("waiting_for", ("a", "b")))),
                                                   ("approval_overdue", (("due", "2026-03-02 09:05 UTC"), ("on_expiry", "remind")))]),
    (rule(panel("ab"), due=after(5), on_expiry="reject"), "", [("approval_expired", (("due", "2026-03-02 09:05 UTC"),))]),
    (NORMAL,                               "m+ s+", []),
]
# fmt: on


@pytest.mark.parametrize(("asked_for", "said", "reasons"), REASONS)
def test_the_reasons_say_why_it_is_not_approved(asked_for, said, reasons):
    """Stable codes and facts, none where it is approved."""
    found = tally(asked(asked_for, *cast(said)), LATE).reasons
    assert [(reason.code, reason.facts) for reason in found] == reasons


def test_the_verdicts_are_words_for_programs():
    """They go into tables and JSON as they are."""
    assert [str(one) for one in Verdict] == ["pending", "approved", "rejected"]


def test_a_tally_is_a_value():
    """It can be compared, hashed and pickled."""
    found = tally(asked(NORMAL, *cast("m+")), LATE)
    assert isinstance(found, Tally)
    assert pickle.loads(pickle.dumps(found)) == found
    assert len({found, tally(asked(NORMAL, *cast("m+")), LATE)}) == 1


def test_instants_of_any_zone_mean_the_same():
    """A vote at 17:30 in Shanghai is one at 09:30 in UTC; the tally answers in UTC."""
    shanghai = dt.timezone(dt.timedelta(hours=8))
    there = Vote("a", "approve", at=dt.datetime(2026, 3, 2, 17, 30, tzinfo=shanghai))
    found = tally(asked(rule(panel("ab")), there), LATE.astimezone(shanghai))
    assert found.decided_at.isoformat() == "2026-03-02T09:30:00+00:00"
    assert found.at.isoformat() == LATE.isoformat()


# --- delegation ---------------------------------------------------------------------------------

AWAY = Delegation("a", "d", since=after(10), until=after(20))


def codes(found, voter, on_behalf_of=None, at=None):
    """The codes of the reasons why a vote may not be cast."""
    return [one.code for one in vote_reasons(found, voter, on_behalf_of, after(15) if at is None else at)]


@pytest.mark.parametrize(("minute", "counts"), [(9, False), (10, True), (19, True), (20, False)])
def test_a_delegate_votes_from_since_and_before_until(minute, counts):
    """The vote of a delegate in time is the voter's voice; outside it is nobody's."""
    found = tally(asked(rule(panel("abc"), delegations=[AWAY]), vote("a", "+", minute, by="d")), LATE)
    assert found.panels[0].approvals == (("a",) if counts else ())
    assert found.panels[0].approved_by == (("d",) if counts else ())
    assert found.decided_by == ("d" if counts else None)
    may = codes(asked(rule(panel("abc"), delegations=[AWAY])), "d", "a", after(minute))
    assert may == ([] if counts else ["no_delegation"])


def test_a_delegation_without_ends_holds_always():
    """As long as the round lasts."""
    always = rule(panel("abc"), delegations=[Delegation("a", "d")])
    assert tally(asked(always, vote("a", "+", 1, by="d")), LATE).verdict is APPROVED


@pytest.mark.parametrize(("first", "second"), [("d", None), (None, "d")])
def test_a_voter_and_the_delegate_share_one_voice(first, second):
    """The later vote replaces the earlier one, whoever of the two casts it."""
    two = rule(panel("abc", 2), delegations=[AWAY])
    votes = [vote("a", "+", 11, by=first), vote("a", "-", 12, by=second)]
    (cab,) = tally(asked(two, *votes), LATE).panels
    assert (cab.approvals, cab.refusals) == ((), ("a",))


def test_who_cast_an_approval_is_the_hand_that_counted_last():
    """Not who tried without a delegation, nor who voted after the decision."""
    two = rule(panel("abc", 2), delegations=[AWAY])
    votes = [vote("a", "-", 11, by="d"), vote("a", "+", 12), vote("a", "+", 13, by="x"), vote("c", "+", 14)]
    later = [vote("a", "+", 15, by="d"), vote("c", "+", 16, by="x")]
    (cab,) = tally(asked(two, *votes, *later), LATE).panels
    assert (cab.approvals, cab.approved_by) == (("a", "c"), ("a", "c"))
    votes[1] = vote("a", "+", 12, by="d")
    (cab,) = tally(asked(two, *votes, *later), LATE).panels
    assert (cab.approvals, cab.approved_by) == (("a", "c"), ("d", "c"))


def test_a_delegates_own_name_is_no_voice():
    """Who speaks for a member is not a member."""
    away = asked(rule(panel("abc"), delegations=[AWAY]), vote("d", "+", 15))
    assert tally(away, LATE).verdict is PENDING
    assert codes(away, "d") == ["not_a_member"]


def test_a_vote_on_behalf_of_oneself_is_ones_own():
    """Naming oneself changes nothing."""
    found = asked(rule(panel("abc")), vote("a", "+", 1, by="a"))
    assert tally(found, LATE).verdict is APPROVED
    assert codes(asked(rule(panel("abc"))), "a", "a") == []


def test_a_delegate_who_is_excluded_does_not_vote():
    """Separation of duty: who asks for approval does not give it in another's name."""
    away = rule(panel("abc"), delegations=[AWAY], excluded=["d"])
    assert tally(asked(away, vote("a", "+", 15, by="d")), LATE).verdict is PENDING
    assert codes(asked(away), "d", "a") == ["excluded"]


def test_nobody_is_excluded_and_votes_through_an_agent():
    """The vote of an AI agent is that of the person who approved it, when it is cast and when it is counted."""
    found = asked(rule(panel("abc"), excluded=["c"]))
    (reason,) = vote_reasons(found, "a", None, after(1), approved_by="c")
    assert (reason.code, dict(reason.facts)) == ("excluded", {"voter": "c"})
    assert vote_reasons(found, "a", None, after(1), approved_by="x") == ()
    votes = [attrs.evolve(vote("a", "+"), approved_by=who) for who in ("x", "c")]
    assert [tally(attrs.evolve(found, votes=(one,)), LATE).verdict for one in votes] == [APPROVED, PENDING]


def test_one_person_has_one_voice_in_a_panel_also_through_agents():
    """In another panel they may have one, too."""
    found = asked(rule(panel("abc", 2), panel("ad", name="CEO")))
    (reason,) = vote_reasons(found, "a", None, after(1), approved_by="b")
    assert (reason.code, dict(reason.facts)) == ("second_voice", {"voter": "b"})
    assert reason.message == "in CAB, whoever casts this has the voice of b, and one person counts once"
    assert vote_reasons(found, "d", None, after(1), approved_by="b") == ()
    after_one = attrs.evolve(found, votes=(attrs.evolve(vote("a", "0"), approved_by="x"),))
    assert vote_reasons(after_one, "a", None, after(2), approved_by="x") == ()
    assert [one.code for one in vote_reasons(after_one, "b", None, after(2), approved_by="x")] == [
        "second_voice"
    ]
    assert [one.code for one in vote_reasons(after_one, "b", None, after(2), approved_by="a")] == [
        "second_voice"
    ]
    assert vote_reasons(after_one, "b", None, after(2)) == ()


def test_nobody_votes_for_who_is_excluded():
    """The voice itself is gone."""
    away = rule(panel("abc"), delegations=[AWAY], excluded=["a"])
    assert tally(asked(away, vote("a", "+", 15, by="d")), LATE).verdict is PENDING
    assert codes(asked(away), "d", "a") == ["excluded"]


# fmt: off
DELEGATIONS = [
    ("x", "a", "a delegated this voice to d, not to x"),
    ("x", "c", "c delegated this voice to nobody, not to x"),
    ("e", "b", "e may vote for b only from 2026-03-02 09:20 UTC or until 2026-03-02 09:05 UTC"),
    ("d", "a", "d may vote for a only from 2026-03-02 09:10 UTC until 2026-03-02 09:20 UTC"),
    ("z", "a", "a delegated to d and d to z; a delegation is not passed on: d may vote"),
]
# fmt: on


@pytest.mark.parametrize(("voter", "voice", "said"), DELEGATIONS)
def test_a_missing_delegation_is_explained(voter, voice, said):
    """Who may instead, or when; a delegation is not passed on."""
    twice = [Delegation("b", "e", since=after(20)), Delegation("b", "e", until=after(5))]
    chain = [AWAY, Delegation("d", "z"), *twice]
    found = asked(rule(panel("abc"), panel("d", name="two"), delegations=chain))
    (reason,) = vote_reasons(found, voter, voice, after(7))
    assert (reason.code, reason.message) == ("no_delegation", said)
    assert dict(reason.facts) == {"voter": voter, "on_behalf_of": voice}


# --- who may vote -------------------------------------------------------------------------------


def test_a_member_may_vote_and_change_the_vote():
    """Until it is decided."""
    assert codes(asked(rule(panel("abc", 2))), "a") == []
    found = asked(rule(panel("abc", 2)), *cast("a-"))
    assert codes(found, "a") == []
    assert codes(found, "b") == []


def test_a_stranger_is_told_whom_to_ask():
    """The panels are named."""
    (reason,) = vote_reasons(asked(NORMAL), "x", None, T)
    assert reason.code == "not_a_member"
    assert reason.message == "x has no voice here; ask a member of change manager, service owner"
    assert dict(reason.facts) == {"voter": "x", "panels": ("change manager", "service owner")}


def test_who_is_excluded_is_told_so():
    """And learns that somebody else has to."""
    (reason,) = vote_reasons(asked(PEER), "r", None, T)
    assert reason.message == "r is excluded from this approval; somebody else has to vote"
    assert (reason.code, reason.facts) == ("excluded", (("voter", "r"),))


def test_a_decided_round_takes_no_vote():
    """Frozen: also for a vote dated back before the last one."""
    found = asked(rule(panel("abc", 1)), *cast("a+"))
    (reason,) = vote_reasons(found, "b", None, after(15))
    assert reason.code == "already_decided"
    assert reason.message == (
        "it was approved 2026-03-02 09:01 UTC by a, and what is decided stays so; ask anew"
    )
    assert dict(reason.facts) == {"verdict": "approved", "by": "a"}
    assert codes(found, "b", at=after(0)) == ["already_decided"]


def test_a_decided_panel_takes_no_vote_while_the_round_goes_on():
    """A member of another panel, or of both, may vote."""
    both = rule(panel("ab", name="one"), panel("bc", 2, name="two"))
    found = asked(both, *cast("a+"))
    (reason,) = vote_reasons(found, "a", None, after(15))
    assert reason.message.startswith("one was approved 2026-03-02 09:01 UTC by a")
    assert codes(found, "b") == []
    assert codes(found, "c") == []


def test_an_ended_round_takes_no_vote():
    """The reason says what ended it and what to do."""
    found = asked(NORMAL, ended="edited", ended_at=after(5))
    (reason,) = vote_reasons(found, "m", None, after(15))
    assert reason.code == "round_ended"
    assert reason.message == (
        "the round ended 2026-03-02 09:05 UTC: what was to be approved has been edited; ask for approval anew"
    )
    assert dict(reason.facts) == {"round": "r1", "ended": "edited"}
    assert codes(found, "m", at=after(1)) == ["round_ended"]


def test_nobody_voted_before_they_were_asked():
    """A vote dated before the round is refused, and would not count."""
    early = T - MINUTE
    (reason,) = vote_reasons(asked(NORMAL), "m", None, early)
    assert reason.message == "the round was opened 2026-03-02 09:00 UTC; nobody voted before"
    assert dict(reason.facts) == {"round": "r1"}
    assert codes(asked(NORMAL), "m", at=early) == ["before_round"]
    assert tally(asked(NORMAL, vote("m", "+", -1), vote("s", "+", -1)), LATE).verdict is PENDING
    assert tally(asked(NORMAL, vote("m", "+", 0), vote("s", "+", 0)), LATE).verdict is APPROVED


def test_all_reasons_come_at_once():
    """A refusal is complete."""
    found = asked(NORMAL, ended="replaced", ended_at=after(5))
    assert codes(found, "x", "m", T - MINUTE) == ["round_ended", "before_round", "no_delegation"]
    away = rule(panel("abc"), excluded=["d", "a"])
    assert codes(asked(away), "d", "a") == ["excluded", "excluded", "no_delegation"]
    assert codes(asked(rule(panel("abc"), excluded="x")), "x") == ["not_a_member", "excluded"]


def test_a_vote_is_not_dated_before_a_later_one_of_the_same_voice():
    """It would change nothing, or turn round what the voter said last."""
    found = asked(rule(panel("abc", 2)), *cast("b+ a-"))
    (reason,) = vote_reasons(found, "a", None, after(2))
    assert (reason.code, reason.facts) == ("later_vote", (("voter", "a"),))
    assert reason.message == (
        "a voted 2026-03-02 09:02 UTC and the later vote counts; date this one after it"
    )
    assert codes(found, "a", at=after(1)) == ["later_vote"]
    assert codes(found, "a", at=after(2) + dt.timedelta(microseconds=1)) == []
    assert codes(found, "c", at=after(1)) == []


def test_of_two_votes_at_one_instant_the_one_further_from_approval_counts():
    """Nobody can tell which came later, so nothing is approved by it."""
    two = [vote("a", "+", 1, event="e2"), vote("a", "-", 1, event="e1")]
    for votes in (two, two[::-1]):
        (cab,) = tally(asked(rule(panel("abc", 1)), *votes), LATE).panels
        assert (cab.approvals, cab.refusals) == ((), ("a",))
    three = [vote("a", "0", 1), vote("a", "+", 1)]
    assert tally(asked(rule(panel("abc", 1)), *three), LATE).panels[0].abstentions == ("a",)


def test_of_three_votes_at_one_instant_the_refusal_counts():
    """An abstention is further from approval than a yes, and nearer than a no."""
    for signs in itertools.permutations("+-0"):
        votes = [vote("a", sign, 1, event=f"e{n}") for n, sign in enumerate(signs)]
        assert tally(asked(rule(panel("abc", 2)), *votes), LATE).panels[0].refusals == ("a",)


def test_votes_at_one_instant_are_taken_by_the_ids_of_their_events():
    """So that who decided is the same however they come."""
    votes = [vote("a", "+", 1, event="e2"), vote("b", "+", 1, event="e1")]
    for order in (votes, votes[::-1]):
        assert tally(asked(rule(panel("abc", 1)), *order), LATE).decided_by == "b"
    mixed = [vote("a", "-", 1, event="e1"), vote("b", "0", 1, event="e2")]
    assert tally(asked(rule(panel("abc", 2)), *mixed), LATE).decided_by == "b"
    nameless = [vote("a", "+", 1, event="E1"), Vote("b", "approve", at=after(1))]
    assert tally(asked(rule(panel("abc", 1)), *nameless), LATE).decided_by == "b"


# --- time ---------------------------------------------------------------------------------------


def due(on_expiry, minute=10, needed=1):
    """A rule that falls due."""
    return rule(panel("abc", needed), due=after(minute), on_expiry=on_expiry)


@pytest.mark.parametrize("how", ["remind", "escalate"])
def test_an_overdue_round_reminds_or_escalates_and_stays_open(how):
    """From the due instant on it says so; a late vote still decides."""
    found = asked(due(how))
    before, then = tally(found, after(10) - dt.timedelta(microseconds=1)), tally(found, after(10))
    assert (before.verdict, before.expired) == (PENDING, None)
    assert (then.verdict, then.expired) == (PENDING, OnExpiry(how))
    assert then.waiting_for == ("a", "b", "c")
    assert then.say() == "0 of 1 yes, waiting for a, b, c; overdue since 2026-03-02 09:10 UTC"
    late = tally(asked(due(how), vote("a", "+", 11)), LATE)
    assert (late.verdict, late.expired, late.decided_at) == (APPROVED, None, after(11))
    assert codes(found, "a", at=after(11)) == []


def test_an_overdue_round_may_be_rejected_by_time():
    """At the due instant, by nobody."""
    found = tally(asked(due("reject", needed=2), *cast("a+")), LATE)
    assert (found.verdict, found.decided_at, found.decided_by) == (REJECTED, after(10), None)
    assert found.expired is OnExpiry.REJECT
    assert found.waiting_for == ()
    assert found.panels[0].verdict is PENDING
    assert found.say() == (
        "rejected 2026-03-02 09:10 UTC: it was undecided when it fell due, 2026-03-02 09:10 UTC; ask anew"
    )
    assert tally(asked(due("reject")), after(10)).verdict is REJECTED
    assert tally(asked(due("reject")), after(10) - dt.timedelta(microseconds=1)).verdict is PENDING


def test_a_vote_at_the_due_instant_counts_and_a_later_one_does_not():
    """Like a promise: kept at the instant itself."""
    assert tally(asked(due("reject"), vote("a", "+", 10)), LATE).verdict is APPROVED
    late = tally(asked(due("reject"), vote("a", "+", 11)), LATE)
    assert (late.verdict, late.panels[0].approvals) == (REJECTED, ())
    assert codes(asked(due("reject")), "a", at=after(10)) == []
    assert codes(asked(due("reject")), "a", at=after(11)) == ["approval_expired"]


def test_a_vote_that_becomes_known_after_time_has_rejected_is_too_late():
    """Dated back, it would turn a decision round; before the due instant it may be recorded late."""
    open_round = asked(due("reject"))
    for recorded, refused in ((9, []), (10, []), (11, ["approval_expired"])):
        found = vote_reasons(open_round, "a", None, after(5), recorded_at=after(recorded))
        assert [reason.code for reason in found] == refused
    assert vote_reasons(open_round, "a", None, after(10), recorded_at=after(5)) == ()
    assert vote_reasons(open_round, "a", None, after(11), recorded_at=after(5)) != ()
    assert vote_reasons(asked(due("escalate")), "a", None, after(5), recorded_at=after(11)) == ()


def test_what_was_decided_in_time_does_not_expire():
    """Neither a yes nor a no."""
    for sign, verdict in (("+", APPROVED), ("-", REJECTED)):
        found = tally(asked(due("reject", needed="all"), *cast(f"a{sign} b{sign} c{sign}")), LATE)
        assert (found.verdict, found.expired) == (verdict, None)
        assert found.decided_by is not None


def test_a_round_opened_after_its_due_instant_expires_when_it_opens():
    """Nothing is decided before it was asked."""
    found = asked(due("reject", minute=-5))
    assert tally(found, T - MINUTE).verdict is PENDING
    assert tally(found, T).decided_at == T
    assert tally(asked(due("remind", minute=-5)), T - MINUTE).expired is None


def test_votes_after_the_instant_asked_about_do_not_count_yet():
    """The tally of Monday does not know Tuesday's votes."""
    found = asked(rule(panel("ab", ALL)), *cast("a+ b+"))
    assert tally(found, after(1)).panels[0].approvals == ("a",)
    assert tally(found, after(1)).waiting_for == ("b",)


# --- the end of a round -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "said"),
    [("edited", "what was to be approved has been edited"), ("revised", "the record went back to its start"),
     ("replaced", "approval was asked for anew"), ("of old\n", r"'of old\n'")],
)  # fmt: skip
def test_an_approval_lapses_when_its_round_ends(ended, said):
    """A material edit takes the ground away under it; before that instant it held."""
    found = asked(NORMAL, *cast("m+ s+"), ended=ended, ended_at=after(5))
    assert tally(found, after(5) - dt.timedelta(microseconds=1)).verdict is APPROVED
    over = tally(found, after(5))
    assert (over.verdict, over.ended, over.waiting_for) == (PENDING, ended, ())
    assert (over.decided_at, over.decided_by) == (None, None)
    assert over.say() == f"the round ended 2026-03-02 09:05 UTC: {said}; ask for approval anew"
    assert [reason.code for reason in over.reasons] == ["round_ended"]


def test_votes_after_the_end_do_not_count():
    """Not even in the display of who said what."""
    found = tally(asked(NORMAL, *cast("m+"), vote("s", "-", 6), ended="edited", ended_at=after(5)), LATE)
    assert [one.refusals for one in found.panels] == [(), ()]
    assert [one.waiting_for for one in found.panels] == [(), ()]
    assert found.verdict is PENDING


def test_an_ended_round_does_not_fall_due():
    """Nobody is reminded of what was asked anew."""
    for how in OnExpiry:
        found = tally(asked(due(how), ended="replaced", ended_at=after(5)), LATE)
        assert (found.verdict, found.expired) == (PENDING, None)


def test_a_rejection_outlives_its_round():
    """What was refused was refused; the history goes on to say so."""
    for votes, how in ((cast("m-"), "remind"), ((), "reject")):
        refused = attrs.evolve(NORMAL, due=after(3), on_expiry=how)
        found = tally(asked(refused, *votes, ended="replaced", ended_at=after(5)), LATE)
        assert (found.verdict, found.ended) == (REJECTED, "replaced")


def test_a_round_without_the_instant_of_its_end_never_counted():
    """Of a history that does not say when."""
    found = asked(NORMAL, *cast("m+ s+"), ended="edited")
    assert tally(found, LATE).verdict is PENDING
    assert tally(found, LATE).panels[0].approvals == ()


# --- dead ends ----------------------------------------------------------------------------------

# fmt: off
DEAD_ENDS = [
    (rule(panel("ab", 2), excluded="b"),                "CAB needs 2 yes, and 1 of its members may vote"),
    (rule(panel("a", ALL), excluded="a"),               "CAB needs 1 yes, and 0 of its members may vote"),
    (rule(panel("abc", 1, mandatory="b"), excluded="b"), "CAB needs the approval of b, who is excluded"),
]
# fmt: on


@pytest.mark.parametrize(("asked_for", "said"), DEAD_ENDS)
def test_a_dead_end_is_stuck_and_neither_approved_nor_refused(asked_for, said):
    """No bar is lowered and no refusal invented: it says why, until somebody asks anew."""
    for votes in ("", "a+", "a+ c+"):
        found = tally(asked(asked_for, *cast(votes)), LATE)
        assert (found.verdict, found.stuck) == (PENDING, True)
        assert found.reasons[0].message == said
    assert not tally(asked(NORMAL), LATE).stuck


def test_a_dead_end_is_refused_when_its_members_refuse():
    """What nobody is left to approve has been refused by people, not by the rule."""
    assert stands(rule(panel("ab", 2), excluded="b"), "a-") == (REJECTED, 1)
    assert stands(rule(panel("abc", 1, mandatory="b"), excluded="b"), "a- c-") == (REJECTED, 2)
    assert stands(rule(panel("abc", 1, veto="c", mandatory="b"), excluded="b"), "c-") == (REJECTED, 1)


def test_a_dead_end_further_on_shows_before_its_turn():
    """In a sequence the second panel's dead end is said while the first is asked."""
    steps = rule(panel("ab"), panel("c", name="two"), excluded="c", sequential=True)
    found = tally(asked(steps), T)
    assert found.stuck
    assert found.say() == (
        "stuck: two needs 1 yes, and 0 of its members may vote; CAB: 0 of 1 yes, waiting for a, b; "
        "ask anew under another rule"
    )
    assert [reason.code for reason in found.reasons] == ["approval_stuck", "approval_pending"]
    assert found.waiting_for == ("a", "b")


def test_who_is_mandatory_and_may_vote_is_no_dead_end():
    """Only the one who is excluded is named."""
    both = panel("abc", 1, mandatory=["a", "b"])
    assert not tally(asked(rule(both)), LATE).stuck
    (reason,) = tally(asked(rule(both, excluded="b")), LATE).reasons
    assert reason.message == "CAB needs the approval of b, who is excluded"


# --- bad input ----------------------------------------------------------------------------------


def test_a_record_without_a_round_is_told_to_ask_first():
    """`record.round` is None there."""
    for call in (lambda: tally(None, T), lambda: vote_reasons(None, "a", None, T)):
        with pytest.raises(InvalidValue, match=r"round None: is no Round; request an approval first"):
            call()


def test_an_unknown_vote_is_refused():
    """It is not read as one of the three in silence."""
    with pytest.raises(InvalidValue, match="vote 'yes': is no vote; say one of approve, abstain, reject"):
        tally(asked(NORMAL, Vote("m", "yes", at=T)), LATE)
    for choice in (["approve"], None, True, "Approve", ""):
        with pytest.raises(InvalidValue, match="is no vote"):
            tally(asked(NORMAL, Vote("m", choice, at=T)), LATE)


def test_a_voter_is_an_id():
    """And so is whose voice it is."""
    for voter, behalf in ((None, None), (5, None), ("", None), (None, "m"), ("m", 5), ("m", ["a"])):
        with pytest.raises(InvalidValue, match="is no word; give an id"):
            vote_reasons(asked(NORMAL), voter, behalf, T)


def test_naive_instants_are_refused():
    """Of the question, of a vote, and of a vote to be cast."""
    naive = dt.datetime(2026, 3, 2, 9)
    with pytest.raises(NaiveDatetime):
        tally(asked(NORMAL), naive)
    with pytest.raises(NaiveDatetime):
        tally(asked(NORMAL, Vote("m", "approve", at=naive)), LATE)
    with pytest.raises(NaiveDatetime):
        vote_reasons(asked(NORMAL), "m", None, naive)
    opened, ended = asked(NORMAL, opened_at=naive), asked(NORMAL, ended="edited", ended_at=naive)
    for call in (lambda: tally(opened, LATE), lambda: vote_reasons(opened, "x", None, T)):
        with pytest.raises(NaiveDatetime, match=r"^opened_at"):
            call()
    with pytest.raises(NaiveDatetime, match=r"^ended_at"):
        tally(ended, LATE)


def test_a_rule_that_does_not_fit_is_refused_by_name():
    """A round of a damaged history."""
    with pytest.raises(InvalidValue, match="approval rule"):
        tally(asked({"panel": "CAB"}), LATE)


# --- laws ---------------------------------------------------------------------------------------

PEOPLE = "abcd"
SHARES = [Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(51, 100), Fraction(1)]
SIGNS = st.sampled_from("+-0")


@st.composite
def panels(draw, name="CAB"):
    """A small panel with everything a panel may have."""
    members = draw(st.permutations(PEOPLE))[: draw(st.integers(1, 4))]
    needed = draw(st.one_of(st.integers(1, len(members)), st.sampled_from(SHARES)))
    some = st.lists(st.sampled_from(members), max_size=2, unique=True)
    return Panel(name, members, needed=needed, mandatory=draw(some), veto=draw(some))


@st.composite
def rules(draw, timed=False):
    """A rule of one or two small panels; dead ends included."""
    asked_for = [draw(panels()), *draw(st.lists(panels("two"), max_size=1))]
    more = {}
    if timed:
        more = {"due": after(draw(st.integers(-1, 9))), "on_expiry": draw(st.sampled_from(list(OnExpiry)))}
    voices = {name for one in asked_for for name in one.members}
    deputy = [Delegation("a", "x", since=after(2), until=after(5))] if "a" in voices else []
    excluded = draw(st.lists(st.sampled_from(PEOPLE + "x"), max_size=1))
    return ApprovalRule(
        asked_for, excluded=excluded, delegations=deputy, sequential=draw(st.booleans()), **more
    )


BALLOT = st.tuples(st.sampled_from([*PEOPLE, "x", "xa"]), SIGNS, st.integers(-1, 6), st.sampled_from("pqr"))


def of(ballot):
    """The vote that a drawn ballot means; "xa" is x for a."""
    who, sign, minute, event = ballot
    return (
        vote("a", sign, minute, by="x", event=event) if who == "xa" else vote(who, sign, minute, event=event)
    )


VOTES = st.lists(BALLOT.map(of), max_size=10)


@pytest.mark.law
@given(rules(), st.dictionaries(st.sampled_from(PEOPLE), SIGNS), st.randoms(use_true_random=False))
def test_distinct_voices_come_to_one_verdict_in_any_order(asked_for, signs, random):
    """Law: whoever votes first, the same votes give the same verdict."""
    order = list(signs.items())
    verdicts = set()
    for _ in range(4):
        random.shuffle(order)
        votes = [vote(who, sign, minute) for minute, (who, sign) in enumerate(order, 1)]
        verdicts.add(tally(asked(asked_for, *votes), LATE).verdict)
    assert len(verdicts) == 1


@pytest.mark.law
@given(rules(timed=True), VOTES, st.randoms(use_true_random=False))
def test_the_tally_does_not_depend_on_how_votes_lie_in_the_round(asked_for, votes, random):
    """Law: every shuffling of the tuple gives the same tally, ties and strangers included."""
    shuffled = list(votes)
    random.shuffle(shuffled)
    assert tally(asked(asked_for, *votes), LATE) == tally(asked(asked_for, *shuffled), LATE)


RANK = {REJECTED: 0, PENDING: 1, APPROVED: 2}


@pytest.mark.law
@given(rules(timed=True), VOTES, st.data())
def test_a_friendlier_vote_never_makes_it_worse(asked_for, votes, data):
    """Law: an approval for an abstention or a refusal never turns approved into less, pending into rejected."""
    assume(votes)
    place = data.draw(st.integers(0, len(votes) - 1))
    assume(votes[place].choice != "approve")
    friendlier = list(votes)
    friendlier[place] = attrs.evolve(votes[place], choice="approve")
    was, now = tally(asked(asked_for, *votes), LATE), tally(asked(asked_for, *friendlier), LATE)
    assert RANK[now.verdict] >= RANK[was.verdict]


@pytest.mark.law
@given(rules(), VOTES, st.data())
def test_an_abstention_never_counts_as_a_yes(asked_for, votes, data):
    """Law: abstaining instead of approving never helps, and who abstained is in no list of approvals."""
    assume(votes)
    place = data.draw(st.integers(0, len(votes) - 1))
    cooler = list(votes)
    cooler[place] = attrs.evolve(votes[place], choice="abstain")
    was, now = tally(asked(asked_for, *votes), LATE), tally(asked(asked_for, *cooler), LATE)
    if votes[place].choice == "approve":
        assert RANK[now.verdict] <= RANK[was.verdict]
    said_yes = {one.on_behalf_of or one.voter for one in cooler if one.choice == "approve"}
    for one in now.panels:
        assert said_yes.issuperset(one.approvals)
        assert one.verdict is not APPROVED or len(one.approvals) >= one.needed >= 1


@pytest.mark.law
@given(rules(timed=True), VOTES, st.lists(BALLOT.map(of), max_size=4), st.integers(0, 9))
def test_what_is_decided_is_frozen(asked_for, votes, more, minute):
    """Law: no later vote and no passing of time changes anything of a decided tally."""
    found = tally(asked(asked_for, *votes), after(minute))
    assume(found.verdict is not PENDING)
    last = max(found.decided_at, T)
    later = [attrs.evolve(one, at=last + (n + 1) * MINUTE) for n, one in enumerate(more)]
    again = tally(asked(asked_for, *votes, *later), LATE)
    assert attrs.evolve(again, at=found.at) == found


@pytest.mark.law
@given(rules(timed=True), VOTES, st.integers(-2, 12))
def test_time_never_approves(asked_for, votes, minute):
    """Law: whatever is approved under a due instant is approved without it, at the same vote."""
    found = tally(asked(asked_for, *votes), after(minute))
    untimed = tally(asked(attrs.evolve(asked_for, due=None), *votes), after(minute))
    if found.verdict is APPROVED:
        assert (untimed.verdict, untimed.decided_at) == (APPROVED, found.decided_at)
    if found.expired:
        assert found.verdict is (REJECTED if found.expired is OnExpiry.REJECT else PENDING)


@pytest.mark.law
@given(rules(timed=True), VOTES, st.integers(-2, 9))
def test_the_future_is_not_known(asked_for, votes, minute):
    """Law: the tally at an instant is that of the votes cast up to then."""
    past = [one for one in votes if one.at <= after(minute)]
    assert tally(asked(asked_for, *votes), after(minute)) == tally(asked(asked_for, *past), after(minute))


@pytest.mark.law
@given(rules(timed=True), VOTES, BALLOT.map(of))
def test_a_vote_that_is_let_in_is_counted_or_replaced(asked_for, votes, new):
    """Law: what `vote_reasons` does not refuse stands in the tally of its instant."""
    behalf, voice = new.on_behalf_of, new.on_behalf_of or new.voter
    known = max([new.at, *(one.at for one in votes)])
    if vote_reasons(asked(asked_for, *votes), new.voter, behalf, new.at):
        return
    found = tally(asked(asked_for, *votes, new), known)
    undecided = [one for one in tally(asked(asked_for, *votes), known).panels if one.verdict is PENDING]
    names = {one.name for one in undecided}
    field = {"approve": "approvals", "reject": "refusals", "abstain": "abstentions"}[new.choice]
    assert any(voice in getattr(one, field) for one in found.panels if one.name in names)


# --- an oracle ----------------------------------------------------------------------------------


def passes(one, votes, voters):
    """Whether a panel with everybody's vote approves, said as people would."""
    yes = [name for name in voters if votes[name] == "approve"]
    base = [name for name in voters if votes[name] != "abstain"]
    if isinstance(one.needed, Fraction):
        enough = bool(yes) and Fraction(len(yes)) >= one.needed * len(base)
    else:
        enough = len(yes) >= one.needed
    refused = any(votes[name] == "reject" for name in one.veto if name in voters)
    missed = any(votes[name] != "approve" for name in one.mandatory if name in voters)
    return enough and not refused and not missed


def certain(one, votes, voters):
    """The verdict that all continuations share; pending if they differ."""
    rest = [name for name in voters if name not in votes]
    ends = set()
    for choices in itertools.product(SAID.values(), repeat=len(rest)):
        ends.add(passes(one, {**votes, **dict(zip(rest, choices, strict=True))}, voters))
    return PENDING if len(ends) == 2 else APPROVED if ends == {True} else REJECTED


def by_hand(asked_for, votes):
    """The verdict of a round, panel by panel and vote by vote, all futures tried."""
    verdicts = {one.name: PENDING for one in asked_for.panels}
    held = {one.name: {} for one in asked_for.panels}
    for one in votes:
        voice = one.on_behalf_of or one.voter
        for group in asked_for.panels:
            voters = [name for name in group.members if name not in asked_for.excluded]
            if voice in voters and verdicts[group.name] is PENDING:
                held[group.name][voice] = one.choice
                verdicts[group.name] = certain(group, held[group.name], voters)
        if REJECTED in verdicts.values():
            return REJECTED, one.at
        if set(verdicts.values()) == {APPROVED}:
            return APPROVED, one.at
    return PENDING, None


@pytest.mark.law
@given(rules(), st.lists(st.tuples(st.sampled_from([*PEOPLE, "xa"]), SIGNS), max_size=8))
def test_the_tally_agrees_with_an_oracle_that_tries_every_future(asked_for, ballots):
    """Law: decided exactly when all continuations agree, at that very vote."""
    assume(not any(set(one.mandatory) & set(asked_for.excluded) for one in asked_for.panels))
    for one in asked_for.panels:
        voters = set(one.members).difference(asked_for.excluded)
        assume(voters and (isinstance(one.needed, Fraction) or one.needed <= len(voters)))
    asked_for = attrs.evolve(
        asked_for, delegations=[attrs.evolve(d, since=None, until=None) for d in asked_for.delegations]
    )
    votes = [of((who, sign, minute, "e")) for minute, (who, sign) in enumerate(ballots, 1)]
    counted = [
        one for one in votes if one.voter != "x" or (asked_for.delegations and "x" not in asked_for.excluded)
    ]
    found = tally(asked(asked_for, *votes), LATE)
    assert (found.verdict, found.decided_at) == by_hand(asked_for, counted)


def test_ten_thousand_are_waited_for_but_for_one():
    """The largest panel there is, one vote before its end, is told in a second or so."""
    crowd = rule(panel(10_000, ALL))
    votes = [Vote(f"m{n}", "approve", at=after(1), event=f"e{n}") for n in range(9_999)]
    begun = time.process_time()
    assert tally(asked(crowd, *votes), LATE).waiting_for == ("m9999",)
    assert time.process_time() - begun < 3  # 0.4 s, and 5 s where each name is looked for in a list


# --- speed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lacking", "verdict"), [(0, APPROVED), (1, PENDING)])
def test_three_hundred_votes_are_counted_in_milliseconds(lacking, verdict):
    """No quadratic work: ten times the votes take about ten times as long, not a hundred times."""
    rounds = {}
    for count in (300, 3000):
        crowd = rule(panel(count, ALL, veto=[f"m{n}" for n in range(count)]))
        rounds[count] = asked(crowd, *cast(f"{count - lacking}*m+"))
    took = {300: [], 3000: []}
    for count in [300, 3000] * 7:
        begun = time.process_time()  # shared cores: what others do does not count
        assert tally(rounds[count], LATE).verdict is verdict
        took[count].append(time.process_time() - begun)
    few, many = min(took[300]), min(took[3000])
    assert few < 0.05
    assert many < 50 * few
