"""What is known of a record: the fold of its events.

`fold(events)` and `apply(record, event)` are one rule; a record holds nothing that its events
do not say. What all processes share is a named property; everything else lies in `values`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Generic, TypeVar, overload

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Event, Phase, WaitsOn, effective
from itsm_core.priority import Level, Priority
from itsm_core.values import NO_FIELDS, Fields

T = TypeVar("T")


class _Known(Generic[T]):
    """A property that reads one name of `values`; absent is the default."""

    def __init__(self, doc: str, read: Any = None, default: Any = None) -> None:
        self.__doc__, self._read, self._default = doc, read, default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, record: None, owner: type) -> _Known[T]: ...
    @overload
    def __get__(self, record: Record, owner: type) -> T: ...
    def __get__(self, record: Record | None, owner: type) -> Any:
        if record is None:
            return self
        value = record.values.get(self._name)
        if value is None:
            return self._default
        return value if self._read is None else self._read(value)


@attrs.frozen
class Record:
    """The state of one incident, problem, change, request or task, as its events tell it.

    `version` is the seq of the newest event; `touched` that of the newest one that is not the
    machinery's own (escalations do not make a person's view stale).
    """

    id: str
    process: str
    lifecycle: str = attrs.field(kw_only=True)
    lifecycle_version: int = attrs.field(kw_only=True)
    state: str = attrs.field(kw_only=True)
    phase: Phase = attrs.field(kw_only=True)
    version: int = attrs.field(default=0, kw_only=True)
    touched: int = attrs.field(default=0, kw_only=True)
    opened_at: dt.datetime | None = attrs.field(default=None, kw_only=True)
    changed_at: dt.datetime | None = attrs.field(default=None, kw_only=True)
    entered_at: dt.datetime | None = attrs.field(default=None, kw_only=True)
    waits_on: WaitsOn | None = attrs.field(default=None, kw_only=True)
    outcome: str | None = attrs.field(default=None, kw_only=True)
    reopened: int = attrs.field(default=0, kw_only=True)
    reassigned: int = attrs.field(default=0, kw_only=True)
    tenant: str | None = attrs.field(default=None, kw_only=True)
    links: tuple[tuple[str, str], ...] = attrs.field(default=(), kw_only=True)
    fired: frozenset[str] = attrs.field(default=frozenset(), kw_only=True)
    values: Fields = attrs.field(default=NO_FIELDS, kw_only=True)
    personal: frozenset[str] = attrs.field(default=frozenset(), kw_only=True)

    number = _Known[str | None]("The number people call it by.")
    title = _Known[str | None]("One sentence that says what is the matter (personal).")
    service = _Known[str | None]("The service it concerns.")
    customer = _Known[str | None]("The party to the agreement.")
    requester = _Known[str | None]("Who asked (personal).")
    affected = _Known[Any]("For whom, or how many (personal).")
    channel = _Known[str | None]("How it came in: phone, email, portal, chat, walk_in, monitoring.")
    category = _Known[str | None]("Its category.")
    configuration_items = _Known[tuple[str, ...]]("The configuration items concerned.", default=())
    impact = _Known[Level | None]("Its impact.", Level.of)
    urgency = _Known[Level | None]("Its urgency.", Level.of)
    priority = _Known[Priority | None]("Its priority.", Priority.of)
    priority_reason = _Known[str | None]("Why the priority is not the matrix's.")
    agreement = _Known[str | None]("Id and version of the agreement it was opened under.")
    owner = _Known[str | None]("Who is accountable; survives reassignment.")
    group = _Known[str | None]("The group that works on it.")
    assignee = _Known[str | None]("The person who works on it.")
    external_refs = _Known[tuple[str, ...]]("What other systems call it.", default=())
    needs = _Known[Any]("What the requester needs: language, assistance, more time (personal).")
    restricted = _Known[bool]("Whether only named people may see it.", default=False)
    hold_reason = _Known[str | None]("Why it is on hold.")

    def __repr__(self) -> str:
        shown = (
            "restricted" if self.restricted else f"{self.priority or 'no priority'}, version {self.version}"
        )
        return f"<{self.process} {self.number or self.id}: {self.state}, {shown}>"


def apply(record: Record | None, event: Event) -> Record:
    """The record after one more event, which must be the next in order and no correction."""
    draft = _draft(record) if record is not None else _first(event)
    _step(draft, event)
    return Record(**draft)


def fold(events: Iterable[Event]) -> Record:
    """The record that these events tell, in any order, corrections applied."""
    ordered = effective(events)
    opening = next((event for event in ordered if event.kind == "opened"), None)
    if opening is None:
        kinds = [event.kind for event in ordered]
        raise InvalidValue("history", kinds, "holds no `opened` event", "give the whole history")
    draft = _first(opening)
    _step(draft, opening)
    for event in ordered:
        if event is not opening:  # also first where a correction moved it behind others
            _step(draft, event)
    return Record(**draft)


def follows(record: Record, event: Event) -> bool:
    """Whether `apply` suffices; if not (late event, correction), fold all events anew."""
    if event.kind == "corrected" or event.seq <= record.version:
        return False
    return record.changed_at is None or event.occurred_at >= record.changed_at


_NAMES = tuple(field.name for field in attrs.fields(Record))
_ALL_OF = attrgetter(*_NAMES)
_PHASES = {phase.value: phase for phase in Phase}
_ABOUT_THE_STEP = frozenset({"trigger", "phase", "waits_on", "process", "outcome", "reopens"})


def _draft(record: Record) -> dict[str, Any]:
    return dict(zip(_NAMES, _ALL_OF(record), strict=True))


def _first(event: Event) -> dict[str, Any]:
    if event.kind != "opened":
        raise InvalidValue(
            "history",
            event.kind,
            f"of record {event.record} does not begin with an `opened` event",
            "give the whole history",
        )
    return {
        "id": event.record,
        "process": event.fields.get("process", "incident"),
        "lifecycle": event.lifecycle or "",
        "lifecycle_version": event.lifecycle_version or 1,
        "state": event.to_state or "new",
        "phase": Phase(event.fields.get("phase", "new")),
        "opened_at": event.occurred_at,
        "tenant": event.tenant,
        "values": NO_FIELDS,
        "touched": 0,
        "links": (),
        "fired": frozenset(),
        "personal": frozenset(),
        "reopened": 0,
        "reassigned": 0,
        "waits_on": None,
        "version": 0,
    }


def _step(draft: dict[str, Any], event: Event) -> None:
    """Changes the draft by one event, whatever its kind."""
    draft["version"] = max(draft["version"], event.seq)
    draft["changed_at"] = event.occurred_at
    if event.kind not in _MACHINERY:
        draft["touched"] = max(draft["touched"], event.seq)
    step = _STEPS.get(event.kind)
    if step is not None:
        step(draft, event)


_MACHINERY = frozenset({"escalated", "refused"})


def _values(draft: dict[str, Any], event: Event) -> None:
    news = {n: v for n, v in event.fields.items() if n not in _ABOUT_THE_STEP}
    if news:
        draft["values"] = Fields({**draft["values"], **news})
    if event.personal:
        draft["personal"] = draft["personal"].union(event.personal)


def _transitioned(draft: dict[str, Any], event: Event) -> None:
    before = draft["phase"]
    if event.to_state is not None:
        draft["state"] = event.to_state
    draft["phase"] = phase = _PHASES[event.fields.get("phase", before)]
    draft["entered_at"] = event.occurred_at
    waits = event.fields.get("waits_on")
    draft["waits_on"] = None if waits is None else WaitsOn(waits)
    draft["outcome"] = event.fields.get("outcome")
    if phase.is_open and not before.is_open:
        draft["reopened"] += 1
    _values(draft, event)
    if phase is not Phase.WAITING and not _HOLD.isdisjoint(draft["values"]):
        draft["values"] = Fields({n: v for n, v in draft["values"].items() if n not in _HOLD})


_HOLD = frozenset({"hold_reason", "look_again_at"})


def _opened(draft: dict[str, Any], event: Event) -> None:
    if event.channel is not None:
        draft["values"] = Fields({**draft["values"], "channel": event.channel})
    _transitioned(draft, event)


def _assigned(draft: dict[str, Any], event: Event) -> None:
    held = draft["values"]
    if any(held.get(n) not in (None, v) for n, v in event.fields.items() if n in ("group", "assignee")):
        draft["reassigned"] += 1
    _values(draft, event)


def _linked(draft: dict[str, Any], event: Event) -> None:
    link = (event.fields["relation"], event.fields["other"])
    if link not in draft["links"]:
        draft["links"] = (*draft["links"], link)


def _escalated(draft: dict[str, Any], event: Event) -> None:
    draft["fired"] = draft["fired"] | {event.fields["key"]}


_STEPS = {
    "opened": _opened,
    "transitioned": _transitioned,
    "assigned": _assigned,
    "reprioritised": _values,
    "linked": _linked,
    "escalated": _escalated,
}
