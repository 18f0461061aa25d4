"""Reports on records: rows, plain-text tables, pictures of clocks, and one self-contained page.

Order: words, rows, table, picture, page.

A report is a pure function of records, clocks and events; only `page.write` touches a file.
"""

from itsm_core.reporting.page import Card, Section, page, write
from itsm_core.reporting.rows import Recurring, Row, recurring
from itsm_core.reporting.table import Cell, Grid, grid, lines

__all__ = [
    "Card",
    "Cell",
    "Grid",
    "Recurring",
    "Row",
    "Section",
    "grid",
    "lines",
    "page",
    "recurring",
    "write",
]
