"""Who authorises a change: more people, and weightier ones, the more may go wrong (8.5.1.2).

The table is the default that the field converges on; a desk with fewer people gives its own to
`ChangePolicy`. A rule may always ask more than its change takes, never less.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TypeAlias

import attrs

from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.approvals.words import some
from itsm_core.business_time.durations import Duration, business_days
from itsm_core.errors import InvalidValue, Reason
from itsm_core.lifecycle.guards import Guard, Situation
from itsm_core.lifecycle.rewriting import chosen
from itsm_core.processes.approving import barred_from
from itsm_core.processes.change_kinds import Risk, is_found, kind_of, risk, unassessed
from itsm_core.records import Record
from itsm_core.values import counted, only, texts, word


def _share(value: int | Fraction) -> int | Fraction:
    if not isinstance(value, Fraction):
        return counted(value, "number of votes")
    if not 0 < value <= 1:
        raise InvalidValue("needed", value, "is no share", "say Fraction(1, 2) for half of them")
    return value


def _parts(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "part", 'name who sits in it by their part: ("service_owner",)')


@attrs.frozen
class Seats:
    """A panel of an authority: whose parts sit in it, and how many of them must approve.

    `needed` is a number, or an exact share of those who may vote; at least `least` in any case. Who
    sits in it by a part among `heard` must have voted, and may veto. `security` adds those who answer
    for information security where the change is marked so; they are heard, too.
    """

    panel: str
    parts: tuple[str, ...] = attrs.field(converter=_parts)
    needed: int | Fraction = attrs.field(default=1, converter=_share, kw_only=True)
    least: int = attrs.field(default=1, kw_only=True)
    heard: tuple[str, ...] = attrs.field(default=(), converter=_parts, kw_only=True)
    security: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        word(self.panel, "panel", 'name it, such as "cab"')
        counted(self.least, "number of votes")
        if not self.parts:
            raise InvalidValue("panel", self.panel, "seats nobody", 'name parts: ("change_manager",)')

    def votes_needed(self, voices: int) -> int:
        """How many of so many must approve."""
        share = self.needed if isinstance(self.needed, int) else -(-voices * self.needed // 1)
        return max(self.least, int(share))


Authorities: TypeAlias = Mapping[str, tuple[Seats, ...]]

# fmt: off
AUTHORITIES: Authorities = {
    "low":          (Seats("peer", ("peer",)),),
    "moderate":     (Seats("change_manager", ("change_manager",)),
                     Seats("service_owner", ("service_owner",))),
    "high":         (Seats("cab", ("cab", "service_owner"), needed=Fraction(1, 2), least=3,
                           heard=("service_owner",), security=True),),
    "emergency":    (Seats("ecab", ("change_manager", "service_owner", "duty_manager"), needed=2),),
    "unauthorised": (Seats("change_manager", ("change_manager",)),),
}
"""Who must approve, by the risk of a normal change, else by what it is."""

_ENOUGH = {
    "low":          ("low", "moderate", "high"),
    "moderate":     ("moderate", "high"),
    "high":         ("high",),
    "emergency":    ("emergency", "high"),
    "unauthorised": ("unauthorised", "moderate", "emergency", "high"),
}
"""Which authorities are enough for which, the asked one first."""

SECURITY = "security"
"""The part of those who answer for information security."""

LEAD_TIMES: Mapping[str, Duration] = {
    "low":      business_days(2),
    "moderate": business_days(5),
    "high":     business_days(10),
}
"""How long before its start a normal change is announced; an emergency waits for nobody."""

CORE = (
    "change_kind", "service", "configuration_items", "likelihood", "impact", "planned_start", "planned_end",
)
"""The fields whose edit voids any approval."""

MATERIAL = (
    *CORE,
    "service_change", "design_ref", "assessed_risk", "benefit", "feasibility", "cost", "impact_on_services",
    "impact_on_users", "impact_on_plans", "impact_on_capacity", "impact_on_availability",
    "impact_on_continuity", "impact_on_security", "impact_on_changes", "implementation_plan",
    "backout_plan", "no_backout_reason", "blackout_exception",
)
"""The fields on which a normal change is decided; an edit of any voids the approval.

Those of an emergency and of a finding are completed in retrospect, so only the core voids theirs.
"""
# fmt: on


def authority_level(record: Record) -> str:
    """The row of the table that a change falls under: what it is, else its risk."""
    if is_found(record):
        return "unauthorised"
    return "emergency" if kind_of(record) == "emergency" else str(risk(record))


def material_of(level: str) -> tuple[str, ...]:
    """The fields whose edit voids an approval at this level."""
    return MATERIAL if level in tuple(Risk) else CORE


def authority(
    record: Record,
    people: Mapping[str, Iterable[str]],
    *,
    at: dt.datetime | None = None,
    authorities: Authorities = AUTHORITIES,
) -> ApprovalRule:
    """The rule under which a change is approved: who is asked, by its risk, and how many must agree.

    `people` says who they are by part: "peer", "change_manager", "service_owner", "duty_manager", "cab",
    "security". Who asked for the change or carries it out is excluded, unless a waiver covers it at
    `at`; where too few are left, `InvalidValue` says which panel, and who is excluded.
    """
    level = authority_level(record)
    barred, known = barred_from(record, at), _people(people, authorities)
    panels = [_panel(seats, known, barred, record) for seats in authorities[level]]
    return ApprovalRule(panels, excluded=sorted(barred), material=material_of(level))


def _panel(
    seats: Seats, people: Mapping[str, Iterable[str]], barred: frozenset[str], record: Record
) -> Panel:
    flagged = (SECURITY,) if seats.security and record.security else ()
    members = _who((*seats.parts, *flagged), people)
    able = [name for name in members if name not in barred]
    needed = seats.votes_needed(len(able))
    if needed > len(able):
        raise InvalidValue("people", list(members), *_too_few(seats, needed, members, barred, record))
    heard = [name for name in _who((*seats.heard, *flagged), people) if name in able]
    return Panel(seats.panel, members, needed=needed, veto=heard)


def _too_few(
    seats: Seats, needed: int, members: tuple[str, ...], barred: frozenset[str], record: Record
) -> tuple[str, str]:
    """Why a panel cannot be seated, naming whom it lacks, and what to do."""
    silent = [name for name in members if name in barred]
    able = len(members) - len(silent)
    left = {0: "nobody is", 1: "1 is"}.get(able, f"{able} are")
    takes = "1 voice" if needed == 1 else f"{needed} voices"
    said = f"it takes {takes} in {seats.panel}, and {left} left who may vote"
    remedies = [_unassessed(record), f"name more people for {' or '.join(seats.parts)}"]
    if silent:
        both = "asked for it or carries it out" if len(silent) == 1 else "asked for it or carry it out"
        said, remedies[-1] = f"{said}: {some(silent)} {both}", f"{remedies[-1]}, or record a waiver"
    return said, _listed(remedies)


def _listed(remedies: Iterable[str]) -> str:
    return "; ".join(filter(None, remedies))


def _unassessed(record: Record) -> str:
    """That nobody has said how risky a change is, where that decides who is asked; else nothing."""
    lacking = unassessed(record) if authority_level(record) == Risk.HIGH else ()
    if not lacking:
        return ""
    are, them = ("are", "them") if len(lacking) > 1 else ("is", "it")
    return f"{' and '.join(lacking)} {are} not recorded, so the risk counts as high; record {them} first"


def _people(people: Mapping[str, Iterable[str]], authorities: Authorities) -> Mapping[str, Iterable[str]]:
    """The people by part, if every part is one of these authorities or of the shipped ones."""
    remedy = 'write {"peer": ["pia", "pol"], "change_manager": ["mona"]}'
    only(Mapping, people, "people", remedy)  # type: ignore[type-abstract]
    rows = (*AUTHORITIES.values(), *authorities.values())
    parts = [part for row in rows for seats in row for part in (*seats.parts, *seats.heard)]
    for part in people:
        chosen(part, (*parts, SECURITY), "part", "sits in no panel")
    return people


def _who(parts: Iterable[str], people: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    found = [name for part in parts for name in texts(people.get(part, ()), "people", "give ids by part")]
    return tuple(dict.fromkeys(found))


# --- a rule that somebody asks under --------------------------------------------------------------


def fits(rule: ApprovalRule, level: str, authorities: Authorities = AUTHORITIES) -> bool:
    """Whether a rule asks at least as much as the authority of a level."""
    ways = (authorities[name] for name in _ENOUGH[level] if name in authorities)
    return any(all(_seated(rule, seats) for seats in way) for way in ways)


def _seated(rule: ApprovalRule, seats: Seats) -> bool:
    panel = next((panel for panel in rule.panels if panel.name == seats.panel), None)
    if panel is None:
        return False
    voices = len(rule.members_of(panel))
    shrinks = isinstance(panel.needed, Fraction) and seats.votes_needed(1) > 1  # with every abstention
    return not shrinks and panel.votes_needed(voices) >= seats.votes_needed(voices)


def authority_guard(authorities: Authorities) -> Guard:
    """The guard of "request_approval": the rule is not weaker than what the change takes (CHG-08)."""
    return _AuthorityFits(authorities)


@attrs.frozen
class _AuthorityFits:
    """The guard with the authorities that it knows; a value, as a closure could not be pickled."""

    authorities: Authorities = attrs.field(eq=str)

    def __call__(self, situation: Situation) -> Reason | None:
        """A reason if the rule asks too few, or lets what was approved be edited."""
        try:
            rule = ApprovalRule.from_dict(situation.fields.get("rule") or {})
        except InvalidValue:
            return None  # `rule_is_sound` says what is wrong with it
        level = authority_level(situation.record)
        lacking = [name for name in material_of(level) if name not in rule.material]
        if not fits(rule, level, self.authorities):
            said = f"a change of level {level} takes {_asked(self.authorities[level])}"
            remedy = "make the rule by authority(), or ask more"
            words = _listed((said, _unassessed(situation.record), remedy))
            return Reason("weak_authority", words, facts={"level": level})
        if lacking:
            said = f"material lacks {', '.join(lacking)}: an edit of them has to void the approval"
            return Reason("weak_authority", said, facts={"level": level, "material": tuple(lacking)})
        return None


def _asked(authority: tuple[Seats, ...]) -> str:
    return " and ".join(f"{_votes(seats)} of {seats.panel}" for seats in authority)


def _votes(seats: Seats) -> str:
    if isinstance(seats.needed, int):
        return str(max(seats.needed, seats.least))
    return f"{seats.needed}, {seats.least} at least,"
