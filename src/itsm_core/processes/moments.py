"""Instants among the fields of a record or a command; what is no instant says nothing.

A guard is asked even where a field is of the wrong type, which is refused elsewhere.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from itsm_core.business_time.instants import parse_text, utc
from itsm_core.errors import BeyondHorizon, InvalidValue


def moment(value: Any) -> dt.datetime | None:
    """The instant that a stored text means, in UTC; None if it means none."""
    if not isinstance(value, str):
        return None
    try:
        return utc(parse_text(value))
    except (InvalidValue, BeyondHorizon):
        return None
