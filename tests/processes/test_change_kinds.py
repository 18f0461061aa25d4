"""What changes are: kinds, risk as the highest of what is known, findings, and how they end."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changing import ANSWERS, OUTCOME, does, found, opened
from itsm_core.errors import InvalidValue
from itsm_core.processes import CHANGE, Risk, risk, risk_of
from itsm_core.processes.change_kinds import (
    KINDS,
    OUTCOMES,
    SERVICE_CHANGES,
    UNSUCCESSFUL,
    changes_service,
    is_found,
    kind_of,
    went_well,
)

LEVELS = ("low", "medium", "high")
RISKS = ("low", "moderate", "high")


def change(state="assess", **custom):
    """A row of a host's own."""
    impact = custom.pop("impact", None)
    return CHANGE.record("CHG-1", state, custom=custom, impact=impact)


# --- risk ----------------------------------------------------------------------------------------

# fmt: off
MATRIX = [
    # iso-20000.md 5.5: 3PA, likelihood times impact, 1 to 3 each: up to 2 low, 3 and 4 moderate, 6 on high
    ("low",    "low",    "low"), ("low",    "medium", "low"),      ("low",    "high", "moderate"),
    ("medium", "low",    "low"), ("medium", "medium", "moderate"), ("medium", "high", "high"),
    ("high",   "low",    "moderate"), ("high", "medium", "high"),  ("high",   "high", "high"),
]
# fmt: on


@pytest.mark.parametrize(("likelihood", "impact", "expected"), MATRIX)
def test_the_risk_is_likelihood_times_impact(likelihood, impact, expected):
    """As the table says, and as the product does."""
    assert risk_of(likelihood, impact) == expected
    product = (LEVELS.index(likelihood) + 1) * (LEVELS.index(impact) + 1)
    assert expected == ("low" if product <= 2 else "moderate" if product <= 4 else "high")


@pytest.mark.law
@given(*[st.sampled_from(LEVELS)] * 4)
def test_more_likely_or_worse_is_never_less_risky(likelihood, impact, other, another):
    """The matrix is monotone in both, and symmetric."""
    assert risk_of(likelihood, impact) == risk_of(impact, likelihood)
    if LEVELS.index(likelihood) <= LEVELS.index(other) and LEVELS.index(impact) <= LEVELS.index(another):
        less, more = risk_of(likelihood, impact), risk_of(other, another)
        assert RISKS.index(less) <= RISKS.index(more)


@pytest.mark.parametrize("bad", ["", "huge", None, 7])
def test_a_level_that_is_none_is_refused(bad):
    """With the choices; nothing is guessed."""
    with pytest.raises(InvalidValue, match="likelihood"):
        risk_of(bad, "low")
    with pytest.raises(InvalidValue, match="impact"):
        risk_of("low", bad)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"likelihood": "low", "impact": "low"}, "low"),
        ({"likelihood": "low", "impact": "low", "assessed_risk": "moderate"}, "moderate"),
        ({"likelihood": "high", "impact": "high", "assessed_risk": "low"}, "high"),
        ({"likelihood": "low", "impact": "low", "assessed_risk": "who knows"}, "high"),
        ({"likelihood": "low", "impact": "low", "service_change": "new"}, "high"),
        ({"likelihood": "low", "impact": "low", "service_change": "none"}, "low"),
        ({"likelihood": "low"}, "high"),
        ({"impact": "low"}, "high"),
        ({"likelihood": "banana", "impact": "low"}, "high"),
        ({}, "high"),
    ],
)
def test_the_highest_counts_and_what_nobody_assessed_is_high(held, expected):
    """iso-20000.md 5.5: takes the highest of all engines; DESIGN 12: unknown is never passed."""
    assert risk(change(**held)) is Risk(expected)


@pytest.mark.law
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "likelihood": st.sampled_from([*LEVELS, "x"]),
            "impact": st.sampled_from(LEVELS),
            "assessed_risk": st.sampled_from([*RISKS, "x", 3]),
            "service_change": st.sampled_from(SERVICE_CHANGES),
        },
    )
)
def test_no_part_of_the_risk_is_above_the_whole(held):
    """Whoever assesses, an assessment lowers nothing."""
    whole = RISKS.index(risk(change(**held)))
    alone = {name: value for name, value in held.items() if name in ("likelihood", "impact")}
    assert whole >= RISKS.index(risk(change(**alone)))
    if held.get("assessed_risk") in RISKS:
        assert whole >= RISKS.index(held["assessed_risk"])


# --- services, kinds, findings, ends ----------------------------------------------------------------


@pytest.mark.parametrize("value", [*SERVICE_CHANGES, None, "", "other"])
def test_any_word_but_none_changes_a_service(value):
    """An unknown word is taken for a change, never for none."""
    assert changes_service(value) is (value not in ("none", None, ""))


@pytest.mark.parametrize("kind", [*KINDS, None, "", "registration", 5])
def test_a_kind_that_there_is_not_is_none(kind):
    """A row of a host may hold anything."""
    assert kind_of(change(change_kind=kind)) == (kind if kind in KINDS else None)


def test_a_finding_is_known_by_its_history():
    """Its field is believed where there is no history."""
    assert is_found(found())
    assert not is_found(opened())
    assert not is_found(does(opened(), "amend", fields={"found_by": "me"}))
    assert is_found(change("review", found_by="audit"))
    assert not is_found(change("review"))
    forgotten = does(found(), "amend", fields={"found_by": None, **ANSWERS})
    assert is_found(forgotten)


@pytest.mark.parametrize("state", CHANGE.by_id)
@pytest.mark.parametrize("outcome", [*OUTCOMES, None])
def test_a_change_went_well_when_it_is_closed_and_did_what_it_was_for(state, outcome):
    """Not while it runs, not when it was cancelled, not when it failed."""
    record = CHANGE.record("CHG-1", state, resolution_outcome=outcome)
    record = attrs.evolve(record, outcome=CHANGE.by_id[state].outcome)
    assert went_well(record) is (state == "closed" and outcome not in UNSUCCESSFUL)


def test_what_was_unsuccessful_is_investigated():
    """iso-20000.md CHG-12: failed, backed out, partial; M39: with issues is a success."""
    assert {"failed", "backed_out", "partial"} == UNSUCCESSFUL
    assert set(OUTCOMES) - UNSUCCESSFUL == {"successful", "successful_with_issues"}
    assert OUTCOME["resolution_outcome"] in OUTCOMES
