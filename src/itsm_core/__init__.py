"""The rules of a service desk as plain Python.

Lifecycles for incidents, problems, changes and service requests, clocks that count business
time, escalation policies, and the evidence that ISO/IEC 20000-1 asks for. Imported, not deployed: it
owns no database, no thread and no clock.
"""

# The road that a command travels, floor by floor; a module imports only from floors below.
#
#      command -> lifecycle -> events -> record -> clocks -> escalation -> outbox -> notifier
#
#   0  errors           every error, and Reason
#   1  business_time    when the desk is open          priority   impact x urgency
#      values           values into dicts and back, canonical JSON, digests
#   2  actors           who acts                       responders   what a policy calls whom it tells
#   3  events, commands what happened, what somebody asks
#   4  records          what is known: the fold of the events
#   5  lifecycle        states and transitions as data; decide, options     approvals   votes counted
#   6  processes        incident, problem, change, service request, task as tables
#      sla              targets, agreements, clocks   oncall   rotations, schedules, overrides
#   7  escalation       policies and the step function
#   8  ports            the protocols that do I/O
#   9  road             commands as generators         delivery   outbox to notifier
#  10  running          a generator, run to its end     naming   names nobody else has given
#      asking, majors   what a desk is asked
#      desk, aio        ServiceDesk and AsyncServiceDesk, one page each   loop   ticks them
#  11  stores notifiers importers exporters reporting config     one technology a file
#  12  replay           a real history under any agreement     testing   prove a lifecycle of your own
#      custody          verify a store's events, dump, restore and copy them
#      foresight        a policy file shown at work
#  13  demo, cli        the command line

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same names, for type checkers and editors
    from itsm_core.actors import Actor as Actor
    from itsm_core.aio import AsyncServiceDesk as AsyncServiceDesk
    from itsm_core.approvals import ApprovalRule as ApprovalRule
    from itsm_core.approvals import Panel as Panel
    from itsm_core.approvals import tally as tally
    from itsm_core.business_time import BusinessCalendar as BusinessCalendar
    from itsm_core.business_time import Week as Week
    from itsm_core.business_time import business_days as business_days
    from itsm_core.business_time import calendar_days as calendar_days
    from itsm_core.business_time import end_of_business_day as end_of_business_day
    from itsm_core.business_time import hours as hours
    from itsm_core.business_time import ical_holidays as ical_holidays
    from itsm_core.business_time import minutes as minutes
    from itsm_core.business_time import national_holidays as national_holidays
    from itsm_core.business_time import parse_duration as parse_duration
    from itsm_core.commands import Command as Command
    from itsm_core.desk import ServiceDesk as ServiceDesk
    from itsm_core.errors import InvalidValue as InvalidValue
    from itsm_core.errors import ItsmError as ItsmError
    from itsm_core.errors import NaiveDatetime as NaiveDatetime
    from itsm_core.errors import NeverOpens as NeverOpens
    from itsm_core.errors import Reason as Reason
    from itsm_core.errors import RecordNotFound as RecordNotFound
    from itsm_core.errors import TransitionRefused as TransitionRefused
    from itsm_core.errors import VersionConflict as VersionConflict
    from itsm_core.escalation import EscalationPolicy as EscalationPolicy
    from itsm_core.escalation import EscalationStep as EscalationStep
    from itsm_core.events import Communication as Communication
    from itsm_core.events import Event as Event
    from itsm_core.events import Phase as Phase
    from itsm_core.events import WaitsOn as WaitsOn
    from itsm_core.importers import history_from_changes as history_from_changes
    from itsm_core.lifecycle import Accepted as Accepted
    from itsm_core.lifecycle import CustomField as CustomField
    from itsm_core.lifecycle import InstantOf as InstantOf
    from itsm_core.lifecycle import Lifecycle as Lifecycle
    from itsm_core.lifecycle import MigrationPlan as MigrationPlan
    from itsm_core.lifecycle import Need as Need
    from itsm_core.lifecycle import Option as Option
    from itsm_core.lifecycle import Refused as Refused
    from itsm_core.lifecycle import Situation as Situation
    from itsm_core.lifecycle import State as State
    from itsm_core.lifecycle import StateMap as StateMap
    from itsm_core.lifecycle import Transition as Transition
    from itsm_core.lifecycle import decide as decide
    from itsm_core.lifecycle import diff as diff
    from itsm_core.lifecycle import options as options
    from itsm_core.loop import run_forever as run_forever
    from itsm_core.loop import run_forever_async as run_forever_async
    from itsm_core.oncall import OnCall as OnCall
    from itsm_core.oncall import Rotation as Rotation
    from itsm_core.priority import Level as Level
    from itsm_core.priority import Priority as Priority
    from itsm_core.priority import PriorityMatrix as PriorityMatrix
    from itsm_core.priority import matrix_3x3_p4 as matrix_3x3_p4
    from itsm_core.priority import matrix_3x3_p5 as matrix_3x3_p5
    from itsm_core.processes import CHANGE as CHANGE
    from itsm_core.processes import INCIDENT as INCIDENT
    from itsm_core.processes import PROBLEM as PROBLEM
    from itsm_core.processes import SERVICE_REQUEST as SERVICE_REQUEST
    from itsm_core.processes import TASK as TASK
    from itsm_core.processes import ChangeTemplate as ChangeTemplate
    from itsm_core.processes import KnownError as KnownError
    from itsm_core.processes import MajorCriteria as MajorCriteria
    from itsm_core.processes import MajorCriterion as MajorCriterion
    from itsm_core.processes import MajorRules as MajorRules
    from itsm_core.processes import Propagation as Propagation
    from itsm_core.processes import Proposal as Proposal
    from itsm_core.processes import RequestModel as RequestModel
    from itsm_core.records import MajorIncident as MajorIncident
    from itsm_core.records import Record as Record
    from itsm_core.records import Round as Round
    from itsm_core.records import Vote as Vote
    from itsm_core.records import Waiver as Waiver
    from itsm_core.records import fold as fold
    from itsm_core.sla import Agreement as Agreement
    from itsm_core.sla import Clock as Clock
    from itsm_core.sla import Metric as Metric
    from itsm_core.sla import Target as Target
    from itsm_core.sla import default_agreement as default_agreement
    from itsm_core.sla import evaluate as evaluate
    from itsm_core.sla import judge as judge
    from itsm_core.sla import trace as trace

_NAMES: dict[str, str] = {
    "Accepted": "lifecycle",
    "Actor": "actors",
    "Agreement": "sla",
    "ApprovalRule": "approvals",
    "AsyncServiceDesk": "aio",
    "BusinessCalendar": "business_time",
    "CHANGE": "processes",
    "ChangeTemplate": "processes",
    "Clock": "sla",
    "Command": "commands",
    "Communication": "events",
    "CustomField": "lifecycle",
    "EscalationPolicy": "escalation",
    "EscalationStep": "escalation",
    "Event": "events",
    "INCIDENT": "processes",
    "InstantOf": "lifecycle",
    "InvalidValue": "errors",
    "ItsmError": "errors",
    "KnownError": "processes",
    "Level": "priority",
    "Lifecycle": "lifecycle",
    "MajorCriteria": "processes",
    "MajorCriterion": "processes",
    "MajorIncident": "records",
    "MajorRules": "processes",
    "Metric": "sla",
    "MigrationPlan": "lifecycle",
    "NaiveDatetime": "errors",
    "Need": "lifecycle",
    "NeverOpens": "errors",
    "OnCall": "oncall",
    "Option": "lifecycle",
    "PROBLEM": "processes",
    "Panel": "approvals",
    "Phase": "events",
    "Priority": "priority",
    "PriorityMatrix": "priority",
    "Propagation": "processes",
    "Proposal": "processes",
    "Reason": "errors",
    "Record": "records",
    "RecordNotFound": "errors",
    "Refused": "lifecycle",
    "RequestModel": "processes",
    "Rotation": "oncall",
    "Round": "records",
    "SERVICE_REQUEST": "processes",
    "ServiceDesk": "desk",
    "Situation": "lifecycle",
    "State": "lifecycle",
    "StateMap": "lifecycle",
    "TASK": "processes",
    "Target": "sla",
    "Transition": "lifecycle",
    "TransitionRefused": "errors",
    "VersionConflict": "errors",
    "Vote": "records",
    "WaitsOn": "events",
    "Waiver": "records",
    "Week": "business_time",
    "business_days": "business_time",
    "calendar_days": "business_time",
    "decide": "lifecycle",
    "default_agreement": "sla",
    "diff": "lifecycle",
    "end_of_business_day": "business_time",
    "evaluate": "sla",
    "fold": "records",
    "history_from_changes": "importers",
    "hours": "business_time",
    "ical_holidays": "business_time",
    "judge": "sla",
    "matrix_3x3_p4": "priority",
    "matrix_3x3_p5": "priority",
    "minutes": "business_time",
    "national_holidays": "business_time",
    "options": "lifecycle",
    "parse_duration": "business_time",
    "run_forever": "loop",
    "run_forever_async": "loop",
    "tally": "approvals",
    "trace": "sla",
}
"""Where each public name lives; resolved on first use (PEP 562), so importing costs nothing."""

__all__ = list(_NAMES)


def __getattr__(name: str) -> object:
    module = _NAMES.get(name)
    if module is None:
        msg = f"module 'itsm_core' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"itsm_core.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
