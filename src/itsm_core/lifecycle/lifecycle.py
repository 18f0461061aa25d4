"""A lifecycle: a definition, and everything that is made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Self

import attrs
from transitions import Machine

from itsm_core.business_time.picture import Drawing
from itsm_core.events import Event, Phase
from itsm_core.lifecycle import adopting, deriving, forms, soundness, straight
from itsm_core.lifecycle import machine as machines
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.display import diagrams, tables
from itsm_core.lifecycle.display.lanes import lanes_svg
from itsm_core.lifecycle.display.page import page
from itsm_core.lifecycle.display.trail import trail
from itsm_core.lifecycle.display.words import language
from itsm_core.lifecycle.guards import Guards
from itsm_core.lifecycle.parts import State
from itsm_core.records import Record


@attrs.frozen(slots=False, eq=False, repr=False)
class Lifecycle(Definition):
    """The states and transitions of one process at one version; a version is never reused.

    See `Definition` for what it is made of. It is the single source: the machine, `options`, the
    checks, tables, diagrams and tests are all made from it.
    """

    @cached_property
    def ways(self) -> dict[tuple[str, str], straight.Way]:
        """The moves that nothing conditional stands in the way of, by state and trigger."""
        return straight.ways(self)

    def machine(self, cls: type[Machine] = Machine, **options: Any) -> Machine:
        """A stock machine for people who know the `transitions` package; guards are its conditions.

        Triggers of guarded transitions take a `Situation`: `machine.events["close"].trigger(model, it)`.
        """
        return machines.machine(self, cls, **options)

    def check(self) -> tuple[soundness.Finding, ...]:
        """Everything that is wrong with the definition; empty if it is sound."""
        return soundness.check(self)

    # --- showing it: labels in any language it has, with a record on it if one is given --------------

    def mermaid(
        self,
        lang: str = "en",
        *,
        record: Record | None = None,
        history: Iterable[Event] = (),
        direction: str = "LR",
    ) -> str:
        """The lifecycle as a Mermaid flowchart, from left to right ("LR") or from top to bottom ("TB").

        `record` marks its state and shows its waivers; its `history` numbers the path taken.
        """
        seen = trail(self, record, history)
        return diagrams.mermaid(self, seen, language(lang), diagrams.direction(direction))

    def dot(
        self,
        lang: str = "en",
        *,
        record: Record | None = None,
        history: Iterable[Event] = (),
        direction: str = "LR",
    ) -> str:
        """The lifecycle in the language of Graphviz; arguments as for `mermaid`."""
        seen = trail(self, record, history)
        return diagrams.dot(self, seen, language(lang), diagrams.direction(direction))

    def table(self, lang: str = "en", *, record: Record | None = None, history: Iterable[Event] = ()) -> str:
        """States, transitions and fields as Markdown tables; record and history as for `mermaid`."""
        return tables.markdown(self, trail(self, record, history), language(lang))

    def draw(
        self, lang: str = "en", *, record: Record | None = None, history: Iterable[Event] = ()
    ) -> Drawing:
        """A picture in SVG: a line down for each state, each transition across from where to where."""
        return Drawing(lanes_svg(self, trail(self, record, history), language(lang)))

    def html(
        self, lang: str = "en", *, record: Record | None = None, history: Iterable[Event] = ()
    ) -> Drawing:
        """The picture and the tables as a fragment of HTML; a notebook shows it, `str` gives the text."""
        return Drawing(page(self, trail(self, record, history), language(lang)))

    def _repr_html_(self) -> str:
        return str(self.html())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), "text/vnd.mermaid": self.mermaid()}

    # --- making it one's own, and telling versions apart ------------------------------------------

    def derive(self, id: str, version: int = 1) -> deriving.Derivation[Self]:
        """The beginning of a lifecycle of one's own: change it step by step, then `build()`.

        >>> from itsm_core.processes import INCIDENT
        >>> INCIDENT.derive("acme.incident").restrict("cancel", roles={"manager"}).build()
        <lifecycle acme.incident 1: ...>
        """
        return deriving.derive(self, id, version)

    def lite(self) -> Self:
        """The same with the fewest fields: needs that are not essential fall away, rules and phases stay."""
        return deriving.lite(self)

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 that tells it from any other but one that differs in words or version alone."""
        return forms.fingerprint(self)

    def to_dict(self) -> dict[str, Any]:
        """The lifecycle as plain JSON values; guards as names."""
        return forms.to_dict(self)

    def to_json(self) -> str:
        """The lifecycle as JSON text."""
        return forms.to_json(self)

    def to_toml(self) -> str:
        """The lifecycle as TOML text (extra `toml`)."""
        return forms.to_toml(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], *, guards: Guards | None = None) -> Self:
        """The lifecycle of plain values; `guards` are the functions that its names mean.

        Raises `InvalidValue` for what it cannot read, `UnsoundLifecycle` with all findings.
        """
        return forms.from_dict(cls, plain, guards)

    @classmethod
    def from_json(cls, text: str | bytes, *, guards: Guards | None = None) -> Self:
        """The lifecycle of a JSON text, as `from_dict`."""
        return forms.from_json(cls, text, guards)

    @classmethod
    def from_toml(cls, text: str | bytes, *, guards: Guards | None = None) -> Self:
        """The lifecycle of a TOML text, as `from_dict`."""
        return forms.from_toml(cls, text, guards)

    @classmethod
    def from_transitions(
        cls,
        id: str,
        version: int = 1,
        *,
        states: Iterable[Any],
        transitions: Iterable[Any],
        phases: Mapping[str, Phase | str | State],
        roles: Iterable[str] | str,
        process: str = "incident",
        initial: str | None = None,
        reopens: str | None = None,
        guards: Guards | None = None,
    ) -> Self:
        """The lifecycle of a configuration of the `transitions` package, checked.

        `states` and `transitions` are what its `Machine` takes. `phases` says what each state means,
        or gives a `State` where more is to be said; `roles` who fires what names no roles of its own.
        `initial` is the first state by default, `reopens` how clocks go on where done work reopens.
        Conditions become guards by name; callbacks and nested states are refused.
        """
        return adopting.from_transitions(
            cls,
            id,
            version,
            states=states,
            transitions=transitions,
            phases=phases,
            roles=roles,
            process=process,
            initial=initial,
            reopens=reopens,
            guards=guards,
        )
