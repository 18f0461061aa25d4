"""Clocks read aloud: what promises come to, minute by minute. Slow and plain on purpose; knows no library.

A history is a list of steps `(minute, kind, value)`, in order, each at a whole minute after the start:

    ("state", {...})      the record is in this phase from now on, and may wait on somebody, or have an outcome
    ("group", name)       this group has it from now on
    ("words", said)       something is said
    ("priority", name)    what is promised may change

Of what falls on one minute, the promise counts first; then each state in turn, with all the words of the
minute, which are heard but once. At each: void, stop, reset, start; from each to the next, pause or run.
"""

import copy
from itertools import pairwise
from typing import Any, NamedTuple

DONE = {"resolved", "closed"}
VOIDING = {"cancelled", "duplicate", "merged", "retyped"}
SAYS = {"message": "answered", "ai_message": "answered_by_ai"}


class Promised(NamedTuple):
    """A target in plain words; `limit(start)` gives its budget in microseconds and the minute it names, or None."""

    metric: str
    limit: Any
    open: Any  # minute -> (microseconds of it that are open, whether it is open at its end)
    pauses: frozenset = frozenset()
    answers: frozenset = frozenset({"message"})
    reopen: str = "continue"
    retarget: str = "retroactive"
    fixed: bool = False
    party: str | None = None


class Cycle:
    """A stretch from start to stop: what it knew at each turn of events."""

    def __init__(self, minute, state, promised):
        self.start, self.stop, self.reason, self.void = minute, None, None, False
        self.settled = False  # whether the record was closed since it stopped
        self.turns = [(minute, state, promised, False)]

    @property
    def promised(self):
        """What judges it: the promise that held last."""
        return self.turns[-1][2]

    def end(self, minute, state, promised, reason, *, void=False):
        """It stops: nothing counts from here on."""
        self.stop, self.reason, self.void = minute, reason, void
        self.turns.append((minute, state, promised, True))

    def again(self, minute, state, promised):
        """It goes on after its stop."""
        self.stop = self.reason = None
        self.void = False
        if promised.reopen == "include_closed":
            self.turns = [(at, then, held, False) for at, then, held, _ in self.turns]
        self.turns.append((minute, state, promised, False))


# --- which cycles there are ----------------------------------------------------------------------


def cycles(steps, promises, until):
    """The cycles up to a minute; `promises` says by priority what is promised, None if nothing."""
    found, last, went_on = [], {"phase": "new", "group": None}, False
    steps = [step for step in steps if step[0] <= until]
    held = _held(steps, promises)
    for minute in sorted({step[0] for step in steps}):
        now = [step for step in steps if step[0] == minute]
        promised = next(one for since, one in reversed(held) if since <= minute)
        words = [value for _, kind, value in now if kind == "words"]
        states = _states(now, last, first=minute == 0)
        last = states[-1]
        for state in states:
            ran = bool(found) and found[-1].stop is None
            _turn(found, minute, state, words, promised, went_on=went_on)
            _one_end(found)
            if promised is not None:  # what might go on, and has not, waits until it may start anew
                went_on = state["phase"] not in DONE and _starts(promised, state, [])
            elif ran:
                went_on = False
            if found and found[-1].stop is not None and state["phase"] == "closed":
                found[-1].settled = True
    return found


def _held(steps, promises):
    """What was promised from when on.

    Where nothing was promised for a while, a promise that measures from the start counts that time too, unless
    the record was closed in it: what was settled stays as it is.
    """
    held = []
    for minute, _, value in (step for step in steps if step[1] == "priority"):
        promised = promises[value]
        if held and held[-1][1] is promised is None:
            continue  # still nothing
        counts_back = len(held) > 1 and promised is not None and promised.retarget == "retroactive"
        if counts_back and held[-1][1] is None and not _was_closed(steps, held[-1][0], minute):
            held.pop()
        held.append((minute, promised))
    return held


def _was_closed(steps, since, until):
    """Whether an open record was closed at some time of a stretch."""
    states = [(minute, value["phase"]) for minute, kind, value in steps if kind == "state"]
    for (_, before), (minute, now) in pairwise([(0, "new"), *states]):
        if since <= minute <= until and now == "closed" != before:
            return True
    return False


def _one_end(found):
    """A cycle that began where the one before it ended, and ended there too, is none: that one ended so."""
    if len(found) > 1 and found[-1].start == found[-1].stop == found[-2].stop:
        empty = found.pop()
        (minute, state, _, _), last = empty.turns[-1], found[-1]
        last.end(minute, state, last.promised, empty.reason, void=empty.void)


def _states(now, state, *, first):
    """The states of a minute, one after the other; if nothing changes, the one that held."""
    states = [state] if first else []
    for _, kind, value in now:
        before = state
        if kind == "state":
            state = {**value, "group": state["group"]}
        elif kind == "group":
            state = {**state, "group": value}
        if state != before:
            states.append(state)
    return states or [state]


def _turn(found, minute, state, words, promised, *, went_on):
    last = found[-1] if found else None
    running = last is not None and last.stop is None
    if promised is None:
        if running:
            last.end(minute, state, last.promised, "no_target", void=True)
    elif running:
        _running(found, last, minute, state, words, promised)
    elif last is not None and last.stop == minute and _still_ends(last, promised, state, words):
        if _voids(state):
            last.reason, last.void = state["outcome"], True
    elif last is not None and went_on:
        return
    elif _starts(promised, state, words) and ((not found and minute == 0) or state["phase"] not in DONE):
        _started(found, last, minute, state, words, promised)


def _running(found, last, minute, state, words, promised):
    reason = _stops(promised, state, words)
    held = last.promised if _restarts(last, promised) else promised  # what starts anew judges nothing before
    if _voids(state):
        last.end(minute, state, held, state["outcome"], void=True)
    elif reason is not None:
        last.end(minute, state, held, reason)
    elif promised.metric == "update" and _said(words, promised) and minute > last.start:
        last.end(minute, state, held, _said(words, promised))
        found.append(Cycle(minute, state, promised))
    elif held is not promised:
        last.end(minute, state, held, "retargeted", void=True)
        found.append(Cycle(minute, state, promised))
    else:
        last.turns.append((minute, state, promised, False))


def _started(found, last, minute, state, words, promised):
    repeats = promised.metric in {"reply", "stretch"}
    goes_on = last is not None and (
        last.void or (promised.metric != "response" and promised.reopen != "none")
    )
    anew = promised.reopen == "new_cycle" or _restarts(last, promised) if last else True
    if last is None or repeats or (goes_on and anew):
        found.append(Cycle(minute, state, promised))
        reason = _stops(promised, state, words)
        if _voids(state):
            found[-1].end(minute, state, promised, state["outcome"], void=True)
        elif reason is not None:
            found[-1].end(minute, state, promised, reason)
    elif goes_on:
        if last.settled:  # it stays as it is, and another one goes on from there
            last = copy.copy(last)
            last.turns, last.settled = [*last.turns], False
            found.append(last)
        last.again(minute, state, promised)
        reason = _stops(promised, state, words)
        if reason is not None:  # it is answered as it goes on
            last.end(minute, state, promised, reason)


def _restarts(last, promised):
    return last is not None and promised is not last.promised and promised.retarget == "restart"


def _voids(state):
    return state["phase"] == "closed" and state.get("outcome") in VOIDING


def _starts(promised, state, words):
    if promised.metric == "reply":
        return "request" in words
    return promised.metric != "stretch" or state["group"] == promised.party


def _stops(promised, state, words):
    """Why a clock stops here, or None."""
    answered = _said(words, promised) if promised.metric in {"response", "reply"} else None
    if answered is not None:
        return answered
    if state["phase"] in DONE:
        return "resolved_without_reply" if promised.metric == "response" else state["phase"]
    return "left" if promised.metric == "stretch" and not _starts(promised, state, words) else None


def _ends(promised, state, words):
    return _voids(state) or _stops(promised, state, words) is not None


def _still_ends(last, promised, state, words):
    """Whether a stop of this minute stays; a promise that fell away is back once the record is open."""
    back = last.void and state["phase"] not in DONE
    return _ends(promised, state, words) and not back


def _said(words, promised):
    return next((SAYS[one] for one in words if one in promised.answers), None)


# --- what they come to ---------------------------------------------------------------------------


class Count(NamedTuple):
    """What was counted in a cycle: microseconds of a budget, what it does now, and the minute it was used up."""

    used: int
    budget: int
    doing: str
    due: int | None


def judge_of(cycle, place):
    """By what the stretch after a turn counts: a new promise counts it again, unless it carries on."""
    judge = cycle.turns[place][2]
    for before, after in zip(cycle.turns[place:], cycle.turns[place + 1 :], strict=False):
        if after[2] is not before[2] and after[2].retarget != "carry":
            judge = after[2]
    return judge


def count(cycle, until):
    """A cycle counted minute by minute, up to its stop or a minute."""
    budget, rule = cycle.promised.limit(cycle.start)
    used, doing, due = 0, None, rule if budget == 0 else None
    judges = [judge_of(cycle, place) for place in range(len(cycle.turns))]
    end = until if cycle.stop is None else cycle.stop
    place, last_open = 0, None
    for minute in range(cycle.start, end + 1):
        while place < len(cycle.turns) and cycle.turns[place][0] == minute:
            wanted = _wanted(cycle.turns[place], judges[place])
            late = used > budget or (used == budget and due is not None and due < minute)
            stays = doing == "paused"  # what paused in time stays paused
            doing = "running" if wanted == "paused" and late and not stays else wanted
            judge, place = judges[place], place + 1
        if minute < end and doing == "running":
            length, to_the_end = judge.open(minute)
            used += length
            if length and used <= budget:
                last_open = minute + 1 if to_the_end else minute + 0.5
            if used >= budget and due is None:
                due = last_open if used == budget else minute + 0.5
                due = due if rule is None else max(due, rule)
    return Count(used, budget, doing, due)


def _wanted(turn, judge):
    _, state, _, stopped = turn
    if stopped:
        return "stopped"
    waits = state["phase"] == "waiting" and state.get("waits_on") in judge.pauses
    return "paused" if waits and not judge.fixed else "running"


def verdict(cycle, counted):
    """Met if no more than the budget was used; a void after a breach stays a breach."""
    over = counted.used > counted.budget
    if cycle.void:
        return "void_after_breach" if over else "void"
    if over:
        return "breached"
    return "running" if cycle.stop is None else "met"
