"""What is known of one record: its state, what all processes share, votes, waivers.

What all processes share is a named property; everything else lies in `values`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, TypeVar, overload

import attrs

from itsm_core.events import Phase, WaitsOn
from itsm_core.priority import Level, Priority
from itsm_core.records.escalations import NO_ESCALATION, Escalation
from itsm_core.records.majors import MajorIncident
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
class Vote:
    """A voice in an approval round; `on_behalf_of` names whose it is if somebody else casts it.

    `approved_by` is the person who approved what an AI agent did.
    """

    voter: str
    choice: str
    at: dt.datetime = attrs.field(kw_only=True)
    on_behalf_of: str | None = attrs.field(default=None, kw_only=True)
    event: str | None = attrs.field(default=None, kw_only=True)
    approved_by: str | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(kw_only=True)
class Round:
    """One asking for approval: the rule as it was then, the votes, and what ended it early.

    `id` is the event that opened it. `rule` is plain data, read by `itsm_core.approvals`; a change of
    a field among its `material` ones ends the round ("edited"), going back to the start too
    ("revised"), and a new round takes the place of the one before ("replaced").
    """

    id: str
    opened_at: dt.datetime
    by: str
    rule: Fields
    votes: tuple[Vote, ...] = ()
    ended: str | None = None
    ended_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Waiver:
    """A separation of duties set aside for one record: by whom, why, until when, and what makes up for it.

    `by` answers for it: for an AI agent that is the person who approved what it did. `reason` is
    personal, as every free text is: it may be erased.
    """

    trigger: str
    separate_from: str
    by: str
    at: dt.datetime
    until: dt.datetime
    review: str
    event: str
    reason: str | None = attrs.field(default=None, repr=False)

    def covers(self, trigger: str, separate_from: str, at: dt.datetime | None) -> bool:
        """Whether it lets one person fire both triggers, at an instant from `at` on and before `until`."""
        same = (self.trigger, self.separate_from) == (trigger, separate_from)
        return same and (at is None or self.at <= at < self.until)


@attrs.frozen
class Record:
    """The state of one incident, problem, change, request or task, as its events tell it.

    `version` is the seq of the newest event; `touched` that of the newest one that is not the
    machinery's own (escalations do not make a person's view stale). `acted` names who last fired each
    trigger, then for whom, and who approved it of an AI agent ("open" also keeps requesters of before);
    `attempts` are the contacts that a person sought since the requester was last heard. `migrated_at`
    is when another lifecycle took over.
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
    acted: tuple[tuple[str, str], ...] = attrs.field(default=(), kw_only=True)
    attempts: tuple[dt.datetime, ...] = attrs.field(default=(), kw_only=True)
    waivers: tuple[Waiver, ...] = attrs.field(default=(), kw_only=True)
    rounds: tuple[Round, ...] = attrs.field(default=(), kw_only=True)
    migrated_at: dt.datetime | None = attrs.field(default=None, kw_only=True)
    major_incident: MajorIncident | None = attrs.field(default=None, kw_only=True)
    escalation: Escalation = attrs.field(default=NO_ESCALATION, kw_only=True)

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
    hold_reason = _Known[str | None]("Why it is on hold.")
    security = _Known[bool]("Whether it is about information security.", default=False)
    complaint = _Known[bool]("Whether it is a complaint.", default=False)

    @property
    def major(self) -> bool:
        """Whether it is handled as a major incident: accepted as one, or marked so by a field."""
        told = self.major_incident
        return (told is not None and told.is_accepted) or bool(self.values.get("major"))

    @property
    def restricted(self) -> bool:
        """Whether only named people may see it; what is about security is, unless told otherwise."""
        told: bool | None = self.values.get("restricted")
        return self.security if told is None else told

    @property
    def round(self) -> Round | None:
        """The approval round that counts: the newest one, unless something ended it."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].ended is None else None

    def actor_of(self, trigger: str) -> str | None:
        """Who last fired a trigger ("open" is one); None if nobody did."""
        return next((who for what, who in self.acted if what == trigger), None)

    def hands_of(self, trigger: str) -> frozenset[str]:
        """Whose hands were in the last firing of a trigger; of "open" the requester's are, too."""
        hands = {who for what, who in self.acted if what == trigger}
        if trigger == "open" and self.requester is not None:
            hands.add(self.requester)
        return frozenset(hands)

    def __repr__(self) -> str:
        shown = (
            "restricted" if self.restricted else f"{self.priority or 'no priority'}, version {self.version}"
        )
        return f"<{self.process} {self.number or self.id}: {self.state}, {shown}>"
