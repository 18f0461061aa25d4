"""The change lifecycle: decide before it is done, look at it afterwards (ISO/IEC 20000-1, 8.5.1).

One lifecycle, three kinds, told apart by guards; states are those of ServiceNow. A normal change is
assessed, authorised, scheduled, implemented, reviewed. A standard one is authorised by its template and
goes straight to its schedule. An emergency is authorised on the least record, which is completed before
it closes. A change that nobody authorised is a finding: it enters at its review and takes a decision in
retrospect. The kind is chosen at opening and settled once the change has left New.
"""

from __future__ import annotations

import attrs

from itsm_core.errors import Reason
from itsm_core.events import Phase
from itsm_core.lifecycle.guards import Guard, Guards, Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import State, Transition, fields_of
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.approving import (
    APPROVAL_DUE,
    APPROVING,
    approved_alone,
    is_approved,
    is_decided,
    is_rejected,
    others_approved,
)
from itsm_core.processes.authority import authority_level, material_of
from itsm_core.processes.change_kinds import UNSUCCESSFUL, changes_service, is_found, kind_of
from itsm_core.processes.change_needs import (
    ACTUAL,
    ANSWERED,
    BACKOUT,
    BACKOUT_TEST,
    CLASSIFIED,
    FIELDS,
    FINDING,
    HOLD,
    KIND,
    NOTES,
    OUTCOME,
    PRIORITISED,
    REVIEW,
    RISK,
    TEMPLATE,
    TEST,
    TOLD,
    URGENT,
    WHY,
    WINDOW,
)
from itsm_core.processes.change_policy import ChangePolicy
from itsm_core.processes.change_reviews import (
    closes_as_emergency,
    closes_as_unauthorised,
    closes_with_review,
    closes_without_review,
    review_is_done,
)
from itsm_core.processes.change_ways import telling
from itsm_core.processes.change_windows import (
    actual_window_is_sound,
    parties_are_told,
    window_is_open,
    window_is_planned,
)
from itsm_core.processes.conditions import STAFF, no_open_tasks
from itsm_core.processes.holding import leads, was_in

# fmt: off
STATES = (
    State("new",       Phase.NEW,      label={"en": "New", "zh": "新建"}),
    State("assess",    Phase.ACTIVE,   label={"en": "Assess", "zh": "评估"}),
    State("authorize", Phase.ACTIVE,   label={"en": "Authorise", "zh": "审批"}),
    State("scheduled", Phase.ACTIVE,   label={"en": "Scheduled", "zh": "已排期"}),
    State("implement", Phase.ACTIVE,   label={"en": "Implement", "zh": "实施"}),
    State("on_hold",   Phase.WAITING,  label={"en": "On hold", "zh": "挂起"}),
    State("review",    Phase.RESOLVED, label={"en": "Review", "zh": "评审"}),
    State("closed",    Phase.CLOSED,   label={"en": "Closed", "zh": "已关闭"}, outcome="completed"),
    State("cancelled", Phase.CLOSED,   label={"en": "Cancelled", "zh": "已取消"}, outcome="cancelled"),
)

_ANY_STAFF = STAFF | {"automation"}
_MANAGER = {"manager"}
_PLANNING = ("assess", "authorize", "scheduled")
_SETTLED = "kind_is_settled"
_START = (_SETTLED, "is_authorised", "others_approved", "template_is_valid", "parties_are_told",
          "window_is_open", "not_in_blackout")
_CLOSE = (_SETTLED, "approved_stays", "is_decided_on", "design_is_planned", "no_open_tasks")
_IMPLEMENT = {"en": "Implement", "zh": "开始实施"}
_CLOSED = {"en": "Close", "zh": "关闭"}
_CANCEL = {"en": "Cancel", "zh": "取消"}

_STEPS = (
    Transition("assess", "new", dest="assess", roles=STAFF, requires=CLASSIFIED, guards=("is_normal",),
               label={"en": "Assess", "zh": "开始评估"}),
    Transition("schedule", "new", dest="scheduled", roles=_ANY_STAFF,
               requires=(*CLASSIFIED, *TEMPLATE, *WINDOW),
               guards=("is_standard", "template_is_valid", "window_is_planned", "not_in_blackout",
                       "design_is_planned"),
               label={"en": "Schedule by its template", "zh": "按模板排期"}),
    Transition("expedite", "new", dest="authorize", roles=STAFF, requires=(*URGENT, *RISK, *WINDOW),
               guards=("is_emergency", "window_is_open"),
               label={"en": "Request authorisation at once", "zh": "紧急申请审批"}),
    Transition("report_unauthorised", "new", dest="review", roles=_ANY_STAFF, requires=FINDING,
               guards=("nobody_was_asked",),
               label={"en": "Report as unauthorised", "zh": "报告为未授权变更"}),
    Transition("submit", "assess", dest="authorize", roles=STAFF,
               requires=(*ANSWERED, *PRIORITISED, *BACKOUT, *WINDOW),
               guards=(_SETTLED, "window_is_planned", "not_in_blackout", "design_is_planned"),
               label={"en": "Request authorisation", "zh": "申请审批"}),
    Transition("authorize", "authorize", dest="scheduled", roles=_MANAGER, separate_from=("open",),
               requires=WINDOW, guards=(_SETTLED, "is_approved", "window_is_open"),
               label={"en": "Authorise", "zh": "批准"}),
    Transition("reject", "authorize", dest="new", roles=_MANAGER, requires=(WHY,),
               guards=(_SETTLED, "is_rejected"),
               label={"en": "Reject", "zh": "驳回"}),
    Transition("expire", "authorize", dest="new", after=APPROVAL_DUE, guards=(_SETTLED, "is_expired"),
               label={"en": "Rejected: undecided when it fell due", "zh": "逾期未决，自动驳回"}),
    Transition("revise", _PLANNING, dest="new", roles=STAFF, requires=(WHY,), guards=(_SETTLED,),
               label={"en": "Back to New", "zh": "退回新建"}),
    Transition("implement", "scheduled", dest="implement", roles=_ANY_STAFF,
               requires=(*TEST, *BACKOUT_TEST, *TOLD, *WINDOW), guards=("is_normal", *_START),
               label=_IMPLEMENT),
    Transition("implement", "scheduled", dest="implement", roles=_ANY_STAFF,
               requires=(*TEMPLATE, *TOLD, *WINDOW), guards=("is_standard", *_START), label=_IMPLEMENT),
    Transition("implement", "scheduled", dest="implement", roles=_ANY_STAFF,
               requires=WINDOW, guards=("is_emergency", *_START), label=_IMPLEMENT),
    Transition("complete", "implement", dest="review", roles=_ANY_STAFF,
               requires=(*OUTCOME, *NOTES, *ACTUAL),
               guards=(_SETTLED, "actual_window_is_sound", "work_stays_apart"),
               label={"en": "Complete", "zh": "完成实施"}),
    Transition("close", "review", dest="closed", roles=_MANAGER, requires=(*CLASSIFIED, *OUTCOME, *REVIEW),
               guards=("closes_as_unauthorised", "review_is_done", *_CLOSE), label=_CLOSED),
    Transition("close", "review", dest="closed", roles=_MANAGER,
               requires=(*CLASSIFIED, *ANSWERED, *TEST, *BACKOUT, *BACKOUT_TEST, *TOLD, *REVIEW),
               guards=("closes_as_emergency", "review_is_done", *_CLOSE), label=_CLOSED),
    Transition("close", "review", dest="closed", roles=STAFF, requires=REVIEW,
               guards=("closes_with_review", "review_is_done", *_CLOSE), label=_CLOSED),
    Transition("close", "review", dest="closed", roles=STAFF,
               guards=("closes_without_review", *_CLOSE), label=_CLOSED),
    Transition("cancel", ("new", *_PLANNING, "on_hold"), dest="cancelled", roles=STAFF,
               relation={"requester"}, requires=(WHY,), guards=(_SETTLED,), label=_CANCEL),
    Transition("cancel", "implement", dest="cancelled", roles=STAFF, requires=(WHY,), guards=(_SETTLED,),
               label=_CANCEL),
)

_RESUME = {"en": "Resume", "zh": "恢复处理"}
_HOLDS = (
    Transition("hold", (*_PLANNING, "implement", "on_hold"), dest="on_hold", roles=STAFF, requires=HOLD,
               guards=(_SETTLED, "work_stays_apart"), label={"en": "Put on hold", "zh": "挂起"}),
    *(Transition("resume", "on_hold", dest=state, roles=_ANY_STAFF,
                 guards=(_SETTLED, f"held_in_{state}", "work_stays_apart"),
                 label=_RESUME)
      for state in ("implement", "scheduled", "authorize")),
    Transition("resume", "on_hold", dest="assess", roles=_ANY_STAFF, guards=(_SETTLED, "work_stays_apart"),
               label=_RESUME),
)
# fmt: on


# --- guards -------------------------------------------------------------------------------------


@attrs.frozen
class _Is:
    """The guard of the way of a kind; a value, as a closure could not be pickled."""

    own: str

    def __call__(self, situation: Situation) -> Reason | None:
        """A reason if the change is of another kind."""
        kind = situation.get("change_kind")
        if kind == self.own:
            return None
        said = f"this is the way of a change of kind {self.own}, and its kind is {kind}"
        return Reason("change_kind", said, facts={"kind": kind, "allowed": self.own})


def kind_is_settled(situation: Situation) -> Reason | None:
    """A reason if the kind would change after New, or the template after the work began."""
    record = situation.record
    begun = record.actor_of("implement") is not None
    if record.phase is not Phase.NEW and _rewrites(situation, ("change_kind",)):
        said = "the kind is settled once the change has left New; take it back to New first"
        return Reason("kind_is_settled", said, facts={"field": "change_kind", "state": record.state})
    if begun and (names := _rewrites(situation, ("template", "template_version"))):
        said = "the template is settled once the work has begun; write down in a note what was different"
        return Reason("kind_is_settled", said, facts={"field": names[0], "state": record.state})
    return None


def _rewrites(situation: Situation, names: tuple[str, ...]) -> list[str]:
    """Which of these fields the command brings with another value, or corrects."""
    held, brought = situation.record.values, situation.fields
    corrected = brought.get("field") if situation.trigger == "correct" else None
    return [n for n in names if n == corrected or (n in brought and brought[n] != held.get(n))]


def work_stays_apart(situation: Situation) -> Reason | None:
    """A reason if the work, once begun, would be given to the only one who approved it (CHG-15)."""
    record, given = situation.record, situation.fields.get("assignee")
    if given is None or given == record.assignee or record.actor_of("implement") is None:
        return None
    return None if kind_of(record) == "standard" else approved_alone(situation, [given])


def nobody_was_asked(situation: Situation) -> Reason | None:
    """A reason if it would be reported as a finding while an approval of it is asked for, or given."""
    live = situation.record.round
    if live is None:
        return None
    said = f"{live.by} asked to approve it, so it goes its way; what nobody asked for is a finding"
    return Reason("approval_was_asked", said, facts={"round": live.id})


def design_is_planned(situation: Situation) -> Reason | None:
    """A reason if a service is changed as a whole without its design and transition (CHG-05)."""
    service = situation.get("service_change")
    if not changes_service(service) or situation.get("design_ref"):
        return None
    said = f"a change by which a service is {service} goes through design and transition; give design_ref"
    facts = {"field": "design_ref", "clause": "ISO/IEC 20000-1 8.5.2, CHG-05"}
    return Reason("missing_field", said, facts=facts)


@attrs.frozen
class _ByVotes:
    """The same guard for all but standard changes, which their template authorises."""

    guard: Guard

    def __call__(self, situation: Situation) -> Reason | str | None:
        """A reason if the votes do not do."""
        return None if situation.record.values.get("change_kind") == "standard" else self.guard(situation)


def approved_stays(situation: Situation) -> Reason | None:
    """A reason if what was decided on, or when it was done, would be rewritten after it was implemented."""
    record, brought = situation.record, situation.fields
    if record.phase is not Phase.RESOLVED:
        return None
    decided = (*material_of(authority_level(record)), *fields_of(ACTUAL))
    known = [name for name in decided if name in brought and record.values.get(name) not in (None, "")]
    rewritten = [name for name in known if brought[name] != record.values.get(name)]
    if not rewritten:
        return None
    said = f"{', '.join(rewritten)} stays as it was; write down in a note what was different"
    return Reason("approved_stays", said, facts={"fields": tuple(rewritten)})


def record_is_true(situation: Situation) -> Reason | None:
    """A reason if a correction would change what was put to the vote, when, or what is to be reviewed."""
    record, field = situation.record, situation.fields.get("field")
    voted = {"occurred_at", *(record.rounds[-1].rule.get("material") or ())} if record.rounds else set()
    done = set() if record.phase.is_open else set(material_of(authority_level(record)))
    reviewed = {"resolution_outcome", *fields_of(ACTUAL)} if record.phase is Phase.RESOLVED else set()
    if field not in voted | done | reviewed:
        return None
    said = f"{field} is part of what is decided on; amend it and ask again, or write a note"
    if field in reviewed:
        said = f"{field} is part of what is reviewed; write down in a note what is wrong about it"
    return Reason("decided_on", said, facts={"field": field})


def is_decided_on(situation: Situation) -> Reason | None:
    """A reason if nobody decided on a finding yet, or it is called a success although refused."""
    if not is_found(situation.record):
        return None
    undecided = is_decided(situation)
    if undecided is not None or is_rejected(situation) is not None:
        return undecided
    if situation.get("resolution_outcome") in UNSUCCESSFUL:
        return None
    said = f"it was refused in retrospect, so it was undone: {', '.join(sorted(UNSUCCESSFUL))}"
    return Reason("refused_in_retrospect", said, facts={"field": "resolution_outcome"})


def is_not_on_hold(situation: Situation) -> Reason | None:
    """A reason if the change is on hold: nobody approves what stands still."""
    if situation.record.phase is not Phase.WAITING:
        return None
    said = "the change is on hold; resume it first"
    return Reason("on_hold", said, facts={"state": situation.record.state})


_LEADS = leads(_STEPS)
_GUARDS: Guards = {
    **APPROVING,
    **ChangePolicy().guards(),
    "no_open_tasks": no_open_tasks,
    "is_normal": _Is("normal"),
    "is_standard": _Is("standard"),
    "is_emergency": _Is("emergency"),
    "kind_is_settled": kind_is_settled,
    "nobody_was_asked": nobody_was_asked,
    "work_stays_apart": work_stays_apart,
    "design_is_planned": design_is_planned,
    "is_authorised": _ByVotes(is_approved),
    "others_approved": _ByVotes(others_approved),
    "window_is_planned": window_is_planned,
    "window_is_open": window_is_open,
    "parties_are_told": parties_are_told,
    "actual_window_is_sound": actual_window_is_sound,
    "approved_stays": approved_stays,
    "record_is_true": record_is_true,
    "is_decided_on": is_decided_on,
    "is_not_on_hold": is_not_on_hold,
    "closes_as_unauthorised": closes_as_unauthorised,
    "closes_as_emergency": closes_as_emergency,
    "closes_with_review": closes_with_review,
    "closes_without_review": closes_without_review,
    "review_is_done": review_is_done,
    **{f"held_in_{state}": was_in(state, _LEADS) for state in ("implement", "scheduled", "authorize")},
}
GUARDS = telling(_GUARDS)
"""The guards of a change, by the name that its definition uses."""

CHANGE = sound(
    Lifecycle(
        "change",
        1,
        process="change",
        initial="new",
        states=STATES,
        transitions=(*_STEPS, *_HOLDS),
        opening=(KIND,),
        fields=FIELDS,
        beside={
            "request_approval": ("rule_is_sound", "authority_fits", "is_not_on_hold"),
            "vote": ("may_vote", "is_not_on_hold"),
            "amend": ("kind_is_settled", "approved_stays"),
            **dict.fromkeys(
                ("assign", "reprioritise"), ("kind_is_settled", "approved_stays", "work_stays_apart")
            ),
            "correct": ("kind_is_settled", "record_is_true"),
        },
        requester=False,
        label={"en": "Change", "zh": "变更"},
        guards=GUARDS,
    )
)
"""The change lifecycle, version 1, under a policy without templates and blackouts (see `governed`)."""
