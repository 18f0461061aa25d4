"""Priority matrices as tables: a row for each impact, a cell for each urgency, high first.

[matrices.ours]
rows = [
  [1, 2, 3],                         # impact high; urgency high, medium, low
  [2, 3, 4],
  [3, 4, 5],
]
"""

from __future__ import annotations

from typing import Any

from itsm_core.config.reading import Place
from itsm_core.priority import PriorityMatrix

MATRIX_KEYS = ("rows",)


def read_matrices(place: Place, value: Any) -> dict[str, PriorityMatrix]:
    """The matrices of a table of tables, each by its id."""
    tables = place.table(value, "write [matrices.ours]")
    return {name: _matrix(place.at(name), name, table) for name, table in tables.items()}


def _matrix(place: Place, name: str, value: Any) -> PriorityMatrix:
    table = place.table(value)
    place.only(table, MATRIX_KEYS)
    place.need(table, MATRIX_KEYS)
    where, remedy = place.at("rows"), "write [[1, 2, 3], [2, 3, 4], [3, 4, 5]]"
    rows = [where.items(row, remedy) for row in where.items(table["rows"], remedy)]
    return place.made(lambda: PriorityMatrix(name, rows))
