"""A CSV file read into what somebody did when: the steps of each record, with their lines.

Two shapes are known by their header: published outages, one record a line with its instants, and
the log of a desk, one step a line. Nothing is guessed: whatever does not fit is refused with
file, line, value and remedy, before anything is carried out.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from itsm_core.actors import Actor, ActorKind
from itsm_core.business_time.instants import micros, parse_text, utc
from itsm_core.demo.published import INSTANTS, PUBLISHED, told
from itsm_core.errors import BeyondHorizon, InvalidInput, InvalidValue
from itsm_core.values import digest

OUTAGES, DESK = "outages", "desk"

_FIRST, _LAST = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (1970, 2100))


@attrs.frozen(kw_only=True)
class Step:
    """One command: on which record, when, by whom, and on which line of the file it stands."""

    record: str
    line: int
    at: dt.datetime
    trigger: str
    actor: Actor
    id: str
    text: str = ""
    channel: str | None = None
    fields: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Case:
    """What the file says of a record beside its steps."""

    record: str
    line: int
    title: str
    source: str = ""
    note: str = ""
    unknown: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Script:
    """A whole file: its shape, its records, and all steps in the order of time."""

    file: str
    kind: str
    cases: tuple[Case, ...]
    steps: tuple[Step, ...]

    @property
    def ends(self) -> dt.datetime:
        """The instant of the last step."""
        return self.steps[-1].at


class _Line:
    """One line of the file, and how to refuse what stands there."""

    def __init__(self, file: str, number: int, cells: Mapping[str, str]) -> None:
        self.file, self.number, self.cells = file, number, cells
        joined = "\x1f".join(cells.values())
        self.digest = hashlib.sha256(joined.encode()).hexdigest()[:16]

    def wrong(self, column: str, reason: str, remedy: str) -> InvalidInput:
        value = self.cells.get(column, "")
        return InvalidInput(column, value, reason, remedy, file=self.file, line=self.number)

    def needed(self, column: str) -> str:
        value = self.cells[column].strip()
        if not value:
            raise self.wrong(column, "is empty", f"fill in the column {column}")
        return value

    def instant(self, column: str) -> dt.datetime | None:
        value = self.cells[column].strip()
        if not value:
            return None
        remedy = "write date, time and offset, such as 2024-02-04T10:30:00+08:00"
        try:
            us = parse_text(value, column)
        except InvalidValue as error:
            raise self.wrong(column, error.reason, remedy) from None
        except BeyondHorizon:
            us = micros(_LAST)
        if not micros(_FIRST) <= us < micros(_LAST):
            raise self.wrong(column, "lies outside the years 1970 to 2099", remedy)
        return utc(us)

    def said(self, lang: str) -> str:
        """The text in a language; English where it is missing."""
        return self.cells.get(f"text_{lang}", "").strip() or self.cells["text_en"].strip()


# --- the file ---------------------------------------------------------------------------------


def read(path: Path, lang: str = "en") -> Script:
    """The script of a CSV file; raises `InvalidInput` for whatever does not fit."""
    file = path.name
    try:
        raw = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise InvalidInput(
            "input", str(path), f"cannot be read: {why}", "name a CSV file", file=file
        ) from None
    return parse(raw, file, lang)


def parse(raw: bytes, file: str, lang: str = "en") -> Script:
    """The script of the bytes of a CSV file."""
    rows = _rows(_decoded(raw, file), file)
    _, head = next(rows, (1, []))
    names = [name.strip() for name in head]
    kind = _kind(names, file)
    lines = [_Line(file, n, _cells(names, row, file, n)) for n, row in rows]
    if not lines:
        raise InvalidInput("input", file, "holds a header and no rows", "add a row", file=file, line=1)
    cases, steps = (_outages if kind == OUTAGES else _desk)(lines, lang)
    return Script(file=file, kind=kind, cases=tuple(cases), steps=tuple(sorted(steps, key=lambda s: s.at)))


def _decoded(raw: bytes, file: str) -> str:
    remedy = "save it as CSV in UTF-8"
    if not raw.strip():
        raise InvalidInput("input", file, "is empty", "give a CSV file with a header", file=file)
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise InvalidInput("input", file, "is binary, no text", remedy, file=file, line=line)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        found = raw[error.start : error.start + 8]
        raise InvalidInput("bytes", found, "are no UTF-8 text", remedy, file=file, line=line) from None


def _rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """The rows with the line on which each begins; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            remedy = "close every quote, and double quotes inside quoted text"
            raise InvalidInput(
                "row", f"line {line}", f"is no CSV: {error}", remedy, file=file, line=line
            ) from None
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield line, row


_SHAPES = {
    DESK: (
        "number", "at", "action", "by", "role", "channel", "impact", "urgency", "service", "category",
        "item", "text_en", "reason", "due", "group", "ref",
    ),
    OUTAGES: (
        "number", "title", "service", "impact", "urgency", "priority_reason", "began", "detected",
        "acknowledged", "first_public", "mitigated", "resolved", "review", "postmortem_url",
    ),
}  # fmt: skip


def _kind(names: list[str], file: str) -> str:
    """The shape whose columns the header has; missing ones are named for the nearer shape."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(
            "header", twice[0], "stands there twice", "name each column once", file=file, line=1
        )
    kind = max(_SHAPES, key=lambda shape: len(set(_SHAPES[shape]) & set(names)))
    missing = [name for name in _SHAPES[kind] if name not in names]
    if missing:
        raise InvalidInput(
            "header", ",".join(names), f"lacks the columns {', '.join(missing)}",
            "start from a copy of public_outages.csv or desk_week.csv in itsm_core/demo", file=file, line=1,
        )  # fmt: skip
    return kind


def _cells(names: list[str], row: list[str], file: str, line: int) -> dict[str, str]:
    if len(row) != len(names):
        raise InvalidInput(
            "row", row[0], f"has {len(row)} cells, the header {len(names)}",
            "quote cells that hold commas, and leave no cell out", file=file, line=line,
        )  # fmt: skip
    return dict(zip(names, row, strict=True))


# --- published outages: one record a line -----------------------------------------------------


def _outages(lines: list[_Line], lang: str) -> tuple[list[Case], list[Step]]:
    cases: dict[str, Case] = {}
    steps: list[Step] = []
    for line in lines:
        case = _outage(line)
        if case.record in cases:
            first = cases[case.record].line
            raise line.wrong("number", f"was used on line {first}", "give each outage a number of its own")
        cases[case.record] = case
        steps += _of_outage(line, case, lang)
    return list(cases.values()), steps


def _outage(line: _Line) -> Case:
    unknown = tuple(name for name in INSTANTS if not line.cells[name].strip())
    source = line.cells["postmortem_url"].strip()
    if source and not source.startswith(("https://", "http://")):
        raise line.wrong("postmortem_url", "is no web address", "write https://..., or leave it empty")
    return Case(
        record=line.needed("number"), line=line.number, title=line.needed("title"),
        source=source, unknown=unknown, note=line.cells.get("note", "").strip(),
    )  # fmt: skip


def _of_outage(line: _Line, case: Case, lang: str) -> list[Step]:
    began = line.instant("began")
    if began is None:
        raise line.wrong("began", "is empty", "an outage begins at some instant; leave the row out otherwise")
    at = {name: when for name in INSTANTS if (when := line.instant(name)) is not None}
    for name, when in at.items():
        if when < began:
            raise line.wrong(name, "lies before the outage began", "correct one of the two instants")
    for early, late in (("acknowledged", "resolved"), ("mitigated", "resolved"), ("resolved", "review")):
        if early in at and late in at and at[late] < at[early]:
            raise line.wrong(late, f"lies before {early}", "correct one of the two instants")
    if "review" in at and "resolved" not in at:
        raise line.wrong("review", "stands without a resolution", "fill in resolved, or empty both")
    opening = _step(line, "open", began, PUBLISHED, text=case.title, fields=_known(line, at))
    after = told(began, at, case.source, lang)
    return [opening, *(_step(line, **attrs.asdict(one, recurse=False)) for one in after)]


def _known(line: _Line, at: Mapping[str, dt.datetime]) -> dict[str, Any]:
    """What the opening knows: whose loss it is, and whether any word to the public is published."""
    return {
        "requester": "public", "service": line.needed("service"), "impact": line.needed("impact"),
        "urgency": line.needed("urgency"), "priority_reason": line.cells["priority_reason"].strip() or None,
        "messages": None if "first_public" in at else "none",
    }  # fmt: skip


def _step(line: _Line, trigger: str, at: dt.datetime, actor: Actor, *, part: str = "", **known: Any) -> Step:
    """A step whose id holds the digest of its line, so that an edited line is another step."""
    number = line.needed("number")
    if trigger == "receive":
        known["fields"] = {"message_id": line.digest}
        step_id = f"receive/{digest([number, line.digest])}"  # as ServiceDesk.receive names it
    else:
        step_id = f"demo/{number}/{line.digest}{part}"
    return Step(record=number, line=line.number, at=at, trigger=trigger, actor=actor, id=step_id, **known)


# --- the log of a desk: one step a line -------------------------------------------------------

# fmt: off
_ACTIONS: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    # action   trigger         columns it needs               fields, and the columns they come from
    "open":    ("open",        ("text_en", "service", "impact", "urgency"),
                               {"service": "service", "category": "category",
                                "impact": "impact", "urgency": "urgency"}),
    "assign":  ("assign",      ("group",),                    {"group": "group"}),
    "start":   ("start",       (),                            {}),
    "hold":    ("hold",        ("reason", "text_en", "due"),  {"hold_reason": "reason", "message": "text",
                                                               "look_again_at": "due"}),
    "resume":  ("resume",      (),                            {}),
    "reply":   ("receive",     ("text_en",),                  {}),
    "message": ("communicate", ("text_en",),                  {}),
    "promise": ("communicate", ("text_en", "due"),            {"promise_due": "due"}),
    "note":    ("note",        ("text_en",),                  {"text": "text"}),
    "resolve": ("resolve",     ("reason", "text_en"),         {"resolution_outcome": "reason",
                                                               "resolution_notes": "text"}),
    "close":   ("close",       ("reason",),                   {"closure_code": "reason"}),
    "reopen":  ("reopen",      ("text_en",),                  {"reason": "text"}),
    "cancel":  ("cancel",      ("reason",),                   {"reason": "reason"}),
    "link":    ("link",        ("ref",),                      {"other": "ref"}),
}
_KINDS = {
    "requester": ActorKind.PERSON, "agent": ActorKind.PERSON, "manager": ActorKind.PERSON,
    "monitoring": ActorKind.MONITORING, "automation": ActorKind.AUTOMATION, "supplier": ActorKind.SUPPLIER,
}
# fmt: on


def _desk(lines: list[_Line], lang: str) -> tuple[list[Case], list[Step]]:
    cases: dict[str, Case] = {}
    last: dict[str, Step] = {}
    seen: dict[str, int] = {}
    unasked: set[str] = set()  # opened by no person, so words about them go to everybody
    steps = []
    for line in lines:
        step = _desk_step(line, lang)
        if line.digest in seen:
            remedy = "leave one of the two out"
            raise line.wrong("number", f"repeats line {seen[line.digest]} word for word", remedy)
        _in_order(line, step, last.get(step.record), cases)
        if step.trigger == "open":
            cases[step.record] = Case(record=step.record, line=step.line, title=step.text)
            unasked |= set() if step.actor.is_person else {step.record}
        elif step.trigger == "communicate" and step.record in unasked:
            step = attrs.evolve(step, fields={**step.fields, "audience": "public"})
        seen[line.digest], last[step.record] = line.number, step
        steps.append(step)
    return list(cases.values()), steps


def _in_order(line: _Line, step: Step, before: Step | None, cases: Mapping[str, Case]) -> None:
    if step.trigger == "open" and step.record in cases:
        first = cases[step.record].line
        raise line.wrong("number", f"was opened on line {first}", "give each ticket a number of its own")
    if step.trigger != "open" and step.record not in cases:
        raise line.wrong("number", "was not opened before", "put its row with the action open first")
    if before is not None and step.at < before.at:
        raise line.wrong("at", f"lies before line {before.line}", "put the rows of a ticket in order of time")


def _desk_step(line: _Line, lang: str) -> Step:
    action = line.needed("action")
    if action not in _ACTIONS:
        raise line.wrong("action", "is no action", f"use one of {', '.join(_ACTIONS)}")
    trigger, needs, sources = _ACTIONS[action]
    for column in needs:
        line.needed(column)
    at = line.instant("at")
    if at is None:
        raise line.wrong("at", "is empty", "say when it happened")
    due = line.instant("due")
    if due is not None and due < at:
        raise line.wrong("due", "lies before the step itself", "correct one of the two instants")
    text = line.said(lang)
    held: dict[str, Any] = {**line.cells, "text": text, "due": due}
    fields = {name: held[column] for name, column in sources.items() if held[column] not in (None, "")}
    if action == "link":
        fields["relation"] = "relates_to"
    if action == "open" and line.cells["item"].strip():
        fields["configuration_items"] = (line.cells["item"].strip(),)
    channel = line.cells["channel"].strip() or None
    return _step(line, trigger, at, _actor(line), text=text, fields=fields, channel=channel)


def _actor(line: _Line) -> Actor:
    role = line.needed("role")
    kind = _KINDS.get(role)
    if kind is None:
        raise line.wrong("role", "is no role", f"use one of {', '.join(_KINDS)}")
    return Actor(line.needed("by"), kind, roles=frozenset({role}))
