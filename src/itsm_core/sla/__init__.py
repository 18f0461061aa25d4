"""Agreements, their targets, the clocks that judge them, and why each clock says what it says.

Order: timeline, tracing, spans, agreements, counting, explaining, clocks, said, many, checking.

    events -> Timeline -> conclude(timeline, target, at) -> Clock -> explain()

    what happened        timeline, tracing
    what was agreed      agreements
    what was counted     spans, counting
    why                  explaining
    what a clock says    clocks
    what else was said   said
    of many records      many
    before it is signed  checking
"""

from itsm_core.sla.agreements.agreement import Agreement, default_agreement, judged_by, opened_under
from itsm_core.sla.agreements.exceptions import Adjusted, AgreedException
from itsm_core.sla.agreements.measures import Condition, Measure, reply, resolution, response, stretch, update
from itsm_core.sla.agreements.targets import Metric, Target, share_of
from itsm_core.sla.agreements.workload import Load, WorkloadLimit
from itsm_core.sla.checking.chain import Chain, ChainLink, Fit, check_chain
from itsm_core.sla.checking.linting import AGREEMENT_RULES, Finding, lint
from itsm_core.sla.checking.preview import Foreseen, Preview, preview
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.clocks.evaluation import clocks_at, conclude, evaluate, judge
from itsm_core.sla.clocks.forecasting import forecast
from itsm_core.sla.explaining.breakdowns import Breakdown, BreakdownRow, breakdown
from itsm_core.sla.explaining.explanation import Explanation
from itsm_core.sla.explaining.segments import Segment, SegmentKind
from itsm_core.sla.explaining.shares import wilson
from itsm_core.sla.many.agendas import Agenda, Due, agenda
from itsm_core.sla.many.attainment import Attainment, attainment
from itsm_core.sla.many.attainment_rows import AttainmentRow
from itsm_core.sla.many.batch import Judged, Problem, evaluate_all
from itsm_core.sla.many.comparison import Change, Comparison, Difference, Standing, compare
from itsm_core.sla.many.volumes import Workload, WorkloadRow, workload
from itsm_core.sla.said.overruns import JustifiedOverrun, overruns
from itsm_core.sla.said.promises import Promise, PromiseVerdict, promises
from itsm_core.sla.said.restating import Restatement, restatements
from itsm_core.sla.spans import ClockState, Flag, Span, Stop, Verdict
from itsm_core.sla.timeline import ANSWERS, Claim, Justified, Mark, Promised, Said, Timeline, Word
from itsm_core.sla.tracing import extend, follows, retrace, trace

__all__ = [
    "AGREEMENT_RULES",
    "ANSWERS",
    "Adjusted",
    "Agenda",
    "AgreedException",
    "Agreement",
    "Attainment",
    "AttainmentRow",
    "Breakdown",
    "BreakdownRow",
    "Chain",
    "ChainLink",
    "Change",
    "Claim",
    "Clock",
    "ClockState",
    "Comparison",
    "Condition",
    "Difference",
    "Due",
    "Explanation",
    "Finding",
    "Fit",
    "Flag",
    "Foreseen",
    "Judged",
    "Justified",
    "JustifiedOverrun",
    "Load",
    "Mark",
    "Measure",
    "Metric",
    "Preview",
    "Problem",
    "Promise",
    "PromiseVerdict",
    "Promised",
    "Restatement",
    "Said",
    "Segment",
    "SegmentKind",
    "Span",
    "Standing",
    "Stop",
    "Target",
    "Timeline",
    "Verdict",
    "Word",
    "Workload",
    "WorkloadLimit",
    "WorkloadRow",
    "agenda",
    "attainment",
    "breakdown",
    "check_chain",
    "clocks_at",
    "compare",
    "conclude",
    "default_agreement",
    "evaluate",
    "evaluate_all",
    "extend",
    "follows",
    "forecast",
    "judge",
    "judged_by",
    "lint",
    "opened_under",
    "overruns",
    "preview",
    "promises",
    "reply",
    "resolution",
    "response",
    "restatements",
    "retrace",
    "share_of",
    "stretch",
    "trace",
    "update",
    "wilson",
    "workload",
]
