"""Instants among fields: what is one, and that nothing else breaks who looks."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.processes.moments import moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-05T09:00:00Z", dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)),
        ("2024-02-05T17:00:00+08:00", dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)),
        ("2024-02-05T09:00:00.000001Z", dt.datetime(2024, 2, 5, 9, 0, 0, 1, tzinfo=dt.UTC)),
    ],
)
def test_a_text_that_means_an_instant_is_one(text, expected):
    """In UTC."""
    assert moment(text) == expected


@pytest.mark.parametrize(
    "value", [None, "", "soon", 5, True, (), ("2024-02-05T09:00:00Z",), {}, "9999-99-99T00:00:00Z"]
)
def test_anything_else_is_none(value):
    """Its type is refused by those who look at types."""
    assert moment(value) is None


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_whatever_comes_it_answers(value):
    """An aware instant or none, never an error."""
    found = moment(value)
    assert found is None or found.utcoffset() == dt.timedelta(0)
