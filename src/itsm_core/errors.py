"""Every error the library raises on purpose, and `Reason`, the facts behind a refusal.

    ItsmError
    ├── InvalidValue (ValueError)            a value is not what it claims to be
    │   ├── NaiveDatetime                    a datetime without a zone
    │   ├── UnknownZone                      a zone name the time-zone database lacks
    │   ├── InvalidWindow                    text or times that make no window of hours
    │   ├── AmbiguousDuration                "1 day": which day?
    │   └── InvalidInput                     a line of a file; knows file and line
    ├── NeverOpens                           a calendar that has no (further) open time
    ├── BeyondHorizon (OverflowError)        outside the years a calendar can count
    ├── UnsoundLifecycle                     a lifecycle definition that cannot work
    ├── TransitionRefused                    a command was refused; carries all reasons
    ├── RecordNotFound (LookupError)
    ├── VersionConflict                      somebody else changed the record first
    └── StoreError
        ├── StoreUnreadable                  damaged, foreign or newer file
        └── StoreBusy                        another process holds it

Every message says what was found, why it does not do, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs


def _facts(value: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else tuple(value)


@attrs.frozen
class Reason:
    """Why something is refused: a stable `code`, a sentence, and the facts behind it."""

    code: str
    message: str
    facts: tuple[tuple[str, Any], ...] = attrs.field(default=(), converter=_facts, kw_only=True)

    def __str__(self) -> str:
        return self.message


class ItsmError(Exception):
    """The base of every error that `itsm_core` raises on purpose."""


def _shown(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list nested as deep
        return f"a {type(value).__name__} too long to show"


class InvalidValue(ItsmError, ValueError):
    """A value is not what it claims to be: names the thing, the reason and the remedy."""

    what: str
    value: object
    reason: str
    remedy: str

    def __init__(self, what: str, value: object, reason: str, remedy: str = "") -> None:
        self.what, self.value, self.reason, self.remedy = what, value, reason, remedy
        shown = _shown(value)
        if len(shown) > 120:
            shown = f"{shown[:100]}... ({len(shown)} characters)"
        super().__init__(f"{what} {shown}: {reason}" + (f"; {remedy}" if remedy else ""))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.value, self.reason, self.remedy)


class NaiveDatetime(InvalidValue):
    """A datetime without a zone: nobody can tell which instant it means."""


class UnknownZone(InvalidValue):
    """A zone name that the IANA time-zone database does not hold."""


class InvalidWindow(InvalidValue):
    """Text or times that make no window of business hours."""


class AmbiguousDuration(InvalidValue):
    """A duration whose unit has more than one meaning in a contract, such as "1 day"."""


class InvalidInput(InvalidValue):
    """A line of an input file that cannot be used; knows `file` and `line` (1-based, or None)."""

    file: str
    line: int | None

    def __init__(
        self,
        what: str,
        value: object,
        reason: str,
        remedy: str = "",
        *,
        file: str = "",
        line: int | None = None,
    ) -> None:
        super().__init__(what, value, reason, remedy)
        self.file, self.line = file, line

    def __str__(self) -> str:
        parts = (self.file, "" if self.line is None else f"line {self.line}")
        where = ", ".join(part for part in parts if part)
        return f"{where}: {super().__str__()}" if where else super().__str__()

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"file": self.file, "line": self.line}
        return type(self), (self.what, self.value, self.reason, self.remedy), state


class NeverOpens(ItsmError):
    """A calendar without (further) open time was asked to count some."""


class BeyondHorizon(ItsmError, OverflowError):
    """An instant or a result lies outside the years that a calendar can count."""


class _Reasoned(ItsmError):
    """An error made of reasons; the message is all of them."""

    reasons: tuple[Reason, ...]

    def __init__(self, subject: str, reasons: Sequence[Reason]) -> None:
        self.subject, self.reasons = subject, tuple(reasons)
        super().__init__(f"{subject}: " + "; ".join(str(r) for r in self.reasons))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.subject, self.reasons)

    @property
    def codes(self) -> tuple[str, ...]:
        """The stable codes of all reasons, in order."""
        return tuple(reason.code for reason in self.reasons)


class UnsoundLifecycle(_Reasoned):
    """A lifecycle definition that cannot work; lists every finding."""


class TransitionRefused(_Reasoned):
    """A command was refused and nothing was changed; lists all reasons at once."""


class RecordNotFound(ItsmError, LookupError):
    """No record has this id in the store."""

    def __init__(self, record: str) -> None:
        self.record = record
        super().__init__(f"no record {record!r} in this store; check the id or open the record first")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.record,)


class VersionConflict(ItsmError):
    """Somebody else changed the record first; load it again and repeat the command."""

    def __init__(self, record: str, expected: int, actual: int) -> None:
        self.record, self.expected, self.actual = record, expected, actual
        super().__init__(
            f"record {record!r} is at version {actual}, not {expected}; load it again and decide anew"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.record, self.expected, self.actual)


class StoreError(ItsmError):
    """A store cannot do what was asked."""


class StoreUnreadable(StoreError):
    """The file is damaged, is not ours, or was written by a newer version; `record`: the one, if known."""

    def __init__(self, message: str, record: str | None = None) -> None:
        self.record = record
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.record)


class StoreBusy(StoreError):
    """Another process holds the store and did not let go in time."""
