"""Names that nobody else has given."""

import re

import pytest

from itsm_core import naming


@pytest.mark.parametrize(
    ("process", "prefix"),
    [
        ("incident", "INC"), ("service_request", "REQ"), ("problem", "PRB"), ("change", "CHG"),
        ("task", "TSK"), ("complaint", "COM"),
    ],
)  # fmt: skip
def test_a_number_says_which_process_it_is_of(process, prefix):
    """The prefixes of the field; of a process of one's own its first three letters."""
    assert re.fullmatch(rf"{prefix}-[0-9a-f]{{12}}", naming.number(process))


def test_names_do_not_come_twice():
    """Not in a thousand, of records or of commands."""
    assert len({naming.number("task") for _ in range(1000)}) == 1000
    assert len({naming.unique() for _ in range(1000)}) == 1000
    assert re.fullmatch("[0-9a-f]{32}", naming.unique())
