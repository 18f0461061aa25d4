"""Whole agreements read and written: targets, the calendars they count in, and matrices beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.config.calendars import calendar_named, calendar_of, named_calendars, read_calendars
from itsm_core.config.matrices import read_matrices
from itsm_core.config.measures import MEASURE
from itsm_core.config.reading import (
    AMOUNT,
    DATE,
    FLAG,
    TEXT,
    TEXTS,
    VERSION,
    Form,
    Place,
    Rows,
    bounded,
    one_of,
    read_file,
    read_toml,
    some_of,
)
from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.lifecycle.rewriting import near
from itsm_core.priority import Priority, PriorityMatrix
from itsm_core.sla.agreements.agreement import POLICY_CHANGES, Agreement
from itsm_core.sla.agreements.exceptions import AgreedException
from itsm_core.sla.agreements.targets import KINDS, ON_PAUSE, REOPENINGS, RETARGETINGS, Metric, Target
from itsm_core.sla.agreements.workload import PERIODS, WorkloadLimit
from itsm_core.sla.timeline import Said

INSTALL = "agreement_to_toml needs its extra: pip install 'itsm-core[toml]'"
MOST_TARGETS, MOST_TERMS = 1000, 100
"""The most targets of an agreement file, and the most workload limits or exceptions."""


def _when(place: Place, value: Any) -> dict[str, Any]:
    return dict(place.table(value, 'write { service = "mail" }'))


def _fields(predicates: tuple[tuple[str, tuple[Any, ...]], ...]) -> dict[str, Any]:
    return {name: _thawed(among) for name, among in predicates}


def _thawed(value: Any) -> Any:
    """A frozen JSON value as lists and dicts."""
    if isinstance(value, tuple):
        return [_thawed(one) for one in value]
    return {name: _thawed(one) for name, one in value.items()} if isinstance(value, Mapping) else value


# fmt: off
_TARGET = Rows(Target, {
    "id": TEXT, "metric": TEXT, "duration": TEXT,
    "priorities": some_of(Priority), "when": Form(_when, _fields), "pauses_on": some_of(WaitsOn),
    "on_pause": one_of(ON_PAUSE), "reopen": one_of(REOPENINGS),
    "on_retarget": one_of(RETARGETINGS), "answered_by": some_of(Said), "after": TEXT,
    "kind": one_of(KINDS), "party": TEXT, "measure": MEASURE,
})
_EXCEPTION = Rows(AgreedException, {
    "id": TEXT, "name": TEXT, "when": Form(_when, _fields), "metrics": Form(Place.texts, list),
    "claimed": FLAG,
})
_LIMIT = Rows(WorkloadLimit, {
    "id": TEXT, "limit": AMOUNT, "per": one_of(PERIODS), "processes": TEXTS, "services": TEXTS,
    "priorities": some_of(Priority),
})
# fmt: on


def _tables(place: Place, value: Any, needed: tuple[str, ...]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """The tables of a list, each with its place; one that lacks a key is refused."""
    place.at_most(MOST_TERMS, place.items(value, f"write [[{place.key}]]"), "agreements")
    for number, row in enumerate(value, start=1):
        table = place.row(number).table(row, f"write [[{place.key}]]")
        where = place.row(number, table.get("id"))
        where.need(table, needed)
        yield where, table


def _limits(place: Place, value: Any) -> list[WorkloadLimit]:
    return [_LIMIT.read(where, table) for where, table in _tables(place, value, ("id", "limit", "per"))]


# fmt: off
_AGREEMENT = Rows(Agreement, {
    "id": TEXT, "version": VERSION, "name": TEXT, "kind": one_of(KINDS), "party": TEXT,
    "customers": TEXTS, "services": TEXTS, "processes": TEXTS, "valid_from": DATE, "valid_to": DATE,
    "on_policy_change": one_of(POLICY_CHANGES), "agreed_with": TEXT, "agreed_on": DATE,
    "workload": Form(_limits, lambda held: [_LIMIT.write(one) for one in held]),
})
# fmt: on
TARGET_KEYS = (*_TARGET.forms, "calendar")
EXCEPTION_KEYS = (*_EXCEPTION.forms, "times")
LIMIT_KEYS = tuple(_LIMIT.forms)
FILE_KEYS = (*_AGREEMENT.forms, "exceptions", "calendars", "targets", "matrices")
_SIDE = ("kind", "party")
"""What an agreement says for all of its targets."""


# --- files ------------------------------------------------------------------------------------


def load_agreement(path: str | Path) -> Agreement:
    """The agreement of a TOML file; raises `InvalidInput` with file, key and remedy."""
    return _agreement(*read_file(path))


def load_calendars(path: str | Path) -> dict[str, BusinessCalendar]:
    """The calendars of a TOML file by their names; of an agreement's file or of one without targets."""
    place, held = read_file(path)
    place.only(held, FILE_KEYS)
    place.need(held, ("calendars",))
    return read_calendars(place.at("calendars"), held["calendars"])


def load_matrices(path: str | Path) -> dict[str, PriorityMatrix]:
    """The priority matrices of a TOML file by their ids; of an agreement's file or of one without targets."""
    place, held = read_file(path)
    place.only(held, FILE_KEYS)
    place.need(held, ("matrices",))
    return read_matrices(place.at("matrices"), held["matrices"])


# --- plain values and texts -------------------------------------------------------------------


def agreement_from_dict(plain: Mapping[str, Any]) -> Agreement:
    """The agreement of plain values in the shape of the file, dates as such or as texts."""
    return _agreement(Place(""), bounded(Place(""), plain))


def agreement_from_toml(text: str | bytes) -> Agreement:
    """The agreement of a TOML text."""
    if not isinstance(text, str | bytes):
        raise InvalidValue(
            "agreement", type(text).__name__, "is no text", "give the TOML itself, or load_agreement"
        )
    return _agreement(Place(""), read_toml(Place(""), text))


def agreement_to_dict(agreement: Agreement) -> dict[str, Any]:
    """The agreement as plain JSON values that `agreement_from_dict` reads back to an equal one."""
    Place("", "targets").at_most(MOST_TARGETS, agreement.targets, "agreements")
    for what, held in (("workload", agreement.workload), ("exceptions", agreement.exceptions)):
        Place("", what).at_most(MOST_TERMS, held, "agreements")
    order, calendars = named_calendars(_counted_in(agreement))
    names = iter(order)
    said = [name for name in _SIDE if getattr(agreement, name) is not None]
    targets = [
        _without(said, _TARGET.write(target)) | {"calendar": next(names)} for target in agreement.targets
    ]
    exceptions = [
        _EXCEPTION.write(one) | ({} if one.times is None else {"times": next(names)})
        for one in agreement.exceptions
    ]
    plain = _without(["kind"] if agreement.kind == "customer" else [], _AGREEMENT.write(agreement))
    plain |= {"exceptions": exceptions} if exceptions else {}
    return bounded(Place(""), {**plain, "calendars": calendars, "targets": targets})


def _counted_in(agreement: Agreement) -> Iterator[BusinessCalendar]:
    """The calendars of the targets, and then those of the exceptions that have one."""
    yield from (target.calendar for target in agreement.targets)
    yield from (one.times for one in agreement.exceptions if one.times is not None)


def _without(names: Iterable[str], table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}


def agreement_to_toml(agreement: Agreement) -> str:
    """The agreement as TOML text (extra `toml`)."""
    try:
        import tomli_w  # noqa: PLC0415 - an extra
    except ImportError as lacking:
        raise ImportError(INSTALL) from lacking
    plain = agreement_to_dict(agreement)
    for part in (*plain["targets"], *plain.get("exceptions", ())):
        for name, among in part.get("when", {}).items():
            if _holds_none(among):
                raise InvalidValue(
                    f"when.{name}", among, "names no value, which TOML cannot say", "write JSON"
                )
    return str(tomli_w.dumps(plain))


def _holds_none(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_none, value.values() if isinstance(value, dict) else value))
    return value is None


# --- reading ----------------------------------------------------------------------------------


def _agreement(place: Place, held: dict[str, Any]) -> Agreement:
    place.only(held, FILE_KEYS)
    place.need(held, ("id", "version", "calendars", "targets"))
    calendars = read_calendars(place.at("calendars"), held["calendars"])
    read_matrices(place.at("matrices"), held.get("matrices", {}))
    rows, where = held["targets"], place.at("targets")
    where.at_most(MOST_TARGETS, where.items(rows, "write [[targets]]"), "agreements")
    given = _AGREEMENT.given(place, held)
    side = {name: given[name] for name in _SIDE if name in given}
    targets = [_target(where, number, row, calendars, side) for number, row in enumerate(rows, start=1)]
    told = place.at("exceptions")
    exceptions = [
        _exception(*found, calendars) for found in _tables(told, held.get("exceptions", []), ("id",))
    ]
    return place.made(lambda: Agreement(**given, targets=targets, exceptions=exceptions))


def _exception(
    place: Place, table: Mapping[str, Any], calendars: Mapping[str, BusinessCalendar]
) -> AgreedException:
    place.only(table, EXCEPTION_KEYS)
    given = _EXCEPTION.given(place, table)
    times = calendar_named(place.at("times"), table["times"], calendars) if "times" in table else None
    return place.made(lambda: AgreedException(**given, times=times))


def _target(
    where: Place, number: int, value: Any, calendars: Mapping[str, BusinessCalendar], side: dict[str, str]
) -> Target:
    table = where.row(number).table(value, "write [[targets]]")
    place = where.row(number, table.get("id"))
    place.only(table, TARGET_KEYS)
    place.need(table, ("id", "metric", "duration"))
    given = side | _TARGET.given(place, table)
    for name, said in side.items():
        if given[name] != said:
            remedy = "leave it out, or write an agreement for each side"
            raise place.at(name).refusal(given[name], f"is not that of the agreement, {said}", remedy)
    if given["metric"] not in list(Metric) and "measure" not in given:
        known = [str(metric) for metric in Metric]
        remedy = near(
            given["metric"], known, f"use one of {', '.join(known)}, or say how to measure it: measure"
        )
        raise place.at("metric").refusal(given["metric"], "is unknown", remedy)
    calendar = calendar_of(place, table, calendars)
    return place.made(lambda: Target(**given, calendar=calendar))
