"""The JSON Schema that ships: it says what the reader takes, key by key and word by word."""

import contextlib
import copy
import datetime as dt
import inspect
import tomllib
from pathlib import Path

import attrs
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements import agreements
from itsm_core.business_time import forms, holidays
from itsm_core.business_time.national import national_holidays
from itsm_core.config import agreement_from_dict, agreement_schema, agreement_to_dict, customary_agreement
from itsm_core.config.agreements import (
    EXCEPTION_KEYS,
    FILE_KEYS,
    LIMIT_KEYS,
    MOST_TARGETS,
    MOST_TERMS,
    TARGET_KEYS,
)
from itsm_core.config.calendars import BASE_KEYS, HOURS_KEYS, MOST_CALENDARS, UNITED_KEYS, WEEK_KEYS
from itsm_core.config.matrices import MATRIX_KEYS
from itsm_core.config.measures import CONDITION, MEASURE_KEYS
from itsm_core.errors import InvalidInput
from itsm_core.events import Phase, WaitsOn
from itsm_core.priority import Priority
from itsm_core.sla import Agreement, Condition, Measure, Metric, Said, Target
from itsm_core.sla.agreements.agreement import POLICY_CHANGES
from itsm_core.sla.agreements.exceptions import AgreedException
from itsm_core.sla.agreements.targets import KINDS, ON_PAUSE, REOPENINGS, RETARGETINGS
from itsm_core.sla.agreements.workload import PERIODS, WorkloadLimit

SCHEMA = agreement_schema()
PARTS = SCHEMA["$defs"]
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def plain(value):
    """TOML values as JSON: dates and times become texts."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def fields(kind):
    """The names that a class takes."""
    return {field.name for field in attrs.fields(kind) if field.init}


# --- keys and words --------------------------------------------------------------------------

KEYS = {
    "file": (SCHEMA, FILE_KEYS),
    "target": (PARTS["target"], TARGET_KEYS),
    "limit": (PARTS["limit"], LIMIT_KEYS),
    "exception": (PARTS["exception"], EXCEPTION_KEYS),
    "measure": (PARTS["measure"], MEASURE_KEYS),
    "condition": (PARTS["condition"], tuple(CONDITION.forms)),
    "hours": (PARTS["hours"], HOURS_KEYS),
    "restricted": (PARTS["restricted"], BASE_KEYS),
    "united": (PARTS["united"], UNITED_KEYS),
    "week": (PARTS["week"], WEEK_KEYS),
    "matrix": (PARTS["matrix"], MATRIX_KEYS),
    "holiday": (PARTS["dated_holiday"], (*holidays._DATES, *holidays._EXTRA)),
    "country": (PARTS["national_holidays"], tuple(inspect.signature(national_holidays).parameters)),
}


@pytest.mark.parametrize(("part", "known"), KEYS.values(), ids=KEYS)
def test_the_schema_knows_the_keys_of_the_reader_and_no_others(part, known):
    """A key that one of them gains, the other must gain too."""
    assert set(part["properties"]) == set(known)
    assert part["additionalProperties"] is False


def test_the_reader_knows_every_field_of_what_it_makes():
    """A field that an agreement, target, measure, condition or calendar gains can be said in a file."""
    assert fields(Agreement) | {"calendars", "matrices"} == set(FILE_KEYS)
    assert fields(Target) - {"agreement"} == set(TARGET_KEYS)  # the agreement stamps its own label
    assert fields(WorkloadLimit) == set(LIMIT_KEYS)
    assert fields(AgreedException) == set(EXCEPTION_KEYS)
    assert fields(Measure) == set(MEASURE_KEYS)
    assert fields(Condition) == set(CONDITION.forms)
    assert {*forms._KEYS} - {"tz"} | {"zone"} == set(HOURS_KEYS)
    assert {*forms._RESTRICTED_KEYS} - {"tz"} | {"zone"} == set(BASE_KEYS)
    assert {*forms._UNITED_KEYS} - {"tz"} | {"zone"} == set(UNITED_KEYS)
    assert forms._WEEK_KEYS == WEEK_KEYS


WORDS = {
    "priorities": (PARTS["target"]["properties"]["priorities"]["items"], Priority),
    "on_pause": (PARTS["target"]["properties"]["on_pause"], ON_PAUSE),
    "reopen": (PARTS["target"]["properties"]["reopen"], REOPENINGS),
    "on_retarget": (PARTS["target"]["properties"]["on_retarget"], RETARGETINGS),
    "kind": (PARTS["target"]["properties"]["kind"], KINDS),
    "side": (SCHEMA["properties"]["kind"], KINDS),
    "on_policy_change": (SCHEMA["properties"]["on_policy_change"], POLICY_CHANGES),
    "per": (PARTS["limit"]["properties"]["per"], PERIODS),
    "limited": (PARTS["limit"]["properties"]["priorities"]["items"], Priority),
    "answered_by": (PARTS["target"]["properties"]["answered_by"]["items"], set(Said) - {Said.REQUEST}),
    "metric": (PARTS["target"]["if"]["properties"]["metric"], Metric),
    "waits": (PARTS["waits"]["items"], WaitsOn),
    "phases": (PARTS["condition"]["properties"]["phases"]["items"], Phase),
    "words": (PARTS["condition"]["properties"]["words"]["items"], Said),
}


@pytest.mark.parametrize(("part", "known"), WORDS.values(), ids=WORDS)
def test_the_schema_knows_the_words_of_the_reader_and_no_others(part, known):
    """Where words are chosen from a list, both have the same list."""
    assert sorted(part["enum"]) == sorted(known)


def test_the_schema_has_the_bounds_of_the_reader():
    """What is too many for one is too many for the other."""
    assert SCHEMA["properties"]["targets"]["maxItems"] == MOST_TARGETS
    assert SCHEMA["properties"]["workload"]["maxItems"] == MOST_TERMS
    assert SCHEMA["properties"]["exceptions"]["maxItems"] == MOST_TERMS
    assert SCHEMA["properties"]["calendars"]["maxProperties"] == MOST_CALENDARS


# --- what it accepts and refuses ----------------------------------------------------------------


def test_the_schema_is_one_of_draft_2020_12():
    """By the meta-schema; and each caller gets a copy of their own."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    agreement_schema().clear()
    assert agreement_schema() == SCHEMA


def test_what_ships_is_valid(every_key):
    """The file that `itsm init-agreement` writes, and one with every key."""
    for text in (customary_agreement(), every_key.read_text(encoding="utf-8")):
        held = plain(tomllib.loads(text))
        VALIDATOR.validate(held)
        agreement_from_dict(held)


def test_the_file_with_every_key_has_every_key(every_key):
    """So that nothing is left out of what the two are compared by."""
    held = tomllib.loads(every_key.read_text(encoding="utf-8"))
    seen = set()
    todo = [held]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            seen |= part.keys()
        todo += part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    assert {key for _, known in KEYS.values() for key in known} <= seen


def test_a_file_of_calendars_or_matrices_alone_is_valid():
    """As `load_calendars` and `load_matrices` read them."""
    VALIDATOR.validate({"calendars": {"desk": {"zone": "UTC", "hours": "always"}}})
    VALIDATOR.validate({"matrices": {"ours": {"rows": [[1, 1, 1]] * 3}}})


def _set(path, value):
    def broken(held):
        *before, last = path
        for step in before:
            held = held[step]
        held[last] = value

    return broken


def _without(path):
    def broken(held):
        *before, last = path
        for step in before:
            held = held[step]
        del held[last]

    return broken


# fmt: off
BROKEN = {
    "empty":             lambda held: held.clear(),
    "unknown":           _set(["goal"], 1),
    "no-id":             _without(["id"]),
    "no-targets":        _without(["targets"]),
    "targets-none":      _set(["targets"], []),
    "targets-table":     _set(["targets"], {}),
    "targets-many":      lambda held: _set(["targets"], [{**held["targets"][0], "id": str(n)} for n in range(1001)])(held),
    "calendars-many":    lambda held: held["calendars"].update({str(n): held["calendars"]["around"] for n in range(100)}),
    "id-number":         _set(["id"], 1),
    "id-empty":          _set(["id"], ""),
    "version-text":      _set(["version"], "3"),
    "version-zero":      _set(["version"], 0),
    "version-truth":     _set(["version"], True),
    "version-large":     _set(["version"], 2**53),
    "customers-text":    _set(["customers"], "acme"),
    "customers-number":  _set(["customers"], [1]),
    "side":              _set(["kind"], "friend"),
    "party-empty":       _set(["party"], ""),
    "policy":            _set(["on_policy_change"], "reassess"),
    "policy-no-day":     _without(["valid_from"]),
    "workload-table":    _set(["workload"], {"monthly": 400}),
    "workload-many":     lambda held: _set(["workload"], [{**held["workload"][0], "id": str(n)} for n in range(101)])(held),
    "limit-key":         _set(["workload", 0, "unit"], "records"),
    "limit-lacks":       _without(["workload", 0, "per"]),
    "limit-zero":        _set(["workload", 0, "limit"], 0),
    "limit-large":       _set(["workload", 0, "limit"], 2**53),
    "limit-truth":       _set(["workload", 0, "limit"], True),
    "limit-period":      _set(["workload", 0, "per"], "fortnight"),
    "exceptions-text":   _set(["exceptions"], "maintenance"),
    "exceptions-many":   _set(["exceptions"], [{"id": str(n)} for n in range(101)]),
    "exception-key":     _set(["exceptions", 0, "hours"], "always"),
    "exception-no-id":   _without(["exceptions", 0, "id"]),
    "exception-claimed": _set(["exceptions", 0, "claimed"], "yes"),
    "exception-times":   _set(["exceptions", 0, "times"], {"zone": "UTC", "hours": "always"}),
    "date":              _set(["valid_from"], "soon"),
    "calendar-text":     _set(["calendars", "shanghai"], "x"),
    "calendar-key":      _set(["calendars", "shanghai", "open"], 1),
    "calendar-tz":       _set(["calendars", "shanghai", "tz"], "UTC"),
    "calendar-no-zone":  _without(["calendars", "shanghai", "zone"]),
    "calendar-no-hours": _without(["calendars", "shanghai", "hours"]),
    "hours-number":      _set(["calendars", "shanghai", "hours"], 9),
    "hours-day":         _set(["calendars", "shanghai", "hours"], {"monday": "09:00-17:00"}),
    "hours-pair":        _set(["calendars", "shanghai", "hours"], {"mon": [["09:00"]]}),
    "always-and-more":   _set(["calendars", "around", "holidays"], []),
    "never-and-more":    _set(["calendars", "nowhere", "hours"], "mon 09:00-10:00"),
    "base-and-more":     _set(["calendars", "both", "hours"], "mon 09:00-10:00"),
    "any-of-and-more":   _set(["calendars", "either", "within"], []),
    "any-of-text":       _set(["calendars", "either", "any_of"], "shanghai"),
    "any-of-no-zone":    _without(["calendars", "either", "zone"]),
    "week-key":          _set(["calendars", "shanghai", "weeks", 0, "open"], 1),
    "week-no-hours":     _without(["calendars", "shanghai", "weeks", 0, "hours"]),
    "holiday-number":    _set(["calendars", "shanghai", "holidays", 0], 1),
    "holiday-key":       _set(["calendars", "shanghai", "holidays", 3, "open"], 1),
    "holiday-no-date":   _without(["calendars", "shanghai", "holidays", 3, "date"]),
    "country-no-years":  _without(["calendars", "shanghai", "holidays", 6, "years"]),
    "shift-date":        _set(["calendars", "shanghai", "shifts"], {"soon": ""}),
    "cut-text":          _set(["calendars", "shanghai", "cut_at_midnight"], "yes"),
    "target-key":        _set(["targets", 0, "goal"], 1),
    "target-agreement":  _set(["targets", 0, "agreement"], "standard@3"),
    "target-lacks":      _without(["targets", 0, "duration"]),
    "duration-number":   _set(["targets", 0, "duration"], 15),
    "priority":          _set(["targets", 0, "priorities"], ["P9"]),
    "answer":            _set(["targets", 0, "answered_by"], ["request"]),
    "answer-none":       _set(["targets", 0, "answered_by"], []),
    "when-text":         _set(["targets", 0, "when"], "mail"),
    "pause":             _set(["targets", 1, "pauses_on"], ["weather"]),
    "reopen":            _set(["targets", 1, "reopen"], "again"),
    "kind":              _set(["targets", 2, "kind"], "friend"),
    "metric":            _without(["targets", 3, "measure"]),
    "measure-key":       _set(["targets", 3, "measure", "end"], []),
    "measure-no-start":  _without(["targets", 3, "measure", "start"]),
    "measure-code":      _set(["targets", 3, "measure", "start"], "record.state == 'approval'"),
    "condition-key":     _set(["targets", 3, "measure", "start", "code"], "1 + 1"),
    "condition-text":    _set(["targets", 3, "measure", "start", "states"], "approval"),
    "condition-phase":   _set(["targets", 3, "measure", "start", "phases"], ["asleep"]),
    "condition-flag":    _set(["targets", 3, "measure", "start", "assigned"], "yes"),
    "matrix-key":        _set(["matrices", "ours", "cells"], []),
    "matrix-lacks":      _without(["matrices", "ours", "rows"]),
    "matrix-rows":       _set(["matrices", "ours", "rows"], [[1, 2, 3]]),
    "matrix-cell":       _set(["matrices", "ours", "rows"], [[1, 2, 6]] * 3),
}
# fmt: on


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_refused_by_both(every_key, broken):
    """The schema finds what the reader finds in the shape of a file."""
    held = copy.deepcopy(plain(tomllib.loads(every_key.read_text(encoding="utf-8"))))
    broken(held)
    assert not VALIDATOR.is_valid(held)
    with pytest.raises(InvalidInput):
        agreement_from_dict(held)


@pytest.mark.law
@given(agreements())
def test_whatever_is_written_is_valid(agreement):
    """An agreement as plain values is one by the schema."""
    VALIDATOR.validate(agreement_to_dict(agreement))


# --- every place, with values of every kind -----------------------------------------------------

STRANGE = [
    None, True, 0, -1, 2**70, 1.5, float("nan"), "", "x", "1 day", "\x00", "2026-02-30", "a" * 300, [], [[]], [""],
    [None], [1], ["x", "x"], {}, {"": 1}, {"x": {}}, {"x": [1]}, dt.date(2026, 1, 1), dt.time(9), b"x", {1}, object(),
    dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
]  # fmt: skip


def places(part, path=()):
    """The path of every value in a file."""
    if path:
        yield path
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


HELD = plain(tomllib.loads(Path(__file__).with_name("every_key.toml").read_text(encoding="utf-8")))
del HELD["calendars"]["shanghai"]["holidays"][-1]  # a country is looked up anew each time


@pytest.mark.law
@given(st.sampled_from([*places(HELD)]), st.sampled_from(STRANGE))
def test_whatever_stands_in_whatever_place_is_read_or_refused(path, value):
    """By `InvalidInput` and nothing else; and what the reader takes is valid by the schema."""
    broken = copy.deepcopy(HELD)
    _set(path, value)(broken)
    with contextlib.suppress(InvalidInput):
        agreement_from_dict(broken)
        VALIDATOR.validate(plain(broken))
