"""Conditions that several processes share: what transitions need, guards, and going on elsewhere.

A guard looks at what it is given and nothing else. Where what it has to judge was not given (the
tasks of a record), it says so and does not let pass.
"""

from __future__ import annotations

import datetime as dt

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import business_days
from itsm_core.errors import BeyondHorizon, NeverOpens, Reason
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.beside import DESK
from itsm_core.lifecycle.guards import Guards, Situation
from itsm_core.lifecycle.parts import Need, State, Transition
from itsm_core.lifecycle.timers import around_the_clock
from itsm_core.records import Record

STAFF = frozenset({"agent", "manager"})
"""The roles of the people who do the work."""

CLOSURES = ("user_confirmed", "no_response_after_attempts", "policy", "monitoring_verified")
"""How it may have been agreed that a record closes."""

OWNS_TASK = "task"
"""The relation by which a record is linked to the tasks that are part of it."""

CONTACTS, APART = 3, business_days(1)
"""How often a silent requester is sought before a record closes without them, and how far apart."""


# --- needs ------------------------------------------------------------------------------------


def hold_reason(clause: str) -> Need:
    """Whom or what a hold waits for; the record waits on just that, and its clocks know."""
    return Need("hold_reason", clause, one_of=tuple(WaitsOn),
                label={"en": "reason for the hold", "zh": "挂起原因"})  # fmt: skip


def look_again(clause: str) -> Need:
    """When somebody looks at a hold again, so that it is not forgotten."""
    return Need("look_again_at", clause, essential=False,
                label={"en": "look again at", "zh": "再次查看时间"})  # fmt: skip


def message(clause: str, *, essential: bool = True) -> Need:
    """What the requester is told."""
    return Need("message", clause, essential=essential,
                label={"en": "words to the requester", "zh": "告知请求人的话"})  # fmt: skip


def why(clause: str, *, essential: bool = True) -> Need:
    """Why a record goes this way."""
    return Need("reason", clause, essential=essential, label={"en": "why", "zh": "原因"})


def closure(clause: str) -> Need:
    """How it was agreed that the record closes."""
    return Need("closure_code", clause, one_of=CLOSURES,
                label={"en": "how closure was agreed", "zh": "关闭依据"})  # fmt: skip


# --- closing ----------------------------------------------------------------------------------


def no_open_tasks(situation: Situation) -> Reason | None:
    """All tasks of the record are done; they are the records linked as its "task"."""
    at_hand, unseen = tasks_of(situation)
    still = [task.id for task in at_hand if task.phase.is_open]
    if still:
        said = f"still to be done: {', '.join(still)}; complete or skip its tasks first"
        return Reason("open_tasks", said, facts={"tasks": tuple(still)})
    if unseen:
        said = f"its tasks are not at hand: {', '.join(unseen)}; load them, and give them as `related`"
        return Reason("tasks_not_at_hand", said, facts={"tasks": unseen})
    return None


def tasks_of(situation: Situation) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """The tasks of a record that are at hand, and the ids of those that are not."""
    linked = [other for relation, other in situation.record.links if relation == OWNS_TASK]
    known = {record.id: record for record in situation.related} if linked else {}
    at_hand = tuple(known[other] for other in linked if other in known)
    return at_hand, tuple(other for other in linked if other not in known)


def silence_is_shown(situation: Situation) -> Reason | None:
    """Who closes for want of an answer sought the requester three times, a business day apart.

    Only contacts that a person sought count, and only those since the requester was last heard.
    Without a calendar a day is 24 hours.
    """
    if situation.fields.get("closure_code") != "no_response_after_attempts":
        return None
    count, again = contacts(situation.record.attempts, situation.calendar, situation.at)
    if count >= CONTACTS:
        return None
    said = f"the requester was sought on {count} of {CONTACTS} business days since they were last heard"
    when = "" if again is None else f"; what is sent from {again.isoformat()} on counts"
    facts = {"contacts": count, "needed": CONTACTS, "again": None if again is None else again.isoformat()}
    return Reason("too_few_contacts", said + when, facts=facts)


def contacts(
    attempts: tuple[dt.datetime, ...],
    calendar: BusinessCalendar | None = None,
    until: dt.datetime | None = None,
) -> tuple[int, dt.datetime | None]:
    """How many of these contacts, up to an instant, lie a business day apart, and when the next one would.

    None if no contact was sought, or if the calendar opens no more.
    """
    days, count, due = calendar or around_the_clock(), 0, None
    for at in sorted(at for at in attempts if until is None or at <= until):
        if due is None or at >= due:
            try:
                count, due = count + 1, days.add(at, APART)
            except (NeverOpens, BeyondHorizon):
                return count + 1, None
    return count, due


_DELICATE = ("major", "security", "complaint")


def closes_by_itself(situation: Situation) -> Reason | None:
    """Nothing major, about information security, or complained about closes without anybody's word."""
    record, brought = situation.record, situation.fields
    held = record.values
    if not (record.major or any(held.get(name) or brought.get(name) for name in _DELICATE)):
        return None
    kinds = tuple(n for n in _DELICATE if held.get(n) or brought.get(n) or (n == "major" and record.major))
    said = f"it is marked {' and '.join(kinds)}, and such a record takes somebody's word to close"
    return Reason("takes_a_word", said, facts={"marked": kinds})


def policy_may_close(situation: Situation) -> Reason | None:
    """Who closes by policy closes a record that could close by itself."""
    return closes_by_itself(situation) if situation.fields.get("closure_code") == "policy" else None


def requester_confirms(situation: Situation) -> Reason | None:
    """The requester closes by confirming; all other ways are the desk's to answer for."""
    code, actor = situation.fields.get("closure_code"), situation.actor
    if code in (None, "user_confirmed") or actor.roles & DESK or actor.id != situation.record.requester:
        return None
    said = f"{code} is the desk's to say; close with user_confirmed"
    return Reason("desk_only", said, facts={"field": "closure_code", "value": code})


CLOSING = ("silence_is_shown", "policy_may_close", "requester_confirms", "no_open_tasks")
"""The guards of whoever closes a record for its requester."""

CLOSING_ITSELF = ("closes_by_itself", "no_open_tasks")
"""The guards of a timer that closes a record."""


# --- going on elsewhere -----------------------------------------------------------------------

ELSEWHERE = (
    State("duplicate", Phase.CLOSED, label={"en": "Duplicate", "zh": "重复"}, outcome="duplicate"),
    State("merged", Phase.CLOSED, label={"en": "Merged", "zh": "已合并"}, outcome="merged"),
    State("retyped", Phase.CLOSED, label={"en": "Re-typed", "zh": "已转类"}, outcome="retyped"),
)
"""The states of a record that goes on in another one; the other keeps its promise."""

SUCCESSORS = ("duplicate_of", "merged_into", "successor")
"""The fields that name the other record."""


def goes_elsewhere(sources: tuple[str, ...], clause: str) -> tuple[Transition, ...]:
    """The transitions of open records that go on in another one: as a duplicate, merged, or re-typed."""
    same = Need("duplicate_of", clause, label={"en": "the same as", "zh": "与此相同的记录"})
    into = Need("merged_into", clause, label={"en": "goes on in", "zh": "合并到"})
    anew = Need("successor", clause, label={"en": "goes on as", "zh": "转为"})
    return (
        Transition("mark_duplicate", sources, dest="duplicate", roles=STAFF, requires=(same,),
                   guards=("has_a_successor",), label={"en": "Mark as duplicate", "zh": "标记为重复"}),
        Transition("merge", sources, dest="merged", roles=STAFF, requires=(into,),
                   guards=("has_a_successor",), label={"en": "Merge", "zh": "合并"}),
        Transition("retype", sources, dest="retyped", roles=STAFF, requires=(anew, why(clause)),
                   guards=("has_a_successor",), label={"en": "Re-type", "zh": "转类"}),
    )  # fmt: skip


def has_a_successor(situation: Situation) -> Reason | None:
    """The record that takes over is another one, and is not closed as far as that is known."""
    others = [other for name in SUCCESSORS if (other := situation.fields.get(name))]
    if situation.record.id in others:
        said = f"{situation.record.id} cannot take over from itself; name another record"
        return Reason("names_itself", said, facts={"other": situation.record.id})
    for other in situation.related:
        if other.id in others and other.phase is Phase.CLOSED:
            said = f"{other.id} is closed and keeps no promise any more; name an open record"
            return Reason("successor_closed", said, facts={"other": other.id, "outcome": other.outcome})
    return None


CONDITIONS: Guards = {
    "no_open_tasks": no_open_tasks,
    "silence_is_shown": silence_is_shown,
    "closes_by_itself": closes_by_itself,
    "policy_may_close": policy_may_close,
    "requester_confirms": requester_confirms,
    "has_a_successor": has_a_successor,
}
"""The guards of this module by name."""
