"""The guards of approval: the rule that is asked under, who may vote, and what the votes come to.

Duties are kept apart from who opened the record, who asked for it, who is to carry it out and who
did. A waiver on the record that lets one person both "open" and "authorize" (or "approve") lets that
person vote, too: it is the one waiver of who is alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from itsm_core.approvals import ApprovalRule, Tally, Verdict, checked, tally, vote_reasons
from itsm_core.approvals.words import plain, some
from itsm_core.errors import InvalidValue, Reason
from itsm_core.lifecycle.guards import Guards, Situation
from itsm_core.lifecycle.parts import OF_THE_ROUND, InstantOf
from itsm_core.lifecycle.reasons import waivers_for
from itsm_core.records import Record, Round

AUTHORIZING = ("authorize", "approve", "vote")
"""The triggers whose separation from "open" a waiver sets aside, for votes as well."""


APPROVAL_DUE = InstantOf(OF_THE_ROUND)
"""When the round that counts falls due: with the guard `is_expired` it is when time rejects it."""


def parties_to(record: Record) -> frozenset[str]:
    """Who has a part in what is to be approved: opener, requester, assignee, implementer."""
    assigned = frozenset() if record.assignee is None else {record.assignee}
    return record.hands_of("open") | record.hands_of("implement") | assigned


def is_waived(record: Record, at: dt.datetime | None) -> bool:
    """Whether a waiver lets those who have a part in it decide on it, too."""
    return any(waivers_for(record, trigger, "open", at) for trigger in AUTHORIZING)


def barred_from(record: Record, at: dt.datetime | None) -> frozenset[str]:
    """Who may not decide on a record at an instant; nobody while a waiver covers it."""
    return frozenset() if is_waived(record, at) else parties_to(record)


def standing(situation: Situation) -> tuple[Round, Tally] | None:
    """The round that counts and how it stands; None if there is none, or none that can be read."""
    return stands(situation.record, situation.at)


def stands(record: Record, at: dt.datetime | None = None) -> tuple[Round, Tally] | None:
    """The same of a record, as of an instant (None: after all that is known)."""
    live = record.round
    try:
        return None if live is None else (live, tally(live, at or _last(record, live)))
    except InvalidValue:  # from elsewhere: nothing that nobody can read approves anything
        return None


def _last(record: Record, round: Round) -> dt.datetime:
    """The latest instant at which something happened to a record or its round."""
    changed = round.opened_at if record.changed_at is None else record.changed_at
    return max([round.opened_at, changed, *(vote.at for vote in round.votes)])


def _all(reasons: Iterable[Reason]) -> Reason | None:
    """The reasons in one: the code and facts of the first, the words of all."""
    found = tuple(reasons)
    if len(found) < 2:
        return found[0] if found else None
    return attrs.evolve(found[0], message="; ".join(reason.message for reason in found))


# --- asking -------------------------------------------------------------------------------------


def rule_is_sound(situation: Situation) -> Reason | None:
    """A reason if nobody could ever approve under the rule, or if it asks again after a refusal."""
    rule = situation.fields.get("rule")
    if rule is None:
        return _asked_again(situation)  # a missing field is refused as one
    barred = barred_from(situation.record, situation.at)
    try:
        read = ApprovalRule.from_dict(rule)
        checked(attrs.evolve(read, excluded=tuple(sorted({*read.excluded, *barred}))), situation.at)
    except InvalidValue as wrong:
        return Reason("invalid_rule", str(wrong), facts={"field": "rule"})
    return _waits_in_vain(read, barred) or _asked_again(situation)


def _waits_in_vain(rule: ApprovalRule, barred: frozenset[str]) -> Reason | None:
    """A reason if a panel takes the voice of somebody who may not vote."""
    for panel in rule.panels:
        voices = rule.members_of(panel)
        silent = [name for name in voices if name in barred]
        awaited = [name for name in silent if name in panel.veto]
        if awaited or panel.votes_needed(len(voices)) > len(voices) - len(silent):
            said = f"{plain(panel.name)} would wait for {some(awaited or silent)}, who may not vote on this"
            return Reason("invalid_rule", f"{said}; name them in excluded", facts={"field": "rule"})
    return None


def _asked_again(situation: Situation) -> Reason | None:
    """A reason if somebody refused in the round that stands: asking others is no way round them.

    Also where the refusal is dated after the asking: all that is known counts.
    """
    found = stands(situation.record)
    if found is None:
        return None
    live, now = found
    refused = [name for panel in now.panels for name in panel.refusals]
    if now.verdict is Verdict.REJECTED and now.decided_by is not None:
        refused.append(now.decided_by)  # who had to approve, and abstained
    if not refused:
        return None
    said = f"{refused[0]} refused; take it back to its start and change it before you ask again"
    return Reason("refused_before", said, facts={"round": live.id, "by": refused[0]})


# --- voting -------------------------------------------------------------------------------------


def may_vote(situation: Situation) -> Reason | None:
    """A reason if this voice may not be cast: no member, decided already, or a party to the matter."""
    live = situation.record.round
    if live is None:
        return None  # a vote without a round is refused as one
    actor, at = situation.actor, situation.at or _last(situation.record, live)
    try:
        found = vote_reasons(
            live, actor.id, situation.on_behalf_of, at,
            recorded_at=situation.recorded_at, approved_by=actor.approved_by,
        )  # fmt: skip
    except InvalidValue as wrong:
        found = (Reason("invalid_rule", f"{wrong}; request an approval anew", facts={"round": live.id}),)
    return _all([*_parties(situation), *found])


def _parties(situation: Situation) -> list[Reason]:
    actor = situation.actor
    hands = (actor.id, situation.on_behalf_of, actor.approved_by)
    barred = barred_from(situation.record, situation.at)
    found = [hand for hand in hands if hand in barred]
    if not found:
        return []
    said = f"{found[0]} asked for it or carries it out, and others decide"
    facts = {"actor": found[0], "trigger": situation.trigger, "separate_from": "open"}
    return [Reason("separation", f"{said}; a waiver on record sets that aside", facts=facts)]


# --- deciding -----------------------------------------------------------------------------------


def is_approved(situation: Situation) -> Reason | None:
    """A reason if the round that counts is not approved, or the command changes what was approved."""
    found = standing(situation)
    if found is None:
        return _none_counts(situation.record)
    live, now = found
    if now.verdict is Verdict.APPROVED:
        return _edits(situation, live)
    said = "; ".join(reason.message for reason in now.reasons)
    return Reason("not_approved", said, facts={"verdict": now.verdict.value, "round": live.id})


def _none_counts(record: Record) -> Reason:
    ended = record.rounds[-1].ended if record.rounds else None
    why = {
        None: "nobody has been asked to approve it",
        "edited": "what was approved has been edited since",
        "revised": "it went back to its start since it was asked for",
    }.get(ended, f"the approval round ended ({ended})")
    return Reason("not_approved", f"{why}; request an approval", facts={"verdict": None, "ended": ended})


def _edits(situation: Situation, round: Round) -> Reason | None:
    held, brought = situation.record.values, situation.fields
    material = [name for name in round.rule.get("material") or () if name in brought]
    edited = [name for name in material if brought[name] != held.get(name)]
    if not edited:
        return None
    said = f"{', '.join(edited)} would change after the approval; amend it first and ask again"
    return Reason("edits_approved", said, facts={"fields": tuple(edited), "round": round.id})


def is_rejected(situation: Situation) -> Reason | None:
    """A reason if the round that counts is not rejected."""
    found = standing(situation)
    if found is not None and found[1].verdict is Verdict.REJECTED:
        return None
    return Reason("not_rejected", "the votes do not reject it", facts={"verdict": _verdict(found)})


def is_expired(situation: Situation) -> Reason | None:
    """A reason if time has not rejected the round that counts: votes did, or nothing has yet."""
    found = standing(situation)
    if found is not None and found[1].verdict is Verdict.REJECTED and found[1].expired is not None:
        return None
    said = "it has not fallen due undecided under a rule that rejects it then"
    return Reason("not_rejected", said, facts={"verdict": _verdict(found)})


def is_decided(situation: Situation) -> Reason | None:
    """A reason if the round that counts is neither approved nor rejected."""
    found = standing(situation)
    if found is not None and found[1].verdict is not Verdict.PENDING:
        return None
    said = "nobody has decided on it yet; request an approval and let them vote"
    return Reason("not_decided", said, facts={"verdict": _verdict(found)})


def _verdict(found: tuple[Round, Tally] | None) -> str | None:
    return None if found is None else found[1].verdict.value


def others_approved(situation: Situation) -> Reason | None:
    """A reason if nobody approved but who asked for it or carries it out (CHG-15)."""
    actor = situation.actor
    return approved_alone(situation, {actor.id, situation.on_behalf_of, actor.approved_by})


def approved_alone(situation: Situation, carries: Iterable[str | None]) -> Reason | None:
    """A reason if nobody approved but who has a part in it or carries it out, by the command or before."""
    found, record, brought = standing(situation), situation.record, situation.fields
    if found is None or is_waived(record, situation.at):
        return None
    deciders = approvers(found[1])
    hands = {*parties_to(record), *carries, brought.get("assignee"), brought.get("requester")}
    others = (_hands_of(who, found[0]).isdisjoint(hands) for who in deciders)
    if not deciders or any(others):
        return None
    said = f"only {some(sorted(deciders))} approved it; somebody else carries it out"
    return Reason("separation", f"{said}, or a waiver is on record", facts={"actor": min(deciders)})


def approvers(now: Tally) -> frozenset[str]:
    """Who cast the approving votes of a round, for themselves or for another."""
    return frozenset(name for panel in now.panels for name in panel.approved_by)


def _hands_of(voter: str, round: Round) -> frozenset[str]:
    """The voter, and who approved the votes of an AI agent."""
    approved = {vote.approved_by for vote in round.votes if vote.voter == voter and vote.approved_by}
    return frozenset({voter, *approved})


APPROVING: Guards = {
    "rule_is_sound": rule_is_sound,
    "may_vote": may_vote,
    "is_approved": is_approved,
    "is_rejected": is_rejected,
    "is_expired": is_expired,
    "is_decided": is_decided,
    "others_approved": others_approved,
}
"""The guards of approval by name: `rule_is_sound` of "request_approval", `may_vote` of "vote", and
`is_approved`, `is_rejected`, `is_expired`, `is_decided` and `others_approved` of transitions."""
