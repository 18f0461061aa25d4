"""Who answers to the names of a policy, and how they are told: asked of the directory when a step is due.

The directory may do I/O, so the road asks for it as it asks the store: where the engine comes to a name that
nobody was asked about yet, it is asked, and the engine runs again. So only the names are asked for that the
steps due now come to, and the engine stays a pure function of what was answered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.escalation import Resolver
from itsm_core.escalation.answering import Unresolved, listed
from itsm_core.events import Audience
from itsm_core.oncall import Person
from itsm_core.ports import Ask, Known, Message
from itsm_core.records import Record
from itsm_core.responders import CALLBACK, MANAGEMENT, MANAGER_OF, ON_CALL, USER
from itsm_core.road.terms import Terms
from itsm_core.values import frozen_json

Q = TypeVar("Q")
T = TypeVar("T")
Asks = Generator[Ask, Any, T]


class _NotAsked(Exception):
    """The engine came to a name that the directory was not asked about yet."""


class People:
    """Whom names mean for a record at an instant, and what is known of them; each is asked for once.

    Without a directory the resolver of the desk knows all names; with one it still knows schedules, and who
    is absent is left out. `failed` is what the directory or the resolver raised, by name: such a name is
    `Unresolved`, and a person of whom nothing could be found out is told as one who is unknown.
    """

    def __init__(self, terms: Terms, record: Record, at: dt.datetime) -> None:
        self.known: dict[str, Person | None] = {}
        self.failed: dict[str, Exception] = {}
        self._terms, self._record, self._at = terms, record, at
        self._meant: dict[str, tuple[str, ...]] = {}

    def asked(self, decide: Callable[[Resolver], T]) -> Asks[T]:
        """What is decided with these people; `decide` is pure, and runs again after each name it came to."""
        while True:
            try:
                return decide(self._answer)
            except _NotAsked as one:
                yield from self._ask(str(one))

    def look_up(self, ids: Iterable[str]) -> Asks[None]:
        """Learns what the directory knows of these people, as far as it can be asked."""
        for one in ids if self._terms.asks_directory else ():
            if not one.startswith(CALLBACK):
                try:
                    yield from self._person(one)
                except Exception as error:
                    self.known[one], self.failed[f"{USER}{one}"] = None, error

    def _answer(self, name: str, _: Record, __: dt.datetime) -> tuple[str, ...]:
        """A `Resolver` of what has been asked."""
        if name not in self._meant and name not in self.failed:
            if self._terms.asks_directory:
                raise _NotAsked(name)
            try:
                self._meant[name] = self._by_resolver(name)
            except Exception as error:
                self.failed[name] = error
        if name in self.failed:
            raise Unresolved(name) from self.failed[name]
        return self._meant[name]

    def _ask(self, name: str) -> Asks[None]:
        try:
            ids = yield from self._ids(name)
            yield from self.look_up(ids)
            known = [(one, self.known.get(one)) for one in ids]
            self._meant[name] = tuple(one for one, who in known if who is None or not who.is_absent(self._at))
        except Exception as error:
            self.failed[name] = error

    def _ids(self, name: str) -> Asks[tuple[str, ...]]:
        """The ids that a name means; raises what the directory or the resolver does."""
        if name.startswith(ON_CALL):
            return self._by_resolver(name)
        if name.startswith(MANAGER_OF):
            whose = self._record.values.get(name.removeprefix(MANAGER_OF))
            if (error := self.failed.get(f"{USER}{whose}")) is not None:
                raise error  # nothing could be found out of them: whether they have a manager neither
            person = (yield from self._person(whose)) if isinstance(whose, str) else None
            return (person.manager,) if person is not None and person.manager else ()
        answer: Known = yield Ask("look", (name, self._at))
        ids = _listed(name, answer.id if isinstance(answer, Person) else answer)
        return listed(one.removeprefix(USER) for one in ids)  # some call people as a policy does

    def _by_resolver(self, name: str) -> tuple[str, ...]:
        return _listed(name, self._terms.resolver(name, self._record, self._at))

    def _person(self, one: str) -> Asks[Person | None]:
        if one not in self.known:
            person = yield Ask("look", (f"{USER}{one}", self._at))
            self.known[one] = person if isinstance(person, Person) else None
        return self.known[one]


def sparing(steps: Generator[Q, Any, T]) -> Generator[Q, Any, T]:
    """The same steps, in which the directory is not asked again for a name that it could not answer.

    A directory that is down may take seconds to say so; a tick in which a hundred records ask for the same
    people would hold up everybody's messages for as long as all of that together.
    """
    failed: dict[str, tuple[Exception, TracebackType | None]] = {}
    step: Callable[[Any], Q] = steps.send
    told: Any = None
    while True:
        try:
            wanted = step(told)
        except StopIteration as done:
            result: T = done.value
            return result
        name = wanted.arguments[0] if isinstance(wanted, Ask) and wanted.method == "look" else None
        if name in failed:
            error, where = failed[name]
            # As it came: each throw adds to its traceback, and a log of all who are stuck would be endless.
            told, step = error.with_traceback(where), steps.throw
            continue
        try:
            told, step = (yield wanted), steps.send
        except Exception as error:
            if name is not None:
                failed[name] = error, error.__traceback__
            told, step = error, steps.throw


def _listed(name: str, answer: Any) -> tuple[str, ...]:
    """The ids of an answer; what else a host gives is told as its error, and holds up nobody else."""
    found = answer or ()
    if isinstance(found, Iterable) and not isinstance(found, Mapping):
        ids = listed(found)
        if all(isinstance(one, str) for one in ids):
            return tuple(frozen_json(one, "answer") for one in ids)  # refuses what nobody could store
    remedy = 'give their ids, first to be told first: ("ana", "ben")'
    raise InvalidValue("answer", type(answer).__name__, f"to {name!r} holds no ids of people", remedy)


def told_apart(
    terms: Terms, record: Record, messages: Sequence[Message]
) -> Asks[tuple[list[Message], Exception | None]]:
    """Words to top management as its people want them, one message each; and what the directory raised.

    The directory is asked for "role:management". Where it names nobody, or cannot say, the words go to
    "management" as without a directory: a notifier may know it, and nothing is lost.
    """
    found, failed = list[Message](), list[Exception]()
    for message in messages:
        if message.audience != Audience.MANAGEMENT:
            found.append(message)
            continue
        people = People(terms, record, message.created_at)
        found += (yield from _apart(people, record, message)) or [message]
        failed += people.failed.values()
    return found, next(iter(failed), None)


def _apart(people: People, record: Record, message: Message) -> Asks[list[Message]]:
    """The message to each of top management; none where nobody is known."""
    try:
        ids = yield from people.asked(lambda resolver: resolver(MANAGEMENT, record, message.created_at))
    except Unresolved:
        return []
    made = [attrs.evolve(message, to=one, key=f"{message.key}/{one}") for one in dict.fromkeys(ids)]
    return [addressed(one, people.known.get(one.to)) for one in made]


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
