"""Priority matrices in files."""

import pytest

from itsm_core.config.matrices import read_matrices
from itsm_core.config.reading import Place
from itsm_core.errors import InvalidInput
from itsm_core.priority import matrix_3x3_p4

PLACE = Place("agreement.toml", "matrices")


def test_a_matrix_is_what_its_rows_say():
    """A row for each impact, a cell for each urgency, high first."""
    found = read_matrices(PLACE, {"ours": {"rows": [[1, 2, 3], [2, 3, 4], [3, 4, 4]]}})["ours"]
    assert (found.id, found.rows) == ("ours", matrix_3x3_p4.rows)
    assert found.priority("high", "low") == "P3"


# fmt: off
BAD = {
    "list":     ([], r"matrices \[\]: is no table; write \[matrices.ours\]"),
    "matrix":   ({"ours": []}, "matrices.ours .*is no table"),
    "key":      ({"ours": {"row": []}}, r"key of matrices.ours 'row': is unknown; did you mean rows\?"),
    "lacks":    ({"ours": {}}, "matrices.ours .*lacks keys; add rows"),
    "row":      ({"ours": {"rows": [1, 2, 3]}}, r"matrices.ours.rows 1: is no list; write \[\[1, 2, 3\]"),
    "shape":    ({"ours": {"rows": [[1, 2, 3]]}}, "matrices.ours: priority matrix 'ours': is not 3 by 3"),
    "cell":     ({"ours": {"rows": [["P1"] * 3] * 3}}, "is not 3 by 3 cells of 1 to 5"),
    "monotone": ({"ours": {"rows": [[3, 2, 1]] * 3}}, "is not monotone"),
    "no-id":    ({"": {"rows": [[1, 1, 1]] * 3}}, "has no id"),
}
# fmt: on


@pytest.mark.parametrize(("value", "said"), BAD.values(), ids=BAD)
def test_a_bad_matrix_is_refused_with_its_place(value, said):
    """The key, what is wrong with it, and what to write."""
    with pytest.raises(InvalidInput, match=said):
        read_matrices(PLACE, value)
