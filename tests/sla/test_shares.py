"""Shares: the Wilson interval against published values, exact at its ends, and how shares are written."""

from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue
from itsm_core.sla import wilson
from itsm_core.sla.explaining.shares import percent, quantile

# R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven methods",
# Statistics in Medicine 17 (1998) 857-872, table I, method 3 (score, without continuity correction).
NEWCOMBE = [
    (81, 263, "0.2553", "0.3662"),
    (15, 148, "0.0624", "0.1605"),
    (0, 20, "0.0000", "0.1611"),
    (1, 29, "0.0061", "0.1718"),
]


@pytest.mark.parametrize(("met", "judged", "low", "high"), NEWCOMBE)
def test_the_interval_is_that_of_newcombes_table(met, judged, low, high):
    """To the four places printed there."""
    found = wilson(met, judged)
    assert [f"{float(bound):.4f}" for bound in found] == [low, high]


def test_the_interval_of_none_and_of_all_touches_the_end_exactly():
    """0 of 20 begins at 0, 20 of 20 ends at 1, and each mirrors the other."""
    none, all_ = wilson(0, 20), wilson(20, 20)
    assert (none[0], all_[1]) == (0, 1)
    assert abs(none[1] - (1 - all_[0])) <= Fraction(1, 10**12)


def test_nothing_judged_has_no_interval():
    """0 of 0 is neither 0 nor 100 %."""
    assert wilson(0, 0) is None


@pytest.mark.parametrize("confidence", [90, 95, 99])
def test_the_quantiles_are_those_of_the_normal_distribution(confidence):
    """Two-sided, by the standard library, as near as a float tells."""
    expected = NormalDist().inv_cdf((1 + confidence / 100) / 2)
    assert abs(float(quantile(confidence)) - expected) < 1e-14


@pytest.mark.parametrize("wrong", [0, 94, 100, 95.0, "95 %", None, True])
def test_another_confidence_is_refused_with_the_choices(wrong):
    """A float is none of them: it would be rounded."""
    with pytest.raises(InvalidValue, match="90, 95, 99"):
        wilson(1, 2, wrong)


@pytest.mark.parametrize("counts", [(-1, 2), (3, 2), (0, -1), (1.0, 2), (1, 2.0), (True, 2), ("1", 2)])
def test_what_are_no_counts_is_refused(counts):
    """Negative, more met than judged, floats, texts."""
    with pytest.raises(InvalidValue, match="share"):
        wilson(*counts)


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_solves_its_equation(counts):
    """Wilson's bounds p solve (x/n - p)^2 = z^2 p (1 - p) / n; rounding outwards moves them by 1e-12."""
    met, judged = counts
    low, high = wilson(met, judged)
    z, share, step = quantile(95), Fraction(met, judged), Fraction(1, 10**12)

    def apart(p):
        return (share - p) ** 2 - z * z * p * (1 - p) / judged

    assert 0 <= low <= share <= high <= 1
    assert apart(low) >= 0 or low == 0
    assert apart(high) >= 0 or high == 1
    assert apart(low + step) <= 0 or low + step > share
    assert apart(high - step) <= 0 or high - step < share


@given(st.integers(0, 50), st.integers(1, 50))
def test_more_confidence_and_fewer_records_make_it_wider(met, missed):
    """99 % is wider than 95 %, which is wider than 90 %; ten times the records make it narrower."""
    judged = met + missed
    widths = [high - low for low, high in (wilson(met, judged, confidence) for confidence in (90, 95, 99))]
    assert widths == sorted(widths)
    low, high = wilson(met * 10, judged * 10)
    assert high - low < widths[1]


@pytest.mark.parametrize(
    ("share", "down", "up"),
    [
        (None, "-", "-"),
        (Fraction(0), "0.0 %", "0.0 %"),
        (Fraction(1), "100.0 %", "100.0 %"),
        (Fraction(9996, 10000), "99.9 %", "100.0 %"),
        (Fraction(99_999, 100_000), "99.9 %", "100.0 %"),
        (Fraction(19, 20), "95.0 %", "95.0 %"),
        (Fraction(1, 3), "33.3 %", "33.4 %"),
        (Fraction(1, 100_000), "0.0 %", "0.1 %"),
    ],
)
def test_a_share_is_written_rounded_down_and_a_bound_above_rounded_up(share, down, up):
    """99.99 % is not 100 %, and no share at all is a stroke."""
    assert (percent(share), percent(share, up=True)) == (down, up)
