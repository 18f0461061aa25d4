"""Who answers to the names of a policy, and how they are told: asked of the directory when a step is due.

The directory may do I/O, so the road asks for it as it asks the store, before the engine runs: the engine
stays a pure function of what was answered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable, Mapping
from typing import Any

import attrs

from itsm_core.escalation import EscalationPolicy, Resolver
from itsm_core.oncall import Person
from itsm_core.ports import Ask, Known, Message
from itsm_core.records import Record
from itsm_core.road.terms import Terms

USER, MANAGER, BY_SCHEDULE, CALLBACK = "user:", "manager_of:", "on_call:", "callback:"


@attrs.frozen
class People:
    """What was answered: who is meant by each name, and what is known of each of them."""

    resolver: Resolver
    known: Mapping[str, Person]


def people_of(
    terms: Terms, policy: EscalationPolicy, record: Record, at: dt.datetime
) -> Generator[Ask, Any, People]:
    """Whom the names of a policy mean for a record at an instant; those who are absent are left out.

    Without a directory the resolver of the desk knows them all. With one, it still knows schedules.
    """
    if not terms.asks_directory:
        return People(terms.resolver, {})
    known: dict[str, Person] = {}
    meant: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(_names(policy)):
        ids = yield from _meant(terms, name, record, at)
        yield from _looked_up(ids, at, known)
        always = name.startswith(USER)
        meant[name] = tuple(one for one in ids if always or one not in known or not known[one].is_absent(at))
    return People(lambda name, _, __: meant.get(name, ()), known)


def _names(policy: EscalationPolicy) -> Iterable[str]:
    for step in policy.steps:
        yield from (*step.to, *step.fallback)
    if policy.last_resort is not None:
        yield f"{USER}{policy.last_resort.removeprefix(USER)}"


def _meant(terms: Terms, name: str, record: Record, at: dt.datetime) -> Generator[Ask, Any, tuple[str, ...]]:
    """The ids that a name means."""
    if name.startswith(CALLBACK):
        return ()
    if name.startswith(USER):
        return (name.removeprefix(USER),)
    if name.startswith(BY_SCHEDULE):
        found = terms.resolver(name, record, at)
        return (found,) if isinstance(found, str) else tuple(found)
    if name.startswith(MANAGER):
        whose = record.values.get(name.removeprefix(MANAGER))
        person = (yield Ask("look", (f"{USER}{whose}", at))) if isinstance(whose, str) else None
        return (person.manager,) if isinstance(person, Person) and person.manager else ()
    answer: Known = yield Ask("look", (name, at))
    if isinstance(answer, Person):
        return (answer.id,)
    return (answer,) if isinstance(answer, str) else tuple(answer or ())


def _looked_up(ids: Iterable[str], at: dt.datetime, known: dict[str, Person]) -> Generator[Ask, Any, None]:
    """Adds what the directory knows of these people, each asked once."""
    for one in ids:
        if one not in known:
            person = yield Ask("look", (f"{USER}{one}", at))
            if isinstance(person, Person):
                known[one] = person


def addressed(message: Message, person: Person | None) -> Message:
    """The message as the person wants it: by the channels they have, and not in their quiet hours.

    The channel of the step comes first if they have it; their others are tried after it, in order. Templates
    learn the language and the zone of the person from its facts.
    """
    if person is None or message.channel.startswith(CALLBACK):
        return message
    channels = person.channels or (message.channel,)
    first = message.channel if message.channel in channels else channels[0]
    rest = tuple((message.to, channel) for channel in channels if channel != first)
    quiet = None if message.urgency == "high" else person.quiet_until(message.created_at)
    facts = {**message.facts, "lang": person.lang, **({"zone": person.zone} if person.zone else {})}
    return attrs.evolve(message, channel=first, failover=rest, not_before=quiet, facts=facts)
