"""Major incidents: what proposes one, by which procedure it is handled, and when top management hears.

ISO/IEC 20000-1, 8.6.1 asks for criteria that identify a major incident, for a documented procedure, and
that top management is kept informed. Criteria and procedure are data with versions; a record keeps the
procedure it was accepted under. When one may resolve and close is said in `lifecycle/majors.py`, for every
lifecycle of incidents. The figures that ship are customary (a convention, not the standard's).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import minutes
from itsm_core.business_time.instants import later
from itsm_core.errors import InvalidValue, NeverOpens
from itsm_core.events import Phase
from itsm_core.lifecycle.majors import PROCESS
from itsm_core.lifecycle.timers import around_the_clock
from itsm_core.priority import Priority
from itsm_core.records import MajorIncident, MajorRole, MajorStatus, Procedure, Record, Track, TrackStep
from itsm_core.values import counted, each, named, only, texts

# --- criteria -----------------------------------------------------------------------------------


def _priority(value: Any) -> Priority | None:
    return None if value is None else Priority.of(value)


def _services(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "services", 'name the critical ones: ("payments", "identity")')


def _at_least_one(_: Any, field: Any, value: Any) -> None:
    if value is not None and (type(value) is not int or value < 1):
        raise InvalidValue(field.name, value, "is no number from 1 on", "count them, or leave it out")


@attrs.frozen
class MajorCriterion:
    """One way to be major: all that it says must hold. What nobody knows does not.

    `priority` or more urgent; at least so many `users` affected, or `children` linked; a service among
    the critical `services`; about information `security`.
    """

    id: str
    priority: Priority | None = attrs.field(default=None, converter=_priority, kw_only=True)
    users: int | None = attrs.field(default=None, validator=_at_least_one, kw_only=True)
    children: int | None = attrs.field(default=None, validator=_at_least_one, kw_only=True)
    services: tuple[str, ...] = attrs.field(default=(), converter=_services, kw_only=True)
    security: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "criterion", 'name it, such as "many-users"')
        only(bool, self.security, "security", "say True where it has to be about information security")
        if not (self.priority or self.users or self.children or self.services or self.security):
            remedy = "give priority, users, children, services or security"
            raise InvalidValue("criterion", self.id, "says nothing", remedy)

    def is_met(self, record: Record) -> bool:
        """Whether all that it says holds of a record."""
        users, children = users_affected(record), _children(record)
        return (
            (self.priority is None or (record.priority is not None and record.priority <= self.priority))
            and (self.users is None or (users is not None and users >= self.users))
            and (self.children is None or children >= self.children)
            and (not self.services or not services_affected(record).isdisjoint(self.services))
            and (not self.security or record.security)
        )


_CRITERIA = 'list them: (MajorCriterion("many-users", users=100),)'


def _criteria(value: Iterable[MajorCriterion]) -> tuple[MajorCriterion, ...]:
    return each(MajorCriterion, value, "criteria", _CRITERIA)


@attrs.frozen
class MajorCriteria:
    """The criteria by which a desk proposes a major incident, at a version; any of them suffices."""

    id: str
    version: int
    any_of: tuple[MajorCriterion, ...] = attrs.field(converter=_criteria, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "criteria", 'name them, such as "house"')
        counted(self.version, "list of criteria")
        ids = [one.id for one in self.any_of]
        if not ids or len(set(ids)) < len(ids):
            reason = "names a criterion twice" if ids else "lists no criterion"
            raise InvalidValue("criteria", self.id, reason, _CRITERIA)

    @property
    def label(self) -> str:
        """Id and version, as people quote it."""
        return f"{self.id} {self.version}"


def customary_criteria(critical_services: Iterable[str]) -> MajorCriteria:
    """The customary criteria: P1 on a critical service, 100 users, 20 children, or P1 about security."""
    return MajorCriteria(
        "customary",
        1,
        any_of=(
            MajorCriterion("critical-service", priority=Priority.P1, services=tuple(critical_services)),
            MajorCriterion("many-users", users=100),
            MajorCriterion("many-children", children=20),
            MajorCriterion("security", priority=Priority.P1, security=True),
        ),
    )


def proposes(record: Record, criteria: MajorCriteria) -> tuple[str, ...]:
    """The criteria by which a record is to be proposed as a major incident, by id; none if it is not.

    Not one that is resolved, or that has a parent: the parent is the major one. Not while one is
    proposed or accepted, and after a decision against it only by a criterion that nobody judged then.
    """
    held = record.major_incident
    if record.process != PROCESS or not record.phase.is_open or _is_child(record):
        return ()
    if held is not None and held.status in (MajorStatus.PROPOSED, MajorStatus.ACCEPTED):
        return ()
    judged = () if held is None else held.criteria
    return tuple(one.id for one in criteria.any_of if one.id not in judged and one.is_met(record))


def users_affected(record: Record) -> int | None:
    """How many users are affected: as assessed, else as `affected` counts or lists them; None if unknown."""
    held = record.major_incident
    if held is not None and held.users is not None:
        return held.users
    told = record.affected
    if type(told) is int:
        return told
    if isinstance(told, str):
        return 1 if told else None
    return len(told) if isinstance(told, tuple) and told else None


def services_affected(record: Record) -> frozenset[str]:
    """The services affected: those assessed, and the record's own."""
    held = record.major_incident
    own = () if record.service is None else (record.service,)
    return frozenset((*own, *(() if held is None else held.services)))


def _children(record: Record) -> int:
    return sum(relation == "parent_of" for relation, _ in record.links)


def _is_child(record: Record) -> bool:
    return any(relation == "child_of" for relation, _ in record.links)


# --- the procedure ------------------------------------------------------------------------------

TRACKS = (
    Track(
        "mobilisation",
        (
            TrackStep("calling", "assembled"),
            TrackStep("assembled", ("calling", "stood_down"), ends=True),
            TrackStep("stood_down", ends=True),
        ),
    ),
    Track(
        "restoration",
        (
            TrackStep("diagnosing", "repairing"),
            TrackStep("repairing", ("verifying", "diagnosing")),
            TrackStep("verifying", ("restored", "diagnosing")),
            TrackStep("restored", "diagnosing", ends=True),
        ),
    ),
    Track(
        "announcements",
        (
            TrackStep("drafting", ("approved", "not_needed")),
            TrackStep("approved", ("published", "drafting")),
            TrackStep("published", ("updated", "final")),
            TrackStep("updated", ("updated", "final")),
            TrackStep("final", ends=True),
            TrackStep("not_needed", "drafting", ends=True),
        ),
    ),
)
"""The three tracks: whoever can help is called, the service is restored, and people are told."""

ROLES = (
    MajorRole("incident_commander"),
    MajorRole("communications_lead"),
    MajorRole("technical_lead"),
    MajorRole("scribe"),
    MajorRole("executive_sponsor"),
    MajorRole("liaison", single=False),
    MajorRole("participant", single=False),
)
"""The parts that people play beside the responsible manager."""

PROCEDURE = Procedure(
    "major-incidents",
    1,
    tracks=TRACKS,
    roles=ROLES,
    cadence={Priority.P1: minutes(30), Priority.P2: minutes(60)},
)
"""The customary procedure: three tracks, and a word to top management every 30 minutes (P2: 60)."""


@attrs.frozen(kw_only=True)
class MajorRules:
    """How a desk handles major incidents: the procedure, and the criteria that propose one.

    Without criteria only people propose.
    """

    procedure: Procedure = PROCEDURE
    criteria: MajorCriteria | None = None

    def __attrs_post_init__(self) -> None:
        only(Procedure, self.procedure, "procedure", "take PROCEDURE, or make one: Procedure(...)")
        if self.criteria is not None:
            remedy = "make them: customary_criteria([...]) or MajorCriteria(...)"
            only(MajorCriteria, self.criteria, "criteria", remedy)


# --- the next word ------------------------------------------------------------------------------


def update_due(record: Record, at: dt.datetime | None = None) -> dt.datetime | None:
    """When top management has to hear from a person again; None if nobody waits for it, or not yet at `at`.

    The cadence of the priority, in wall time, after the acceptance, a reopening or a person's last words.
    """
    found = _handled(record)
    if found is None:
        return None
    held, since, cadence = found
    return None if at is not None and at < since else later(max(since, held.spoken_at or since), cadence)


def briefing_due(record: Record) -> dt.datetime | None:
    """When the desk itself tells top management where things stand, if nobody did; None if it need not.

    At the cadence after their last word from anybody, and by when that word promised the next one: a lower
    priority takes no promise back. At once where an acceptance was not told.
    """
    found = _handled(record)
    if found is None:
        return None
    held, since, cadence = found
    if held.told_at is None:
        return since
    due = later(held.told_at, cadence)
    return due if held.again_by is None else min(due, held.again_by)


def major_report_due(record: Record, calendar: BusinessCalendar | None = None) -> dt.datetime | None:
    """When the report of a major incident is owed by its procedure; None if it is not, or is there already.

    It is counted from the end of the last track on, on `calendar` (None: around the clock, in UTC).
    """
    return _owed(record, "report", calendar)


def major_review_due(record: Record, calendar: BusinessCalendar | None = None) -> dt.datetime | None:
    """When the review of a major incident is owed by its procedure, counted as for its report."""
    return _owed(record, "review", calendar)


def _owed(record: Record, paper: str, calendar: BusinessCalendar | None) -> dt.datetime | None:
    held = record.major_incident
    if held is None or not held.is_accepted or held.procedure is None or record.phase is Phase.CLOSED:
        return None
    within = held.procedure.within(paper)
    if within is None or not held.joined or paper not in held.lacking:
        return None
    try:
        return (calendar or around_the_clock()).add(held.moved_at, within)
    except (NeverOpens, OverflowError):
        return None


def _handled(record: Record) -> tuple[MajorIncident, dt.datetime, dt.timedelta] | None:
    """The major incident that a record is while it is open, since when it last began, and its cadence.

    Where nothing is resolved, nobody waits any more once it is over and its report is there.
    """
    held = record.major_incident
    if held is None or not held.is_accepted or held.decided_at is None or held.procedure is None:
        return None
    if held.report is not None and held.joined:
        return None
    every = dt.timedelta(microseconds=held.procedure.every(record.priority))
    since = max((held.decided_at, *record.escalation.reopenings[-1:]))  # nobody waited while it was resolved
    return (held, since, every) if record.phase.is_open else None


def major_facts(record: Record) -> dict[str, Any]:
    """The facts of an accepted major incident that go with words to top management; none of any other.

    They are what the template "major_incident" of messages asks for, and they name it. `ended_at` is there
    once the record has left the open phases.
    """
    held = record.major_incident
    if held is None or not held.is_accepted:
        return {}
    facts = {
        "template": "major_incident",
        "number": record.number or record.id,
        "state": record.state,
        "manager": held.manager,
        "services": sorted(services_affected(record)),
        "affected_count": users_affected(record),
        "started_at": held.decided_at,
        "ended_at": None if record.phase.is_open else record.entered_at,
    }
    return {name: value for name, value in facts.items() if value is not None}


# --- words --------------------------------------------------------------------------------------

# fmt: off
WORDS: dict[str, dict[str, str]] = {
    "en": {},
    "zh": {
        "manager": "负责人", "incident_commander": "事件指挥", "communications_lead": "沟通负责人",
        "technical_lead": "技术负责人", "scribe": "记录员", "executive_sponsor": "高层负责人",
        "liaison": "联络人", "participant": "参与者",
        "mobilisation": "人员动员", "calling": "召集中", "assembled": "已集结", "stood_down": "已解散",
        "restoration": "服务恢复", "diagnosing": "诊断中", "repairing": "修复中", "verifying": "验证中",
        "restored": "已恢复",
        "announcements": "公告发布", "drafting": "起草中", "approved": "已批准", "published": "已发布",
        "updated": "已更新", "final": "最终公告", "not_needed": "无需公告",
    },
}
"""The names of roles, tracks and steps that ship, by language; in English they say themselves."""
# fmt: on


def called(id: str, lang: str = "en") -> str:
    """What a role, a track or a step is called in a language; the id in words where nothing ships."""
    return WORDS.get(lang, {}).get(id, id.replace("_", " "))
