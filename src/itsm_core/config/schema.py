"""The JSON Schema of an agreement file, for editors and for programs in other languages."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

FILE = "agreement.schema.json"


def agreement_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of agreement files, dates as texts; made anew for each caller."""
    found: dict[str, Any] = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return found
