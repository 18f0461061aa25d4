"""Escalation: who is told, and who gets the work, when time runs out or nobody answers.

Order: triggers, steps, policies, answering, effects, runs, timing, coalescing,
handing, firing, owing, engine, migration, words, preview,
linting, picture.

A policy is data: steps that a trigger sets off, and chains of steps after them. A step is functional (the
work moves to a group) or hierarchic (the line is informed), or it changes the record, or steers its chain.
Each effect names the version of the policy that fired it, and a new version does not fire again what has
fired. Who answers to a role is asked when a step fires, not before.
"""

from itsm_core.escalation.answering import Resolver, Unresolved, as_named, by_id
from itsm_core.escalation.effects import (
    Change,
    ClockRegressed,
    ClocksRead,
    DeclareMajor,
    Effect,
    EscalateNow,
    HandedOver,
    Inform,
    Move,
    NoResponder,
    NotFired,
    NotHandedOver,
    Resume,
    Steered,
    Unanswered,
)
from itsm_core.escalation.engine import advance, next_due
from itsm_core.escalation.linting import POLICY_RULES, PolicyRule, lint
from itsm_core.escalation.migration import Difference, Migration, difference, migrate
from itsm_core.escalation.picture import draw
from itsm_core.escalation.policies import EscalationPolicy, policy_for
from itsm_core.escalation.preview import Note, Preview, Row, foresee, preview
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import Branch, Condition, EscalationStep, Repeat, StepKind
from itsm_core.escalation.timing import answer_due
from itsm_core.escalation.triggers import Trigger, TriggerKind, Unit, Wait, business, wall
from itsm_core.escalation.words import wording

__all__ = [
    "POLICY_RULES",
    "Branch",
    "Change",
    "ClockRegressed",
    "ClocksRead",
    "Condition",
    "DeclareMajor",
    "Difference",
    "Effect",
    "EscalateNow",
    "EscalationPolicy",
    "EscalationStep",
    "HandedOver",
    "Inform",
    "Migration",
    "Move",
    "NoResponder",
    "NotFired",
    "NotHandedOver",
    "Note",
    "PolicyRule",
    "Preview",
    "Repeat",
    "Resolver",
    "Resume",
    "Row",
    "Run",
    "Steered",
    "StepKind",
    "Trigger",
    "TriggerKind",
    "Unanswered",
    "Unit",
    "Unresolved",
    "Wait",
    "advance",
    "answer_due",
    "as_named",
    "business",
    "by_id",
    "difference",
    "draw",
    "foresee",
    "lint",
    "migrate",
    "next_due",
    "policy_for",
    "preview",
    "wall",
    "wording",
]
