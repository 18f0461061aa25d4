"""Rows as a table: cells with a tone for whoever colours them, and aligned plain text.

Chinese characters take two columns of a terminal; widths are counted that way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import attrs

from itsm_core.reporting.rows import Row
from itsm_core.reporting.words import length, say, word
from itsm_core.sla import Metric, Verdict

COLUMNS = (
    "number", "title", "priority", "response", "resolution", "escalations", "reopened", "promises",
)  # fmt: skip

TONES = {
    Verdict.MET: "good",
    Verdict.BREACHED: "bad",
    Verdict.VOID_AFTER_BREACH: "bad",
    Verdict.RUNNING: "busy",
    Verdict.VOID: "mute",
    Verdict.UNKNOWN: "mute",
}
"""How a verdict should look: good, bad, busy or mute."""


def one_line(text: str) -> str:
    """The text on one line, without characters that would steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


@attrs.frozen
class Cell:
    """The text of a cell, on one line, and its tone ("" for none)."""

    text: str = attrs.field(converter=one_line)
    tone: str = ""


def headings(lang: str = "en") -> tuple[str, ...]:
    """The names of the columns."""
    return tuple(say(column, lang) for column in COLUMNS)


def cells(row: Row, lang: str = "en") -> tuple[Cell, ...]:
    """The cells of a row, in the order of `COLUMNS`."""
    record = row.record
    kept = ", ".join(f"{n} {say(verdict, lang)}" for verdict, n in row.promised().items())
    return (
        Cell(row.number),
        Cell(row.heading(lang)),
        Cell(record.priority or say("none", lang)),
        against_target(row, Metric.RESPONSE, lang),
        against_target(row, Metric.RESOLUTION, lang),
        Cell(str(len(row.escalations) or "")),
        Cell(str(record.reopened or "")),
        Cell(kept, "bad" if any(p.verdict == "broken" for p in row.promises) else ""),
    )


def against_target(row: Row, metric: str, lang: str) -> Cell:
    """A verdict with the open time used and promised, such as "met 14m 36s / 15m"."""
    clock, verdict = row.clock(metric), row.verdict(metric)
    if clock is None or verdict is None:
        return Cell(say("none", lang))
    told = word(verdict, lang)
    if verdict not in (Verdict.UNKNOWN, Verdict.VOID):
        told += f" {length(clock.elapsed, lang)}"
        told += "" if clock.unlimited else f" / {length(clock.budget, lang)}"
    return Cell(told, TONES[verdict])


@attrs.frozen
class Grid:
    """The columns in which something stands, their headings, and the cells of each row."""

    columns: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def fitted(self, room: int, least: int = 16) -> Grid:
        """The grid with titles cut so that it takes `room` columns of a terminal, if it can."""
        others = sum(n for n, name in zip(self.widths(), self.columns, strict=True) if name != "title")
        most = max(least, room - others - 2 * (len(self.columns) - 1))
        i = self.columns.index("title")
        rows = (
            (*row[:i], attrs.evolve(row[i], text=cut(row[i].text, most)), *row[i + 1 :]) for row in self.rows
        )
        return attrs.evolve(self, rows=tuple(rows))

    def widths(self) -> tuple[int, ...]:
        """How many columns of a terminal each column takes."""
        texts = (self.headings, *([cell.text for cell in row] for row in self.rows))
        return tuple(max(map(width, column)) for column in zip(*texts, strict=True))


def grid(rows: Iterable[Row], lang: str = "en") -> Grid:
    """The table of rows; columns in which nothing stands are left out."""
    body, names = [cells(row, lang) for row in rows], headings(lang)
    kept = [i for i in range(len(COLUMNS)) if not body or any(row[i].text for row in body)]
    return Grid(
        tuple(COLUMNS[i] for i in kept),
        tuple(names[i] for i in kept),
        tuple(tuple(row[i] for i in kept) for row in body),
    )


def lines(rows: Iterable[Row], lang: str = "en", *, room: int = 130) -> list[str]:
    """The table as aligned lines of plain text, titles cut so that it takes `room` columns."""
    table = grid(rows, lang).fitted(room)
    widths = table.widths()
    ruler = ["-" * n for n in widths]
    texts = ([cell.text for cell in row] for row in table.rows)
    return [_line(line, widths) for line in (table.headings, ruler, *texts)]


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    padded = (text + " " * (n - width(text)) for text, n in zip(texts, widths, strict=True))
    return "  ".join(padded).rstrip()


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, most: int) -> str:
    """The text in at most so many columns, with an ellipsis where it was cut."""
    if width(text) <= most:
        return text
    held = ""
    for char in text:
        if width(held) + _columns(char) > most - 1:
            break
        held += char
    return held.rstrip() + "…"
