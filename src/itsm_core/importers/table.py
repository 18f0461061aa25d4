"""Tables read row by row: CSV files, plain or gzipped, and rows that a host has in memory.

A file is UTF-8 (a byte-order mark is tolerated) with a header; commas, semicolons or tabs. What
is no such table is refused with file, line and remedy.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

import attrs

from itsm_core.errors import InvalidInput

LONGEST_LINE = 1 << 20
"""Bytes after which a line without an end is taken for rubbish."""

Numbered = tuple[int, Sequence[Any]]

_EXPORT = "export the log again as CSV, encoded as UTF-8, with a header line"
_KNOWN = {
    b"PK\x03\x04": "is a spreadsheet or zip archive",
    b"\xff\xfe": "is UTF-16",
    b"\xfe\xff": "is UTF-16",
    b"%PDF": "is a PDF",
}


@attrs.frozen
class Table:
    """A CSV file: its header, and its rows as often as they are asked for."""

    path: Path = attrs.field(converter=Path)
    header: tuple[str, ...] = attrs.field(init=False)
    delimiter: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        lines = _lines(self.path)
        first = next((line for line in lines if line.strip()), None)
        if first is None:
            raise self.refusal(1, "file", self.name, "is empty", _EXPORT)
        delimiter = max(",;\t", key=first.count)
        try:
            words = next(csv.reader(chain([first], lines), delimiter=delimiter, strict=True))
        except csv.Error as wrong:
            raise self.refusal(1, "header", str(wrong), "is no CSV", _EXPORT) from None
        object.__setattr__(self, "delimiter", delimiter)
        object.__setattr__(self, "header", tuple(word.strip() for word in words))

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.path)

    def refusal(self, line: int, what: str, value: object, reason: str, remedy: str) -> InvalidInput:
        """The error for something on a line of this file."""
        return InvalidInput(what, value, reason, remedy, file=self.name, line=line)

    def rows(self) -> Iterator[Numbered]:
        """The rows below the header, each with the number of its first line; empty lines are none."""
        reader = csv.reader(_lines(self.path), delimiter=self.delimiter, strict=True)
        width, before, header = len(self.header), 0, True
        try:
            for row in reader:
                line, before = before + 1, reader.line_num
                if not row:
                    continue
                if header:
                    header = False
                    continue
                if len(row) != width:
                    remedy = "quote cells that hold the delimiter, or export the log again"
                    reason = f"has {len(row)} cells where the header has {width}"
                    raise self.refusal(line, "row", delimited(row), reason, remedy)
                yield line, row
        except csv.Error as wrong:
            raise self.refusal(before + 1, "row", str(wrong), "is no CSV", _EXPORT) from None


def delimited(row: Sequence[str]) -> str:
    """A row as one short text for a message."""
    return ",".join(row)[:200]


def _all(rows: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    remedy = 'give one mapping for each row: [{"number": "1", "state": "New", ...}], or the path of a file'
    if isinstance(rows, (bytes, Mapping)) or not isinstance(rows, Iterable):
        raise InvalidInput("rows", rows, "are no list of rows", remedy, file=Listed.name)
    given = tuple(rows)
    for line, row in enumerate(given, start=1):
        if not isinstance(row, Mapping):
            raise InvalidInput("row", row, "is no mapping", remedy, file=Listed.name, line=line)
    return given


@attrs.frozen
class Listed:
    """Rows that a host has in memory, as mappings; numbered from 1, as there is no header line."""

    given: tuple[Mapping[str, Any], ...] = attrs.field(converter=_all)
    header: tuple[str, ...] = attrs.field(init=False)
    name = "rows"

    def __attrs_post_init__(self) -> None:
        if not self.given:
            raise self.refusal(1, "rows", (), "hold nothing", "give one mapping for each row")
        object.__setattr__(self, "header", tuple(map(str, self.given[0])))

    def refusal(self, line: int, what: str, value: object, reason: str, remedy: str) -> InvalidInput:
        """The error for one of the rows."""
        return InvalidInput(what, value, reason, remedy, file=self.name, line=line)

    def rows(self) -> Iterator[Numbered]:
        """The rows, each with its number."""
        for number, row in enumerate(self.given, start=1):
            yield number, [row.get(name) for name in self.header]


def opened(source: str | Path | Iterable[Mapping[str, Any]]) -> Table | Listed:
    """The table of a path, or of rows in memory."""
    return Table(Path(source)) if isinstance(source, (str, Path)) else Listed(source)


# --- lines ------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file as text; what is none is refused with the line."""
    number = 0
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InvalidInput(
            "file", str(path), "is a pipe or device, and a log is read more than once",
            "save it in a file first", file=str(path), line=1,
        )  # fmt: skip
    with path.open("rb") as plain:
        start = plain.peek(4)[:4]
        zipped = start.startswith(b"\x1f\x8b")
        stream: IO[bytes] = gzip.GzipFile(fileobj=plain) if zipped else plain  # type: ignore[assignment]
        try:
            while raw := stream.readline(LONGEST_LINE):
                number += 1
                yield _text(raw, path, number)
        except (EOFError, gzip.BadGzipFile, zlib.error) as wrong:
            raise InvalidInput(
                "file", str(path), f"ends or breaks inside its compressed data ({wrong})",
                "copy it again, or unpack it with gzip", file=str(path), line=number + 1,
            ) from None  # fmt: skip


def _text(raw: bytes, path: Path, number: int) -> str:
    if number == 1:
        for mark, reason in _KNOWN.items():
            if raw.startswith(mark):
                raise _no_text(path, number, reason)
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in raw:
        raise _no_text(path, number, "holds a NUL byte, so it is no text")
    if len(raw) >= LONGEST_LINE and not raw.endswith(b"\n"):
        raise _no_text(path, number, f"has a line of over {LONGEST_LINE} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        found = f"byte 0x{raw[wrong.start]:02x} in column {wrong.start + 1}"
        raise _no_text(path, number, f"is not UTF-8 ({found})") from None


def _no_text(path: Path, number: int, reason: str) -> InvalidInput:
    return InvalidInput("file", str(path), reason, _EXPORT, file=str(path), line=number)
