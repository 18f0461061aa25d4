"""All events of a store as a file of JSON lines, and that file read back with care."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkstemp
from typing import Any, BinaryIO

from itsm_core.custody.verifying import PAGE, Told, check, log, told_all, verify
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.events import SCHEMA, Event
from itsm_core.ports import FOLD, Store
from itsm_core.values import from_dict, to_dict, written

FORMAT = 1
"""The version of the lines of a dump: a header, one event a line, and a last line that counts them."""

_LONGEST = 2**27


def dump(store: Store, file: str | Path, *, anyway: bool = False, progress: Told | None = None) -> int:
    """Writes all events into a new file of JSON lines, a page in memory at a time.

    Answers how many. The store is verified before, and one that is broken is refused unless
    `anyway`: who restores the dump could not see it any more. The file is there once it is whole,
    and readable only by its owner.
    """
    path = Path(file)
    if path.exists():
        raise InvalidValue("file", str(path), "is there already", "name a new one, or move it away")
    if not path.parent.is_dir():
        raise InvalidValue("file", str(path), "lies in a folder that is not there", "make the folder first")
    least = 0
    if not anyway:
        report = verify(store)
        check(report, "the store")
        least = report.events
    descriptor, name = mkstemp(".part", f"{path.name}.", path.parent)  # two dumps never share one
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            count = _write(store, out, progress)
            told_all(count, least)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _write(store: Store, out: BinaryIO, progress: Told | None) -> int:
    seen, count = hashlib.sha256(), 0
    header = {"dump": "itsm_core", "format": FORMAT, "schema": SCHEMA, "fold": FOLD}
    _put(out, seen, header)
    for count, event in enumerate(log(store), 1):
        _put(out, seen, to_dict(event))
        if progress is not None and count % PAGE == 0:
            progress(count)
    out.write(f"{written({'events': count, 'sha256': seen.hexdigest()})}\n".encode())
    return count


def _put(out: BinaryIO, seen: Any, line: dict[str, Any]) -> None:
    told = f"{written(line)}\n".encode()
    if len(told) > _LONGEST:
        name = str(line.get("id"))
        remedy = "keep large texts elsewhere and store a reference"
        raise InvalidValue("event", name, f"is longer than the {_LONGEST:,} bytes of a line", remedy)
    seen.update(told)
    out.write(told)


# --- reading one ---


def inspected(path: Path) -> int:
    """How many events the dump holds, once header and last line agree with what lies between."""
    seen, number, last, header = hashlib.sha256(), 0, b"", b""
    with path.open("rb") as told:
        while line := told.readline(_LONGEST):
            number += 1
            seen.update(last)
            header, last = header or line, line
    _check_header(path, header)
    end = _json(path, number, last) if last.endswith(b"\n") else {}
    if number < 2 or end.keys() != {"events", "sha256"}:
        raise InvalidInput(
            "dump", f"{number} lines", "is cut off: its last line does not count the events",
            "dump it again", file=str(path), line=number,
        )  # fmt: skip
    if end != {"events": number - 2, "sha256": seen.hexdigest()}:
        raise InvalidInput(
            "dump", f"{number - 2} events", "was changed: its last line counts others",
            "dump it again, or find out who changed it", file=str(path), line=number,
        )  # fmt: skip
    return number - 2


def _check_header(path: Path, line: bytes) -> None:
    said = _object(line) or {}
    version, schema = said.get("format"), said.get("schema")
    if said.get("dump") != "itsm_core" or type(version) is not int or type(schema) is not int:
        raise InvalidInput(
            "dump", _start(line), "is no dump of itsm_core", "name a file that `dump` wrote",
            file=str(path), line=1,
        )  # fmt: skip
    if version > FORMAT or schema > SCHEMA:
        raise InvalidInput(
            "dump", said, "was written by a newer version of itsm_core", "update the library",
            file=str(path), line=1,
        )  # fmt: skip


def _json(path: Path, number: int, line: bytes) -> dict[str, Any]:
    said = _object(line)
    if said is None:
        raise InvalidInput(
            "line", _start(line), "is no JSON object", "dump it again", file=str(path), line=number
        )
    return said


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _start(line: bytes) -> str:
    return line[:40].decode(errors="replace")


def _check_words(event: Event) -> None:
    """Refuses an event that has no digest, or is named by no text: no store could prove it."""
    for name in ("id", "record", "kind"):
        if not isinstance(getattr(event, name), str):
            raise InvalidValue(name, getattr(event, name), "is no text", "write it as text")
    event.digest  # noqa: B018 - it says what is wrong


def lines(path: Path, total: int) -> Iterator[tuple[int, Event]]:
    """The events of a dump, each with the number of its line."""
    with path.open("rb") as told:
        told.readline()
        for number in range(2, total + 2):
            said = _json(path, number, told.readline(_LONGEST))
            try:
                event = from_dict(Event, said)
                _check_words(event)
            except (ValueError, TypeError, LookupError, AttributeError) as wrong:
                raise InvalidInput(
                    "event", said.get("id"), f"cannot be read ({wrong})", "dump it again",
                    file=str(path), line=number,
                ) from wrong  # fmt: skip
            yield number, event
