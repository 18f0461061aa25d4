"""Each coded rule of soundness has a smallest lifecycle that breaks it and no other, and one that keeps it."""

import itertools
import re
import time
from pathlib import Path

import attrs
import pytest

from itsm_core.business_time.durations import Budget, business_days, calendar_days, end_of_business_day, hours
from itsm_core.errors import InvalidValue, UnsoundLifecycle
from itsm_core.events import Phase
from itsm_core.lifecycle import CustomField, InstantOf, Lifecycle, Need, State, Transition, check
from itsm_core.lifecycle.duties import UNSUCCESSFUL
from itsm_core.lifecycle.graph import Graph
from itsm_core.lifecycle.shape_rules import MOST_EDGES, MOST_NAMES, MOST_ROWS, MOST_SEARCHES, MOST_STATES
from itsm_core.lifecycle.shape_rules import _names as names_of
from itsm_core.lifecycle.shape_rules import _searches as searches_of
from itsm_core.lifecycle.soundness import PHASE_MOVES, RULES, Finding, sound
from itsm_core.lifecycle.staffing import ABOUT_STAFF

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "soundness-rules.md"

NEW = State("new", Phase.NEW)
WORK = State("work", Phase.ACTIVE)
WAIT = State("wait", Phase.WAITING, waits_on="supplier")
HOLD = State("hold", Phase.WAITING)
FIXED = State("fixed", Phase.RESOLVED)
DONE = State("done", Phase.CLOSED, outcome="completed")
GONE = State("gone", Phase.CLOSED, outcome="cancelled")
NOW = Budget(0)


def move(trigger, sources, dest, **more):
    """A transition that an agent may fire."""
    return Transition(trigger, sources, dest=dest, **{"roles": {"agent"}, **more})


def timer(trigger, sources, dest, after=NOW, **more):
    """A transition that time fires."""
    return Transition(trigger, sources, dest=dest, after=after, **more)


def need(field, **more):
    """A need of a field."""
    return Need(field, "our rule", **more)


def lifecycle(*transitions, states=(NEW, DONE), initial="new", **more):
    """A lifecycle of these states and transitions."""
    return Lifecycle(
        "tiny", 1, process="incident", initial=initial, states=states, transitions=transitions, **more
    )


def fine(_situation):
    """A guard with nothing to say."""


def waiting(*transitions, state=WAIT):
    """A lifecycle that waits in the middle."""
    return lifecycle(*transitions, states=(NEW, state, DONE))


def resolving(*transitions, states=(NEW, FIXED, DONE), **more):
    """A lifecycle that resolves before it closes."""
    return lifecycle(move("fix", "new", "fixed"), *transitions, states=states, **more)


def approving(*transitions):
    """A lifecycle with three steps."""
    return lifecycle(*transitions, states=(NEW, WORK, DONE))


def ringing(*transitions, **more):
    """A lifecycle whose work ends at an instant that its records name."""
    fields = (CustomField("ring_at", "instant"),)
    end = timer("end", "work", "done", InstantOf("ring_at"))
    return lifecycle(*transitions, end, states=(NEW, WORK, DONE), fields=fields, **more)


RING = need("ring_at")
FINISH = move("finish", "new", "done")
BACK = move("back", "wait", "done", roles={"automation"})
END = move("end", "fixed", "done", relation="requester")
ASK = move("ask", "new", "work")
TINY = lifecycle(FINISH)
WHOLE = lifecycle(
    move("start", "new", "work"),
    move("wait", ("work", "wait"), "wait"),
    move("fix", ("work", "wait"), "fixed", roles={"agent", "automation"}, requires=(need("reason"),)),
    move("finish", "fixed", "done", separate_from="fix", guards="fine"),
    timer("close_silently", "fixed", "done", business_days(5), requires=(need("reason", kept=True),)),
    move("reopen", "fixed", "work", reopens="resume", relation="requester"),
    move("undo", "done", "new", reopens="restart"),
    states=(NEW, WORK, WAIT, FIXED, DONE),
    guards={"fine": fine},
    beside={"vote": "fine", "open": "fine"},
    roles=("agent", "automation"),
)
NEEDS = (need("reason"), need("resolution_notes", otherwise="message"), need("impact", one_of="low"))

# fmt: off
BROKEN = [
    # rule, where, what is said, the definition
    ("L000", "tiny",   "holds 1001 states, more than 1000",
     lifecycle(FINISH, states=(NEW, DONE, *(State(f"s{n}", Phase.ACTIVE) for n in range(999))))),
    ("L000", "tiny",   "holds 10001 moves",       lifecycle(*(move(f"t{n}", "new", "done") for n in range(10_001)))),
    ("L000", "tiny",   "holds 10001 moves",       lifecycle(move("finish", ("new",) * 10_001, "done"))),
    ("L000", "tiny",   "holds 100001 roles, guards, fields and choices",
     lifecycle(move("finish", "new", "done", roles={f"r{n}" for n in range(100_001)}))),
    ("L000", "tiny",   "holds 101 transitions of one trigger out of one state",
     lifecycle(*(move("finish", "new", "done", guards=f"g{n}") for n in range(101)))),
    ("L000", "tiny",   "holds 101 duties kept apart and fields that time needs",
     lifecycle(move("finish", "new", "done", separate_from=[f"t{n}" for n in range(101)]))),
    ("L001", "done",   "two states have this name; give each its own", lifecycle(FINISH, states=(NEW, DONE, DONE))),
    ("L001", "done",   "two states have this name", lifecycle(FINISH, states=(NEW, DONE, GONE, attrs.evolve(GONE, id="done")))),
    ("L001", "room",   "two fields have this name",
     lifecycle(FINISH, fields=(CustomField("room", "text"), CustomField("room", "number")))),
    ("L002", "start",  "the initial state is not defined; use one of new, done", lifecycle(FINISH, initial="start")),
    ("L002", "work",   "the initial state is of phase active; begin with one of phase new",
     lifecycle(move("finish", "work", "done"), states=(WORK, DONE), initial="work")),
    ("L003", "finish", "leaves nowhere, which is no state; define it", lifecycle(move("finish", ("new", "nowhere"), "done"))),
    ("L003", "never",  "leaves no state, so it never happens; name its sources", lifecycle(FINISH, move("never", (), "done"))),
    ("L004", "finish", "leads to nowhere, which is no state; define it", lifecycle(move("finish", "new", "nowhere"), states=(NEW, DONE))),
    ("L004", "finish", "leads to a NoneType, which is no state", lifecycle(move("finish", "new", None))),
    ("L005", "undo",   "done to new leaves an end; open a linked record instead, or say reopens=",
     lifecycle(FINISH, move("undo", "done", "new"))),
    ("L005", "undo",   "done to gone leaves an end", lifecycle(FINISH, move("undo", "done", "gone"), states=(NEW, DONE, GONE))),
    ("L006", "pause",  "fixed to wait moves from resolved to waiting; from resolved a record may move to new, active, resolved, closed",
     resolving(END, BACK, move("pause", "fixed", "wait"), states=(NEW, WAIT, FIXED, DONE))),
    ("L006", "pause",  "moves from resolved to waiting",
     resolving(END, BACK, move("pause", "fixed", "wait", reopens="resume"), states=(NEW, WAIT, FIXED, DONE))),
    ("L007", "tiny",   "no state is of phase closed, so nothing ever ends; add one",
     lifecycle(move("start", "new", "work"), states=(NEW, WORK))),
    ("L008", "work",   "no path leads here from new; add a transition to it, or remove it",
     lifecycle(FINISH, move("end", "work", "done"), states=(NEW, WORK, DONE))),
    ("L008", "work",   "no path leads here",
     lifecycle(FINISH, move("stay", "work", "work"), move("end", "work", "done"), states=(NEW, WORK, DONE))),
    ("L009", "work",   "no path leads from here to an end; add a transition towards done or gone",
     lifecycle(FINISH, move("drop", "new", "gone"), ASK, states=(NEW, WORK, DONE, GONE))),
    ("L009", "work",   "no path leads from here to an end",
     lifecycle(FINISH, move("start", ("new", "work"), "work"), states=(NEW, WORK, DONE))),
    ("L010", "done",   'is final and names no outcome; say what came of it: outcome="completed"',
     lifecycle(FINISH, states=(NEW, attrs.evolve(DONE, outcome=None)))),
    ("L010", "done",   "is final and names no outcome", lifecycle(FINISH, states=(NEW, attrs.evolve(DONE, outcome="")))),
    ("L010", "done",   "is final and names no outcome", lifecycle(FINISH, states=(NEW, attrs.evolve(DONE, outcome=7)))),
    ("L010", "new",    "is of phase new and has no outcome yet; leave it to a final state",
     lifecycle(FINISH, states=(attrs.evolve(NEW, outcome="completed"), DONE))),
    ("L011", "pause",  "new to hold does not say whom it waits for; give the state waits_on, or require hold_reason",
     waiting(move("pause", "new", "hold"), move("back", "hold", "done", roles={"automation"}), state=HOLD)),
    ("L011", "pause",  "does not say whom it waits for",
     waiting(move("pause", "new", "hold", requires=(need("hold_reason", otherwise="reason"),)),
             move("back", "hold", "done", roles={"automation"}), state=HOLD)),
    ("L011", "pause",  "wait to hold does not say whom it waits for",
     lifecycle(move("call", "new", "wait"), move("pause", "wait", "hold", requires=(need("hold_reason", kept=True),)),
               move("back", ("wait", "hold"), "done", roles={"automation"}), states=(NEW, WAIT, HOLD, DONE))),
    ("L011", "new",    "is of phase new and waits for nobody; leave waits_on out",
     lifecycle(FINISH, states=(attrs.evolve(NEW, waits_on="supplier"), DONE))),
    ("L012", "reopen", 'fixed to new reopens; say reopens="resume" or "restart"', resolving(END, move("reopen", "fixed", "new"))),
    ("L012", "reopen", "fixed to new reopens", resolving(END, move("reopen", "fixed", "new", reopens="again"))),
    ("L012", "undo",   "done to new reopens", lifecycle(FINISH, move("undo", "done", "new", reopens="perhaps"))),
    ("L012", "undo",   "done to gone leads nowhere open again; leave reopens out",
     lifecycle(FINISH, move("undo", "done", "gone", reopens="resume"), states=(NEW, DONE, GONE))),
    ("L012", "finish", "new to done leads nowhere open again", lifecycle(move("finish", "new", "done", reopens="resume"))),
    ("L013", "finish", "new to gone is never taken, for an earlier one goes first; put it before that one, with a guard, or remove it",
     lifecycle(FINISH, move("finish", "new", "gone"), move("leave", "new", "gone"), states=(NEW, DONE, GONE))),
    ("L013", "finish", "new to done is never taken", lifecycle(move("finish", ("new", "new"), "done"))),
    ("L013", "finish", "new to gone is never taken",
     lifecycle(move("finish", "new", "done", guards="a"), move("finish", "new", "gone", guards=("b", "a")), FINISH,
               states=(NEW, DONE, GONE), guards={"a": fine, "b": fine})),
    ("L013", "end",    "fixed to done is never taken",
     resolving(move("end", "fixed", "done"), timer("end", "fixed", "done", business_days(5)))),
    ("L014", "finish", "out of new every transition has a guard of its own; add one without, after them",
     lifecycle(move("finish", "new", "done", guards="a"), move("finish", "new", "gone", guards="b"),
               states=(NEW, DONE, GONE), guards={"a": fine, "b": fine})),
    ("L014", "finish", "out of new every transition has a guard of its own",
     lifecycle(move("finish", "new", "done", guards=("c", "a")), move("finish", "new", "gone", guards=("c", "b")),
               states=(NEW, DONE, GONE), guards={"a": fine, "b": fine, "c": fine})),
    ("L015", "wait",   "a record may wait here for ever; add a way out for the requester (relation), automation (role) or time (after)",
     waiting(move("pause", "new", "wait"), move("back", "wait", "done"))),
    ("L015", "wait",   "a record may wait here for ever",
     waiting(move("pause", "new", "wait"), move("back", "wait", "done"), timer("again", "wait", "wait", hours(1)))),
    ("L016", "finish", "names nobody who may fire it; give roles, a relation, or after", lifecycle(Transition("finish", "new", dest="done"))),
    ("L016", "finish", 'there is no role "*"; name each role', lifecycle(move("finish", "new", "done", roles={"*", "agent"}))),
    ("L017", "finish", "time fires it, nobody else; leave agent out, or leave after out", lifecycle(timer("finish", "new", "done", roles={"agent"}))),
    ("L017", "finish", "leave requester out", lifecycle(timer("finish", "new", "done", relation="requester"))),
    ("L017", "finish", "leave open out", lifecycle(timer("finish", "new", "done", separate_from="open"))),
    ("L018", "finish", "the role agent is unknown; use one of clerk, or add it to roles", lifecycle(FINISH, roles="clerk")),
    ("L019", "finish", "the guard ready is registered nowhere; give guards={...} a function of this name",
     lifecycle(move("finish", "new", "done", guards="ready"))),
    ("L019", "finish", "the guard __import__('os').system('true') is registered nowhere",
     lifecycle(move("finish", "new", "done", guards="__import__('os').system('true')"))),
    ("L019", "vote",   "the guard ready is registered nowhere", lifecycle(FINISH, beside={"vote": "ready"})),
    ("L019", "vot",    "is no command beside the state; use one of open, assign", lifecycle(FINISH, beside={"vot": "fine"}, guards={"fine": fine})),
    ("L019", "escalate", "is no command beside the state; use one of open, assign",
     lifecycle(FINISH, beside={"escalate": "fine"}, guards={"fine": fine})),
    ("L020", "finish", 'the field room is unknown; declare it: fields=(CustomField("room", "text"),)',
     lifecycle(move("finish", "new", "done", requires=(need("room"),)))),
    ("L020", "open",   "the field room is unknown", lifecycle(FINISH, opening=(need("room"),))),
    ("L020", "finish", "the relation requestor is no field that names somebody; use requester, assignee or owner",
     lifecycle(move("finish", "new", "done", relation="requestor"))),
    ("L020", "finish", "the relation major is no field that names somebody", lifecycle(move("finish", "new", "done", relation="major"))),
    ("L020", "finish", 'waits for room, which is no field that holds an instant; declare it: fields=(CustomField("room", "instant"),)',
     lifecycle(timer("finish", "new", "done", InstantOf("room")))),
    ("L020", "finish", "waits for reason, which is no field that holds an instant", lifecycle(timer("finish", "new", "done", InstantOf("reason")))),
    ("L020", "finish", 'waits for an approval, and none is asked for; give beside={"request_approval": ...}',
     lifecycle(timer("finish", "new", "done", InstantOf("approval.due")))),
    ("L021", "finish", "is kept apart from opening, which is no trigger; use one of open, finish",
     lifecycle(move("finish", "new", "done", separate_from="opening"))),
    ("L021", "finish", "is kept apart from vote, which is no trigger", lifecycle(move("finish", "new", "done", separate_from="vote"))),
    ("L022", "ask",    "is kept apart from finish, which never comes before it; leave it out of separate_from",
     approving(move("ask", "new", "work", separate_from="finish"), move("finish", "work", "done"))),
    ("L022", "finish", "is kept apart from finish, which never comes before it", lifecycle(move("finish", "new", "done", separate_from="finish"))),
    ("L023", "fixed",  "only staff may close it; let the requester (relation) or time (after) do it, or say requester=False",
     resolving(move("end", "fixed", "done"))),
    ("L023", "fixed",  "only staff may close it", resolving(move("end", "fixed", "done", roles={"automation"}))),
    ("L023", "fixed",  "only staff may close it",
     resolving(move("end", "fixed", "done"), move("reopen", "fixed", "new", relation="requester", reopens="resume"))),
    ("L024", "new",    "round and round at one instant: new to new; let one of them wait", lifecycle(FINISH, timer("tick", "new", "new"))),
    ("L024", "new",    "round and round at one instant: new to work to new",  # a date that has come stays past
     ringing(timer("tick", "new", "work", InstantOf("ring_at")), timer("tock", "work", "new"), opening=(RING,))),
    ("L024", "new",    "round and round at one instant: new to work to new",
     approving(FINISH, timer("tick", "new", "work", business_days(0)), timer("tock", "work", "new", calendar_days(0)))),
    ("L026", "finish", "only the requester may fire it, and is kept from it after open; let a role fire it too",
     lifecycle(Transition("finish", "new", dest="done", relation="requester", separate_from="open"))),
    ("L026", "finish", "kept from it after ask",
     approving(Transition("ask", "new", dest="work", relation="requester"),
               Transition("finish", "work", dest="done", relation="requester", separate_from="ask"))),
    ("L026", "finish", "kept from it after ask",  # whoever asks as the requester is stuck, whatever others could have done
     approving(move("ask", "new", "work", relation="requester"),
               Transition("finish", "work", dest="done", relation="requester", separate_from="ask"))),
    ("L028", "finish", "asks for reason twice; say once what it takes",
     lifecycle(move("finish", "new", "done", requires=(need("reason"), need("reason", one_of=("a", "b")))))),
    ("L028", "open",   "asks for reason twice", lifecycle(FINISH, opening=(need("reason"), need("reason")))),
    ("L028", "finish", "reason stands in its own place; name another field",
     lifecycle(move("finish", "new", "done", requires=(need("reason", otherwise="reason"),)))),
    ("L028", "finish", "room, in place of reason, is unknown; declare it",
     lifecycle(move("finish", "new", "done", requires=(need("reason", otherwise="room"),)))),
    ("L028", "finish", "reason offers a twice; say it once",
     lifecycle(move("finish", "new", "done", requires=(need("reason", one_of=("a", "b", "a")),)))),
    ("L028", "finish", "impact offers huge, which the field does not take",
     lifecycle(move("finish", "new", "done", requires=(need("impact", one_of=("high", "huge")),)))),
    ("L028", "finish", "hold_reason offers lunch, which the field does not take",
     lifecycle(move("finish", "new", "done", requires=(need("hold_reason", one_of=("supplier", "lunch")),)))),
    ("L028", "finish", "seats offers two, which the field does not take",
     lifecycle(move("finish", "new", "done", requires=(need("seats", one_of="two"),)), fields=(CustomField("seats", "number"),))),
    ("L028", "finish", "time brings no closure_code; ask for it earlier and say kept=True here",
     lifecycle(timer("finish", "new", "done", requires=(need("closure_code"),)))),
    ("L028", "end",    "a record in work may lack reason, and time brings none; require it on every way there, or of the opening",
     approving(move("ask", "new", "work", requires=(need("reason"),)), move("jump", "new", "work"),
               timer("end", "work", "done", requires=(need("reason", kept=True),)))),
    ("L028", "end",    "a record in work may lack reason",
     approving(move("ask", "new", "work", requires=(need("reason", otherwise="category"),)),
               timer("end", "work", "done", requires=(need("reason", kept=True),)))),
    ("L028", "end",    "a record in work may lack message",  # what was said went out with the step, and is not kept
     approving(move("ask", "new", "work", requires=(need("message"),)),
               timer("end", "work", "done", requires=(need("message", kept=True),)))),
    ("L028", "end",    "a record in work may lack look_again_at",  # it ends with the hold
     lifecycle(move("pause", "new", "wait", requires=(need("look_again_at"),)), move("back", "wait", "work", roles={"automation"}),
               timer("end", "work", "done", requires=(need("look_again_at", kept=True),)), states=(NEW, WAIT, WORK, DONE))),
    ("L028", "end",    "a record in work may lack ring_at, and time brings none; require it on every way there, or of the opening",
     ringing(move("ask", "new", "work", requires=(RING,)), move("jump", "new", "work"))),
    ("L029", "note",   "is a command that every record knows; give the trigger another name", lifecycle(FINISH, move("note", "new", "done"))),
    ("L029", "open",   "is a command that every record knows", lifecycle(FINISH, move("open", "new", "done"))),
]

KEPT = [
    # rule, what it allows
    ("L000", lifecycle(*(move(f"t{n}", "new", "done") for n in range(100)))),
    ("L000", lifecycle(*(move("finish", f"s{n}", "done") for n in range(101)),
                       move("begin", "new", "s0"), *(move("on", f"s{n}", f"s{n + 1}") for n in range(100)),
                       states=(NEW, DONE, *(State(f"s{n}", Phase.ACTIVE) for n in range(101))))),
    ("L001", lifecycle(FINISH, states=(NEW, DONE), fields=(CustomField("new", "text"), CustomField("done", "text")))),
    ("L002", lifecycle(move("on", "new", "later"), move("finish", "later", "done"), states=(State("later", Phase.NEW), NEW, DONE))),
    ("L003", lifecycle(move("finish", ("new", "work"), "done"), ASK, states=(NEW, WORK, DONE))),
    ("L004", lifecycle(FINISH, move("stay", "new", "new"))),
    ("L005", lifecycle(FINISH, move("undo", "done", "new", reopens="restart"))),
    ("L006", resolving(END, move("look", "fixed", "fixed"))),
    ("L007", TINY),
    ("L008", approving(ASK, move("finish", "work", "done"))),
    ("L009", approving(ASK, move("ask_back", "work", "new"), FINISH)),
    ("L010", lifecycle(FINISH, states=(NEW, attrs.evolve(DONE, outcome="half a success")))),
    ("L011", waiting(move("pause", "new", "hold", requires=(need("hold_reason"),)), move("look", "hold", "hold"),
                     move("back", "hold", "done", roles={"automation"}), state=HOLD)),
    ("L011", waiting(move("pause", "new", "hold", requires=(need("hold_reason", kept=True),)),  # none is known there
                     move("back", "hold", "done", roles={"automation"}), state=HOLD)),
    ("L011", lifecycle(move("call", "new", "wait"), move("pause", "wait", "hold", requires=(need("hold_reason"),)),
                       move("back", ("wait", "hold"), "done", roles={"automation"}), states=(NEW, WAIT, HOLD, DONE))),
    ("L012", resolving(END, move("reopen", "fixed", "new", reopens="restart"))),
    ("L012", lifecycle(FINISH, move("undo", "done", "new", reopens="resume"))),
    ("L013", lifecycle(move("finish", "new", "gone", guards=("a", "b")), move("finish", "new", "gone", guards="a"),
                       move("finish", "new", "done"), states=(NEW, DONE, GONE), guards={"a": fine, "b": fine})),
    ("L014", lifecycle(move("finish", "new", "done", guards="a"), guards={"a": fine})),
    ("L014", lifecycle(move("finish", "new", "gone", guards=("a", "b")), move("finish", "new", "done", guards="a"),
                       states=(NEW, DONE, GONE), guards={"a": fine, "b": fine})),
    ("L014", lifecycle(move("finish", "new", "gone", guards="a"), move("finish", "new", "done"),
                       states=(NEW, DONE, GONE), guards={"a": fine})),
    ("L015", waiting(move("pause", "new", "wait"), BACK)),
    ("L015", waiting(move("pause", "new", "wait"), move("back", "wait", "done", relation="requester"))),
    ("L015", waiting(move("pause", "new", "wait"), timer("back", "wait", "done", hours(1)))),
    ("L015", lifecycle(move("pause", "new", "wait"), timer("on", "wait", "longer", hours(1)), timer("back", "longer", "done", hours(1)),
                       states=(NEW, WAIT, attrs.evolve(WAIT, id="longer"), DONE))),
    ("L016", lifecycle(Transition("finish", "new", dest="done", relation="requester"))),
    ("L017", lifecycle(timer("finish", "new", "done"))),
    ("L018", lifecycle(FINISH, roles=("clerk", "agent"))),
    ("L018", lifecycle(FINISH)),
    ("L019", lifecycle(move("finish", "new", "done", guards="ready"), guards={"ready": fine}, beside={"open": "ready", "vote": "ready"})),
    ("L020", lifecycle(move("finish", "new", "done", requires=(need("room"), need("reason"), need("promise_due")), relation="clerk"),
                       fields=(CustomField("room", "number"), CustomField("clerk", "text")), opening=(need("room"),))),
    ("L021", lifecycle(move("finish", "new", "done", separate_from="open"))),
    ("L022", approving(ASK, move("finish", "work", "done", separate_from="ask"))),
    ("L022", approving(ASK, move("second", "work", "work", separate_from="second"), move("finish", "work", "done"))),
    ("L023", resolving(timer("end", "fixed", "done", business_days(5)))),
    ("L023", resolving(END)),
    ("L023", resolving(move("end", "fixed", "done"), requester=False)),
    ("L023", resolving(timer("look", "fixed", "seen", business_days(5)), move("end", "seen", "done", relation="requester"),
                       states=(NEW, FIXED, attrs.evolve(FIXED, id="seen"), DONE))),
    ("L024", approving(FINISH, timer("tick", "new", "work"), timer("tock", "work", "new", hours(1)))),
    ("L024", lifecycle(FINISH, timer("tick", "new", "new", end_of_business_day(0)))),  # the close that comes next is never now
    ("L024", approving(FINISH, timer("tick", "new", "work"), move("flap", "work", "new", roles={"automation"}))),
    ("L026", lifecycle(Transition("finish", "new", dest="done", relation={"requester", "assignee"}, separate_from="open"))),
    ("L026", approving(ASK, Transition("finish", "work", dest="done", relation="requester", separate_from="ask"))),
    ("L028", lifecycle(move("finish", "new", "done", requires=NEEDS))),
    ("L028", lifecycle(timer("finish", "new", "done", requires=(need("title", kept=True), need("room", kept=True))),
                       opening=(need("room"),), fields=(CustomField("room", "text"),))),
    ("L028", approving(move("ask", "new", "work", requires=(need("reason", otherwise="category"),)), FINISH,
                       timer("end", "work", "done", requires=(need("category", otherwise="reason", kept=True),)))),
    ("L028", waiting(move("pause", "new", "wait", requires=(need("look_again_at"),)),
                     timer("back", "wait", "done", requires=(need("look_again_at", kept=True),)))),
    ("L020", lifecycle(timer("finish", "new", "done", InstantOf("approval.due")), beside={"request_approval": "fine"}, guards={"fine": fine})),
    ("L028", ringing(move("ask", "new", "work", requires=(RING,)))),
    ("L020", ringing(ASK, opening=(RING,))),
    ("L028", lifecycle(timer("finish", "new", "done", InstantOf("approval.due")), beside={"request_approval": "fine"}, guards={"fine": fine})),
    ("L029", lifecycle(FINISH, move("annotate", "new", "done"))),
]
# fmt: on


def codes(definition):
    """The codes of all findings."""
    return {finding.code for finding in check(definition)}


@pytest.mark.parametrize("definition", [TINY, WHOLE], ids=["tiny", "whole"])
def test_a_sound_lifecycle_has_no_findings(definition):
    """The smallest, and one with every phase, a wait, a timer and two ways to reopen."""
    assert check(definition) == ()
    assert definition.check() == ()
    assert sound(definition) is definition


@pytest.mark.parametrize(("code", "where", "said", "definition"), BROKEN)
def test_a_broken_lifecycle_breaks_exactly_its_rule(code, where, said, definition):
    """One fault, one rule, the place where to look, and what to do about it."""
    findings = check(definition)
    assert {(finding.code, finding.where) for finding in findings} == {(code, where)}
    assert said in findings[0].message
    assert "; " in findings[0].message, "every message says what to do"


@pytest.mark.parametrize(("code", "definition"), KEPT)
def test_a_lifecycle_that_just_keeps_a_rule_has_no_findings(code, definition):
    """The other side of each rule: what it allows, near what it does not."""
    assert code in RULES
    assert check(definition) == ()


def test_every_rule_has_a_lifecycle_that_breaks_it_and_one_that_keeps_it():
    """A new rule needs rows in both tables; L025 is left to agreements and L027 to a given staff."""
    assert {code for code, *_ in BROKEN} == {code for code, _ in KEPT} == set(RULES)
    assert set(RULES) == {f"L{n:03}" for n in range(30)} - {"L025", "L027"}


@pytest.mark.parametrize(("code", "where", "said", "definition"), BROKEN)
def test_an_unsound_lifecycle_is_refused_with_every_finding(code, where, said, definition):
    """Only warnings refuse nothing."""
    if RULES[code].warning:
        assert sound(definition) is definition
        return
    with pytest.raises(UnsoundLifecycle) as caught:
        sound(definition)
    assert caught.value.codes == tuple(finding.code for finding in check(definition))
    assert said in str(caught.value)


def test_a_finding_reads_as_its_code_its_place_and_what_to_do():
    """A warning says that it is one."""
    assert str(Finding("L007", "no end; add one", "tiny")) == "L007 tiny: no end; add one"
    assert str(Finding("L014", "add one", "go", severity="warning")) == "L014 (warning) go: add one"


def test_only_one_rule_is_a_warning():
    """Guards that always leave one way open are allowed, for nobody can tell from their names."""
    assert [code for code, rule in RULES.items() if rule.warning] == ["L014"]


def test_all_findings_are_listed_at_once():
    """Faults that do not hide each other come together, in the order of the rules."""
    definition = lifecycle(
        Transition("finish", "new", dest="done", guards="ready"),
        move("end", "wait", "done", requires=(need("room"),)),
        states=(NEW, attrs.evolve(WAIT, id="wait"), attrs.evolve(DONE, outcome=None)),
    )
    assert [f.code for f in check(definition)] == ["L008", "L010", "L015", "L016", "L019", "L020"]


def test_warnings_are_told_with_what_refuses_a_definition():
    """Whoever mends it sees all of it."""
    rows = (move("finish", "new", "done", guards=name) for name in ("a", "b"))
    definition = lifecycle(*rows, guards={"a": fine})
    with pytest.raises(UnsoundLifecycle) as caught:
        sound(definition)
    assert caught.value.codes == ("L014", "L019")


def test_where_a_name_leads_nowhere_the_rules_that_follow_names_wait():
    """What each state and transition says by itself is told nevertheless."""
    definition = lifecycle(
        Transition("finish", ("new", "old"), dest="nowhere", guards="ready"),
        states=(NEW, WORK, attrs.evolve(DONE, outcome=None)),
        initial="start",
    )
    assert [f.code for f in check(definition)] == ["L002", "L003", "L004", "L010", "L016", "L019"]
    late = timer("end", "new", "done", requires=(need("reason", kept=True),))
    assert [f.code for f in check(lifecycle(late, move("lose", "new", "nowhere")))] == ["L004", "L028"]


def test_a_definition_that_is_too_large_is_not_looked_at_any_further():
    """Whatever else is wrong with it."""
    definition = lifecycle(*(move(f"t{n}", "new", "nowhere") for n in range(10_001)), initial="start")
    assert codes(definition) == {"L000"}


def test_every_bound_that_is_broken_is_named():
    """Each with what it counts."""
    states = tuple(State(f"s{n}", Phase.ACTIVE) for n in range(1001))
    definition = lifecycle(*(move("t", "new", "done", guards=f"g{n}") for n in range(10_001)), states=states)
    said = [finding.message.split(",")[0] for finding in check(definition)]
    assert said == [
        "holds 1001 states",
        "holds 10001 moves from a state to a state",
        "holds 10001 transitions of one trigger out of one state",
    ]


# fmt: off
COUNTED = [
    # what is counted together, how many there are, and a lifecycle that has them
    ("roles",       2, {"transitions": (move("finish", "new", "done", roles={"a", "b"}),)}),
    ("relations",   2, {"transitions": (move("finish", "new", "done", roles="a", relation="owner"),)}),
    ("guards",      2, {"transitions": (move("finish", "new", "done", guards="g"),)}),
    ("separations", 2, {"transitions": (move("finish", "new", "done", separate_from="open"),)}),
    ("needs",       4, {"transitions": (move("finish", "new", "done", requires=(need("reason", one_of=("a", "b")),)),)}),
    ("opening",     3, {"opening": (need("reason", one_of="a"),)}),
    ("beside",      3, {"beside": {"vote": "g"}}),
    ("roles known", 3, {"roles": ("a", "b")}),
    ("fields",      2, {"fields": (CustomField("room", "text"),)}),
]
# fmt: on


@pytest.mark.parametrize(("what", "count", "parts"), COUNTED, ids=[row[0] for row in COUNTED])
def test_every_name_is_counted(what, count, parts):
    """Whatever a definition may hold many of."""
    base = {"states": (NEW, DONE), "transitions": (FINISH,), **parts}
    definition = Lifecycle("tiny", 1, process="incident", initial="new", **base)
    assert names_of(Graph(definition)) == count


@pytest.mark.parametrize(
    ("count", "rows"),
    [
        (0, [FINISH]),
        (2, [move("finish", "new", "done", separate_from=("open", "ask"))]),
        (1, [timer("finish", "new", "done", requires=(need("reason"),))]),
        (0, [move("finish", "new", "done", requires=(need("reason"),))]),
        (
            2,
            [
                move("a", "new", "done", separate_from="open"),
                timer("b", "new", "done", requires=(need("reason"),)),
            ],
        ),
    ],
)
def test_what_takes_a_search_of_its_own_is_counted(count, rows):
    """Each trigger that others are kept apart from, and each field that time needs."""
    assert searches_of(Graph(lifecycle(*rows))) == count


def test_a_bound_is_kept_at_the_bound_and_broken_one_above():
    """A hundred transitions of one trigger out of one state, a hundred duties kept apart."""
    rows = [move("finish", "new", "done", guards=f"g{n}") for n in range(101)]
    assert "L000" not in codes(lifecycle(*rows[:100]))
    assert codes(lifecycle(*rows)) == {"L000"}
    many = [f"t{n}" for n in range(101)]
    assert "L000" not in codes(lifecycle(move("finish", "new", "done", separate_from=many[:100])))
    assert codes(lifecycle(move("finish", "new", "done", separate_from=many))) == {"L000"}
    beyond = [move("finish", f"s{n}", "done", guards=f"g{n}") for n in range(101)]
    assert "L000" not in codes(lifecycle(*beyond))
    assert codes(lifecycle(*beyond, *rows)) == {"L000"}


def test_rules_that_follow_names_are_marked_so():
    """They wait where a name leads nowhere; the others look at one state or transition alone."""
    whole = {code for code, rule in RULES.items() if rule.whole}
    assert whole == {
        *("L005", "L006", "L008", "L009", "L011", "L012", "L015", "L022", "L023", "L024", "L026")
    }
    assert list(RULES) == sorted(RULES)


@pytest.mark.parametrize("thing", [None, "incident", Lifecycle, {"id": "incident"}])
def test_only_a_lifecycle_is_checked(thing):
    """Anything else is refused by name."""
    with pytest.raises(InvalidValue, match="give the lifecycle itself, such as INCIDENT"):
        check(thing)


# --- the phase moves, move by move -------------------------------------------------------------

N, A, W, R, C = Phase
# DESIGN, lifecycles: NEW, ACTIVE and WAITING to any phase; RESOLVED to NEW, ACTIVE, RESOLVED,
# CLOSED; CLOSED to nothing, except by a transition marked as reopening.
FREE = {*itertools.product((N, A, W), Phase), (R, N), (R, A), (R, R), (R, C)}
REOPENING = {(R, N), (R, A)}
MARKED = REOPENING | {(C, N), (C, A), (C, W)}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Phase, repeat=2)))
@pytest.mark.parametrize("reopens", [None, "resume", "restart"])
def test_a_move_between_phases_is_allowed_or_not(before, after, reopens):
    """Every pair of phases, unmarked and marked, against the sentence of the design."""
    start, end = (
        State(name, phase, outcome="x" if phase is C else None, waits_on="internal" if phase is W else None)
        for name, phase in (("start", before), ("end", after))
    )
    definition = lifecycle(
        move("begin", "new", "start"),
        move(
            "finish", ("new", *(s.id for s in (start, end) if s.phase is not C)), "done", roles="automation"
        ),
        move(
            "close", tuple(s.id for s in (start, end) if s.phase is R) or "new", "done", relation="requester"
        ),
        move("try", "start", "end", reopens=reopens),
        states=(NEW, start, end, DONE),
    )
    found = check(definition)
    allowed = (before, after) in (FREE - REOPENING if reopens is None else MARKED)
    assert (found == ()) is allowed, found
    assert {f.where for f in found} <= {"try"}
    assert len(found) <= 1
    if found:
        assert found[0].code == _blame(before, after, reopens)


def _blame(before, after, reopens):
    """Which of the three rules about moves has something to say."""
    if (before, after) == (R, W):
        return "L006"
    return "L005" if before is C and reopens is None else "L012"


def test_the_table_of_moves_has_a_row_for_each_phase():
    """Nothing is allowed by being forgotten."""
    assert set(PHASE_MOVES) == set(Phase)
    assert {(a, b) for a, row in PHASE_MOVES.items() for b in row} == FREE


# --- hostile definitions -----------------------------------------------------------------------


def test_the_largest_definition_that_is_looked_at_takes_seconds_at_most():
    """A thousand states in one knot, ten thousand moves, a hundred duties kept apart, all guarded."""
    names = [f"s{n}" for n in range(998)]
    rows = [
        move(
            f"t{n % 50}",
            names[n % 998],
            names[(n * 7 + 1) % 998],
            separate_from=(f"t{n % 50}", "open"),
            guards=f"g{n}",
        )
        for n in range(9_900)
    ]
    ends = [move("begin", "new", "s0"), *(move("finish", name, "done") for name in names[:99])]
    states = (NEW, DONE, *(State(name, Phase.WAITING) for name in names))
    definition = lifecycle(*rows, *ends, states=states)
    began = time.process_time()
    found = check(definition)
    assert time.process_time() - began < 5
    assert "L000" not in {finding.code for finding in found}
    assert {"L011", "L015", "L019"} <= {finding.code for finding in found}


def test_a_requester_who_may_do_everything_is_not_searched_for_ever():
    """Twenty duties of the requester alone, all kept apart, make more standings than are looked at."""
    many = [f"do{n}" for n in range(20)]
    rows = [Transition(name, "new", dest="new", relation="requester") for name in many]
    end = Transition("finish", "new", dest="done", relation="requester", separate_from=many)
    began = time.process_time()
    (finding,) = check(lifecycle(*rows, end))
    assert time.process_time() - began < 20
    assert (finding.code, finding.where) == ("L026", "tiny")
    assert "keeps more duties apart than can be looked at; keep fewer apart" in finding.message


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * 1_000_000, "x" * 57 + "..."),
        ("two\nlines", r"'two\nlines'"),
        ("\u202eevil", r"'\u202eevil'"),
        ("半角", "半角"),
        ("; DROP TABLE", "; DROP TABLE"),
    ],
)
def test_a_hostile_name_is_shown_short_and_on_one_line(name, shown):
    """In the message and as the place, whatever it holds."""
    (finding,) = check(lifecycle(FINISH, move("end", name, "done")))
    assert finding.code == "L003"
    assert f"leaves {shown}, which" in finding.message
    (finding,) = check(lifecycle(FINISH, states=(NEW, DONE, State(name, Phase.CLOSED, outcome="x"))))
    assert str(finding).startswith(f"L008 {shown}: ")


def test_of_many_names_the_first_few_are_shown():
    """A message stays readable."""
    states = tuple(State(f"s{n}", Phase.CLOSED, outcome="x") for n in range(20))
    (finding,) = (f for f in check(lifecycle(FINISH, states=(DONE, *states))) if f.code == "L002")
    assert finding.message.endswith("use one of done, s0, s1, s2, s3, s4, s5, s6, 13 more")


@pytest.mark.parametrize("strange", [None, 7, ["new"], {"new": 1}, b"new"])
def test_a_name_that_is_no_text_is_a_finding(strange):
    """Nothing crashes on what a file or a host may hold."""
    assert "L002" in codes(lifecycle(FINISH, initial=strange))
    assert codes(lifecycle(move("finish", "new", strange))) == {"L004"}
    assert codes(lifecycle(FINISH, states=(NEW, attrs.evolve(DONE, outcome=strange)))) == {"L010"}
    if strange is not None:
        assert codes(lifecycle(move("finish", "new", "done", reopens=strange))) == {"L012"}


def test_a_definition_without_anything_is_unsound():
    """Nothing begins and nothing ends."""
    assert codes(lifecycle(states=())) == {"L002", "L007"}


# --- the page ----------------------------------------------------------------------------------


def _sections():
    """Of each rule on the page: its heading's words, and what follows."""
    parts = re.split(r"^### (L\d{3}): ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {code: text.partition("\n") for code, text in zip(parts[::2], parts[1::2], strict=True)}


def test_the_page_of_rules_has_a_section_for_each_in_its_words():
    """Whoever gets a code finds what the rule asks, to the letter, and no section is about a code that is gone."""
    asked = {code: rule.asks for code, rule in RULES.items()}
    asked["L027"] = ABOUT_STAFF["L027"]
    assert {code: f"{title}." for code, (title, _, _) in _sections().items()} == asked


@pytest.mark.parametrize("code", [*RULES, "L027"])
def test_each_rule_on_the_page_has_an_example_that_shows_its_message(code):
    """The example is run with the pages, so the message shown is the one that is given."""
    _, _, text = _sections()[code]
    example = re.search(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example, "an example that is run"
    assert re.search(rf"^{code} (\(warning\) )?\S+: .+; ", example[1], re.MULTILINE), "shows its message"


def test_the_page_says_what_is_counted_and_which_code_is_free():
    """The bounds, the outcomes that count as no success, and L025, which belongs to agreements."""
    sections = {code: " ".join(text.split()) for code, (_, _, text) in _sections().items()}
    assert "L025 is left free" in PAGE.read_text(encoding="utf-8")
    for bound in (
        f"{MOST_STATES:,} states",
        f"{MOST_EDGES:,} moves",
        f"{MOST_NAMES:,} names",
        f"{MOST_ROWS} transitions of one trigger",
        f"{MOST_SEARCHES} duties kept apart",
    ):
        assert bound in sections["L000"]
    said = re.search(r"no success: (.*?)\.", sections["L026"])[1]
    assert set(re.findall(r"`(\w+)`", said)) == UNSUCCESSFUL
