"""The JSON Schemas of files of agreements, policies and major incidents, for editors and other languages."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

FILE, POLICY, MAJORS = "agreement.schema.json", "policy.schema.json", "majors.schema.json"


def agreement_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of agreement files, dates as texts; made anew for each caller."""
    return _read(FILE)


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of policy files; their calendars are those of agreement files."""
    found = _read(POLICY)
    return {**found, "$defs": {**_read(FILE)["$defs"], **found["$defs"]}}


def majors_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of files about major incidents; made anew for each caller."""
    return _read(MAJORS)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return found
