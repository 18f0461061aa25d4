"""Request models: what the catalogue offers, each as a lifecycle of its own.

A model says who may ask, which inputs it takes, whose approval it needs, and how it is fulfilled. Its
lifecycle is the one of service requests without the ways that the model does not have: without an
approval there is none to seek, with one nothing starts before it. Instructions stand on the buttons of
fulfilment. The version of the model is the version of its lifecycle, so each request stays with the
model it was asked under.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import attrs

from itsm_core.business_time.durations import Duration
from itsm_core.errors import InvalidValue, Reason
from itsm_core.lifecycle.guards import Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need, Transition, Words, needs, words
from itsm_core.lifecycle.reasons import missing_needs
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.conditions import STAFF
from itsm_core.processes.service_request import SERVICE_REQUEST
from itsm_core.records import Record
from itsm_core.values import counted, named, texts

ANYONE = "anyone"

_BEGINNING = frozenset({"start", "seek_approval"})
_FULFILLING = frozenset({"start", "deliver_part", "deliver"})
_SHOWN = 10
_ASKING = frozenset({"request_approval", "vote"})
_CHECKED = {
    "open": ("may_ask", "is_as_modelled"),
    **dict.fromkeys(("amend", "assign", "reprioritise"), ("is_as_modelled",)),
}


def _roles(value: Iterable[str] | str) -> frozenset[str]:
    return frozenset(texts(value, "may_ask", 'name roles, such as {"employee"}, or leave it out for anyone'))


def _titles(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "tasks", 'name them: ("Order the laptop", "Install the image")')


def _promised(_: Any, __: Any, value: Any) -> None:
    if value is not None and not isinstance(value, get_args(Duration)):
        raise InvalidValue("target", value, "is no duration", "say what is counted: business_days(3)")


def _pattern(_: Any, __: Any, value: Any) -> None:
    if value is not None:
        named(value, "approval", 'name a pattern, such as "line_manager", or leave it out')


@attrs.frozen
class RequestModel:
    """What may be asked for: its inputs, who may ask, whose approval it takes, and how it is fulfilled.

    `may_ask` are the roles of those who ask; staff ask for others on their own responsibility.
    `approval` names a pattern that the host turns into an `ApprovalRule` (None: approved already).
    `tasks` are the titles of the tasks it is fulfilled by, `target` is the time that the catalogue
    promises, for people to read: what is measured stands in an agreement.
    """

    id: str
    version: int
    title: Words = attrs.field(converter=words, kw_only=True)
    inputs: tuple[Need, ...] = attrs.field(default=(), converter=needs, kw_only=True)
    may_ask: frozenset[str] = attrs.field(default=frozenset({ANYONE}), converter=_roles, kw_only=True)
    approval: str | None = attrs.field(default=None, validator=_pattern, kw_only=True)
    instructions: Words = attrs.field(default=(), converter=words, kw_only=True)
    tasks: tuple[str, ...] = attrs.field(default=(), converter=_titles, kw_only=True)
    target: Duration | None = attrs.field(default=None, validator=_promised, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "request model", 'name it, such as "laptop"')
        counted(self.version, "request model")

    def asked(self, /, **inputs: Any) -> dict[str, Any]:
        """The fields that open a request of this model with these inputs."""
        return {"request_model": self.id, "request_model_version": self.version, "inputs": inputs}

    def tasks_for(self, record: Record) -> tuple[dict[str, Any], ...]:
        """The fields that open the tasks of a request, in order; tasks of a restricted one are too."""
        kept = {"restricted": True} if record.restricted else {}
        return tuple({"title": title, "part_of": record.id, **kept} for title in self.tasks)

    def lifecycle(self, base: Lifecycle = SERVICE_REQUEST) -> Lifecycle:
        """The lifecycle of its requests, made from `base`; another base is another version of the model."""
        rows = base.transitions
        rows = _without(rows, state="approval") if self.approval is None else _without(rows, trigger="start")
        kept = {name for row in rows for name in (*row.sources, row.dest)}
        return sound(
            attrs.evolve(
                base,
                id=f"{base.id}.{self.id}",
                version=self.version,
                states=[state for state in base.states if state.id in kept],
                transitions=[self._guided(row) for row in rows],
                opening=[self._named(need) for need in base.opening],
                beside=self._beside(base),
                label=self.title,
                guards={**base.guards, "may_ask": MayAsk(self), "is_as_modelled": AsModelled(self)},
            )
        )

    def _beside(self, base: Lifecycle) -> dict[str, tuple[str, ...]]:
        found = {trigger: names for trigger, names in base.beside if self.approval or trigger not in _ASKING}
        for trigger, names in _CHECKED.items():
            found[trigger] = (*found.get(trigger, ()), *names)
        return found

    def _named(self, need: Need) -> Need:
        return attrs.evolve(need, one_of=(self.id,)) if need.field == "request_model" else need

    def _guided(self, row: Transition) -> Transition:
        if row.trigger in _BEGINNING:
            row = attrs.evolve(row, guards=(*row.guards, "is_as_modelled"))
        return attrs.evolve(row, instructions=self.instructions) if row.trigger in _FULFILLING else row


def _without(
    rows: tuple[Transition, ...], *, state: str | None = None, trigger: str | None = None
) -> tuple[Transition, ...]:
    """The transitions that neither lead to nor leave a state, and those of other triggers."""
    rows = tuple(row for row in rows if row.trigger != trigger and row.dest != state)
    if state is None:
        return rows
    left = [attrs.evolve(row, sources=tuple(s for s in row.sources if s != state)) for row in rows]
    return tuple(row for row in left if row.sources)


def of_model(lifecycles: Sequence[Lifecycle], asked: Any) -> Lifecycle:
    """Of these lifecycles the one of the model that is asked for; the first, where none is a model's.

    Raises `InvalidValue` for a model that none of them is made of.
    """
    offered: dict[str, Lifecycle] = {}
    for one in lifecycles:
        guard = one.guards.get("is_as_modelled")
        if isinstance(guard, AsModelled):
            offered.setdefault(guard.model.id, one)
    if not offered:
        return lifecycles[0]
    found = offered.get(asked) if isinstance(asked, str) else None
    if found is None:
        near = difflib.get_close_matches(str(asked), offered, 1)
        remedy = f"did you mean {near[0]}?" if near else f"ask for one of {', '.join(offered)}"
        raise InvalidValue("request_model", asked, "is offered by no lifecycle of this desk", remedy)
    return found


@attrs.frozen
class MayAsk:
    """The guard of an opening: whoever asks may ask for this.

    A value and no function, so that a model read twice makes equal lifecycles.
    """

    model: RequestModel

    def __call__(self, situation: Situation) -> Reason | None:
        """A reason if they may not."""
        may_ask = self.model.may_ask
        actor, requester = situation.actor, situation.get("requester")
        vouches = requester not in (None, actor.id) and actor.roles & STAFF
        if ANYONE in may_ask or actor.roles & may_ask or vouches:
            return None
        allowed = tuple(sorted(may_ask))
        said = f"{actor.id} may not ask for {self.model.id}: that takes the role {' or '.join(allowed)}"
        return Reason("role", said, facts={"actor": actor.id, "has": tuple(sorted(actor.roles)),
                                           "allowed": allowed})  # fmt: skip


@attrs.frozen
class AsModelled:
    """The guard of what is asked for: it is of this model, and its inputs are those of the model."""

    model: RequestModel

    def __call__(self, situation: Situation) -> Reason | None:
        """A reason if it is none of this model, or its inputs are others."""
        model = self.model
        for name, own in (("request_model", model.id), ("request_model_version", model.version)):
            told = situation.get(name)
            if told not in (None, own):
                said = f"{name} is {told!r}; this is {model.id} {model.version}"
                return Reason("invalid_field", said, facts={"field": name, "value": told})
        return self._inputs_reason(situation.get("inputs"))

    def _inputs_reason(self, given: Any) -> Reason | None:
        inputs = {} if given is None else given
        if not isinstance(inputs, Mapping):
            said = "inputs take names with values"
            return Reason("invalid_field", said, facts={"field": "inputs"})
        wrong = [*self._lacking(inputs), *self._not_allowed(inputs), *self._unknown(inputs)]
        if not wrong:
            return None
        said = "; ".join(told for _, told in wrong)
        return Reason(
            "inputs",
            f"{self.model.id} {self.model.version}: {said}",
            facts={"inputs": tuple(name for name, _ in wrong if name)},
        )

    def _lacking(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        found = []
        for need in missing_needs(self.model.inputs, inputs):
            choices = f": one of {', '.join(need.one_of)}" if need.one_of else ""
            other = f", or {need.otherwise!r} in its place" if need.otherwise else ""
            found.append((need.field, f"it takes the input {need.field!r}{choices}{other}"))
        return found

    def _not_allowed(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [
            (need.field, f"{need.field} is none of {', '.join(need.one_of)}")
            for need in self.model.inputs
            if need.one_of and inputs.get(need.field) not in (None, "", *need.one_of)
        ]

    def _unknown(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        known = {name for need in self.model.inputs for name in (need.field, need.otherwise) if name}
        strange = sorted(inputs.keys() - known)
        found = []
        for name in strange[:_SHOWN]:
            near = " or ".join(difflib.get_close_matches(name, sorted(known), 2))
            found.append((name, f"it has no input {name!r}" + (f"; did you mean {near}?" if near else "")))
        more = len(strange) - _SHOWN
        return [*found, ("", f"nor {more} more that are there")] if more > 0 else found
