"""How the votes of a round stand at an instant, and who may still vote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import attrs

from itsm_core.approvals.counting import ABSTAIN, APPROVE, REJECT, Count, Verdict
from itsm_core.approvals.rules import ApprovalRule, OnExpiry, dead_end
from itsm_core.approvals.voting import Outcome, Voices, ballots, outcome
from itsm_core.approvals.words import moment, plain, some, votes
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import Reason
from itsm_core.records import Round
from itsm_core.values import only, word


@attrs.frozen(kw_only=True)
class PanelTally:
    """How one panel stands: who said what, how many yes it takes, and for whom it still waits.

    The lists name members; `approved_by` names the people who cast the approvals, in the same order,
    which are others where delegates did.
    """

    name: str
    verdict: Verdict
    needed: int
    approvals: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    abstentions: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    decided_at: dt.datetime | None = None
    decided_by: str | None = None

    def say(self) -> str:
        """The votes in words, such as "2 of 3 yes, waiting for cat": of the yes that it takes."""
        said = votes(len(self.approvals), self.needed, len(self.refusals), len(self.abstentions))
        return f"{said}, waiting for {some(self.waiting_for)}" if self.waiting_for else said


@attrs.frozen(kw_only=True)
class Tally:
    """How a round stands `at` an instant; all instants are in UTC.

    `decided_by` cast the vote that decided it, None where time did. `waiting_for` are the members
    whose vote is due now. `expired` says what being overdue leads to, `ended` why the round counts no
    longer. `reasons` say why it is not approved, and are empty where it is.
    """

    verdict: Verdict
    at: dt.datetime
    panels: tuple[PanelTally, ...]
    decided_at: dt.datetime | None = None
    decided_by: str | None = None
    waiting_for: tuple[str, ...] = ()
    due: dt.datetime | None = None
    expired: OnExpiry | None = None
    ended: str | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def stuck(self) -> bool:
        """Whether nobody could approve it any more, so that it has to be asked anew."""
        return any(reason.code == "approval_stuck" for reason in self.reasons)

    def say(self) -> str:
        """One sentence for displays, such as "2 of 3 yes, waiting for cat; falls due ..."."""
        why = "; ".join(reason.message for reason in self.reasons)
        if self.verdict is not Verdict.PENDING:
            by = f" by {plain(self.decided_by)}" if self.decided_by else ""
            return f"{self.verdict} {moment(self.decided_at)}{by}: {why or self._votes()}"
        if self.ended is not None:
            return why
        return f"stuck: {why}; ask anew under another rule" if self.stuck else self._votes() + self._due()

    def _votes(self) -> str:
        if len(self.panels) == 1:
            return self.panels[0].say()
        return "; ".join(f"{plain(panel.name)} {panel.say()}" for panel in self.panels)

    def _due(self) -> str:
        how = "overdue since" if self.expired else "falls due"
        return "" if self.due is None else f"; {how} {moment(self.due)}"


def tally(round: Round, at: dt.datetime) -> Tally:
    """How a round stands at an instant, by the votes cast up to then; their order does not matter.

    A vote at `due` itself still counts. What is decided stays so, except that an approval lapses when
    the round ends: what was edited may be what was approved.
    """
    rule, asked = _rule_of(round), in_utc(at)
    ended = round.ended if round.ended is not None and _ended_at(round) <= asked else None
    found = outcome(rule, round, asked if ended is None else min(asked, _ended_at(round)))
    if ended is not None and found.verdict is not Verdict.REJECTED:
        found = Outcome(counts=found.counts)
    live = ended is None and found.verdict is Verdict.PENDING
    return Tally(
        verdict=found.verdict,
        at=asked,
        panels=tuple(_panel_tally(count, live=live) for count in found.counts),
        decided_at=found.decided_at,
        decided_by=found.decided_by,
        waiting_for=_waiting_for(_turns(rule, found)) if live else (),
        due=rule.due,
        expired=found.expired,
        ended=ended,
        reasons=tuple(_objections(rule, round, found, ended)),
    )


def _rule_of(round: Round) -> ApprovalRule:
    only(Round, round, "round", "request an approval first: a record without one has the round None")
    return ApprovalRule.from_dict(round.rule)


def _ended_at(round: Round) -> dt.datetime:
    return in_utc(round.opened_at if round.ended_at is None else round.ended_at, "ended_at")


def _panel_tally(count: Count, *, live: bool) -> PanelTally:
    return PanelTally(
        name=count.panel.name,
        verdict=count.verdict,
        needed=count.needed,
        approvals=count.who(APPROVE),
        approved_by=tuple(count.hands[name] for name in count.who(APPROVE)),
        refusals=count.who(REJECT),
        abstentions=count.who(ABSTAIN),
        waiting_for=count.waiting_for() if live else (),
        decided_at=count.decided_at,
        decided_by=count.decided_by,
    )


def _turns(rule: ApprovalRule, found: Outcome) -> list[Count]:
    """The panels that are asked now: all that are undecided, or the first of them."""
    undecided = [count for count in found.counts if count.verdict is Verdict.PENDING]
    return undecided[:1] if rule.sequential else undecided


def _waiting_for(counts: list[Count]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for count in counts for name in count.waiting_for()))


# --- why it is not approved ---------------------------------------------------------------------


def _objections(rule: ApprovalRule, round: Round, found: Outcome, ended: str | None) -> Iterator[Reason]:
    if found.verdict is Verdict.REJECTED:
        yield _expired(rule) if found.expired else _refused(found)
    elif ended is not None:
        yield _over(round)
    elif found.verdict is Verdict.PENDING:
        stuck = {count.panel.name: dead_end(rule, count.panel) for count in found.counts}
        yield from filter(None, stuck.values())
        yield from (_pending(one) for one in _turns(rule, found) if stuck[one.panel.name] is None)
        if found.expired:
            yield _overdue(rule)


def _pending(count: Count) -> Reason:
    name, waiting = count.panel.name, count.waiting_for()
    shown = _panel_tally(count, live=True).say()
    return Reason(
        "approval_pending", f"{plain(name)}: {shown}", facts={"panel": name, "waiting_for": waiting}
    )


def _refused(found: Outcome) -> Reason:
    count = next(count for count in found.counts if count.verdict is Verdict.REJECTED)
    name, who = plain(count.panel.name), count.barred_by
    if who is None:
        said = f"{name} cannot reach {count.needed} yes: {_panel_tally(count, live=False).say()}"
    elif who in count.mandatory:
        said = f"{name} needs the approval of {plain(who)}, who did not give it"
    else:
        said = f"{plain(who)} refused it and has a veto in {name}"
    return Reason("approval_rejected", said, facts={"panel": count.panel.name, "by": found.decided_by})


def _expired(rule: ApprovalRule) -> Reason:
    said = f"it was undecided when it fell due, {moment(rule.due)}; ask anew"
    return Reason("approval_expired", said, facts={"due": moment(rule.due)})


def _overdue(rule: ApprovalRule) -> Reason:
    facts = {"due": moment(rule.due), "on_expiry": rule.on_expiry.value}
    return Reason("approval_overdue", f"it fell due {moment(rule.due)}", facts=facts)


def _over(round: Round) -> Reason:
    why = _ENDS.get(round.ended or "", plain(round.ended or ""))
    said = f"the round ended {moment(_ended_at(round))}: {why}; ask for approval anew"
    return Reason("round_ended", said, facts={"round": round.id, "ended": round.ended})


_ENDS = {
    "edited": "what was to be approved has been edited",
    "revised": "the record went back to its start",
    "replaced": "approval was asked for anew",
}


# --- who may vote -------------------------------------------------------------------------------


def vote_reasons(
    round: Round,
    voter: str,
    on_behalf_of: str | None,
    at: dt.datetime,
    *,
    recorded_at: dt.datetime | None = None,
    approved_by: str | None = None,
) -> tuple[Reason, ...]:
    """Why a voter may not cast a vote at an instant, their own or another's; empty if they may.

    What is decided by the votes known is decided, also for a vote dated back before the last of them.
    `recorded_at` is when the vote becomes known, if that is later than `at`: what time has rejected by
    then stays rejected. `approved_by` is who approved the vote of an AI agent: it is their voice as well.
    """
    rule, asked = _rule_of(round), in_utc(at)
    known = max(asked, asked if recorded_at is None else in_utc(recorded_at, "recorded_at"))
    voter = word(voter, "voter", "give an id")
    voice = word(on_behalf_of or voter, "on_behalf_of", "give an id")
    found = [_over(round)] if round.ended is not None else []
    if asked < in_utc(round.opened_at, "opened_at"):
        said = f"the round was opened {moment(in_utc(round.opened_at))}; nobody voted before"
        found.append(Reason("before_round", said, facts={"round": round.id}))
    strangers = list(Voices(rule).objections(voter, voice, asked, approved_by))
    strangers = strangers or _second_voices(rule, round, voice, {voter, approved_by} - {None})
    return (*found, *(strangers or _too_late(rule, round, voice, asked, known)))


def _second_voices(rule: ApprovalRule, round: Round, voice: str, hands: set[str | None]) -> list[Reason]:
    """Why these hands may not use a voice: an AI agent gives nobody a second one in a panel."""
    used = {vote.on_behalf_of or vote.voter: {vote.voter, vote.approved_by} for vote in round.votes}
    for panel in rule.panels:
        others = [name for name in rule.members_of(panel) if name != voice]
        if len(others) == len(rule.members_of(panel)):
            continue
        twice = next((name for name in others if name in hands or hands & used.get(name, set())), None)
        if twice is not None:
            said = f"in {plain(panel.name)}, whoever casts this has the voice of {plain(twice)}"
            return [Reason("second_voice", f"{said}, and one person counts once", facts={"voter": twice})]
    return []


def _too_late(
    rule: ApprovalRule, round: Round, voice: str, asked: dt.datetime, known: dt.datetime
) -> list[Reason]:
    last = max([known, *(in_utc(vote.at) for vote in round.votes)])
    now = outcome(rule, round, last)
    if now.decided_by is not None:
        return [_decided("it", now.verdict, now.decided_at, now.decided_by)]
    if now.expired is OnExpiry.REJECT and rule.due is not None and known > rule.due:
        return [_expired(rule)]
    seats = now.seats(voice)
    if all(count.decided_at is not None for count in seats):
        end = seats[-1]
        return [_decided(plain(end.panel.name), end.verdict, end.decided_at, end.decided_by)]
    later = [one.at for one in ballots(rule, round, last) if one.voice == voice and one.at >= asked]
    if later:
        said = f"{plain(voice)} voted {moment(later[-1])} and the later vote counts; date this one after it"
        return [Reason("later_vote", said, facts={"voter": voice})]
    return []


def _decided(what: str, verdict: Verdict, at: dt.datetime | None, by: str | None) -> Reason:
    said = f"{what} was {verdict} {moment(at)} by {plain(by or '')}, and what is decided stays so; ask anew"
    return Reason("already_decided", said, facts={"verdict": verdict.value, "by": by})
