"""Agreements, their targets, the clocks that judge them, and why each clock says what it says.

Order: timeline, tracing, measures, spans, targets, workload, exceptions, adjusting, agreements,
cycles, splitting, straight, words, shares, tables, segments, breakdowns, picture, explanation,
clocks, evaluation, forecasting, promises, overruns, restating, batch, agendas, volumes,
attainment_rows, attainment, comparison, situations, clock_rules, term_rules, linting,
turning_points, chain, preview.

    events -> Timeline -> conclude(timeline, target, at) -> Clock -> explain()

    what happened        timeline, tracing
    what was agreed      targets by measures; agreements with workload and exceptions
    what was counted     spans, cycles by splitting or straight; clocks by evaluation; adjusting, forecasting
    why                  segments, breakdowns, words, picture, explanation
    what else was said   promises, overruns, restating
    of many records      batch, agendas, volumes, attainment by attainment_rows, comparison; shares, tables
    before it is signed  linting by situations, clock_rules, term_rules; chain by turning_points; preview
"""

from itsm_core.sla.agendas import Agenda, Due, agenda
from itsm_core.sla.agreements import Agreement, default_agreement, judged_by, opened_under
from itsm_core.sla.attainment import Attainment, attainment
from itsm_core.sla.attainment_rows import AttainmentRow
from itsm_core.sla.batch import Judged, Problem, evaluate_all
from itsm_core.sla.breakdowns import Breakdown, BreakdownRow, breakdown
from itsm_core.sla.chain import Chain, ChainLink, Fit, check_chain
from itsm_core.sla.clocks import Clock
from itsm_core.sla.comparison import Change, Comparison, Difference, Standing, compare
from itsm_core.sla.evaluation import clocks_at, conclude, evaluate, judge
from itsm_core.sla.exceptions import Adjusted, AgreedException
from itsm_core.sla.explanation import Explanation
from itsm_core.sla.forecasting import forecast
from itsm_core.sla.linting import AGREEMENT_RULES, Finding, lint
from itsm_core.sla.measures import Condition, Measure, reply, resolution, response, stretch, update
from itsm_core.sla.overruns import JustifiedOverrun, overruns
from itsm_core.sla.preview import Foreseen, Preview, preview
from itsm_core.sla.promises import Promise, PromiseVerdict, promises
from itsm_core.sla.restating import Restatement, restatements
from itsm_core.sla.segments import Segment, SegmentKind
from itsm_core.sla.shares import wilson
from itsm_core.sla.spans import ClockState, Flag, Span, Stop, Verdict
from itsm_core.sla.targets import Metric, Target, share_of
from itsm_core.sla.timeline import ANSWERS, Claim, Justified, Mark, Promised, Said, Timeline, Word
from itsm_core.sla.tracing import extend, follows, retrace, trace
from itsm_core.sla.volumes import Workload, WorkloadRow, workload
from itsm_core.sla.workload import Load, WorkloadLimit

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
