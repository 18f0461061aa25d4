"""Who answers to the names in a step, and whether anybody can: seen as a desk is made, not when a step fires.

A bare word ("grace") may be a person's own name; "kind:word" asks who somebody is, and where nobody was
given who could say, it means nobody: then the step's `when_empty` and the policy's last resort apply.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

from itsm_core.errors import InvalidValue
from itsm_core.escalation.policies import EscalationPolicy
from itsm_core.lifecycle.rewriting import near
from itsm_core.oncall import OnCall
from itsm_core.records import Record
from itsm_core.responders import ON_CALL, SURELY, USER, asks

Resolver = Callable[[str, Record, dt.datetime], tuple[str, ...]]
"""Turns a name of a step ("manager", "on_call:network") into people, when the step fires.

It may have a method `unknown(name)`, as `OnCall` has: whether it never has an answer to that name. A step
that asks for such a name is refused as a desk is made, and found by `lint`.
"""

Shifts = Callable[[str, dt.datetime], Iterator[tuple[dt.datetime, tuple[str, ...]]]]
"""Who is on call by a name from an instant on: that instant, and each change after it, with the people.

`OnCall.shifts` is one; a host's resolver may have a method `shifts`, too. A policy's `on_handoff` asks it.
"""


class Unresolved(Exception):
    """Raised by a resolver that cannot say now who is meant, and may be able to later: a directory is down.

    The step tells the others whom it names; that this name was "unresolved" is one of its effects.
    """


def as_named(name: str, _: Record, __: dt.datetime) -> tuple[str, ...]:
    """The resolver of hosts whose notifiers know what the steps name: every name is passed on as it is."""
    return (name,)


by_id: Resolver = OnCall({})
"""The resolver of a desk that is given none: a bare word is a person's id, "role:lead" is nobody."""


def shifts_of(resolver: Resolver) -> Shifts | None:
    """Who is on call by a name from an instant on, as far as the resolver knows shifts."""
    shifts: Shifts | None = getattr(resolver, "shifts", None)
    return shifts if callable(shifts) else None


def people_of(name: str, resolver: Resolver, record: Record, at: dt.datetime) -> tuple[str, ...]:
    """Who is meant by a name of a step, each as they are told; nobody is asked about what surely answers.

    Raises what the resolver raises.
    """
    return listed(name.removeprefix(USER) if name.startswith(SURELY) else resolver(name, record, at))


def listed(answer: str | Iterable[str] | None) -> tuple[str, ...]:
    """The people of an answer, which may be one, several or nobody; an empty name is nobody, too."""
    if type(answer) is tuple and all(answer):
        return answer
    return tuple(filter(None, (answer,) if isinstance(answer, str) else answer or ()))


def unknown_to(resolver: Resolver | None, name: str) -> bool:
    """Whether a resolver says of itself that it never has an answer to a name."""
    says = getattr(resolver, "unknown", None)
    return callable(says) and bool(says(name))


def instead(resolver: Resolver | None, name: str, otherwise: str) -> str:
    """What to write in place of a name that a resolver does not know."""
    known = getattr(resolver, "names", ())
    return near(name, known if isinstance(known, tuple) else (), otherwise)


def check_answers(policies: Sequence[EscalationPolicy], resolver: Resolver, *, has_directory: bool) -> None:
    """Refuses policies with a step that names somebody of whom nobody here can say who it is.

    With a directory the resolver is asked who is on call, and the directory everything else. A policy that
    says what a change of shift does needs a resolver that knows shifts.
    """
    for one in policies:
        if one.on_handoff != "none" and shifts_of(resolver) is None:
            reason = f"is what policy {one.label} says, and nobody here knows when a shift changes"
            remedy = "give the desk resolver=OnCall({...}), or one with a method shifts(name, since)"
            raise InvalidValue("on_handoff", one.on_handoff, reason, remedy)
    for policy, step, name in _asked(policies):
        if has_directory and not name.startswith(ON_CALL):
            continue
        if unknown_to(resolver, name):
            reason = f"is told by step {step!r} of policy {policy.label}, and nobody here can say who that is"
            raise InvalidValue("target", name, reason, instead(resolver, name, _remedy(name)))


def _asked(policies: Iterable[EscalationPolicy]) -> Iterator[tuple[EscalationPolicy, str, str]]:
    for policy in policies:
        for step in policy.steps:
            yield from ((policy, step.id, name) for name in step.names if asks(name))


def _remedy(name: str) -> str:
    word = name.partition(":")[2]
    if name.startswith(ON_CALL):
        return f'give the desk resolver=OnCall({{"{word}": schedule}}) with that schedule'
    return (
        f'give the desk a directory=, or a resolver=, that answers to "{name}", '
        f'or write "user:{word}" if that is a person'
    )
