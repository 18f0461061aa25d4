"""Priority from impact and urgency: the matrices of the field.

The standard asks that incidents are prioritised by impact and urgency (ISO/IEC 20000-1, 8.6.1)
and sets no table. `matrix_3x3_p5` is the ServiceNow default; `matrix_3x3_p4` is what 5,758 rows
of a real ServiceNow audit log follow (UCI dataset 498).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import attrs

from itsm_core.errors import InvalidValue


class Level(StrEnum):
    """How strong an impact is, or how urgent a remedy."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @classmethod
    def of(cls, value: Any, what: str = "level") -> Level:
        """The level of "high", "1", 1 or "1 - High"; anything else is refused with the choices."""
        if isinstance(value, cls):
            return value
        word = str(value).strip().lower()
        number, _, rest = word.partition(" - ")
        found = _LEVELS.get(number)
        if found is None or _LEVELS.get(rest, found) is not found:
            raise InvalidValue(what, value, "is no level", 'use "high", "medium" or "low"')
        return found


_LEVELS = {word: level for level, n in zip(Level, "123", strict=True) for word in (level.value, n)}


class Priority(StrEnum):
    """The order of treatment: P1 first."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"

    @classmethod
    def of(cls, value: Any, what: str = "priority") -> Priority:
        """The priority of "P1", "1", 1 or "1 - Critical"; anything else is refused."""
        if isinstance(value, cls):
            return value
        word = str(value).strip().upper().partition(" - ")[0]
        found = _PRIORITIES.get(word)
        if found is None:
            raise InvalidValue(what, value, "is no priority", "use one of P1, P2, P3, P4, P5")
        return found


_PRIORITIES = {word: p for p in Priority for word in (p.value, p.value[1])}


def _rows(value: Iterable[Iterable[int]]) -> tuple[tuple[int, ...], ...]:
    try:
        return tuple(tuple(row) for row in value)
    except TypeError:
        raise InvalidValue(
            "priority matrix", value, "is no table", "give three rows of three numbers"
        ) from None


@attrs.frozen
class PriorityMatrix:
    """A table from impact (rows, high first) and urgency (columns, high first) to priority.

    It must be total and monotone: less impact or less urgency never means more priority.
    """

    id: str
    rows: tuple[tuple[int, ...], ...] = attrs.field(converter=_rows)

    def __attrs_post_init__(self) -> None:
        rows = self.rows
        if not isinstance(self.id, str) or not self.id:
            raise InvalidValue("priority matrix", self.id, "has no id", 'name it, such as "ours"')
        whole = len(rows) == 3 and all(len(row) == 3 for row in rows)
        if not whole or not all(type(cell) is int and 1 <= cell <= 5 for row in rows for cell in row):
            raise InvalidValue(
                "priority matrix",
                self.id,
                "is not 3 by 3 cells of 1 to 5",
                "give three rows of three numbers",
            )
        columns = zip(*rows, strict=True)
        if any(list(line) != sorted(line) for line in (*rows, *columns)):
            raise InvalidValue(
                "priority matrix",
                self.id,
                "is not monotone",
                "a lower impact or urgency must not give a higher priority",
            )

    def priority(self, impact: Any, urgency: Any) -> Priority:
        """The priority of an impact and an urgency."""
        row = self.rows[_ORDER[Level.of(impact, "impact")]]
        return _PRIORITIES[str(row[_ORDER[Level.of(urgency, "urgency")]])]


_ORDER = {level: index for index, level in enumerate(Level)}

# fmt: off
matrix_3x3_p5 = PriorityMatrix("matrix_3x3_p5", (
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
))
matrix_3x3_p4 = PriorityMatrix("matrix_3x3_p4", (
    (1, 2, 3),  # 1,3 does not occur in the log; by symmetry
    (2, 3, 4),
    (3, 4, 4),
))
# fmt: on
PRESETS = {matrix.id: matrix for matrix in (matrix_3x3_p5, matrix_3x3_p4)}
