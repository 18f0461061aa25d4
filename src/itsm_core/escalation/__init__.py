"""Escalation: who is told, and who gets the work, when a target runs out.

Order: policies, engine, words.

A step is functional (the work moves to a group) or hierarchic (the line is informed). Each effect
names the version of the policy that fired it, and a new version does not fire again what has fired.
Who answers to a role is asked when a step fires, not before.
"""

from itsm_core.escalation.engine import (
    ClocksRead,
    Effect,
    Inform,
    Move,
    Resolver,
    Run,
    Unanswered,
    advance,
    as_named,
    next_due,
)
from itsm_core.escalation.policies import EscalationPolicy, EscalationStep, StepKind
from itsm_core.escalation.words import wording

__all__ = [
    "ClocksRead",
    "Effect",
    "EscalationPolicy",
    "EscalationStep",
    "Inform",
    "Move",
    "Resolver",
    "Run",
    "StepKind",
    "Unanswered",
    "advance",
    "as_named",
    "next_due",
    "wording",
]
