"""Small tables of results, as aligned plain text and as HTML."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence

import attrs

from itsm_core.business_time.windows import printable


@attrs.frozen
class Table:
    """Rows of cells under headings, with a caption above and notes below.

    The first `words` columns hold words and stand to the left, the others hold figures and stand to
    the right. Characters that would steer a terminal are replaced, and long texts are cut.
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = attrs.field(kw_only=True)
    notes: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    words: int = attrs.field(default=1, kw_only=True)

    def text(self) -> str:
        """The table as lines of plain text; Chinese characters take two columns of a terminal."""
        lines = [tuple(map(_cut, row)) for row in (self.headings, *self.rows)]
        widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
        body = [self._line(line, widths) for line in lines] if self.rows else []
        return "\n".join([printable(self.caption), *body, *map(printable, self.notes)])

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        padded = []
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - _width(cell))
            padded.append(cell + space if place < self.words else space + cell)
        return "  ".join(padded).rstrip()

    def html(self) -> str:
        """The table for a notebook."""
        head = _row("th", self.headings, self.words)
        body = "".join(_row("td", row, self.words) for row in self.rows)
        notes = "".join(f"<p>{_safe(note)}</p>" for note in self.notes)
        table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>" if self.rows else ""
        return f"<p>{_safe(self.caption)}</p>{table}{notes}"


def _row(tag: str, cells: Iterable[str], words: int) -> str:
    sides = ("left" if place < words else "right" for place, _ in enumerate(cells))
    found = zip(cells, sides, strict=True)
    row = "".join(f'<{tag} style="text-align:{side}">{_safe(cell)}</{tag}>' for cell, side in found)
    return f"<tr>{row}</tr>"


def _safe(text: str) -> str:
    return html.escape(printable(text))


def _cut(text: str) -> str:
    """A cell that one long id does not make as wide as itself."""
    return printable(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


_LONGEST = 120


def _width(text: str) -> int:
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
