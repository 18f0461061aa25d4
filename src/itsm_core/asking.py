"""What a desk is asked, as generators without I/O: all that both desks have in common.

`ServiceDesk` and `AsyncServiceDesk` are a `Desk` each, and add how a generator is run: on a store, or
on one that is awaited.
"""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import attrs

from itsm_core import delivery, naming, road
from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.instants import in_utc
from itsm_core.commands import Asked, Command, complete
from itsm_core.errors import InvalidValue
from itsm_core.escalation import EscalationPolicy, Resolver, by_id
from itsm_core.events import Audience, Direction
from itsm_core.lifecycle import CustomField, Lifecycle
from itsm_core.lifecycle.majors import PROCESS as MAJOR_PROCESS
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.ports import Ask, Criteria, Query
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.processes import (
    PROPAGATIONS,
    SHIPPED,
    Declined,
    MajorRules,
    ProblemProposal,
    Propagation,
    Proposal,
    Recurring,
)
from itsm_core.records import Record
from itsm_core.sla import Agreement, Clock
from itsm_core.values import as_fields, called, digest, each, is_awaited, named

T = TypeVar("T")
S = TypeVar("S")
N = TypeVar("N")
D = TypeVar("D")
Asks = Generator[Any, Any, T]
Given = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Tick:
    """What one `tick` did: `failures` are (message key, reason), `stuck` are (record id, error).

    `expired` records moved because their time in a state was over; of `briefed` major incidents top
    management was told by their cadence. A failed message is not tried
    again. A stuck record is, in a minute; it is stuck, too, while it cannot be found out who is to be told.
    `superseded` messages were not sent since something newer took their place, and `expired_messages`
    since their time was over.
    """

    expired: int = 0
    escalated: int = 0
    delivered: int = 0
    retried: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    stuck: tuple[tuple[str, Exception], ...] = ()
    briefed: int = 0
    superseded: int = 0
    expired_messages: int = 0

    def __repr__(self) -> str:
        told = ((field.name, getattr(self, field.name)) for field in attrs.fields(type(self)))
        return f"Tick({', '.join(f'{name}={value!r}' for name, value in told if value)})"


class Desk(Generic[S, N, D]):
    """The terms that a desk on a store of kind `S` is run by, and what it is asked."""

    _awaits = False

    def __init__(
        self,
        store: S,
        *,
        agreement: Agreement | Sequence[Agreement] | None = None,
        policy: EscalationPolicy | Sequence[EscalationPolicy] | None = None,
        lifecycles: Lifecycle | Sequence[Lifecycle] = SHIPPED,
        calendar: BusinessCalendar | None = None,
        matrix: PriorityMatrix = matrix_3x3_p5,
        notifiers: Mapping[str, N] | N | None = None,
        resolver: Resolver = by_id,
        directory: D | None = None,
        clock: Callable[[], dt.datetime] | None = None,
        custom_fields: Sequence[CustomField] = (),
        number: Callable[[str], str] = naming.number,
        propagations: Iterable[Propagation] = PROPAGATIONS,
        majors: MajorRules | None = None,
        worker: str | None = None,
        lang: str = "en",
        retries: Mapping[str, delivery.Retries] | delivery.Retries | None = None,
    ) -> None:
        self.store = _checked(store, self._awaits)
        self.terms = road.Terms(
            lifecycles=lifecycles,
            calendar=calendar,
            agreements=agreement,
            policies=policy,
            matrix=matrix,
            resolver=resolver,
            asks_directory=directory is not None,
            custom=custom_fields,
            salt=naming.unique,
            lang=lang,
            majors=MajorRules() if majors is None else majors,
        )
        self._notifiers: dict[str, N] = _sending(notifiers, self.terms, self._awaits)
        self._retries, self._directory = delivery.merged(retries), _directory(directory, self._awaits)
        self._clock = clock if clock is None else called(clock, "clock", "give lambda: datetime.now(UTC)")
        self._number, self._propagations = _numbering(number), tuple(propagations)
        self._worker = worker or f"desk-{naming.unique()[:8]}"

    # --- commands: each goes through the one door ---------------------------------------------

    def _open(
        self,
        title: str,
        process: str | None,
        fields: Given | None,
        record_id: str | None,
        external_ref: str | None,
        asked: Asked,
    ) -> Asks[Record]:
        held = {"title": title, **(fields if isinstance(fields, Mapping) else as_fields(fields))}
        lifecycle = self.terms.lifecycle_for(process, held)
        actor, command_id = asked["actor"], asked.get("command_id")
        if isinstance(actor, Actor) and actor.is_person:
            held.setdefault("requester", actor.id)
        if external_ref:
            more = held.get("external_refs") or ()
            held["external_refs"] = (external_ref, *((more,) if isinstance(more, str) else more))
            command_id = command_id or f"open/{digest([held.get('tenant'), external_ref])}"
        held["record"] = record_id or self._number(lifecycle.process)
        held.setdefault("number", held["record"])
        command = self._command("open", held, {**asked, "command_id": command_id})
        return road.open_part(self.terms, command, lifecycle.id, repeatable=command_id is not None)

    def _carry_each(
        self, record_ids: Iterable[str], trigger: str, fields: Given, asked: Asked
    ) -> Asks[dict[str, Record | Exception]]:
        """One after the other, each for itself: what became of it, or why not."""
        remedy = 'list the ids: ["INC-1", "INC-2"]'
        names = dict.fromkeys(each(str, record_ids, "record ids", remedy))
        if asked.get("expected") is not None:
            remedy = "leave it out, or fire one by one"
            raise InvalidValue("expected", asked["expected"], "is a version of one record only", remedy)
        told, command_id = dict[str, Record | Exception](), asked.get("command_id")
        for name in names:
            part = digest(name) if "#" in name else name  # "#" marks the ids of consequences
            own: Asked = {**asked, "command_id": command_id and f"{command_id}/{part}"}
            try:
                told[name] = yield from self._carry(name, trigger, fields, own)
            except Exception as error:
                told[name] = error
        return told

    def _carry(self, record_id: str, trigger: str, fields: Given, asked: Asked) -> Asks[Record]:
        repeatable = asked.get("command_id") is not None
        command = self._command(trigger, fields, asked)
        return road.carry(self.terms, record_id, command, repeatable=repeatable)

    def _communicate(
        self,
        record_id: str,
        text: str,
        audience: Audience | str,
        promise_due: dt.datetime | None,
        fields: Given | None,
        asked: Asked,
    ) -> Asks[Record]:
        held = {"text": text, "audience": audience, "promise_due": promise_due, **as_fields(fields)}
        return self._carry(record_id, "communicate", _known(held), asked)

    def _receive(
        self, record_id: str, text: str, message_id: str, automatic: bool, fields: Given | None, asked: Asked
    ) -> Asks[Record]:
        held = {
            "text": text,
            "message_id": message_id,
            "direction": Direction.INBOUND,
            "audience": Audience.INTERNAL,
            "automatic": automatic or None,
            **as_fields(fields),
        }
        received = f"receive/{digest([record_id, message_id])}"
        command = self._command("receive", _known(held), {**asked, "command_id": received})
        return road.receive(self.terms, record_id, command, reference=self._number)

    def _note(self, record_id: str, text: str, asked: Asked) -> Asks[Record]:
        return self._carry(record_id, "note", {"text": text}, asked)

    def _assign(
        self, record_id: str, group: str | None, assignee: str | None, owner: str | None, asked: Asked
    ) -> Asks[Record]:
        held = _known({"group": group, "assignee": assignee, "owner": owner})
        return self._carry(record_id, "assign", held, asked)

    def _link(self, record_id: str, relation: str, other: str, asked: Asked) -> Asks[Record]:
        return self._carry(record_id, "link", {"relation": relation, "other": other}, asked)

    def _correct(
        self, record_id: str, event_id: str, field: str, now: Any, reason: str, asked: Asked
    ) -> Asks[Record]:
        held = {"event": event_id, "field": field, "now": now, "reason": reason}
        return self._carry(record_id, "correct", held, asked)

    # --- who is on it ---------------------------------------------------------------------------

    def _acknowledge(self, record_id: str, reason: str | None, asked: Asked) -> Asks[Record]:
        return self._carry(record_id, "acknowledge", _known({"reason": reason}), asked)

    def _snooze(self, record_id: str, until: dt.datetime, reason: str | None, asked: Asked) -> Asks[Record]:
        return self._carry(record_id, "snooze", _known({"until": until, "reason": reason}), asked)

    def _escalate_now(
        self, record_id: str, step: str | None, reason: str | None, asked: Asked
    ) -> Asks[Record]:
        held = _known({"escalation_step": step, "reason": reason})
        return self._carry(record_id, "escalate_now", held, asked)

    def _migrate_policy(
        self, record_id: str, version: int, reason: str, mode: str, policy: str | None, asked: Asked
    ) -> Asks[Record]:
        held = {
            "escalation_policy": policy, "escalation_policy_version": version, "escalation_mode": mode,
            "reason": reason,
        }  # fmt: skip
        return self._carry(record_id, "migrate_policy", _known(held), asked)

    # --- one record after another -------------------------------------------------------------

    def _retype(self, record_id: str, process: str, fields: Given | None, asked: Asked) -> Asks[Record]:
        command = self._command("retype", fields or {}, asked)
        return road.retype(self.terms, record_id, process, command, self._number)

    def _split(self, record_id: str, title: str, fields: Given | None, asked: Asked) -> Asks[Record]:
        command = self._command("open", {"title": title, **as_fields(fields)}, asked)
        return road.split(self.terms, record_id, command, self._number)

    def _merge(self, record_id: str, into: str, fields: Given | None, asked: Asked) -> Asks[Record]:
        return road.merge(self.terms, record_id, into, self._command("merge", fields or {}, asked))

    def _migrate(self, record_id: str, plan: MigrationPlan, reason: str, asked: Asked) -> Asks[Record]:
        command = self._command("migrate", {"reason": reason}, asked)
        return road.migrate(self.terms, record_id, plan, command)

    # --- questions ----------------------------------------------------------------------------

    def _get(self, record_id: str) -> Asks[Record]:
        return (yield from road.standing(record_id)).record

    def _proposals(self, record_id: str) -> Asks[tuple[Proposal, ...]]:
        return road.proposals_of(self.terms, record_id, self._propagations)

    def _recurring(
        self, rule: Recurring | None, at: dt.datetime, declined: Iterable[Declined]
    ) -> Asks[tuple[ProblemProposal, ...]]:
        return road.recurring_in(rule, at, declined)

    def _clocks(self, record_id: str, at: dt.datetime) -> Asks[dict[str, Clock]]:
        return (yield from road.standing(record_id)).clocks(self.terms, in_utc(at))

    def _find(self, criteria: Criteria) -> Asks[tuple[Record, ...]]:
        found: tuple[Record, ...] = yield Ask("find", (Query.of(criteria),))
        return found

    def _next_due(self) -> Asks[dt.datetime | None]:
        due: list[dt.datetime | None] = []
        kinds = [road.escalation(policy) for policy in dict.fromkeys(one.id for one in self.terms.policies)]
        kinds += [road.BRIEFING] if self._takes_majors() else []
        kinds += [road.BY_ITSELF] if any(one.timed for one in self.terms.lifecycles) else []
        kinds += ["message"] if self._notifiers else []
        for kind in kinds:
            due += [(yield Ask("next_due", (kind,)))]
        return min((at for at in due if at is not None), default=None)

    # --- time passes --------------------------------------------------------------------------

    def _rearm(self, record_id: str, at: dt.datetime) -> Asks[Record]:
        return road.rearm(self.terms, record_id, in_utc(at))

    def _lag(self, now: dt.datetime) -> Asks[dt.timedelta]:
        due, now = (yield from self._next_due()), in_utc(now, "now")
        return dt.timedelta(0) if due is None else max(now - due, dt.timedelta(0))

    def _tick(self, now: dt.datetime, clock: Callable[[], dt.datetime] | None) -> Asks[Tick]:
        return road.sparing(self._passed(now, clock))

    def _passed(self, now: dt.datetime, clock: Callable[[], dt.datetime] | None) -> Asks[Tick]:
        now = in_utc(now, "now")
        expired, left = yield from road.expiries(self.terms, now, self._worker)
        briefed, silent = yield from self._briefings(now)
        escalated, stuck = yield from road.escalations(self.terms, now, self._worker)
        sent = delivery.Relayed()
        if self._notifiers:
            forward = partial(road.post, self.terms)
            by = delivery.Relay(retries=self._retries, look=road.look, forward=forward, clock=clock)
            sent = yield from delivery.relay(now, self._worker, by)
        return Tick(
            expired=expired,
            escalated=escalated,
            delivered=sent.delivered,
            retried=sent.retried,
            failures=sent.failures,
            stuck=(*left, *silent, *stuck, *sent.stuck),
            briefed=briefed,
            superseded=sent.superseded,
            expired_messages=sent.expired,
        )

    def _takes_majors(self) -> bool:
        return any(one.process == MAJOR_PROCESS for one in self.terms.lifecycles)

    def _briefings(self, now: dt.datetime) -> Asks[tuple[int, tuple[tuple[str, Exception], ...]]]:
        if not self._takes_majors():
            return 0, ()
        return (yield from road.briefings(self.terms, now, self._worker))

    def _command(self, trigger: str, fields: Given, asked: Asked) -> Command:
        command_id = complete(asked).get("command_id")
        if isinstance(command_id, str) and "#" in command_id:
            raise InvalidValue("command_id", command_id, "holds a #", "# marks the ids of consequences")
        return Command(
            trigger,
            asked["actor"],
            at=asked["at"],
            fields=fields,
            expected=asked.get("expected"),
            channel=asked.get("channel"),
            on_behalf_of=asked.get("on_behalf_of"),
            id=command_id or naming.unique(),
            recorded_at=None if self._clock is None else self._clock(),
        )


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _sending(notifiers: Mapping[str, N] | N | None, terms: road.Terms, awaited: bool) -> dict[str, N]:
    """The notifiers by channel, which know what the policies name."""
    found = delivery.by_channel(notifiers, terms.policies, has_directory=terms.asks_directory)
    for channel, one in found.items():
        _called_here("notifiers", one, awaited, f" (channel {channel!r})")
    return found


def _directory(directory: D | None, awaited: bool) -> D | None:
    """The directory, which is called, and awaited by a desk that awaits."""
    remedy = "give a function of a name and an instant, see ports.Directory"
    if directory is not None and not callable(directory):
        raise InvalidValue("directory", directory, "cannot be called", remedy)
    _called_here("directory", directory, awaited)
    return directory


def _called_here(what: str, one: object, awaited: bool, about: str = "") -> None:
    """Refuses an async function for a desk that awaits nothing: it would be called, and never run."""
    if not awaited and is_awaited(one):
        raise InvalidValue(
            what, one, f"has to be awaited{about}", "take AsyncServiceDesk, or give a plain function"
        )


def _numbering(number: Callable[[str], str]) -> Callable[[str], str]:
    """The host's own numbers, each looked at: it names a record."""
    remedy = 'give a function of a process, such as "incident", that returns a new text, such as "INC-7"'
    called(number, "number", remedy)
    return lambda process: named(number(process), "number", remedy)


def _checked(store: S, awaited: bool) -> S:
    """The store, if it is one of the kind that the desk runs on."""
    commit = getattr(store, "commit", None)
    if commit is None or isinstance(store, type) or not hasattr(store, "claim"):
        remedy = "open one: " + ("await stores.open_async" if awaited else "stores.open") + '("desk.db")'
        raise InvalidValue(
            "store", store, "is no store", f"{remedy}, or make one of a connection by its `on`"
        )
    if inspect.iscoroutinefunction(inspect.unwrap(commit)) != awaited:
        remedy = "open it with stores.open_async" if awaited else "take AsyncServiceDesk"
        told = "has to be awaited" if not awaited else "cannot be awaited"
        raise InvalidValue("store", store, told, f"{remedy}, or a store of the other kind")
    return store
