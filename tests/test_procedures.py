"""The procedure of a major incident as data: what it must be, and that it comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.durations import business_days, minutes
from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.processes import PROCEDURE
from itsm_core.records import MANAGER, MajorRole, Procedure, Track, TrackStep
from itsm_core.values import as_fields

ENDS = TrackStep("b", ends=True)
TRACK = Track("t", (TrackStep("a", "b"), ENDS))


def procedure(**changed):
    """A small procedure, some of it changed."""
    held = {"tracks": [TRACK], "roles": [MajorRole("scribe")], "cadence": {"P1": minutes(30)}, **changed}
    return Procedure(
        "house", changed.pop("version", 1), **{n: held[n] for n in ("tracks", "roles", "cadence")}
    )


WRONG = [
    (lambda: TrackStep(""), "has no id"),
    (lambda: TrackStep("a", ends="yes"), "is neither True nor False"),
    (lambda: TrackStep("a", [""]), "is no word"),
    (lambda: Track("t", ()), "has no steps"),
    (lambda: Track("", (ENDS,)), "has no id"),
    (lambda: Track("t", ENDS), "is no list"),
    (lambda: Track("t", (ENDS, ENDS)), "is there twice"),
    (lambda: Track("t", (TrackStep("a", "c"), ENDS)), "is none of t; use one of a, b"),
    (lambda: Track("t", (TrackStep("a"), ENDS)), "never ends from a on"),
    (lambda: Track("t", (TrackStep("a", "c"), TrackStep("c", "a"), ENDS)), "never ends from a, c on"),
    (lambda: MajorRole(""), "has no id"),
    (lambda: MajorRole("x", single=1), "is neither True nor False"),
    (lambda: procedure(tracks=[]), "has no tracks"),
    (lambda: procedure(tracks=[TRACK, TRACK]), "track 't': is there twice"),
    (lambda: procedure(roles=[MajorRole("manager")]), "role 'manager': is there twice"),
    (lambda: procedure(cadence={}), "names no priority"),
    (lambda: procedure(cadence={"P1": 0}), "is no time between two words"),
    (lambda: procedure(cadence={"P1": business_days(1)}), "is no time between two words"),
    (lambda: procedure(cadence={"P1": True}), "is no time between two words"),
    (lambda: procedure(cadence={"P1": 2**53}), "is no time between two words"),
    (lambda: procedure(cadence=["P1"]), "is no mapping"),
    (lambda: procedure(cadence=30), "is no mapping"),
    (lambda: procedure(cadence={"urgent": minutes(1)}), "is no priority"),
    (lambda: Procedure("", 1, tracks=[TRACK], cadence={"P1": 1}), "has no id"),
    (lambda: Procedure("x", "1", tracks=[TRACK], cadence={"P1": 1}), "is no version"),
    (lambda: Procedure("x", 2**53, tracks=[TRACK], cadence={"P1": 1}), "is no version"),
    (lambda: procedure().track("u"), "is none of house 1; use one of t"),
    (lambda: procedure().role(None), "is none of house 1; use one of manager, scribe"),
    (lambda: TRACK.step("aa"), "is no step of t; did you mean a"),
]


@pytest.mark.parametrize(("make", "words"), WRONG, ids=[f"{words}-{n}" for n, (_, words) in enumerate(WRONG)])
def test_what_makes_no_procedure_is_refused_with_a_remedy(make, words):
    """Nameless, twice, leading nowhere, never ending, or of another kind."""
    with pytest.raises(InvalidValue, match=words) as refused:
        make()
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("given", "text", "duration"),
    [
        (None, None, None),
        ("3 business days", "3 business days", business_days(3)),
        (business_days(3), "3 business days", business_days(3)),
        ("PT4H30M", "4h 30m", minutes(270)),
    ],
)
def test_by_when_papers_are_owed_is_a_duration_and_stored_as_text(given, text, duration):
    """One notation for one meaning; what is left out is left out of the plain data."""
    made = Procedure(
        "x", 1, tracks=[TRACK], cadence={"P1": minutes(30)}, report_within=given, review_within=given
    )
    assert (made.report_within, made.review_within) == (text, text)
    assert made.within("report") == made.within("review") == duration
    assert ("report_within" in made.to_dict()) is (given is not None)
    assert Procedure.of(made.to_dict()) == made


def test_a_day_that_could_be_any_is_refused():
    """As everywhere: business day or calendar day."""
    with pytest.raises(InvalidValue, match="more than one meaning"):
        Procedure("x", 1, tracks=[TRACK], cadence={"P1": minutes(30)}, review_within="3 days")


def test_every_procedure_has_the_role_of_the_manager():
    """Whoever is responsible; one person."""
    assert procedure(roles=[]).role(MANAGER) == MajorRole(MANAGER)


def test_a_step_may_be_followed_by_itself():
    """Announcements are updated again and again."""
    track = Track("t", (TrackStep("a", ("a", "b")), ENDS))
    assert track.step("a").to == ("a", "b")


STEPS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True)


@st.composite
def tracks(draw, name):
    """A track in which every step leads to the next one, and the last one ends."""
    ids = draw(STEPS)
    ends = [draw(st.booleans()) for _ in ids[:-1]]
    steps = [TrackStep(one, to, ends=end) for one, to, end in zip(ids, ids[1:], ends, strict=False)]
    return Track(name, (*steps, TrackStep(ids[-1], ends=True)))


@given(
    tracks("one"),
    tracks("two"),
    st.lists(st.sampled_from(["scribe", "lead"]), unique=True),
    st.dictionaries(st.sampled_from(list(Priority)), st.integers(1, 10**12), min_size=1),
)
def test_a_procedure_comes_back_from_its_plain_data(one, two, roles, cadence):
    """Also from the frozen fields of an event."""
    made = Procedure("x", 1, tracks=(one, two), roles=[MajorRole(r) for r in roles], cadence=cadence)
    assert Procedure.of(made.to_dict()) == Procedure.of(as_fields(made.to_dict())) == made


@given(
    st.dictionaries(st.sampled_from(list(Priority)), st.integers(1, 99), min_size=1),
    st.sampled_from([*Priority, None]),
)
def test_the_cadence_of_a_priority_is_its_own_or_that_of_the_next_more_urgent_one(cadence, priority):
    """Else the most frequent of all."""
    above = [one for one in Priority if priority is not None and one <= priority and one in cadence]
    wanted = cadence[above[-1]] if above else min(cadence.values())
    assert procedure(cadence=cadence).every(priority) == wanted


def test_the_shipped_procedure_is_quoted_by_id_and_version():
    """As reports and pages do."""
    assert PROCEDURE.label == "major-incidents 1"
