"""What Hypothesis draws to try a lifecycle: values of fields, commands beside the state, instants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.events import Audience, Direction
from itsm_core.lifecycle.beside import BESIDE, ON_MIGRATION, VOTES
from itsm_core.lifecycle.fields import CustomField, FieldType, kinds_of
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need
from itsm_core.records import Record
from itsm_core.testing.cast import relations
from itsm_core.testing.filling import CHOICES
from itsm_core.values import each, only

Fields = dict[str, Any]

VOTERS = ("the first voter", "the second voter", "the third voter")
RECORDS = ("R-1", "R-2", "R-3")
"""The record that is tried, and others that it may be linked to."""
_OTHERS = (*RECORDS[1:], *RECORDS)

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LATER = (dt.timedelta(0), dt.timedelta(microseconds=1), HOUR, HOUR, DAY, DAY, 7 * DAY, 40 * DAY)
"""How long after the last one a command may come."""

_AROUND = (7 * DAY, DAY, HOUR, 40 * DAY, 7 * DAY, DAY, dt.timedelta(0), -HOUR, -40 * DAY)
_RELATIONS = ("task", "child_of", "parent_of", "caused", "caused_by", "successor")

texts = st.one_of(
    st.sampled_from(("some words", "一些话", "x", "\x00\u202e", "new", "</td>", "' OR 1=1", "2024-02-30")),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
)
things = st.one_of(
    texts, st.integers(-9, 9), st.booleans(), st.lists(texts, max_size=2), st.fixed_dictionaries({"a": texts})
)
wrong = st.sampled_from((None, "", (), 0, 7, True, ["x", 1], {"a": ["b"]}, "nothing of the kind"))

_OF_TYPE: dict[FieldType, SearchStrategy[Any]] = {
    FieldType.TEXT: texts,
    FieldType.NUMBER: st.one_of(st.integers(0, 3), st.sampled_from((-(2**53) + 1, 2**53 - 1))),
    FieldType.FLAG: st.booleans(),
    FieldType.LIST: st.lists(texts, min_size=1, max_size=2),
    FieldType.ANY: things,
}


def _strategies(value: Mapping[str, SearchStrategy[Any]] | None) -> dict[str, SearchStrategy[Any]]:
    remedy = 'write {"room": st.sampled_from(["1", "2"])}'
    given = {} if value is None else value
    if not isinstance(given, Mapping):
        raise InvalidValue("fields", given, "are no mapping", remedy)
    for name, strategy in given.items():
        only(SearchStrategy, strategy, f"field {name}", remedy)
    return dict(given)


def _customs(value: Iterable[CustomField]) -> tuple[CustomField, ...]:
    return each(CustomField, value, "custom", 'give a list: (CustomField("room", "text"),)')


@attrs.frozen(kw_only=True)
class World:
    """What a lifecycle is tried with: who acts, what their fields say, what lies beside the record."""

    lifecycle: Lifecycle
    actors: tuple[Actor, ...]
    fields: Mapping[str, SearchStrategy[Any]] = attrs.field(converter=_strategies)
    related: SearchStrategy[tuple[Record, ...]]
    calendar: BusinessCalendar | None = None
    custom: tuple[CustomField, ...] = attrs.field(default=(), converter=_customs)

    @property
    def kinds(self) -> Mapping[str, FieldType]:
        """The fields that a record may hold, with their types."""
        return kinds_of("open", self.custom, self.lifecycle.kinds)

    @property
    def people(self) -> tuple[str, ...]:
        """The ids of those who act."""
        return tuple(actor.id for actor in self.actors)

    def actor(self, id: str) -> Actor:
        """The one of those who act with this id."""
        return next(actor for actor in self.actors if actor.id == id)

    @property
    def busiest(self) -> list[Actor]:
        """Those who act, whoever holds most roles first."""
        return sorted(self.actors, key=lambda actor: -len(actor.roles))

    def value(self, field: str, at: dt.datetime, one_of: Iterable[str] = ()) -> SearchStrategy[Any]:
        """Values of a field: as somebody says in `fields`, among its choices, or of its type."""
        if field in self.fields:
            return self.fields[field]
        choices = tuple(one_of) or CHOICES.get(field)
        if choices:
            return st.sampled_from([str(choice) for choice in choices])
        if field in {"owner", *relations(self.lifecycle)}:
            return st.sampled_from(self.people)
        kind = self.kinds.get(field, FieldType.ANY)
        if kind is FieldType.INSTANT:
            return st.sampled_from([at + span for span in _AROUND])
        return st.one_of(st.sampled_from(RECORDS), texts) if kind is FieldType.TEXT else _OF_TYPE[kind]

    def answers(self, asked: Iterable[Need], at: dt.datetime) -> SearchStrategy[Fields]:
        """Fields that answer all of these needs, each by itself or by what may stand in its place."""
        return st.tuples(*(self._answer(need, at) for need in asked)).map(_together)

    def _answer(self, need: Need, at: dt.datetime) -> SearchStrategy[Fields]:
        ways = [st.fixed_dictionaries({need.field: self.value(need.field, at, need.one_of)})]
        if need.otherwise is not None:
            ways.append(st.fixed_dictionaries({need.otherwise: self.value(need.otherwise, at)}))
        return st.one_of(ways if need.required else [*ways, st.just({})])

    def some(self, names: Iterable[str], at: dt.datetime) -> SearchStrategy[Fields]:
        """Up to three of the named fields."""
        chosen = st.lists(st.sampled_from(sorted(names)), max_size=3, unique=True)
        return chosen.flatmap(lambda picked: st.fixed_dictionaries({n: self.value(n, at) for n in picked}))

    def opening(self, at: dt.datetime) -> SearchStrategy[Fields]:
        """Fields that open a record: what is asked for, who stands in which relation, and some more."""
        related = relations(self.lifecycle)
        who = {name: st.sampled_from((person, *self.people)) for name, person in related.items()}
        base = st.fixed_dictionaries({"record": st.just(RECORDS[0]), "title": texts}, optional=who)
        more = self.some(self.kinds.keys() - {"priority", "title", *who}, at)
        return st.tuples(more, base, self.answers(self.lifecycle.opening, at)).map(_together)

    def beside(self, trigger: str, at: dt.datetime, events: Iterable[str]) -> SearchStrategy[Fields]:
        """Fields of a command that leaves the state alone; `events` are the ids of those there are."""
        plain = dict.fromkeys(BESIDE[trigger].requires, texts) if trigger in BESIDE else {}
        must, may = self._words(at, tuple(events)).get(trigger, (plain, {}))
        return st.fixed_dictionaries(must, optional=may)

    def _words(self, at: dt.datetime, events: tuple[str, ...]) -> dict[str, tuple[Fields, Fields]]:
        """What each such command has to bring, and what it may bring."""
        soon, triggers = st.sampled_from([at + span for span in _AROUND]), self.triggers
        said = {"audience": st.sampled_from(Audience), "automatic": st.booleans(), "promise_due": soon}
        grades = ("impact", "urgency", "priority", "priority_reason")
        waiver = {"trigger": triggers, "separate_from": triggers, "reason": texts, "until": soon}
        mended = st.sampled_from(("title", "reason", "requester", *sorted(self.kinds)))
        correction = {"event": st.sampled_from(events), "field": mended, "now": texts, "reason": texts}
        return {
            "assign": ({}, {name: self.value(name, at) for name in ("group", "assignee", "owner")}),
            "reprioritise": ({}, {name: self.value(name, at) for name in grades}),
            "communicate": ({"text": texts}, said),
            "receive": ({"message_id": texts, "text": texts}, {"direction": st.sampled_from(Direction)}),
            "note": ({"text": texts}, {}),
            "link": ({"relation": st.sampled_from(_RELATIONS), "other": st.sampled_from(_OTHERS)}, {}),
            "restate": ({"reason": texts}, {}),
            "claim_exception": ({"exception": texts, "reason": texts}, {"metric": texts, "since": soon}),
            "justify_overrun": ({"metric": texts, "reason": texts}, {"confirmation": texts}),
            "waive": ({**waiver, "review": texts}, {}),
            "request_approval": ({"rule": self.fields.get("rule", rules)}, {}),
            "vote": ({"vote": st.sampled_from(VOTES)}, {}),
            "assess_major": (
                {"affected_services": st.lists(texts, min_size=1, max_size=2)},
                {"affected_users": st.integers(0, 400)},
            ),
            "snooze": ({"until": soon}, {"reason": texts}),
            "escalate_now": ({}, {"escalation_step": texts}),
            "migrate_policy": (
                {"escalation_policy": texts, "escalation_policy_version": st.integers(1, 3), "reason": texts},
                {"escalation_mode": st.sampled_from(ON_MIGRATION)},
            ),
            "correct": (correction, {}),
        }

    @property
    def triggers(self) -> SearchStrategy[str]:
        """Triggers that a waiver may name."""
        return st.sampled_from(("open", *self.lifecycle.by_trigger))


def _together(parts: Iterable[Fields]) -> Fields:
    return {name: value for part in parts for name, value in part.items()}


rules: SearchStrategy[Fields] = st.builds(
    lambda needed, members: {"panels": [{"name": "those asked", "members": members, "needed": needed}]},
    st.sampled_from((1, 1, 2, "all", "1/2")),
    st.lists(st.sampled_from(VOTERS), min_size=2, max_size=3, unique=True),
)
"""Approval rules that some of the voters can fulfil."""


def neighbours(lifecycle: Lifecycle) -> SearchStrategy[tuple[Record, ...]]:
    """Records beside the one that is tried, in states of the same lifecycle; none, one or two."""
    one = st.sampled_from([lifecycle.record(RECORDS[1], state) for state in lifecycle.by_id])
    other = st.sampled_from([lifecycle.record(RECORDS[2], state) for state in lifecycle.by_id])
    return st.one_of(st.just(()), st.tuples(one), st.tuples(one, other))
