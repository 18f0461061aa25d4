"""A state machine of Hypothesis that does everything that can be done to a record, and holds every law."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies import DataObject, SearchStrategy

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.commands import Command
from itsm_core.events import Event, Phase
from itsm_core.lifecycle.beside import APPROVALS, COMMANDS, DESK
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.majors import MAJOR_COMMANDS, PROCESS
from itsm_core.lifecycle.options import Option, options
from itsm_core.lifecycle.timers import TIME, next_timer
from itsm_core.records import Record, fold
from itsm_core.testing.cast import cast
from itsm_core.testing.laws import LawBroken, obey
from itsm_core.testing.steps import taken
from itsm_core.testing.strategies import HOUR, LATER, VOTERS, Fields, World, neighbours, wrong
from itsm_core.testing.walking import START
from itsm_core.values import each, only

_APPROVALS = ("request_approval", "vote", "vote")
_ORDINARY = tuple(command for command in COMMANDS if command not in MAJOR_COMMANDS)


def lifecycle_machine(
    lifecycle: Lifecycle,
    *,
    actors: Iterable[Actor] | None = None,
    fields: Mapping[str, SearchStrategy[Any]] | None = None,
    related: Iterable[Record] | SearchStrategy[tuple[Record, ...]] | None = None,
    calendar: BusinessCalendar | None = None,
    custom: Iterable[CustomField] = (),
) -> type[LifecycleMachine]:
    """A machine that opens records of a lifecycle and tries to break a law with whatever comes.

    `TestOurs = lifecycle_machine(OURS).TestCase` makes it a test of pytest or unittest, and
    `hypothesis.stateful.run_state_machine_as_test` runs it at once. It fires buttons that `options` enable,
    triggers that nobody should, timers when they are due, and commands beside the state; see `LAWS`.

    `actors` are `cast(lifecycle)` unless others are given; time is always one. `fields` gives strategies
    of values by name where those of the right type or among the choices do not get past a guard; "rule" is
    the approval rule. `related` are the records that lie beside (None: some in states of the same
    lifecycle), `calendar` counts business time, `custom` are the host's own fields.
    """
    only(Lifecycle, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT")
    people = cast(lifecycle) if actors is None else each(Actor, actors, "actors", "give a list of Actor")
    world = World(
        lifecycle=lifecycle,
        actors=tuple(dict.fromkeys((*people, TIME))),
        fields=fields,
        related=_related(related, lifecycle),
        calendar=calendar,
        custom=custom,
    )
    return type(
        "LifecycleMachine", (LifecycleMachine,), {"world": world, "__doc__": f"Tries {lifecycle.id}."}
    )


def _related(
    given: Iterable[Record] | SearchStrategy[tuple[Record, ...]] | None, lifecycle: Lifecycle
) -> SearchStrategy[tuple[Record, ...]]:
    if given is None:
        return neighbours(lifecycle)
    if isinstance(given, SearchStrategy):
        return given
    return st.just(each(Record, given, "related", "give a list of Record"))


class LifecycleMachine(RuleBasedStateMachine):
    """The rules of `lifecycle_machine`, which makes a machine of one lifecycle."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.history: tuple[Event, ...] = ()
        self.now = START

    @property
    def record(self) -> Record:
        """The record so far; there is one once it was opened."""
        return fold(self.history)

    @property
    def is_open(self) -> bool:
        """Whether there is a record, and it is not done."""
        return bool(self.history) and self.record.phase is not Phase.CLOSED

    # --- what may be done -------------------------------------------------------------------------

    @initialize(data=st.data())
    def opens(self, data: DataObject) -> None:
        """Opens a record."""
        self.history = ()
        fields = data.draw(self.world.opening(self.now), "fields")
        self._take(data, "open", self._somebody(data), fields)

    @precondition(lambda self: not self.is_open)
    @rule(data=st.data())
    def opens_another(self, data: DataObject) -> None:
        """Opens a record after the first was refused, or is done."""
        self.opens(data)

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def presses(self, data: DataObject) -> None:
        """Presses up to four buttons that are enabled for somebody, with good fields for what is missing."""
        for _ in range(data.draw(st.integers(1, 4), "how many")):
            at, related = self._instant(data), data.draw(self.world.related, "related")
            first = self._somebody(data)
            actor, enabled = self._enabled((first, *self.world.busiest), at, related)
            if enabled:
                option = enabled[data.draw(st.sampled_from(self._onward(enabled)), "button")]
                answers = self.world.answers(option.needs, at)
                if option.trigger in APPROVALS:
                    answers = self._words_of(option.trigger, at)
                fields = data.draw(answers, "fields")
                self._take(data, option.trigger, actor, fields, at=at, related=related, plain=True)

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def fires(self, data: DataObject) -> None:
        """Fires any trigger by anybody at any time, with fields that fit it or not."""
        lifecycle = self.world.lifecycle
        leading = lifecycle.triggers_from(self.record.state)
        triggers = (*leading, *leading, *lifecycle.by_trigger, "open", "no_such_trigger")
        trigger = data.draw(st.sampled_from(triggers), "trigger")
        at = self._instant(data, early=True)
        fields = data.draw(self._fields_for(trigger, at), "fields")
        self._take(data, trigger, self._somebody(data), self._twisted(data, fields), at=at)

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def time_passes(self, data: DataObject) -> None:
        """Waits until the next timer edge is due, and fires it."""
        world, related = self.world, data.draw(self.world.related, "related")
        due = next_timer(self.record, world.lifecycle, calendar=world.calendar, related=related)
        if due is not None:
            self._take(data, due[1], TIME, {}, at=max(self.now, due[0]), related=related)

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def says(self, data: DataObject) -> None:
        """Gives up to four commands that leave the state alone, every other one with good fields, in time."""
        for _ in range(data.draw(st.integers(1, 4), "how many")):
            plain = data.draw(st.booleans(), "plain")
            at = self._instant(data, early=not plain)
            trigger = data.draw(st.sampled_from(_ORDINARY), "command")
            fields = data.draw(self._words_of(trigger, at), "fields")
            given = fields if plain else self._twisted(data, fields)
            self._take(data, trigger, self._worker(data), given, at=at, plain=plain)

    @precondition(lambda self: self.history and self.world.lifecycle.process == PROCESS)
    @rule(data=st.data())
    def handles_as_major(self, data: DataObject) -> None:
        """Gives a command about the major incident that the record is, or is not."""
        at = self._instant(data)
        trigger = data.draw(st.sampled_from(MAJOR_COMMANDS), "command")
        fields = data.draw(self._words_of(trigger, at), "fields")
        self._take(data, trigger, self._worker(data), self._twisted(data, fields), at=at)

    @precondition(lambda self: self.history and "vote" in self.world.lifecycle.guards_beside)
    @rule(data=st.data())
    def asks_and_votes(self, data: DataObject) -> None:
        """Asks for approval, or casts a vote."""
        trigger = data.draw(st.sampled_from(_APPROVALS), "command")
        at = self._instant(data)
        fields = data.draw(self._words_of(trigger, at), "fields")
        actor = self._worker(data) if trigger == "request_approval" else self._voter(data)
        self._take(data, trigger, actor, fields, at=at)

    # --- what is drawn ------------------------------------------------------------------------------

    def _take(
        self,
        data: DataObject,
        trigger: str,
        actor: Actor,
        fields: Fields,
        *,
        at: dt.datetime | None = None,
        related: tuple[Record, ...] | None = None,
        plain: bool = False,
    ) -> None:
        """Gives the command, holds every law, and keeps what became of it."""
        world, when = self.world, at or self.now
        beside = data.draw(world.related, "related") if related is None else related
        more = {} if plain else self._circumstances(data, when)
        command = Command(trigger, actor, at=when, fields=fields, **more)
        step = taken(
            world.lifecycle,
            command,
            self.history,
            related=beside,
            calendar=world.calendar,
            custom=world.custom,
        )
        obey(step)
        moved = step.transition
        if moved is not None:
            event(f"{trigger}: {moved.from_state} -> {moved.to_state}")
        if step.decision.accepted:
            self.history, self.now = step.events, max(self.now, when)

    def _circumstances(self, data: DataObject, at: dt.datetime) -> dict[str, Any]:
        """What goes with a command now and then: for whom, what version was seen, when it was recorded."""
        seen = len(self.history)
        known: tuple[dict[str, Any], ...] = (
            *({},) * 9,
            {"expected": seen},
            {"expected": max(0, seen - 1)},
            {"on_behalf_of": self.world.people[0], "channel": "phone"},
            {"recorded_at": at + HOUR, "cause": "an import"},
            {"recorded_at": at + 2 * HOUR},
            {"recorded_at": at - HOUR},
            {"id": f"the command {seen}"},
        )
        return data.draw(st.sampled_from(known), "circumstances")

    def _somebody(self, data: DataObject) -> Actor:
        return self.world.actor(data.draw(st.sampled_from(self.world.people), "actor"))

    def _worker(self, data: DataObject) -> Actor:
        """Somebody, more often one who may give commands beside the state."""
        desk = [actor.id for actor in self.world.actors if actor.roles & DESK]
        return self.world.actor(data.draw(st.sampled_from((*desk, *desk, *self.world.people)), "actor"))

    def _voter(self, data: DataObject) -> Actor:
        """Somebody who is asked in the round that counts, or anybody."""
        live = self.record.round
        asked = () if live is None else live.rule.get("panels", ())
        members = [name for panel in asked for name in panel.get("members", ())]
        if not members:
            return self._somebody(data)
        return Actor.person(data.draw(st.sampled_from((*members, *VOTERS[:1])), "voter"))

    def _instant(self, data: DataObject, *, early: bool = False) -> dt.datetime:
        """Some time after the last command; if it may be early, now and then before it."""
        spans = (*LATER, -HOUR) if early else LATER
        return self.now + data.draw(st.sampled_from(spans), "later by")

    def _enabled(
        self, actors: Iterable[Actor], at: dt.datetime, related: tuple[Record, ...]
    ) -> tuple[Actor, dict[str, Option]]:
        """The first of these actors for whom a button is enabled, and which are; none at the end."""
        for actor in actors:
            shown = self._shown(actor, at, related)
            enabled = {option.trigger: option for option in shown if option.enabled}
            if enabled:
                return actor, enabled
        return TIME, {}

    def _shown(self, actor: Actor, at: dt.datetime, related: tuple[Record, ...]) -> tuple[Option, ...]:
        """The buttons of an actor; asked twice, for what is tried next must not depend on a whim."""
        world, record = self.world, self.record

        def shown() -> tuple[Option, ...]:
            return options(record, actor, world.lifecycle, at=at, related=related, calendar=world.calendar)

        found = shown()
        if shown() != found:
            said = f"{world.lifecycle.id} {world.lifecycle.version}, {record.state}, {actor.id}"
            raise LawBroken(
                f"{said}: asked again, options show other buttons; a guard looks at no more than it is given"
            )
        return found

    def _onward(self, enabled: Mapping[str, Option]) -> list[str]:
        """The triggers; those that move the record and do not end it several times, so that it gets on."""
        states = self.world.lifecycle.by_id
        led = {t: states[option.destination] for t, option in enabled.items() if option.destination}
        often = {trigger for trigger, state in led.items() if state.phase is not Phase.CLOSED}
        return [trigger for trigger in enabled for _ in range(4 if trigger in often else 1)]

    def _words_of(self, trigger: str, at: dt.datetime) -> SearchStrategy[Fields]:
        """Fields of a command that leaves the state alone."""
        if trigger == "amend":
            return self.world.some(self.world.kinds, at)
        return self.world.beside(trigger, at, [event.id for event in self.history])

    def _fields_for(self, trigger: str, at: dt.datetime) -> SearchStrategy[Fields]:
        """Fields for one of the ways of a trigger, those out of the record's state first."""
        lifecycle = self.world.lifecycle
        rows = lifecycle.rows(trigger, self.record.state) or lifecycle.by_trigger.get(trigger, ())
        ways = [self.world.answers(row.requires, at) for row in rows]
        return st.one_of(ways) if ways else st.just({})

    def _twisted(self, data: DataObject, fields: Fields) -> Fields:
        """The fields; now and then with one too few, one too many, or one that cannot be."""
        names = sorted({*fields, *self.world.kinds, "phase", "romm"})
        twist = data.draw(st.sampled_from(("none", "none", "none", "less", "more", "wrong")), "twist")
        if twist == "none":
            return fields
        if twist == "less":
            gone = data.draw(st.sampled_from(sorted(fields) or ["nothing"]), "without")
            return {name: value for name, value in fields.items() if name != gone}
        name = data.draw(st.sampled_from(sorted(fields) if fields and twist == "wrong" else names), "field")
        value = self.world.value(name, self.now) if twist == "more" else wrong
        return {**fields, name: data.draw(value, "value")}
