"""Agreements in TOML: `load_agreement(path)`.

    id = "standard"                      # required, with version and targets
    version = 3                          # a changed agreement is a new version
    name = "Standard support"
    customers = ["acme"]                 # covered; likewise services, processes; absent: all
    valid_from = 2024-01-01              # and valid_to, the first day on which it no longer holds
    agreed_with = "acme"                 # and agreed_on, a date

    [calendars.desk]
    zone = "Asia/Shanghai"
    hours = "mon-fri 09:00-12:00 13:00-18:00"   # or "always"
    weekly_breaks = "fri 15:00-15:30"
    holidays = ["2024-02-10..2024-02-17", { date = "2024-05-01", name = "Labour Day" }]
    shifts = { "2024-02-04" = "09:00-18:00" }   # a working Sunday; "" is a closed day
    breaks = { "2024-03-08" = "14:00-18:00" }

    [[targets]]
    id = "p1-resolution"
    metric = "resolution"                # or "response"
    duration = "4h"                      # "90m", "3 business days", "end of business day +1"
    calendar = "desk"                    # may be left out where there is only one
    priorities = ["P1"]                  # absent: every priority
    pauses_on = ["requester"]            # waits that stop a resolution's clock

Everything is data; nothing is evaluated. What is wrong is refused with file, key and remedy.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.errors import InvalidInput, InvalidValue, NeverOpens
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.sla import Agreement, Metric, Target

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_NAMES = {"customers", "services", "processes"}
_DATES = {"valid_from", "valid_to", "agreed_on"}
_AGREEMENT = {"id", "version", "name", "agreed_with", "calendars", "targets"} | _NAMES | _DATES
_CALENDAR = {
    "zone", "hours", "weekly_breaks", "holidays", "shifts", "breaks", "cut_at_midnight", "version",
}  # fmt: skip
_TARGET = {"id", "metric", "duration", "calendar", "priorities", "pauses_on"}

_ALWAYS = "always"


def load_agreement(path: str | Path) -> Agreement:
    """The agreement of a TOML file; raises `InvalidInput` with file, key and remedy."""
    page = _Page(Path(path))
    held = page.read()
    page.only(held, _AGREEMENT, "")
    page.need(held, ("id", "version", "calendars", "targets"), "")
    tables = page.kind(held["calendars"], dict, "calendars", "write [calendars.desk]")
    calendars = {name: _calendar(page, name, value) for name, value in tables.items()}
    rows = page.kind(held["targets"], list, "targets", "write [[targets]]")
    targets = [_target(page, n, value, calendars) for n, value in enumerate(rows, start=1)]
    rest = {name: held[name] for name in held.keys() - {"calendars", "targets"}}
    if isinstance(held["version"], int):
        page.kind(held["version"], int, "version", "count versions 1, 2, 3")
    for name in rest.keys() - {"version"}:
        _plain(page, name, rest[name])
    return page.made("agreement", lambda: Agreement(**rest, targets=targets))


def _plain(page: _Page, name: str, value: Any) -> None:
    """Checks the type of a key at the top of the file."""
    if name in _NAMES:
        page.texts(value, name)
    elif name in _DATES:
        page.kind(value, dt.date, name, f"write {name} = 2024-01-01, without quotes")
    else:
        page.text(value, name)


def _calendar(page: _Page, name: str, value: Any) -> BusinessCalendar:
    key = f"calendars.{name}"
    table = page.kind(value, dict, key, f"write [{key}]")
    page.only(table, _CALENDAR, key)
    page.need(table, ("zone", "hours"), key)
    zone = page.text(table["zone"], f"{key}.zone")
    version = page.kind(table.get("version", 1), int, f"{key}.version", "count versions 1, 2, 3")
    if table["hours"] == _ALWAYS:
        page.only(table, {"zone", "hours", "version"}, f'{key}, where hours = "always",')
        return page.made(key, lambda: BusinessCalendar.always(zone, name=name, version=version))
    rules = {rule: _rule(page, key, rule, table[rule]) for rule in table.keys() - {"zone"}}
    return page.made(key, lambda: BusinessCalendar.weekly(**rules, zone=zone, name=name))


def _rule(page: _Page, key: str, name: str, value: Any) -> Any:
    """One rule of a calendar, its type checked."""
    where = f"{key}.{name}"
    if name in ("hours", "weekly_breaks"):
        return page.text(value, where)
    if name == "holidays":
        return page.kind(value, list, where, 'write ["2024-12-25"]')
    if name in ("shifts", "breaks"):
        table = page.kind(value, dict, where, 'write { "2024-02-04" = "09:00-18:00" }')
        return {day: page.text(hours, f"{where}.{day}") for day, hours in table.items()}
    return page.kind(value, bool, where, "write true or false") if name != "version" else value


def _target(page: _Page, number: int, value: Any, calendars: Mapping[str, BusinessCalendar]) -> Target:
    table = page.kind(value, dict, f"targets[{number}]", "write [[targets]]")
    name = table.get("id")
    key = f"targets[{number}]" + (f" ({name})" if isinstance(name, str) else "")
    page.only(table, _TARGET, key)
    page.need(table, ("id", "metric", "duration"), key)
    for each in ("id", "metric", "duration"):
        page.text(table[each], f"{key}.{each}")
    metric = page.one_of(table["metric"], Metric, f"{key}.metric")
    calendar = _calendar_of(page, key, table, calendars)
    priorities = page.texts(table.get("priorities", []), f"{key}.priorities")
    waits = page.texts(table.get("pauses_on", []), f"{key}.pauses_on")
    pauses = {page.one_of(word, WaitsOn, f"{key}.pauses_on") for word in waits}
    ranks = {page.one_of(word, Priority, f"{key}.priorities") for word in priorities}
    return page.made(key, lambda: Target(
        table["id"], metric, duration=table["duration"], calendar=calendar,
        pauses_on=pauses, priorities=ranks,
    ))  # fmt: skip


def _calendar_of(
    page: _Page, key: str, table: Mapping[str, Any], calendars: Mapping[str, BusinessCalendar]
) -> BusinessCalendar:
    """The calendar that a target names, or the only one."""
    names = ", ".join(sorted(calendars)) or "none"
    if "calendar" not in table and len(calendars) == 1:
        return next(iter(calendars.values()))
    named = page.text(table.get("calendar", ""), f"{key}.calendar")
    if named not in calendars:
        raise page.refusal(f"{key}.calendar", named, "is not defined", f"defined are: {names}")
    return calendars[named]


class _Page:
    """A TOML file being read: every refusal names it and the key."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def refusal(
        self, key: str, value: object, reason: str, remedy: str, line: int | None = None
    ) -> InvalidInput:
        return InvalidInput(key, value, reason, remedy, file=str(self.file), line=line)

    def read(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.file.read_bytes().decode("utf-8-sig"))
        except RecursionError:
            remedy = "write tables and lists a few levels deep, as in the example of the documentation"
            raise self.refusal("agreement", self.file.name, "is nested too deep", remedy) from None
        except ValueError as wrong:  # no TOML, no UTF-8, or a number of thousands of digits
            line = re.search(r"line (\d+)", str(wrong))
            remedy = 'write keys as name = "value", in UTF-8'
            at = int(line[1]) if line else 1
            raise self.refusal("agreement", str(wrong), "is no TOML", remedy, at) from None

    def only(self, table: Mapping[str, Any], known: Iterable[str], key: str) -> None:
        for name in table.keys() - set(known):
            where = f"key of {key}" if key else "key"
            raise self.refusal(where, name, "is unknown", f"use {', '.join(sorted(known))}")

    def need(self, table: Mapping[str, Any], names: Iterable[str], key: str) -> None:
        lacking = [name for name in names if name not in table]
        if lacking:
            remedy = f"add {', '.join(lacking)}"
            raise self.refusal(key or "agreement", sorted(table), "lacks keys", remedy)

    def kind(self, value: Any, kind: type[T], key: str, remedy: str) -> T:
        wrong = (bool,) if kind is int else (dt.datetime,) if kind is dt.date else ()  # they are that too
        if not isinstance(value, kind) or isinstance(value, wrong):
            raise self.refusal(key, value, f"is no {_KINDS[kind]}", remedy)
        if isinstance(value, int) and abs(value) > _MOST:
            raise self.refusal(key, f"over {_MOST}", "is too large", remedy)
        return value

    def text(self, value: Any, key: str) -> str:
        return self.kind(value, str, key, 'write it in quotes: "..."')

    def texts(self, value: Any, key: str) -> list[str]:
        words = self.kind(value, list, key, 'write ["one", "two"]')
        return [self.text(word, key) for word in words]

    def one_of(self, word: str, choices: type[E], key: str) -> E:
        try:
            return choices(word)
        except ValueError:
            remedy = f"use one of {', '.join(choice.value for choice in choices)}"
            raise self.refusal(key, word, "is unknown", remedy) from None

    def made(self, key: str, make: Callable[[], T]) -> T:
        """What `make` makes; its refusal is told with file and key."""
        try:
            return make()
        except InvalidValue as wrong:
            what = key if key.endswith(wrong.what) else f"{key}: {wrong.what}"
            raise self.refusal(what, wrong.value, wrong.reason, wrong.remedy) from None
        except NeverOpens as wrong:
            remedy = "give it hours that are not taken away again"
            raise self.refusal(key, str(wrong), "never opens", remedy) from None


_MOST = 2**53 - 1  # RFC 8785 3.2.2.3: larger integers lose digits in other languages
_KINDS = {str: "text", list: "list", dict: "table", int: "whole number", bool: "true or false",
          dt.date: "date"}  # fmt: skip
