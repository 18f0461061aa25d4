"""Rules of approval: what they say, what they refuse, and their plain form."""

import datetime as dt
import json
import pickle
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.approvals import ApprovalRule, Delegation, OnExpiry, Panel, checked, dead_ends
from itsm_core.approvals.words import moment, some
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.values import as_fields, canonical

T = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
CAB = Panel("CAB", ["ana", "bob", "cat"], needed=2)


def refusal(make, *given, **more):
    """The message of the refusal."""
    with pytest.raises(InvalidValue) as caught:
        make(*given, **more)
    return str(caught.value)


# --- panels -------------------------------------------------------------------------------------

# fmt: off
NEEDED = [
    # needed,          members who count, votes, why
    (1,                      5, 1, "a number is a number"),
    (3,                      1, 3, "a number is lowered by nobody's absence"),
    ("all",                  7, 7, "the whole"),
    (Fraction(1),            7, 7, "the whole"),
    ("100 %",              200, 200, "platforms.md B3: 199 are not all"),
    ("1/1",                  7, 7, "the whole"),
    (Fraction(1, 2),         5, 3, "half of 5 is 2.5"),
    ("50 %",                 4, 2, "half of 4 is 2"),
    (" 50% ",                4, 2, "spaces do not matter"),
    ("2/3",                  3, 2, "exactly two, no float above it"),
    (" 2 / 3 ",              4, 3, "two thirds of 4 is 2.67"),
    ("49.8 %",               5, 3, "2.49, which ServiceNow takes for 2"),
    ("10 %",                 4, 1, "0.4, which ServiceNow takes for 0"),
    ("0.000000001 %",    10000, 1, "one at least"),
    ("99.999999999 %",   10000, 10000, "nearly all of 10,000 are all"),
    ("50 %",                 0, 1, "one at least, where nobody is left"),
    (Fraction(7, 100),     100, 7, "math.ceil(0.07 * 100) is 8"),
]
# fmt: on


@pytest.mark.parametrize(("needed", "voices", "votes", "why"), NEEDED)
def test_shares_are_exact_and_rounded_up(needed, voices, votes, why):
    """Each row: what a rule says, of how many, and how many must approve."""
    crowd = Panel("crowd", [f"m{n}" for n in range(10)], needed=needed)
    assert crowd.votes_needed(voices) == votes, why


@pytest.mark.parametrize(
    "needed",
    [0.5, 2.0, True, False, None, "2", "half", "", "0 %", "0/3", "1/0", "3/2", "101 %", "-50 %", "1e1 %",
     "٥٠ %", "1/10000000000000", "50.0000000001 %", "9" * 9999 + " %", Fraction(0), Fraction(-1, 2),
     Fraction(3, 2), Fraction(1, 10**13), [1], {"n": 1}, b"all", "All"],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_what_is_no_number_and_no_share_of_votes_is_refused(needed):
    """Floats above all: they round."""
    said = refusal(Panel, "CAB", ["ana", "bob"], needed=needed)
    assert said.startswith("needed ")
    assert said.endswith(
        'say 2 for two votes, "2/3" or "50 %" for a share, "all" for everybody; floats round'
    )


@pytest.mark.parametrize("needed", [0, -1, 4, 10**30])
def test_a_number_of_votes_that_members_cannot_give_is_refused(needed):
    """From one to as many as there are."""
    said = refusal(Panel, "CAB", ["ana", "bob", "cat"], needed=needed)
    assert said == (
        f"needed {needed}: is no number of votes that 3 members of CAB can give; say one from 1 to 3"
    )


def test_a_share_is_as_fine_as_a_millionth_of_a_millionth():
    """Beyond that it is a mistake, or meant to do harm."""
    assert Panel("CAB", ["ana"], needed=Fraction(1, 10**12)).needed == Fraction(1, 10**12)
    assert refusal(Panel, "CAB", ["ana"], needed=Fraction(1, 10**12 + 1)).startswith(
        "needed Fraction(1, 1000"
    )


def test_one_vote_and_everybodys_vote_are_different_rules():
    """Although the numbers 1 and Fraction(1) are equal."""
    one, all_of_them = attrs.evolve(CAB, needed=1), attrs.evolve(CAB, needed="all")
    assert one != all_of_them
    assert len({one, all_of_them}) == 2
    assert all_of_them == attrs.evolve(CAB, needed=Fraction(1)) == attrs.evolve(CAB, needed="100 %")
    assert attrs.evolve(CAB, needed="50 %") == attrs.evolve(CAB, needed="1/2")


@pytest.mark.parametrize(
    ("members", "kept"),
    [("ana", ("ana",)), (["b", "a"], ("b", "a")), (("a",), ("a",)), ({"c", "a", "b"}, ("a", "b", "c")),
     (frozenset("ba"), ("a", "b")), (iter(["b", "a"]), ("b", "a")), ({"b": 1, "a": 2}.keys(), ("b", "a"))],
    ids=range(7),  # a set has no order to be called by
)  # fmt: skip
def test_members_keep_their_order(members, kept):
    """A set has none and is sorted; a text alone is one name, never its letters."""
    assert Panel("CAB", members).members == kept


# fmt: off
REFUSED_PANELS = [
    ((5, ["a"]),                                   "panel 5: is no word; name it, such as"),
    (("", ["a"]),                                  "panel '': is no word"),
    (("\ud800", ["a"]),                            "panel '1 characters': hold half a surrogate pair"),
    (("CAB", []),                                  "panel 'CAB': has no members; name who is asked"),
    (("CAB", None),                                "members None: is no list of names"),
    (("CAB", 7),                                   "members 7: is no list of names"),
    (("CAB", b"ana"),                              "members 97: is no word"),
    (("CAB", {"ana": 1}),                          "members {'ana': 1}: is no list of names; give a list of ids"),
    (("CAB", ["ana", None]),                       "members None: is no word"),
    (("CAB", ["ana", ""]),                         "members '': is no word"),
    (("CAB", ["ana", "\udfff"]),                   "members '1 characters': hold half a surrogate pair"),
    (("CAB", ["ana", "bob", "ana"]),               "members 'ana': is named twice; name each person once"),
    (("CAB", ["m"] * 10_001),                      "members 'm': is the first of more than 10,000 names; ask fewer"),
]
# fmt: on


@pytest.mark.parametrize(("given", "said"), REFUSED_PANELS, ids=range(len(REFUSED_PANELS)))
def test_a_panel_that_makes_no_sense_is_refused(given, said):
    """The message names the thing, the reason and the remedy."""
    assert refusal(Panel, *given).startswith(said)


def test_an_endless_list_of_members_ends_in_a_refusal():
    """Nothing is read past what a rule may hold."""
    endless = (f"m{n}" for n in iter(int, 1))
    assert refusal(Panel, "CAB", endless).endswith("more than 10,000 names; ask fewer")
    assert len(Panel("CAB", (f"m{n}" for n in range(10_000))).members) == 10_000
    counted = iter(range(20_000))
    assert "members '0': is the first" in refusal(Panel, "CAB", map(str, counted))
    assert next(counted) == 10_001


@pytest.mark.parametrize("what", ["mandatory", "veto"])
def test_only_members_are_mandatory_or_have_a_veto(what):
    """A misspelt name would be a bar that nobody can take."""
    assert refusal(Panel, "CAB", ["ana"], **{what: ["dan", "cid"]}) == (
        f"{what} 'cid': is no member of CAB; name members, or add a panel"
    )
    assert refusal(Panel, "CAB", ["ana"], **{what: ["ana", "ana"]}).startswith(
        f"{what} 'ana': is named twice"
    )
    assert getattr(Panel("CAB", ["ana", "bob"], **{what: "bob"}), what) == ("bob",)


# --- delegations --------------------------------------------------------------------------------


def test_a_delegation_holds_from_since_and_before_until():
    """Either end may be left open."""
    both = Delegation("ana", "dan", since=T, until=T + HOUR)
    assert [both.covers(T + n * HOUR / 2) for n in (-1, 0, 1, 2)] == [False, True, True, False]
    assert Delegation("ana", "dan", until=T).covers(T - 9999 * HOUR)
    assert not Delegation("ana", "dan", until=T).covers(T)
    assert Delegation("ana", "dan", since=T).covers(T + 9999 * HOUR)
    assert Delegation("ana", "dan").covers(T)


# fmt: off
REFUSED_DELEGATIONS = [
    (("ana", "ana"), {},                                   "delegation 'ana': speaks for itself already"),
    (("", "dan"), {},                                      "voter '': is no word; name whose voice it is"),
    (("ana", None), {},                                    "to None: is no word; name who may speak for the voter"),
    (("ana", "dan"), {"since": T, "until": T},             "delegation 'ana': ends before it begins"),
    (("ana", "dan"), {"since": T + HOUR, "until": T},      "delegation 'ana': ends before it begins"),
    (("ana", "dan"), {"since": "2026-03-02T09:00:00Z"},    "since '2026-03-02T09:00:00Z': is no datetime"),
    (("ana", "dan"), {"until": dt.datetime(2026, 3, 2)},   "until '2026-03-02T00:00:00': has no zone"),
    (("ana", "dan"), {"until": dt.datetime.max.replace(tzinfo=dt.UTC)}, "until datetime.datetime(9999"),
]
# fmt: on


@pytest.mark.parametrize(("given", "more", "said"), REFUSED_DELEGATIONS, ids=range(len(REFUSED_DELEGATIONS)))
def test_a_delegation_that_makes_no_sense_is_refused(given, more, said):
    """The message names the thing, the reason and the remedy."""
    assert refusal(Delegation, *given, **more).startswith(said)


def test_one_person_has_one_voice_in_a_panel():
    """Neither a member nor an outsider counts twice through delegation."""
    for twice in (
        [Delegation("ana", "bob")],
        [Delegation("ana", "dan"), Delegation("bob", "dan")],
        [Delegation("ana", "dan", until=T), Delegation("bob", "dan", since=T)],
    ):
        said = refusal(ApprovalRule, [CAB], delegations=twice)
        assert said == (
            f"delegation '{twice[0].to}': would have two voices in CAB, and one person counts once; "
            "name a delegate from outside the panel, a different one for each voter"
        )


def test_one_person_may_speak_in_several_panels():
    """And one voter may have several delegates, or one several times."""
    two = [CAB, Panel("security", ["bob", "sam"])]
    allowed = [
        Delegation("ana", "sam"), Delegation("ana", "dan", until=T), Delegation("ana", "dan", since=T + HOUR),
    ]  # fmt: skip
    assert ApprovalRule(two, delegations=allowed).delegations == tuple(allowed)


def test_whose_voice_is_gone_has_no_second_one():
    """A member who is excluded has none; a delegate of theirs may have one."""
    assert ApprovalRule([CAB], excluded=["ana"], delegations=[Delegation("ana", "bob")])
    assert ApprovalRule([CAB], excluded=["bob"], delegations=[Delegation("ana", "bob")])


def test_a_delegation_of_no_member_is_refused():
    """A misspelt name would be a delegate who cannot vote."""
    said = refusal(ApprovalRule, [CAB], delegations=[Delegation("zoe", "dan"), Delegation("ann", "dan")])
    assert said == "delegation 'ann': has no voice to pass on; leave out who is in no panel"


# --- rules --------------------------------------------------------------------------------------


def test_a_rule_has_quiet_defaults():
    """Nobody excluded, no due instant, a reminder if there is one, all panels at once."""
    plain = ApprovalRule([CAB])
    assert (plain.panels, plain.delegations, plain.excluded, plain.due) == ((CAB,), (), (), None)
    assert (plain.on_expiry, plain.material, plain.sequential) == (OnExpiry.REMIND, (), False)


def test_what_comes_after_the_second_place_is_named():
    """Nobody can mix up who is excluded and what is material."""
    for make in (
        lambda: Panel("CAB", ["ana"], 1),
        lambda: Delegation("ana", "dan", T),
        lambda: ApprovalRule([CAB], []),
    ):
        with pytest.raises(TypeError, match="positional"):
            make()


def test_a_rule_may_be_large():
    """As many names as any list may hold, and a hundred panels."""
    most = [Panel("a", map(str, range(10_000)))]
    passed_on = [Delegation(str(n), f"d{n}") for n in range(10_000)]
    large = ApprovalRule(most, delegations=passed_on)
    assert ApprovalRule.from_dict(large.to_dict()) == large
    assert len(ApprovalRule([attrs.evolve(CAB, name=str(n)) for n in range(100)]).panels) == 100


def test_people_excluded_twice_are_excluded():
    """The requester may be the assignee."""
    assert ApprovalRule([CAB], excluded=["rita", "ana", "rita"]).excluded == ("rita", "ana")
    assert ApprovalRule([CAB], material=["risk", "risk"]).material == ("risk",)
    assert ApprovalRule([CAB], excluded="ana").members_of(CAB) == ("bob", "cat")


def test_due_is_kept_in_utc():
    """The same instant of another zone is the same rule."""
    there = T.astimezone(dt.timezone(dt.timedelta(hours=8)))
    assert ApprovalRule([CAB], due=there) == ApprovalRule([CAB], due=T)
    assert ApprovalRule([CAB], due=there).due.isoformat() == "2026-03-02T09:00:00+00:00"


# fmt: off
REFUSED_RULES = [
    (CAB,               {},                          "panels Panel("),
    ("CAB",             {},                          "panels 'CAB': is no list of Panel; give a list: [Panel("),
    ([],                {},                          "panels 0: are none, or more than 100; ask at least one group"),
    ([attrs.evolve(CAB, name=str(n)) for n in range(101)], {}, "panels 101: are none, or more than 100"),
    ([CAB, "ana"],      {},                          "panels 'ana': is no Panel"),
    ([CAB, CAB],        {},                          "panel 'CAB': is there twice; give each panel a name of its own"),
    ([Panel("a", map(str, range(9999))), Panel("b", "xy"), Panel("c", "z")], {}, "approval rule 'it': holds more than 10,000 names"),
    ([Panel("a", map(str, range(999)))], {"delegations": [Delegation("1", str(n + 999)) for n in range(10_001)]}, "approval rule 'it': holds more than 10,000"),
    ([CAB],             {"delegations": ["ana"]},    "delegations 'ana': is no Delegation; give a list: [Delegation("),
    ([CAB],             {"excluded": [None]},        "excluded None: is no word"),
    ([CAB],             {"excluded": None},          "excluded None: is no list of names"),
    ([CAB],             {"material": [5]},           "material 5: is no word"),
    ([CAB],             {"due": 5},                  "due 5: is no datetime"),
    ([CAB],             {"due": "2026-03-02T09:00:00Z"}, "due '2026-03-02T09:00:00Z': is no datetime"),
    ([CAB],             {"on_expiry": "approve"},    "on_expiry 'approve': is no on expiry; use one of remind, escalate, reject"),
    ([CAB],             {"on_expiry": None},         "on_expiry None: is no on expiry"),
    ([CAB],             {"sequential": 1},           "sequential 1: is no bool; say True or False"),
]
# fmt: on


@pytest.mark.parametrize(("panels", "more", "said"), REFUSED_RULES, ids=range(len(REFUSED_RULES)))
def test_a_rule_that_makes_no_sense_is_refused(panels, more, said):
    """The message names the thing, the reason and the remedy."""
    assert refusal(ApprovalRule, panels, **more).startswith(said)


def test_nothing_approves_by_expiring():
    """There is no such way to end."""
    assert [str(one) for one in OnExpiry] == ["remind", "escalate", "reject"]


# --- dead ends ----------------------------------------------------------------------------------


def test_a_rule_that_somebody_can_fulfil_passes():
    """It comes back as it is."""
    sound = ApprovalRule([CAB], excluded=["ana"], due=T)
    assert checked(sound) is sound
    assert checked(sound, T - dt.timedelta(microseconds=1)) is sound
    assert dead_ends(sound) == ()
    assert dead_ends(ApprovalRule([attrs.evolve(CAB, mandatory=["ana"])], excluded=["bob"])) == ()


# fmt: off
IMPOSSIBLE = [
    ([CAB], ["ana", "bob"], "CAB needs 2 yes, and 1 of its members may vote"),
    ([Panel("all", ["ana"], needed="all")], ["ana"], "all needs 1 yes, and 0 of its members may vote"),
    ([Panel("CAB", ["ana", "bob"], mandatory=["bob"])], ["bob"], "CAB needs the approval of bob, who is excluded"),
    ([Panel("a", ["x"]), Panel("b", ["x", "y"]), Panel("c", ["x"])], ["x"],
     "a needs 1 yes, and 0 of its members may vote; c needs 1 yes, and 0 of its members may vote"),
]
# fmt: on


@pytest.mark.parametrize(("panels", "excluded", "said"), IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_a_rule_that_nobody_can_fulfil_is_refused_when_it_is_asked(panels, excluded, said):
    """No bar is lowered in silence: it says which panel, and to ask more people."""
    stuck = ApprovalRule(panels, excluded=excluded)
    assert refusal(checked, stuck).endswith(f": {said}; ask more people")
    assert "; ".join(reason.message for reason in dead_ends(stuck)) == said
    assert {reason.code for reason in dead_ends(stuck)} == {"approval_stuck"}


def test_a_due_instant_lies_ahead_of_the_asking():
    """An approval that has expired before it is asked is a mistake."""
    late = ApprovalRule([CAB], due=T)
    assert refusal(checked, late, T) == (
        "due '2026-03-02T09:00:00+00:00': is past; give an instant that lies ahead"
    )
    with pytest.raises(NaiveDatetime):
        checked(late, dt.datetime(2026, 3, 2, 9))


# --- plain data ---------------------------------------------------------------------------------


def test_the_plain_form_is_as_written_here():
    """What lies in a record: lists, texts and whole numbers; what is at its default is left out."""
    full = ApprovalRule(
        [CAB, Panel("security", ["sam"], needed="all", mandatory="sam", veto="sam"), Panel("x", "y", needed="50%")],
        delegations=[Delegation("ana", "dan", since=T, until=T + HOUR), Delegation("bob", "eve")],
        excluded=["rita"], due=T, on_expiry="reject", material=["risk"], sequential=True,
    )  # fmt: skip
    assert full.to_dict() == {
        "panels": [
            {"name": "CAB", "members": ["ana", "bob", "cat"], "needed": 2},
            {"name": "security", "members": ["sam"], "needed": "all", "mandatory": ["sam"], "veto": ["sam"]},
            {"name": "x", "members": ["y"], "needed": "1/2"},
        ],
        "delegations": [
            {"voter": "ana", "to": "dan", "since": "2026-03-02T09:00:00.000000Z", "until": "2026-03-02T10:00:00.000000Z"},
            {"voter": "bob", "to": "eve"},
        ],
        "excluded": ["rita"], "due": "2026-03-02T09:00:00.000000Z", "on_expiry": "reject",
        "material": ["risk"], "sequential": True,
    }  # fmt: skip
    assert ApprovalRule([CAB]).to_dict() == {
        "panels": [{"name": "CAB", "members": ["ana", "bob", "cat"], "needed": 2}]
    }


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3)
INSTANTS = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC))


@st.composite
def any_panel(draw, name):
    """A panel of strange names."""
    members = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    share = st.fractions(0, 1, max_denominator=10**6).filter(bool)
    some = st.lists(st.sampled_from(members), unique=True)
    needed = draw(st.one_of(st.integers(1, len(members)), share, st.sampled_from(["all", "12.5 %"])))
    return Panel(name, members, needed=needed, mandatory=draw(some), veto=draw(some))


@st.composite
def any_rule(draw):
    """A rule with everything in it."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    asked = [draw(any_panel(name)) for name in names]
    start = draw(st.none() | INSTANTS)
    end = None if start is None else start + HOUR
    return ApprovalRule(
        asked, delegations=[Delegation(asked[0].members[0], "somebody else", since=start, until=end)],
        excluded=draw(st.lists(NAMES)), due=draw(st.none() | INSTANTS), material=draw(st.lists(NAMES)),
        on_expiry=draw(st.sampled_from(list(OnExpiry))), sequential=draw(st.booleans()),
    )  # fmt: skip


@pytest.mark.law
@given(any_rule())
def test_a_rule_survives_the_way_through_plain_data(rule):
    """Law: out and in is the identity, through JSON, as the fields of an event, and pickled."""
    plain = rule.to_dict()
    assert ApprovalRule.from_dict(plain) == rule
    assert ApprovalRule.from_dict(json.loads(json.dumps(plain))) == rule
    assert ApprovalRule.from_dict(as_fields(plain)) == rule
    assert ApprovalRule.from_dict(as_fields(plain)).to_dict() == plain
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert canonical(plain)


GOOD = {"name": "CAB", "members": ["ana", "bob"]}
DEEP = []
for _ in range(100_000):
    DEEP = [DEEP]

# fmt: off
HOSTILE = [
    (None,                                             "approval rule None: is no mapping"),
    ([],                                               "approval rule []: is no mapping"),
    ("{}",                                             "approval rule '{}': is no mapping"),
    ({},                                               "approval rule {}: lacks panels; add 'panels'"),
    ({"panels": [GOOD], "quorum": 2},                  "approval rule "),
    ({"panels": [GOOD], 5: 2},                         "approval rule "),
    ({"panels": GOOD},                                 "panels {'name': 'CAB', 'members': ['ana', 'bob']}: is no list"),
    ({"panels": "CAB"},                                "panels 'CAB': is no list"),
    ({"panels": []},                                   "panels 0: are none"),
    ({"panels": ["CAB"]},                              "panel 'CAB': is no mapping"),
    ({"panels": [{"members": ["ana"]}]},               "panel {'members': ['ana']}: lacks name"),
    ({"panels": [{"name": "CAB"}]},                    "panel {'name': 'CAB'}: lacks members; add 'members'"),
    ({"panels": [{**GOOD, "quorum": 1}]},              "panel "),
    ({"panels": [{**GOOD, "members": "ana"}]},         "members 'ana': is no list; write [...], also around one name"),
    ({"panels": [{**GOOD, "members": []}]},            "panel 'CAB': has no members"),
    ({"panels": [{**GOOD, "members": {"ana": 1}}]},    "members {'ana': 1}: is no list"),
    ({"panels": [{**GOOD, "members": [["ana"]]}]},     "members ['ana']: is no word"),
    ({"panels": [{**GOOD, "members": ["m"] * 10_001}]}, "members 10001: are more than 10,000; ask fewer"),
    ({"panels": [{**GOOD, "needed": 0.5}]},            "needed 0.5: is no number and no exact share"),
    ({"panels": [{**GOOD, "needed": 1.0}]},            "needed 1.0: is no number and no exact share"),
    ({"panels": [{**GOOD, "needed": True}]},           "needed True: is no number and no exact share"),
    ({"panels": [{**GOOD, "needed": None}]},           "needed None: is no number and no exact share"),
    ({"panels": [{**GOOD, "needed": 0}]},              "needed 0: is no number of votes"),
    ({"panels": [{**GOOD, "needed": 3}]},              "needed 3: is no number of votes"),
    ({"panels": [{**GOOD, "needed": "3/2"}]},          "needed '3/2': is no share above nothing"),
    ({"panels": [{**GOOD, "needed": DEEP}]},           "needed a list too long to show: is no number"),
    ({"panels": [{**GOOD, "veto": "ana"}]},            "veto 'ana': is no list"),
    ({"panels": [{**GOOD, "mandatory": ["zoe"]}]},     "mandatory 'zoe': is no member of CAB"),
    ({"panels": [GOOD, GOOD]},                         "panel 'CAB': is there twice"),
    ({"panels": [GOOD] * 10_001},                      "panels 10001: are more than 10,000"),
    ({"panels": [GOOD], "delegations": [["ana", "dan"]]}, "delegation ['ana', 'dan']: is no mapping"),
    ({"panels": [GOOD], "delegations": [{"voter": "ana"}]}, "delegation {'voter': 'ana'}: lacks to; add 'to'"),
    ({"panels": [GOOD], "delegations": [{"voter": "ana", "to": "dan", "since": "soon"}]}, "since 'soon': is no ISO 8601 instant"),
    ({"panels": [GOOD], "delegations": [{"voter": "ana", "to": "dan", "until": 5}]}, "until 5: is no ISO 8601 instant"),
    ({"panels": [GOOD], "due": "2026-03-02T09:00:00"}, "due '2026-03-02T09:00:00': has no zone"),
    ({"panels": [GOOD], "due": "9999-12-31T23:00:00Z"}, "due '9999-12-31T23:00:00Z': due 9999-12-31T23:00:00 lies at the end"),
    ({"panels": [GOOD], "due": ["now"]},               "due ['now']: is no ISO 8601 instant"),
    ({"panels": [GOOD], "on_expiry": "approve"},       "on_expiry 'approve'"),
    ({"panels": [GOOD], "on_expiry": ["reject"]},      "on_expiry ['reject']"),
    ({"panels": [GOOD], "material": "risk"},           "material 'risk': is no list"),
    ({"panels": [GOOD], "excluded": ["x"] * 10_001},   "excluded 10001: are more than 10,000"),
    ({"panels": [GOOD], "sequential": "yes"},          "sequential 'yes': is no bool"),
]
# fmt: on


@pytest.mark.parametrize(("plain", "said"), HOSTILE, ids=range(len(HOSTILE)))
def test_plain_data_that_is_no_rule_is_refused(plain, said):
    """By name and with a remedy, however big or deep."""
    assert refusal(ApprovalRule.from_dict, plain).startswith(said)


def test_an_instant_may_be_left_open_in_plain_data():
    """Null is no instant."""
    held = {"panels": [GOOD], "due": None, "delegations": [{"voter": "ana", "to": "dan", "since": None}]}
    assert ApprovalRule.from_dict(held) == ApprovalRule(
        [Panel("CAB", ["ana", "bob"])], delegations=[Delegation("ana", "dan")]
    )


def test_a_misspelt_key_is_named_with_those_there_are():
    """Nothing is read past in silence."""
    said = refusal(ApprovalRule.from_dict, {"panels": [GOOD], "quorum": 2})
    assert said.endswith(
        "has the unknown key 'quorum'; use the keys panels, delegations, excluded, due, on_expiry, material, sequential"
    )


# --- words --------------------------------------------------------------------------------------


def test_long_lists_are_cut_and_strange_names_escaped():
    """Three names and how many more."""
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert some(["a\u202eb", "\u5f20\u4e09"]) == "'a\\u202eb', \u5f20\u4e09"


def test_no_instant_is_no_text():
    """Seconds are shown where there are some."""
    assert moment(None) == ""
    assert moment(T) == "2026-03-02 09:00 UTC"
    assert moment(T + dt.timedelta(seconds=5)) == "2026-03-02 09:00:05 UTC"
