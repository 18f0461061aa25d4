"""Approvals: a pure function of the votes of a round.

Order: given, words, rules, counting, voting, tallying.

A rule says who is asked and how many must agree; `tally(round, at)` says how things stand, and
`vote_reasons` why somebody may not vote. Nothing is counted anywhere else and nothing is kept: the
votes lie in the record, and the same votes give the same verdict in whatever order they came.
"""

from itsm_core.approvals.counting import Verdict
from itsm_core.approvals.rules import ApprovalRule, Delegation, OnExpiry, Panel, checked, dead_ends
from itsm_core.approvals.tallying import PanelTally, Tally, tally, vote_reasons

__all__ = [
    "ApprovalRule",
    "Delegation",
    "OnExpiry",
    "Panel",
    "PanelTally",
    "Tally",
    "Verdict",
    "checked",
    "dead_ends",
    "tally",
    "vote_reasons",
]
