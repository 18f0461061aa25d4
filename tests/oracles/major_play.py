"""A major incident played by commands: each is decided, and what it makes is folded on."""

import datetime as dt

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.lifecycle import Refused, decide
from itsm_core.processes import INCIDENT, PROCEDURE
from itsm_core.records import apply, fold, follows

T = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
MONA = Actor.person("mona", "agent", "manager")
RESOLVED = {"resolution_outcome": "workaround", "resolution_notes": "restarted"}
TO_THE_END = (
    ("mobilisation", "assembled"),
    ("restoration", "repairing"),
    ("restoration", "verifying"),
    ("restoration", "restored"),
    ("announcements", "approved"),
    ("announcements", "published"),
    ("announcements", "final"),
)
NEEDED = {
    "declare_major": {"reason": "Nobody can pay"},
    "accept_major": {"major_manager": "mona", "procedure": PROCEDURE.to_dict()},
    "reject_major": {"reason": "Three users"},
    "cancel_major": {"reason": "Most are back"},
    "assess_major": {"affected_users": 300},
    "assume_role": {"major_role": "scribe", "held_by": "sam"},
    "renounce_role": {"major_role": "liaison", "held_by": "lea"},
    "move_track": {"track": "restoration", "track_step": "repairing"},
    "invoke_continuity_plan": {"continuity_plan": "payments", "plan_version": "2.1"},
    "report_major": {"document": "doc/report"},
    "review_major": {"document": "doc/review"},
    "resolve": RESOLVED,
    "close": {"closure_code": "monitoring_verified"},
    "reopen": {"reason": "Down again"},
    "cancel": {"reason": "Withdrawn"},
}
"""By command, fields that it is accepted with."""


class Play:
    """A record and its events; a minute passes with every command."""

    def __init__(self, lifecycle=INCIDENT, **opened):
        self.lifecycle, self.events, self.record, self.minute = lifecycle, [], None, 0
        fields = {"record": "INC-1", "title": "Nobody can pay", "requester": "rita", **opened}
        self.did("open", fields=fields)

    @property
    def major(self):
        """The major incident beside the record."""
        return self.record.major_incident

    def ask(self, trigger, *, actor=MONA, at=None, fields=None, **more):
        """The decision on a command with the fields it needs."""
        self.minute += 1
        held = {**NEEDED.get(trigger, {}), **(fields or {}), **more}
        when = at or T + dt.timedelta(minutes=self.minute)
        asked = Command(trigger, actor, at=when, fields=held, id=f"c{self.minute}")
        return decide(self.record, asked, self.lifecycle)

    def did(self, trigger, **asked):
        """The same, accepted and folded on; answers the record."""
        decision = self.ask(trigger, **asked)
        assert not isinstance(decision, Refused), (trigger, decision.reasons)
        self.take(decision)
        return self.record

    def take(self, decision):
        """Folds on what a decision made."""
        for event in decision.events:
            late = self.record is not None and not follows(self.record, event)
            self.events.append(event)
            self.record = fold(self.events) if late else apply(self.record, event)

    def anew(self):
        """The record folded from all events, in any order."""
        return fold(reversed(self.events))

    def to(self, place):
        """Plays on until the major incident stands at a place: "none", "accepted", "accepted_resolved", ..."""
        status, _, phase = place.partition("_")
        if status != "none":
            self.did("declare_major")
        if status in ("accepted", "cancelled"):
            self.did("accept_major")
        if status == "rejected":
            self.did("reject_major")
        if status == "cancelled":
            self.did("cancel_major")
        if phase:
            if status == "accepted":
                self.did("assume_role", fields={"major_role": "liaison", "held_by": "lea"})
                self.joined()
            self.did("resolve")
        if phase == "closed":
            self.did("report_major")
            self.did("review_major")
            self.did("close")
        return self

    def joined(self):
        """Plays every track to an end."""
        for track, step in TO_THE_END:
            self.did("move_track", fields={"track": track, "track_step": step})
        return self.record
