"""Who authorises a change: the table, the rule that follows, and that none may be weaker."""

import itertools
from fractions import Fraction
from functools import cache

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changing import (
    ASSESSED,
    CLASSIFIED,
    OURS,
    PEOPLE,
    T,
    ask,
    assessed,
    does,
    expedited,
    found,
    opened,
    requested,
    standard,
    submitted,
    voted,
)
from itsm_core.approvals import ApprovalRule, Panel, tally
from itsm_core.errors import InvalidValue
from itsm_core.processes import AUTHORITIES, CHANGE, LEAD_TIMES, ChangePolicy, Seats, authority, governed
from itsm_core.processes.authority import CORE, MATERIAL, authority_guard, authority_level, fits, material_of
from itsm_core.records import Vote

RISKS = ("low", "moderate", "high")
OF_RISK = {
    "low": {"likelihood": "low", "impact": "low"},
    "moderate": {"likelihood": "medium", "impact": "medium"},
    "high": {"likelihood": "high", "impact": "high"},
}


@cache
def normal(level):
    """A normal change of a risk that asks for authorisation."""
    return does(assessed(), "submit", fields={**ASSESSED, **OF_RISK[level]})


CHANGES = {
    **{level: (lambda level=level: normal(level)) for level in RISKS},
    "emergency": expedited,
    "unauthorised": found,
}


# --- the table -------------------------------------------------------------------------------------

# fmt: off
SHIP = [
    # iso-20000.md 5.5, table "Ship": level, panels (members, needed, who may veto)
    ("low",          {"peer": (["pia", "pol", "ana"], 1, [])}),
    ("moderate",     {"change_manager": (["mona"], 1, []), "service_owner": (["sam"], 1, [])}),
    ("high",         {"cab": (["cab1", "cab2", "cab3", "cab4", "cab5", "sam"], 3, ["sam"])}),
    ("emergency",    {"ecab": (["mona", "sam", "dora"], 2, [])}),
    ("unauthorised", {"change_manager": (["mona"], 1, [])}),
]
# fmt: on


@pytest.mark.parametrize(("level", "panels"), SHIP)
def test_the_authority_is_that_of_the_field(level, panels):
    """By risk for a normal change, by what it is for others; who opened it is excluded."""
    record = CHANGES[level]()
    rule = authority(record, PEOPLE)
    assert authority_level(record) == level
    found = {p.name: (list(p.members), p.needed, list(p.veto)) for p in rule.panels}
    assert found == panels
    assert rule.excluded == ("ana",)
    assert rule.material == (MATERIAL if level in RISKS else CORE) == material_of(level)
    assert fits(rule, level)


def test_every_level_has_its_row():
    """The table above and the shipped one speak of the same."""
    assert [level for level, _ in SHIP] == list(AUTHORITIES) == list(CHANGES)


@pytest.mark.parametrize(
    ("members", "needed"), [(3, 3), (4, 3), (5, 3), (6, 3), (7, 4), (8, 4), (9, 5), (40, 20)]
)
def test_a_board_takes_half_of_those_who_may_vote_and_three_at_least(members, needed):
    """iso-20000.md 5.5: at least 50 %, rounded up, and at least 3."""
    people = {"cab": [f"m{n}" for n in range(members)]}
    (panel,) = authority(normal("high"), people).panels
    assert panel.needed == needed
    with_me = {"cab": ["ana", *people["cab"]]}  # who asked counts for nothing
    assert authority(normal("high"), with_me).panels[0].needed == needed


def refused(record, people, **more):
    """The reason and the remedy of people who do not do."""
    with pytest.raises(InvalidValue) as refusal:
        authority(record, people, **more)
    return refusal.value.reason, refusal.value.remedy


@pytest.mark.parametrize(("members", "left"), [(0, "nobody is"), (1, "1 is"), (2, "2 are")])
def test_too_few_people_are_refused_by_name(members, left):
    """What the panel is, how many it takes, how many are left, who is excluded, and what to do."""
    people = {"cab": ["ana", *(f"m{n}" for n in range(members))]}
    assert refused(normal("high"), people) == (
        f"it takes 3 voices in cab, and {left} left who may vote: ana asked for it or carries it out",
        "name more people for cab or service_owner, or record a waiver",
    )


def test_where_nobody_is_excluded_a_waiver_is_no_remedy():
    """One voice is one voice; several who are excluded are all named."""
    said, remedy = refused(normal("low"), {})
    assert said == "it takes 1 voice in peer, and nobody is left who may vote"
    assert remedy == "name more people for peer"
    given = does(normal("low"), "assign", fields={"assignee": "pia"})
    said, remedy = refused(given, {"peer": ["pia", "ana"]})
    assert said.endswith("nobody is left who may vote: pia, ana asked for it or carry it out")
    assert remedy == "name more people for peer, or record a waiver"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("peers", "did you mean peer?"),
        ("CAB", "use one of peer, change_manager, service_owner, cab, duty_manager, security"),
        ("change_managers", "did you mean change_manager?"),
        (5, "use one of peer, "),
    ],
)
def test_a_part_that_sits_in_no_panel_is_refused(part, words):
    """A typing error would leave somebody out without a word."""
    with pytest.raises(InvalidValue, match="sits in no panel") as refusal:
        authority(normal("low"), {**PEOPLE, part: ["pia"]})
    assert words in refusal.value.remedy


@pytest.mark.parametrize("people", [None, ["pia"], "pia"])
def test_people_are_given_by_part(people):
    """A list says not who is what."""
    with pytest.raises(InvalidValue, match=r'write \{"peer"'):
        authority(normal("low"), people)


UNASSESSED = [
    (opened, "likelihood and impact are not recorded, so the risk counts as high; record them first"),
    (lambda: does(assessed(), "amend", fields={"likelihood": "low"}),
     "impact is not recorded, so the risk counts as high; record it first"),
    (lambda: does(assessed(), "amend", fields={"assessed_risk": "low"}),
     "likelihood and impact are not recorded, so the risk counts as high; record them first"),
    (lambda: does(assessed(), "amend", fields={"assessed_risk": "high"}), ""),
    (lambda: does(assessed(), "amend", fields={"assessed_risk": "dire"}), ""),
    (lambda: does(assessed(), "amend", fields={"service_change": "new"}), ""),
    (lambda: normal("high"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("make", "words"), UNASSESSED, ids=range(len(UNASSESSED)))
def test_a_risk_that_is_high_for_want_of_an_assessment_is_said_to_be(make, words):
    """Where the rule is made and where it is asked under; nobody wonders who wants a board."""
    record = make()
    remedy = refused(record, {"cab": ["cab1"]})[1]
    assert remedy == (f"{words}; " if words else "") + "name more people for cab or service_owner"
    said = asking(record, [Panel("peer", ["pia"])])[1]
    assert (words in said) if words else ("not recorded" not in said)
    assert "a change of level high takes 1/2, 3 at least, of cab; " in said


def test_an_emergency_does_not_wait_for_its_assessment():
    """Its level is what it is, whatever its risk."""
    assert "not recorded" not in refused(opened("emergency"), {})[1]


def test_those_who_answer_for_security_are_heard_where_it_is_marked():
    """iso-20000.md 5.5: CAB incl. service owner and security when flagged; both must have voted."""
    marked = does(normal("high"), "amend", fields={"security": True})
    (panel,) = authority(marked, PEOPLE).panels
    assert (panel.members[-1], panel.veto) == ("sec", ("sam", "sec"))
    assert authority(does(normal("low"), "amend", fields={"security": True}), PEOPLE).panels[0].veto == ()


def test_a_service_owner_who_asked_is_not_heard_on_it():
    """CHG-15 goes before; the others decide."""
    record = does(normal("high"), "assign", fields={"assignee": "sam"})
    rule = authority(record, PEOPLE)
    assert (rule.panels[0].veto, rule.excluded) == ((), ("ana", "sam"))


def test_somebody_in_two_parts_has_one_seat():
    """One person, one voice, in a panel."""
    (panel,) = authority(expedited(), {**PEOPLE, "service_owner": ["mona"]}).panels
    assert panel.members == ("mona", "dora")


@pytest.mark.parametrize("bad", [{"peer": 5}, {"peer": [""]}, {"peer": [None]}])
def test_people_are_ids(bad):
    """Nobody is guessed."""
    with pytest.raises(InvalidValue):
        authority(normal("low"), bad)


def test_what_nobody_assessed_goes_to_the_board():
    """DESIGN 12: unknown is never passed."""
    assert authority_level(opened()) == "high"
    assert authority_level(does(assessed(), "amend", fields={"likelihood": "low"})) == "high"


def test_lead_times_are_those_of_the_field():
    """iso-20000.md 5.5: 2, 5 and 10 business days by risk; none for an emergency."""
    assert {level: str(lead) for level, lead in LEAD_TIMES.items()} == {
        "low": "2 business days",
        "moderate": "5 business days",
        "high": "10 business days",
    }


# --- laws ----------------------------------------------------------------------------------------------


def least_voices(record, people):
    """How few people can approve a change, found by trying."""
    asked = requested(record, people=people).round
    names = sorted({name for panel in authority(record, people).panels for name in panel.members})
    for some in itertools.chain(*(itertools.combinations(names, n) for n in range(len(names) + 1))):
        votes = tuple(Vote(name, "approve", at=T, event=name) for name in some)
        if tally(attrs.evolve(asked, votes=votes), T).verdict == "approved":
            return len(some)
    return None


@pytest.mark.law
@given(st.lists(st.sampled_from("abcdefg"), min_size=3, max_size=7, unique=True), st.integers(1, 3))
def test_authority_is_never_weaker_for_a_higher_risk(cab, owners):
    """By how few people can approve: more risk never takes fewer."""
    people = {
        "peer": ["p1", "p2"],
        "change_manager": ["m"],
        "service_owner": [f"s{n}" for n in range(owners)],
        "cab": cab,
    }
    voices = [least_voices(normal(level), people) for level in RISKS]
    assert voices == sorted(voices)
    assert voices[0] == 1
    assert voices[-1] >= 3


@pytest.mark.parametrize("level", [*AUTHORITIES])
@pytest.mark.parametrize("other", [*AUTHORITIES])
def test_a_stronger_rule_is_enough_and_a_weaker_one_is_not(level, other):
    """iso-20000.md 5.5, read downwards: the board may decide on anything, a peer on low risk alone."""
    enough = {
        "low": {"low", "moderate", "high"},
        "moderate": {"moderate", "high"},
        "high": {"high"},
        "emergency": {"emergency", "high"},
        "unauthorised": {"unauthorised", "moderate", "emergency", "high"},
    }
    rule = authority(CHANGES[other](), PEOPLE)
    assert fits(rule, level) is (other in enough[level])


# --- the guard ---------------------------------------------------------------------------------------------


def asking(record, panels, *, material=MATERIAL, lifecycle=OURS, **more):
    """The codes and words that asking under a rule comes to."""
    rule = ApprovalRule(panels, material=material, **more)
    decision = ask(record, "request_approval", fields={"rule": rule.to_dict()}, lifecycle=lifecycle)
    return getattr(decision, "codes", ()), str(decision)


@pytest.mark.parametrize(
    ("level", "panels", "fitting"),
    [
        ("low", [Panel("peer", ["pia"])], True),
        ("low", [Panel("peer", ["pia", "pol"], needed="all")], True),
        ("low", [Panel("friends", ["pia"])], False),
        ("moderate", [Panel("change_manager", ["mona"])], False),
        ("moderate", [Panel("service_owner", ["sam"])], False),
        ("moderate", [Panel("change_manager", ["mona"]), Panel("service_owner", ["sam"])], True),
        ("high", [Panel("cab", ["a", "b", "c"], needed=3)], True),
        ("high", [Panel("cab", ["a", "b", "c"], needed=2)], False),
        ("high", [Panel("cab", list("abcdefg"), needed=3)], False),
        ("high", [Panel("cab", list("abcdefg"), needed=4)], True),
        ("high", [Panel("cab", list("abcdefg"), needed="all")], False),  # one voice if all others abstain
        ("high", [Panel("cab", list("abcdefg"), needed=4), Panel("board", ["x"])], True),
        ("emergency", [Panel("ecab", ["a", "b", "c"], needed=2)], True),
        ("emergency", [Panel("ecab", ["a", "b", "c"], needed=1)], False),
        ("emergency", [Panel("ecab", ["a", "b"], needed="all")], False),
        ("unauthorised", [Panel("change_manager", ["mona"])], True),
        ("unauthorised", [Panel("peer", ["pia"])], False),
    ],
)
def test_a_change_is_not_asked_for_under_a_weaker_rule(level, panels, fitting):
    """CHG-08: by allowed authority; who else is asked besides is nobody's loss."""
    codes, words = asking(CHANGES[level](), panels)
    assert codes == (() if fitting else ("weak_authority",))
    if not fitting:
        assert f"a change of level {level} takes" in words


def test_excluded_members_do_not_fill_a_board():
    """Half of those who may vote; the excluded are none of them."""
    panel = Panel("cab", list("abcdefg"), needed=3)
    assert asking(normal("high"), [panel], excluded=["f", "g"])[0] == ()
    assert asking(normal("high"), [panel], excluded=["g"])[0] == ()
    assert asking(normal("high"), [panel])[0] == ("weak_authority",)


def test_the_words_say_what_it_takes():
    """In full, so that the reader can ask under a better rule."""
    told = {level: asking(CHANGES[level](), [Panel("x", ["pia"])])[1] for level in AUTHORITIES}
    assert "takes 1 of peer; make the rule by authority()" in told["low"]
    assert "takes 1 of change_manager and 1 of service_owner" in told["moderate"]
    assert "takes 1/2, 3 at least, of cab" in told["high"]
    assert "takes 2 of ecab" in told["emergency"]


@pytest.mark.parametrize("left_out", MATERIAL)
def test_what_is_decided_on_is_material(left_out):
    """An edit of each has to void the approval, so a rule without one is refused."""
    material = [name for name in MATERIAL if name != left_out]
    codes, words = asking(submitted(), [Panel("peer", ["pia"])], material=material)
    assert codes == ("weak_authority",)
    assert left_out in words
    core = [name for name in CORE if name != left_out]
    emergency = asking(expedited(), [Panel("ecab", ["a", "b"], needed=2)], material=core)[0]
    assert emergency == (("weak_authority",) if left_out in CORE else ())


def test_a_rule_that_cannot_be_read_is_refused_once():
    """By those who read it."""
    decision = ask(submitted(), "request_approval", fields={"rule": {"panels": []}})
    assert decision.codes == ("invalid_rule",)


def test_a_risk_that_rises_takes_more_people():
    """The approval of before is void by the edit, and its rule is too weak from then on."""
    record = voted(requested(submitted()), "pia")
    record = does(record, "amend", fields={"assessed_risk": "high"})
    peer = [Panel("peer", ["pia"])]
    assert asking(record, peer)[0] == ("weak_authority",)
    assert asking(record, [Panel("cab", ["a", "b", "c"], needed=3)])[0] == ()


# --- authorities of one's own ----------------------------------------------------------------------------


def test_a_desk_may_have_authorities_of_its_own():
    """A firm of two has no board; its policy says who decides instead, and the guard follows."""
    both = (Seats("partners", ("partner",), needed=Fraction(1)),)
    mine = {**AUTHORITIES, "high": both}
    ours = governed(CHANGE, ChangePolicy(authorities=mine))
    record = normal("high")
    rule = authority(record, {"partner": ["pia", "ana"]}, authorities=mine)
    assert [(p.name, p.needed) for p in rule.panels] == [("partners", 1)]
    assert asking(record, rule.panels, lifecycle=ours, excluded=rule.excluded)[0] == ()
    assert asking(record, rule.panels, excluded=rule.excluded)[0] == ("weak_authority",)
    assert asking(record, [Panel("cab", ["a", "b", "c"], needed=3)], lifecycle=ours)[0] == ("weak_authority",)


@pytest.mark.parametrize(
    "bad",
    [
        {"panel": ""},
        {"parts": ()},
        {"parts": ("",)},
        {"needed": 0},
        {"needed": 0.5},
        {"needed": True},
        {"needed": Fraction(0)},
        {"needed": Fraction(3, 2)},
        {"least": 0},
        {"heard": (5,)},
    ],
)
def test_seats_that_make_no_panel_are_refused(bad):
    """By name, with the remedy."""
    with pytest.raises(InvalidValue):
        Seats(**{"panel": "cab", "parts": ("cab",), **bad})


def test_a_guard_without_the_level_of_the_table_needs_a_whole_table():
    """`ChangePolicy` refuses a table with a row missing, so the guard finds every level."""
    guard = authority_guard(AUTHORITIES)
    assert guard is not authority_guard(AUTHORITIES)
    with pytest.raises(InvalidValue, match="lack low"):
        ChangePolicy(authorities={"high": AUTHORITIES["high"]})


def test_a_standard_change_takes_no_votes_yet_has_a_level():
    """Who asks all the same asks the board: nobody assessed it."""
    assert authority_level(standard()) == "high"
    record = does(opened(), "assess", fields=CLASSIFIED)
    assert authority_level(record) == "high"
