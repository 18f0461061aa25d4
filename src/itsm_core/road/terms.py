"""The terms a desk is run by, and where a record stands."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.escalation import EscalationPolicy, Inform, Resolver, by_id, policy_for, wording
from itsm_core.escalation.answering import Shifts, check_answers, listed, shifts_of
from itsm_core.events import Event
from itsm_core.lifecycle import TOLERANCE, CustomField, FieldType, Lifecycle
from itsm_core.lifecycle.timers import TIME
from itsm_core.ports import Ask
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.processes.major import MajorRules
from itsm_core.processes.request_model import of_model
from itsm_core.records import Record, apply, fold, follows
from itsm_core.responders import MANAGER_OF
from itsm_core.sla import Agreement, Clock, Metric, Timeline, clocks_at, trace
from itsm_core.sla.agreements.agreement import judged_by, opened_under
from itsm_core.sla.tracing import extended
from itsm_core.values import NO_FIELDS, each, is_awaited, named, only


def escalation(policy: str) -> str:
    """The kind of the timers that wake the escalations of a policy, by its id: each policy has its own."""
    return f"escalation/{policy}"


MACHINE = TIME
"""Who acts when the library itself carries out a consequence."""

AGAIN = dt.timedelta(minutes=1)
"""After how long what could not be done is tried again."""

ATTEMPTS = 20
"""How often a command is decided anew after losing a race before the conflict is raised."""

OnItsWay = Generator[Ask, Any, Record]
Wording = Callable[[Inform, Record, str], tuple[str, str]]


def _is(kind: type, remedy: str) -> Any:
    """A validator that names what is wrong when somebody passes a text for a thing."""

    def check(_: Any, field: Any, value: Any) -> None:
        only(kind, value, field.name, remedy)

    return check


def _answers(_: Any, __: Any, value: Any) -> None:
    if not callable(value):
        remedy = 'give a function of a name, a record and an instant, such as OnCall({"network": schedule})'
        raise InvalidValue("resolver", value, "cannot be called", remedy)
    if is_awaited(value):
        remedy = "give a plain function; what has to be awaited is the directory= of an AsyncServiceDesk"
        raise InvalidValue("resolver", value, "has to be awaited", remedy)


V = TypeVar("V", Agreement, EscalationPolicy)
_AGREEMENT = (
    'make one: default_agreement(calendar), or read one: config.load_agreement("agreement.toml"); or give a '
    "list of them"
)
_POLICY = (
    'make one: EscalationPolicy(id, version, steps=[...]), or read one: config.load_policy("line.toml"); '
    "or give a list of them"
)
_FIELD = 'declare it in a list: [CustomField("room", "text")]'
_LIFECYCLE = "take INCIDENT, or make one: Lifecycle(...)"
_CALENDAR = 'make one: BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")'


def _several(value: Lifecycle | Sequence[Lifecycle]) -> tuple[Lifecycle, ...]:
    found = (value,) if isinstance(value, Lifecycle) else each(Lifecycle, value, "lifecycles", _LIFECYCLE)
    if not found:
        raise InvalidValue("lifecycles", value, "are none", _LIFECYCLE)
    known: dict[tuple[str, int], Lifecycle] = {}
    for one in found:
        first = known.setdefault((one.id, one.version), one)
        if first.fingerprint != one.fingerprint or first.guards != one.guards:
            told = f"{one.id} {one.version}"
            raise InvalidValue("lifecycles", told, "is the name of two", "give a changed one a new version")
    return tuple(known.values())


def _fields(value: Sequence[CustomField] | None) -> tuple[CustomField, ...]:
    return () if value is None else each(CustomField, value, "custom_fields", _FIELD)


def _policies(value: EscalationPolicy | Sequence[EscalationPolicy] | None) -> tuple[EscalationPolicy, ...]:
    """One policy, or several and their versions; the newest of the first that covers a record is pinned."""
    if value is None or isinstance(value, EscalationPolicy):
        return () if value is None else (value,)
    return _distinct("policy", each(EscalationPolicy, value, "policy", _POLICY))


def _agreements(value: Agreement | Sequence[Agreement] | None) -> tuple[Agreement, ...]:
    """One agreement, or several and their versions; the first that covers a new record judges it."""
    if value is None or isinstance(value, Agreement):
        return () if value is None else (value,)
    return _distinct("agreement", each(Agreement, value, "agreement", _AGREEMENT))


def _distinct(what: str, found: tuple[V, ...]) -> tuple[V, ...]:
    """Each once; refused are two that differ and bear one name: the second would be passed over."""
    known: dict[tuple[str, int], V] = {}
    for one in found:
        if known.setdefault((one.id, one.version), one) != one:
            told = f"{one.id} {one.version}"
            raise InvalidValue(what, told, "is the name of two", "give a changed one a new version")
    return tuple(known.values())


Shifting: TypeAlias = Iterator[tuple[dt.datetime, tuple[str, ...]]]


class KnownShifts:
    """The `Shifts` that a resolver can tell just now; `failed` is what it raised instead of the others."""

    def __init__(self, shifts: Shifts) -> None:
        self._shifts = shifts
        self.failed: Exception | None = None

    def __call__(self, name: str, since: dt.datetime) -> Shifting:
        """As far as it goes, and as long as it is in order."""
        try:
            yield from _in_order(name, since, self._shifts(name, since))
        except Exception as error:
            self.failed = error


def _in_order(name: str, since: dt.datetime, shifts: Iterable[tuple[dt.datetime, Any]]) -> Shifting:
    """Each change after the one before and after `since`; what fired at another would fire for ever."""
    newest: dt.datetime | None = None
    for when, people in shifts:
        at = in_utc(when)
        if newest is not None and at <= newest:
            told = f"is a change of {name!r} that does not come after {newest.isoformat()}"
            remedy = "let shifts(name, since) say who it is then, and each later change in order"
            raise InvalidValue("shifts", at.isoformat(), told, remedy)
        newest = max(at, since)
        yield at, listed(people)


@attrs.frozen(kw_only=True)
class Terms:
    """What a desk is run by: lifecycles, matrix, agreements, policies, and who answers to a name.

    The first agreement that covers a new record is written into its opening and judges it from
    then on, as long as it stands among `agreements`; so keep old versions there. A later version with
    `on_policy_change="reassess_open"` takes over those that are still open as it begins; set their timers
    anew then (`ServiceDesk.rearm`). A record stays on
    the lifecycle it was opened on until it is migrated; new ones begin on the newest version of
    their process. `calendar` counts the time of timer edges and guards (None: around the clock), and of
    escalations that wait in business time. The version of a policy that a record was opened under is
    pinned: keep old versions among `policies` until their records are done, or migrate them. `majors` says
    what proposes a major incident, and the procedure that one is accepted under.
    """

    salt: Callable[[], str]
    lifecycles: tuple[Lifecycle, ...] = attrs.field(converter=_several)
    calendar: BusinessCalendar | None = attrs.field(
        default=None, validator=attrs.validators.optional(_is(BusinessCalendar, _CALENDAR))
    )
    agreements: tuple[Agreement, ...] = attrs.field(default=(), converter=_agreements)
    policies: tuple[EscalationPolicy, ...] = attrs.field(default=(), converter=_policies)
    matrix: PriorityMatrix = attrs.field(
        default=matrix_3x3_p5, validator=_is(PriorityMatrix, "take matrix_3x3_p5 or matrix_3x3_p4")
    )
    resolver: Resolver = attrs.field(default=by_id, validator=_answers)
    asks_directory: bool = False
    majors: MajorRules = attrs.field(
        factory=MajorRules, validator=_is(MajorRules, "make them: MajorRules(criteria=...)")
    )
    tolerance: dt.timedelta = TOLERANCE
    custom: tuple[CustomField, ...] = attrs.field(default=(), converter=_fields)
    wording: Wording = wording
    lang: str = "en"
    reply_channel: str = "email"
    _ruling: Mapping[tuple[str, int], Lifecycle] = attrs.field(init=False, eq=False, repr=False)

    @_ruling.default
    def _by_version(self) -> Mapping[tuple[str, int], Lifecycle]:
        return {(one.id, one.version): one for one in self.lifecycles}

    _newest: Mapping[str, Lifecycle] = attrs.field(init=False, eq=False, repr=False)

    @_newest.default
    def _by_name(self) -> Mapping[str, Lifecycle]:
        """The newest version of the first lifecycle by each process and id."""
        first: dict[str, Lifecycle] = {}
        for one in self.lifecycles:
            first.setdefault(one.process, one)
            first.setdefault(one.id, one)
        return {name: self._newest_of(one) for name, one in first.items()}

    def _newest_of(self, known: Lifecycle) -> Lifecycle:
        return max((one for one in self.lifecycles if one.id == known.id), key=lambda one: one.version)

    def lifecycle_of(self, record: Record) -> Lifecycle:
        """The lifecycle that rules a record, or else the one its process begins on here.

        The other one is good for showing the record, and refuses its commands.
        """
        return self.ruling(record) or self.lifecycle_for(record.process)

    def __attrs_post_init__(self) -> None:
        """Refuses a policy that waits for what nothing measures, sets what nothing holds, or tells nobody."""
        check_answers(self.policies, self.resolver, has_directory=self.asks_directory)
        self._check_metrics()
        self._check_sets()
        self._check_managers()

    def _kinds(self) -> list[dict[str, FieldType]]:
        """The fields that the records of each lifecycle hold."""
        return [{**one.kinds, **{f.name: f.type for f in self.custom}} for one in self.lifecycles]

    def _check_managers(self) -> None:
        """With a directory a manager is that of the person in a field, so the field has to be one."""
        if not self.asks_directory:
            return
        held = [name for kinds in self._kinds() for name in kinds]
        steps = [(policy.label, step) for policy in self.policies for step in policy.steps]
        for label, step, name in [(label, one, name) for label, one in steps for name in one.names]:
            field = name.removeprefix(MANAGER_OF)
            if field != name and field not in held:
                told = f"is told by step {step.id!r} of policy {label}, and {field!r} is no field"
                near = difflib.get_close_matches(field, held, 1) or ["assignee", "owner", "requester"]
                remedy = "write " + " or ".join(MANAGER_OF + one for one in near)
                raise InvalidValue("target", name, told, remedy)

    def _check_sets(self) -> None:
        kinds = self._kinds()
        for step in (step for policy in self.policies for step in policy.steps if step.sets):
            told = [step.unset(known) for known in kinds]
            if all(told):
                remedy = "set one that records of this desk hold, or declare it: custom_fields=[...]"
                wrong = f"step {step.id!r}: {told[0][0].message}"
                raise InvalidValue("sets", sorted(step.sets), f"would be refused of {wrong}", remedy)

    def _check_metrics(self) -> None:
        known = [*Metric, *dict.fromkeys(metric for one in self.agreements for metric in one.metrics)]
        for step in (step for policy in self.policies for step in policy.steps):
            if step.share is not None and step.metric not in known:
                near = difflib.get_close_matches(step.metric, known, 1)
                remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
                raise InvalidValue(
                    "metric", step.metric, f"of step {step.id!r} is measured by no agreement here", remedy
                )

    @property
    def shifts(self) -> KnownShifts | None:
        """Who is on call by a name from an instant on, as far as the resolver knows."""
        shifts = shifts_of(self.resolver)
        return None if shifts is None else KnownShifts(shifts)

    def policy_of(self, record: Record) -> EscalationPolicy | None:
        """The policy that watches a record: the version it pins, else the one that covers it now.

        A record that another desk's policy watches is watched by this one's too. Raises `InvalidValue`
        where this desk has the policy that the record pins and lacks the version.
        """
        pinned = record.escalation
        mine = [one for one in self.policies if one.id == pinned.policy]
        if not mine:
            return policy_for(self.policies, record)
        for one in mine:
            if one.version == pinned.version:
                return one
        told, known = f"{pinned.policy} {pinned.version}", ", ".join(str(one.version) for one in mine)
        remedy = "give the desk every version that open records go by, policy=[...], or migrate the record"
        raise InvalidValue("policy", told, f"is none of this desk, which has version {known}", remedy)

    def ruling(self, record: Record) -> Lifecycle | None:
        """The lifecycle that rules a record; None if this desk does not have it."""
        return self._ruling.get((record.lifecycle, record.lifecycle_version))

    def lifecycle_for(self, process: str | None = None, fields: Mapping[str, Any] = NO_FIELDS) -> Lifecycle:
        """The newest version of the first lifecycle of a process, or of an id (None: the first).

        Of a process with request models it is the one that the fields ask for.
        """
        process = self.lifecycles[0].process if process is None else process
        newest = self._newest.get(process) if isinstance(process, str) else None
        if newest is None:
            known = ", ".join(dict.fromkeys(one.process for one in self.lifecycles))
            raise InvalidValue("process", process, "is none of this desk", f"use one of {known}")
        asked = fields.get("request_model")
        if asked is None or process != newest.process:
            return newest
        return self._newest_of(of_model([one for one in self.lifecycles if one.process == process], asked))

    def agreement_for(
        self, record: Record, timeline: Timeline | None = None, at: dt.datetime | None = None
    ) -> Agreement | None:
        """The agreement a record was opened under, else the first that covers it.

        With its timeline and an instant: the one that judges it then, which may be a later version with
        `on_policy_change="reassess_open"`.
        """
        if timeline is None or at is None:
            return opened_under(self.agreements, record, record.agreement)
        return judged_by(self.agreements, record, timeline, at, label=record.agreement)


@attrs.frozen
class Standing:
    """A record and the timeline of its clocks, at one version.

    `watched` says that `due` is known from the last commit; folded anew from events it is not.
    """

    record: Record
    timeline: Timeline
    due: dt.datetime | None = None
    watched: bool = False

    def clocks(self, terms: Terms, at: dt.datetime) -> dict[str, Clock]:
        """The clocks of the record at an instant, by metric ("response", "resolution")."""
        agreement = terms.agreement_for(self.record, self.timeline, at)
        if agreement is None:
            return {}
        return clocks_at(self.record, self.timeline, agreement, at)


def standing(record_id: str) -> Generator[Ask, Any, Standing]:
    """The newest standing of a record: its snapshot and what came after, or all events anew."""
    named(record_id, "record", 'give its id, such as "INC-1"')
    snapshot, events = yield Ask("load", (record_id,))
    if snapshot is None:
        return refold(events)
    known: Standing | None = Standing(snapshot.record, snapshot.timeline, snapshot.due, watched=True)
    for event in events:
        known = known and onward(known, event)
    return known or (yield from anew(record_id))


def history(record_id: str) -> Generator[Ask, Any, tuple[Event, ...]]:
    """All events of a record by `seq`."""
    named(record_id, "record", 'give its id, such as "INC-1"')
    _, events = yield Ask("load", (record_id, 0))
    return tuple(events)


def anew(record_id: str, more: Sequence[Event] = ()) -> Generator[Ask, Any, Standing]:
    """The standing from all stored events and `more`, whatever their order."""
    events = yield from history(record_id)
    return refold((*events, *more))


def refold(events: Sequence[Event]) -> Standing:
    """The standing that these events tell."""
    return Standing(fold(events), trace(events))


def onward(known: Standing, event: Event) -> Standing | None:
    """The standing after one more event; None when it is late, a correction, or restates what was settled."""
    timeline = extended(known.timeline, event) if follows(known.record, event) else None
    if timeline is None:
        return None
    return Standing(apply(known.record, event), timeline, known.due, known.watched)
