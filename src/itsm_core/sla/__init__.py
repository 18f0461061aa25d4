"""Agreements, their targets, the clocks that judge them, and why each clock says what it says.

Order: timeline, tracing, measures, spans, targets, agreements, cycles, words, explanation, clocks,
promises, restating, tables, batch, shares, attainment, comparison, situations, clock_rules,
term_rules, linting, turning_points, chain, preview.

    events -> Timeline -> conclude(timeline, target, at) -> Clock -> explain()
"""

from itsm_core.sla.agreements import Agreement, default_agreement
from itsm_core.sla.attainment import Attainment, AttainmentRow, attainment
from itsm_core.sla.batch import Judged, Problem, evaluate_all
from itsm_core.sla.chain import Chain, ChainLink, Fit, check_chain
from itsm_core.sla.clocks import Clock, clocks_at, conclude, evaluate, judge
from itsm_core.sla.comparison import Change, Comparison, Difference, Standing, compare
from itsm_core.sla.explanation import Explanation, Segment, SegmentKind
from itsm_core.sla.linting import AGREEMENT_RULES, Finding, lint
from itsm_core.sla.measures import Condition, Measure, reply, resolution, response, stretch, update
from itsm_core.sla.preview import Foreseen, Preview, preview
from itsm_core.sla.promises import Promise, PromiseVerdict, promises
from itsm_core.sla.restating import Restatement, restatements
from itsm_core.sla.shares import wilson
from itsm_core.sla.spans import ClockState, Flag, Span, Stop, Verdict
from itsm_core.sla.targets import Metric, Target, share_of
from itsm_core.sla.timeline import ANSWERS, Mark, Promised, Said, Timeline, Word
from itsm_core.sla.tracing import extend, follows, retrace, trace

__all__ = [
    "AGREEMENT_RULES",
    "ANSWERS",
    "Agreement",
    "Attainment",
    "AttainmentRow",
    "Chain",
    "ChainLink",
    "Change",
    "Clock",
    "ClockState",
    "Comparison",
    "Condition",
    "Difference",
    "Explanation",
    "Finding",
    "Fit",
    "Flag",
    "Foreseen",
    "Judged",
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
    "attainment",
    "check_chain",
    "clocks_at",
    "compare",
    "conclude",
    "default_agreement",
    "evaluate",
    "evaluate_all",
    "extend",
    "follows",
    "judge",
    "lint",
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
]
