"""Shares of counts: how sure one can be of them, and how they are written."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from itsm_core.errors import InvalidValue

_Z = {90: Fraction("1.644853626951473"), 95: Fraction("1.959963984540054"), 99: Fraction("2.575829303548901")}
"""Quantiles of the normal distribution, two-sided, to fifteen places."""

_PLACES = 10**12

Interval = tuple[Fraction, Fraction]


def wilson(met: int, judged: int, confidence: int = 95) -> Interval | None:
    """The Wilson score interval of a share: where the true one lies with 90, 95 or 99 % confidence.

    Without continuity correction (Wilson 1927; Newcombe 1998, method 3). The bounds are exact to twelve
    places and rounded outwards, so no float decides. None where nothing was judged.
    """
    z = quantile(confidence)
    whole = type(met) is int and type(judged) is int
    if not whole or not 0 <= met <= judged:
        reason = "is no count of what was met and judged"
        raise InvalidValue("share", (met, judged), reason, "give whole numbers, met at most judged")
    if judged == 0:
        return None
    centre = met + z * z / 2
    half = z * _root(Fraction(met * (judged - met), judged) + z * z / 4)
    low, high = (centre - half) / (judged + z * z), (centre + half) / (judged + z * z)
    return Fraction(low * _PLACES // 1, _PLACES), Fraction(-(-high * _PLACES // 1), _PLACES)


def _root(value: Fraction) -> Fraction:
    """The square root, exact where it is rational to forty places, else rounded up there."""
    scale = 10**40
    square = value.numerator * scale * scale
    root = isqrt(square // value.denominator)
    return Fraction(root if root * root * value.denominator == square else root + 1, scale)


def quantile(confidence: object) -> Fraction:
    """How many standard deviations a confidence of 90, 95 or 99 % is; any other is refused."""
    if type(confidence) is not int or confidence not in _Z:
        choices = ", ".join(map(str, _Z))
        raise InvalidValue("confidence", confidence, "has no quantile here", f"use one of {choices} (%)")
    return _Z[confidence]


def percent(share: Fraction | None, *, up: bool = False) -> str:
    """A share to a tenth of a percent, rounded down so that 99.96 % does not read as 100; "-" for none."""
    if share is None:
        return "-"
    tenths = -(-share * 1000 // 1) if up else share * 1000 // 1
    return f"{tenths // 10}.{tenths % 10} %"
