"""Priority from impact and urgency: the matrices cell by cell, and their law."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue
from itsm_core.priority import PRESETS, Level, Priority, PriorityMatrix, matrix_3x3_p4, matrix_3x3_p5

SNOW = "iso-20000.md 5.1, row SNOW: 1 2 3 / 2 3 4 / 3 4 5"
ITSALTO = "iso-20000.md 5.1, row itsalto MSP: 1 2 3 / 2 3 4 / 3 4 4"
UCI = "UCI dataset 498 (data/README.md), seen in the log"
UNSEEN = "does not occur in UCI 498; iso-20000.md 5.1, row itsalto MSP"

# fmt: off
CELLS = [
    # matrix,        impact,  urgency,  priority, source
    (matrix_3x3_p5, "high",   "high",   "P1", SNOW),
    (matrix_3x3_p5, "high",   "medium", "P2", SNOW),
    (matrix_3x3_p5, "high",   "low",    "P3", SNOW),
    (matrix_3x3_p5, "medium", "high",   "P2", SNOW),
    (matrix_3x3_p5, "medium", "medium", "P3", SNOW),
    (matrix_3x3_p5, "medium", "low",    "P4", SNOW),
    (matrix_3x3_p5, "low",    "high",   "P3", SNOW),
    (matrix_3x3_p5, "low",    "medium", "P4", SNOW),
    (matrix_3x3_p5, "low",    "low",    "P5", SNOW),
    (matrix_3x3_p4, "high",   "high",   "P1", UCI),
    (matrix_3x3_p4, "high",   "medium", "P2", UCI),
    (matrix_3x3_p4, "high",   "low",    "P3", UNSEEN),
    (matrix_3x3_p4, "medium", "high",   "P2", UCI),
    (matrix_3x3_p4, "medium", "medium", "P3", UCI),
    (matrix_3x3_p4, "medium", "low",    "P4", UCI),
    (matrix_3x3_p4, "low",    "high",   "P3", UCI),
    (matrix_3x3_p4, "low",    "medium", "P4", UCI),
    (matrix_3x3_p4, "low",    "low",    "P4", ITSALTO),
]
# fmt: on


@pytest.mark.parametrize(("matrix", "impact", "urgency", "priority", "source"), CELLS)
def test_a_cell_is_as_published(matrix, impact, urgency, priority, source):
    """Each cell of the shipped matrices, from the source in its row."""
    assert matrix.priority(impact, urgency) is Priority(priority), source


def test_every_cell_of_every_preset_has_a_row():
    """No shipped matrix is left out of the table above."""
    looked_at = {(matrix.id, impact, urgency) for matrix, impact, urgency, *_ in CELLS}
    assert looked_at == set(itertools.product(PRESETS, Level, Level))
    assert {"matrix_3x3_p5": matrix_3x3_p5, "matrix_3x3_p4": matrix_3x3_p4} == PRESETS


# --- levels and priorities read from what other systems write ----------------------------------


@pytest.mark.parametrize(
    ("value", "level"),
    [("high", "high"), ("HIGH", "high"), (" Low ", "low"), ("1", "high"), (2, "medium"), ("3", "low"),
     ("1 - High", "high"), ("2 - Medium", "medium"), ("3 - Low", "low"), (Level.MEDIUM, "medium"),
     ("1 - Extensive", "high")],
    ids=repr,
)  # fmt: skip
def test_a_level_is_read_from_words_and_numbers(value, level):
    """ServiceNow writes "1 - High"; a word of its own beside the number does not matter."""
    assert Level.of(value) is Level(level)


@pytest.mark.parametrize(
    "value",
    ["", "urgent", "4", 0, 4, None, True, False, 1.0, "1 - Low", "9 - High", "banana - high", "high-1", b"1"],
    ids=repr,
)
def test_anything_else_is_no_level(value):
    """Unknown, contradictory or of another type: refused, with the choices."""
    with pytest.raises(InvalidValue, match=r'urgency .*use "high", "medium" or "low"'):
        Level.of(value, "urgency")


@pytest.mark.parametrize(
    ("value", "priority"),
    [("P1", "P1"), ("p2", "P2"), ("3", "P3"), (4, "P4"), ("1 - Critical", "P1"), ("1 - High", "P1"),
     (" P5 ", "P5"), (Priority.P3, "P3"), ("P2 - High", "P2")],
    ids=repr,
)  # fmt: skip
def test_a_priority_is_read_from_words_and_numbers(value, priority):
    """The number decides; what other systems call it does not."""
    assert Priority.of(value) is Priority(priority)


@pytest.mark.parametrize(
    "value", ["P9", "", "P", "0", 0, 6, None, True, False, 1.0, "Critical", "P1x", []], ids=repr
)
def test_anything_else_is_no_priority(value):
    """Refused, with the choices."""
    with pytest.raises(InvalidValue, match=r"priority .*use one of P1, P2, P3, P4, P5"):
        Priority.of(value)


@pytest.mark.parametrize(("impact", "urgency", "what"), [("x", "low", "impact"), ("low", "x", "urgency")])
def test_a_matrix_says_which_of_the_two_is_wrong(impact, urgency, what):
    """The message names impact or urgency."""
    with pytest.raises(InvalidValue, match=f"^{what} 'x'"):
        matrix_3x3_p5.priority(impact, urgency)


# --- the law, and what is no matrix ------------------------------------------------------------

ROWS = st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=3), min_size=3, max_size=3)


def rises(rows):
    """Whether no step to less impact or less urgency gives a higher priority, by definition."""
    return all(
        rows[i][j] <= rows[k][m] for i, j, k, m in itertools.product(range(3), repeat=4) if i <= k and j <= m
    )


@given(ROWS | ROWS.map(lambda rows: sorted(sorted(row) for row in rows)))
def test_a_matrix_is_accepted_iff_it_is_monotone(rows):
    """Less impact or less urgency never means more priority."""
    if rises(rows):
        matrix = PriorityMatrix("m", rows)
        for (i, impact), (j, urgency) in itertools.product(enumerate(Level), repeat=2):
            assert matrix.priority(impact, urgency) == f"P{rows[i][j]}"
    else:
        with pytest.raises(InvalidValue, match="not monotone"):
            PriorityMatrix("m", rows)


GOOD = ((1, 2, 3), (2, 3, 4), (3, 4, 5))


@pytest.mark.parametrize(
    "rows",
    [(), GOOD[:2], (*GOOD, (5, 5, 5)), ((1, 2), (2, 3), (3, 4)), ((1, 2, 3), (2, 3), (3, 4, 5)),
     ((0, 2, 3), *GOOD[1:]), ((1, 2, 3), (2, 3, 4), (3, 4, 6)), ((True, 2, 3), *GOOD[1:]),
     ((1, 1.5, 3), *GOOD[1:]), (("1", "2", "3"), *GOOD[1:])],
)  # fmt: skip
def test_what_is_not_three_by_three_whole_numbers_is_no_matrix(rows):
    """Ragged, out of range, or not whole: refused when it is made, not when it is asked."""
    with pytest.raises(InvalidValue, match="3 by 3"):
        PriorityMatrix("m", rows)


def test_equal_matrices_are_equal_and_hash_alike():
    """A matrix is a value; lists of lists will do."""
    assert len({PriorityMatrix("m", GOOD), PriorityMatrix("m", [list(row) for row in GOOD])}) == 1


@pytest.mark.parametrize("rows", [5, [1, 2, 3], None])
def test_what_is_no_table_is_no_matrix(rows):
    """By the library's own error."""
    with pytest.raises(InvalidValue, match="is no table; give three rows"):
        PriorityMatrix("m", rows)


@pytest.mark.parametrize("id", ["", 5])
def test_a_matrix_has_a_name(id):
    """Records say by which matrix they were graded."""
    with pytest.raises(InvalidValue, match="has no id"):
        PriorityMatrix(id, GOOD)
