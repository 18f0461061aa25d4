"""The engine: one shared `transitions.Machine` per lifecycle version, through a lean event class.

The stock `Event.trigger` makes about ninety calls to find that no callback is set. `LeanEvent`
(the package's own `event_cls` hook) does the same work for machines without callbacks, and
falls back to the stock one as soon as a machine, state or transition carries any.

Never `add_model`: it is slow, keeps every record alive and fails on frozen ones. A record's
state goes into a one-slot cursor, the cursor through the machine, and the new state comes out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from transitions import Event, Machine, State, Transition

from itsm_core.lifecycle.definition import Lifecycle


class Cursor:
    """What the machine moves: one state, nothing else."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


def _plain_state(state: State) -> bool:
    return type(state) is State and not (state.on_enter or state.on_exit)


def _plain_transition(t: Transition) -> bool:
    return type(t) is Transition and not (t.prepare or t.before or t.after or t.conditions)


def _plain_machine(machine: Machine) -> bool:
    return not (
        machine.has_queue
        or machine.before_state_change
        or machine.after_state_change
        or machine.prepare_event
        or machine.finalize_event
        or machine.on_exception
        or getattr(machine, "on_final", None)
        or machine.model_attribute != "state"
    )


class LeanEvent(Event):
    """An event that moves a model directly where nothing listens, and the stock way elsewhere."""

    def trigger(self, model: Any, *args: Any, **kwargs: Any) -> bool:
        """Moves the model; answers and raises as `transitions.Event.trigger` does."""
        machine = self.machine
        rows = self.transitions.get(model.state) if _plain_machine(machine) else None
        if rows:
            first, states = rows[0], machine.states
            dest = first.dest
            if (
                dest is not None
                and dest in states
                and _plain_transition(first)
                and _plain_state(states[dest])
                and _plain_state(states[model.state])
            ):
                model.state = dest
                return True
        return super().trigger(model, *args, **kwargs)


class LeanMachine(Machine):
    """A `transitions.Machine` whose events are lean; everything else about it is stock."""

    event_cls = LeanEvent


def machine(lifecycle: Lifecycle, cls: type[Machine] = Machine, **options: Any) -> Machine:
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
            {"trigger": t.trigger, "source": list(t.sources), "dest": t.dest} for t in lifecycle.transitions
        ],
        name=f"{lifecycle.id} {lifecycle.version}",
        **settings,
    )


@lru_cache(maxsize=256)
def shared(lifecycle: Lifecycle) -> Machine:
    """The one machine that all records of a lifecycle version go through."""
    return machine(lifecycle, LeanMachine)


def destination(lifecycle: Lifecycle, state: str, trigger: str) -> str | None:
    """Where a trigger leads from a state; None if it does not lead out of it."""
    event = shared(lifecycle).events.get(trigger)
    if event is None or state not in event.transitions:
        return None
    cursor = Cursor(state)
    return cursor.state if event.trigger(cursor) else None
