"""Agreements, their targets, the clocks that judge them, and why each clock says what it says.

Order: timeline, targets, agreements, spans, words, explanation, clocks, promises.

    events -> Timeline -> conclude(timeline, target, at) -> Clock -> explain()
"""

from itsm_core.sla.agreements import Agreement, default_agreement
from itsm_core.sla.clocks import Clock, clocks_at, conclude, evaluate, judge
from itsm_core.sla.explanation import Explanation, Segment, SegmentKind
from itsm_core.sla.promises import Promise, PromiseVerdict, promises
from itsm_core.sla.spans import ClockState, Span, Verdict
from itsm_core.sla.targets import Metric, Stop, Target, share_of, stop_of
from itsm_core.sla.timeline import Answer, Answered, Mark, Promised, Timeline, extend, follows, trace

__all__ = [
    "Agreement",
    "Answer",
    "Answered",
    "Clock",
    "ClockState",
    "Explanation",
    "Mark",
    "Metric",
    "Promise",
    "PromiseVerdict",
    "Promised",
    "Segment",
    "SegmentKind",
    "Span",
    "Stop",
    "Target",
    "Timeline",
    "Verdict",
    "clocks_at",
    "conclude",
    "default_agreement",
    "evaluate",
    "extend",
    "follows",
    "judge",
    "promises",
    "share_of",
    "stop_of",
    "trace",
]
