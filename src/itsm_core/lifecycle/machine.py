"""The engine: one shared `transitions.Machine` per lifecycle, through a lean event class.

The stock `Event.trigger` makes about ninety calls to find that no callback is set. `LeanEvent`
(the package's own `event_cls` hook) does the same work for machines without callbacks, and
falls back to the stock one as soon as a machine, state or transition carries any. Guards are stock
conditions that take a `Situation`: `machine.events["close"].trigger(model, situation)`.

Never `add_model`: it is slow, keeps every record alive and fails on frozen ones. A record's
state goes into a one-slot cursor, the cursor through the machine, and the new state comes out.
"""

from __future__ import annotations

from typing import Any

from transitions import Event, EventData, Machine, State, Transition

from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.guards import Guards, Situation, objection

_SHARED = "_shared_machine"


class Cursor:
    """What the machine moves: one state, nothing else."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


def _plain_state(state: State) -> bool:
    return type(state) is State and not (state.on_enter or state.on_exit)


def _plain_transition(t: Transition) -> bool:
    return type(t) is Transition and not (t.prepare or t.before or t.after)


class Guarded:
    """A guard as a condition of the package: whether it has nothing to say against a situation."""

    def __init__(self, name: str, guards: Guards) -> None:
        self.name, self.guards = name, guards

    def __call__(self, situation: Situation | EventData) -> bool:
        """Of a machine with `send_event` the situation is the first argument of the event."""
        given = next(iter(situation.args)) if isinstance(situation, EventData) else situation
        return objection(self.name, self.guards, given) is None


def _plain_machine(machine: Machine) -> bool:
    return not (
        machine.has_queue
        or machine.send_event
        or machine.before_state_change
        or machine.after_state_change
        or machine.prepare_event
        or machine.finalize_event
        or machine.on_exception
        or getattr(machine, "on_final", None)
        or machine.model_attribute != "state"
    )


def _guards(row: Transition) -> list[Guarded]:
    return [c.func for c in row.conditions if isinstance(c.func, Guarded)]


class LeanEvent(Event):
    """An event that moves a model directly where nothing listens, and the stock way elsewhere."""

    def trigger(self, model: Any, *args: Any, **kwargs: Any) -> bool:
        """Moves the model; answers and raises as `transitions.Event.trigger` does."""
        rows = self.transitions.get(model.state) if _plain_machine(self.machine) else None
        if not rows or not self._lean(rows, model.state):
            return super().trigger(model, *args, **kwargs)
        for row in rows:
            if all(guard(*args, **kwargs) for guard in _guards(row)):
                model.state = row.dest
                return True
        return False

    def _lean(self, rows: list[Transition], state: str) -> bool:
        """Whether nothing listens to any of these rows, so that only their guards matter."""
        machine = self.machine
        if state not in machine.states or not _plain_state(machine.states[state]):
            return False
        return all(
            _plain_transition(row)
            and row.dest is not None
            and row.dest in machine.states
            and _plain_state(machine.states[row.dest])
            and all(type(c.func) is Guarded and c.target for c in row.conditions)
            for row in rows
        )


class LeanMachine(Machine):
    """A `transitions.Machine` whose events are lean; everything else about it is stock."""

    event_cls = LeanEvent


def machine(lifecycle: Definition, cls: type[Machine] = Machine, **options: Any) -> Machine:
    """A machine of the lifecycle for people who know the package; stock unless `cls` says so."""
    settings: dict[str, Any] = {
        "model": None,
        "auto_transitions": False,
        "queued": False,
        "send_event": False,
        **options,
    }
    return cls(
        states=[state.id for state in lifecycle.states],
        initial=lifecycle.initial,
        transitions=[
            {
                "trigger": t.trigger,
                "source": list(t.sources),
                "dest": t.dest,
                "conditions": [Guarded(name, lifecycle.guards) for name in t.guards],
            }
            for t in lifecycle.transitions
        ],
        name=f"{lifecycle.id} {lifecycle.version}",
        **settings,
    )


def shared(lifecycle: Definition) -> Machine:
    """The one machine that all records of a lifecycle go through; it lives as long as the lifecycle."""
    held = vars(lifecycle)  # where a cached property would lie, were it not made from so far below
    if _SHARED not in held:
        held[_SHARED] = machine(lifecycle, LeanMachine)
    found: Machine = held[_SHARED]
    return found


def destination(lifecycle: Definition, state: str, trigger: str, *situation: Situation) -> str | None:
    """Where a trigger leads from a state; None if it does not lead out of it, or a guard objects."""
    event = shared(lifecycle).events.get(trigger)
    if event is None or state not in event.transitions:
        return None
    cursor = Cursor(state)
    return cursor.state if event.trigger(cursor, *situation) else None
