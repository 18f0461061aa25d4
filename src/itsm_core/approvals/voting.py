"""Which votes of a round count, and what they come to when gone through in order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import attrs

from itsm_core.approvals.counting import STRICTNESS, Count, Verdict
from itsm_core.approvals.rules import ApprovalRule, Delegation, OnExpiry
from itsm_core.approvals.words import moment, plain, some
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue, Reason
from itsm_core.records import Round, Vote


class Voices:
    """Who has a voice under a rule, and who may use it."""

    def __init__(self, rule: ApprovalRule) -> None:
        self._panels = tuple(panel.name for panel in rule.panels)
        self._members = {name for panel in rule.panels for name in panel.members}
        self._excluded = frozenset(rule.excluded)
        self._deputies: dict[str, dict[str, list[Delegation]]] = {}
        for one in rule.delegations:
            self._deputies.setdefault(one.voter, {}).setdefault(one.to, []).append(one)

    def objections(
        self, voter: str, voice: str, at: dt.datetime, approved_by: str | None = None
    ) -> Iterator[Reason]:
        """Why a voter may not use a voice at an instant, their own or another's."""
        if voice not in self._members:
            said = f"{plain(voice)} has no voice here; ask a member of {some(self._panels)}"
            yield Reason("not_a_member", said, facts={"voter": voice, "panels": self._panels})
        for name in dict.fromkeys((voter, voice, approved_by)):
            if name is not None and name in self._excluded:
                said = f"{plain(name)} is excluded from this approval; somebody else has to vote"
                yield Reason("excluded", said, facts={"voter": name})
        if voter != voice and voice in self._members and not self._may_speak(voter, voice, at):
            facts = {"voter": voter, "on_behalf_of": voice}
            yield Reason("no_delegation", self._why_not(voter, voice), facts=facts)

    def _may_speak(self, voter: str, voice: str, at: dt.datetime) -> bool:
        return any(one.covers(at) for one in self._deputies.get(voice, {}).get(voter, ()))

    def _why_not(self, voter: str, voice: str) -> str:
        deputies = self._deputies.get(voice, {})
        who, whose = plain(voter), plain(voice)
        if voter in deputies:
            spans = " or ".join(_span(one) for one in deputies[voter])
            return f"{who} may vote for {whose} only {spans}"
        between = next((name for name in deputies if voter in self._deputies.get(name, ())), None)
        if between is not None:
            return (
                f"{whose} delegated to {plain(between)} and {plain(between)} to {who}; "
                f"a delegation is not passed on: {plain(between)} may vote"
            )
        to = some(tuple(deputies)) or "nobody"
        return f"{whose} delegated this voice to {to}, not to {who}"


def _span(one: Delegation) -> str:
    parts = [f"from {moment(one.since)}"] if one.since else []
    return " ".join(parts + ([f"until {moment(one.until)}"] if one.until else []))


@attrs.frozen(kw_only=True)
class Ballot:
    """A vote that counts: whose voice it is, and who cast it."""

    at: dt.datetime
    voice: str
    choice: str
    by: str
    event: str
    approved_by: str | None = None


def ballots(rule: ApprovalRule, round: Round, upto: dt.datetime) -> list[Ballot]:
    """The votes that count, cast since the round was opened and up to an instant, in order.

    Of two votes of one voice at one instant nobody can tell the later: the one further from
    approval counts.
    """
    voices, opened = Voices(rule), in_utc(round.opened_at, "opened_at")
    cast = [_ballot(vote) for vote in round.votes]
    cast.sort(key=lambda one: (one.at, STRICTNESS[one.choice], one.event, one.by))
    valid = {
        (one.at, one.voice): one
        for one in cast
        if opened <= one.at <= upto and not any(voices.objections(one.by, one.voice, one.at, one.approved_by))
    }
    return sorted(valid.values(), key=lambda one: (one.at, one.event, one.by, one.voice))


def _ballot(vote: Vote) -> Ballot:
    if vote.choice not in tuple(STRICTNESS):  # a list from elsewhere cannot be looked up in a dict
        raise InvalidValue("vote", vote.choice, "is no vote", f"say one of {', '.join(STRICTNESS)}")
    return Ballot(
        at=in_utc(vote.at),
        voice=vote.on_behalf_of or vote.voter,
        choice=vote.choice,
        by=vote.voter,
        event=vote.event or "",
        approved_by=vote.approved_by,
    )


@attrs.frozen(kw_only=True)
class Outcome:
    """What the votes up to an instant come to; `decided_by` is None where time decided."""

    counts: tuple[Count, ...]
    verdict: Verdict = Verdict.PENDING
    decided_at: dt.datetime | None = None
    decided_by: str | None = None
    expired: OnExpiry | None = None

    def seats(self, voice: str) -> list[Count]:
        """The panels in which somebody has a voice."""
        return [count for count in self.counts if voice in count.members]


def outcome(rule: ApprovalRule, round: Round, upto: dt.datetime) -> Outcome:
    """What the votes up to an instant come to: each panel at its earliest certain vote, and the round."""
    counts = tuple(Count(panel, rule.members_of(panel)) for panel in rule.panels)
    strict = rule.due is not None and rule.on_expiry is OnExpiry.REJECT
    last = _decisive(counts, ballots(rule, round, min(upto, rule.due) if strict and rule.due else upto))
    if last is not None:
        refused = any(count.verdict is Verdict.REJECTED for count in counts)
        verdict = Verdict.REJECTED if refused else Verdict.APPROVED
        return Outcome(counts=counts, verdict=verdict, decided_at=last.at, decided_by=last.by)
    opened = in_utc(round.opened_at, "opened_at")
    if rule.due is None or upto < max(rule.due, opened):
        return Outcome(counts=counts)
    if strict:
        at = max(rule.due, opened)
        return Outcome(counts=counts, verdict=Verdict.REJECTED, decided_at=at, expired=rule.on_expiry)
    return Outcome(counts=counts, expired=rule.on_expiry)


def _decisive(counts: tuple[Count, ...], cast: list[Ballot]) -> Ballot | None:
    """Counts the votes up to the one that decides the round, which is answered; None if none does."""
    seats: dict[str, list[Count]] = {}
    for count in counts:
        for name in count.members:
            seats.setdefault(name, []).append(count)
    undecided = len(counts)
    for one in cast:
        asked = [count for count in seats[one.voice] if count.verdict is Verdict.PENDING]
        for count in asked:
            count.take(one.voice, one.choice, at=one.at, by=one.by)
        verdicts = [count.verdict for count in asked]
        undecided -= verdicts.count(Verdict.APPROVED)
        if Verdict.REJECTED in verdicts or not undecided:
            return one
    return None
