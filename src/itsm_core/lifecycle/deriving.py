"""Making a lifecycle one's own: add, remove, restrict, require and relabel, step by step; then build.

Each step gives a new derivation and refuses unknown names at once, with those that come close.
`build` checks the whole and refuses it with every finding, so a derived lifecycle is sound or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.beside import GUARDED
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.guards import Guard
from itsm_core.lifecycle.parts import Need, State, Transition, sequence
from itsm_core.lifecycle.rewriting import (
    chosen,
    joined,
    labelled,
    meaning_differs,
    needing,
    phase_differs,
    places,
    redirected,
    worded,
)
from itsm_core.lifecycle.soundness import sound
from itsm_core.values import each, only, word

K = TypeVar("K", bound=Definition)
Names = Iterable[str] | str


@attrs.frozen
class Derivation(Generic[K]):
    """A lifecycle on its way to another: every step answers with a new derivation.

    `into` remembers where the records of each removed state go, for a `MigrationPlan`; None says
    that they stay on their version until they have left it.
    """

    parent: K
    _draft: K
    _into: tuple[tuple[str, str | None], ...] = ()

    @property
    def into(self) -> dict[str, str | None]:
        """The states of the parent that were removed, and what takes their place."""
        return dict(self._into)

    def build(self) -> K:
        """The lifecycle, if it is sound; else `UnsoundLifecycle` with every finding."""
        return sound(self._draft)

    # --- states -----------------------------------------------------------------------------------

    def add_state(self, state: State) -> Derivation[K]:
        """With one more state; transitions to and from it are added next."""
        only(State, state, "state", 'give a State("with_supplier", "waiting", waits_on="supplier")')
        if state.id in self._draft.by_id:
            raise InvalidValue("state", state.id, "is there already", "give the new one another id")
        return self._with(states=(*self._draft.states, state))

    def remove_state(self, id: str, *, into: str | None) -> Derivation[K]:
        """Without a state and the transitions out of it; those that led to it lead to `into`.

        `into` is a state of the same phase and wait, where stored records go too. None: the
        transitions that led to it go as well, and its records stay on their version.
        """
        draft = self._draft
        gone = draft.by_id[self._state(id)]
        if into is not None:
            self._takes(gone, draft.by_id[self._state(into)])
        changed = self._with(
            states=tuple(state for state in draft.states if state.id != id),
            transitions=redirected(draft.transitions, id, into),
            initial=into if id == draft.initial and into is not None else draft.initial,
        )
        into_now = [(old, into if place == id else place) for old, place in self._into]
        if id in self.parent.by_id:
            into_now.append((id, into))
        return attrs.evolve(changed, into=tuple(into_now))

    def _takes(self, gone: State, into: State) -> None:
        wrong = phase_differs(gone, into) or meaning_differs(gone, into)
        if into.id == gone.id or wrong:
            reason = wrong or "is the state that goes"
            remedy = "name a state that means the same to clocks, or into=None if its records stay behind"
            raise InvalidValue("into", into.id, reason, remedy)

    # --- transitions ------------------------------------------------------------------------------

    def add(self, *transitions: Transition) -> Derivation[K]:
        """With these transitions after those there are."""
        draft = self._draft
        rows = each(
            Transition, transitions, "transition", 'give a Transition("escalate", "new", dest="work")'
        )
        triggers = (*draft.by_trigger, *(row.trigger for row in rows), "open")
        for row in rows:
            for state in (*row.sources, row.dest):
                self._state(state)
            self._guards(row.guards)
            self._needs(row.requires)
            for name in row.separate_from:
                chosen(name, triggers, "separate_from", "is no trigger")
            for name in sorted(row.roles):
                self._role(name)
            for name in sorted(row.relation):
                chosen(name, draft.kinds, "relation", "is no field that names a person")
        return self._with(transitions=(*draft.transitions, *rows))

    def remove(self, trigger: str, source: str | None = None) -> Derivation[K]:
        """Without a trigger, or without its way out of one state."""
        return self._changed(trigger, source, lambda _: None)

    def restrict(
        self,
        trigger: str,
        *,
        roles: Names | None = None,
        relation: Names | None = None,
        guards: Names = (),
        separate_from: Names = (),
        source: str | None = None,
    ) -> Derivation[K]:
        """With fewer who may fire a trigger, or under more conditions; nobody is let in.

        With `roles` or `relation` only those named may fire it from now on. `guards` and
        `separate_from` are added to those there are. `source`: only out of that state.
        """
        people = [row for row in self._rows(trigger, source) if row.after is None]
        guards, duties = self._guards(sequence(guards)), sequence(separate_from)
        for name in duties:
            chosen(name, (*self._draft.by_trigger, "open"), "separate_from", "is no trigger")
        who = roles is not None or relation is not None
        named, kin = frozenset(sequence(roles or ())), frozenset(sequence(relation or ()))
        if (who or duties) and not people:
            raise InvalidValue(
                "restrict", trigger, "is fired by time and by nobody else", "restrict it by guards"
            )
        if who:
            _narrows(trigger, named, kin, people)
        if not (who or duties or guards):
            raise InvalidValue("restrict", trigger, "changes nothing", "give roles, guards or separate_from")

        def narrowed(row: Transition) -> Transition:
            row = attrs.evolve(row, guards=joined(row.guards, guards))
            if row.after is not None:
                return row
            if who:
                row = attrs.evolve(row, roles=row.roles & named, relation=row.relation & kin)
            return attrs.evolve(row, separate_from=joined(row.separate_from, duties))

        return self._changed(trigger, source, narrowed)

    def require(self, trigger: str, *needs: Need, source: str | None = None) -> Derivation[K]:
        """With more fields that a trigger requires; "open" for those that a record opens with.

        A need takes the place of one for the same field. Timer edges bring no fields and stay.
        """
        wanted = self._needs(each(Need, needs, "requires", 'give needs: Need("closure_code", "our rule")'))
        if not wanted:
            raise InvalidValue("require", trigger, "names no field", 'add Need("closure_code", "our rule")')
        if trigger == "open":
            return self._with(opening=needing(self._draft.opening, wanted))
        if all(row.after is not None for row in self._rows(trigger, source)):
            raise InvalidValue("require", trigger, "is fired by time, which brings no fields", "use a guard")

        def asking(row: Transition) -> Transition:
            return row if row.after else attrs.evolve(row, requires=needing(row.requires, wanted))

        return self._changed(trigger, source, asking)

    # --- names and words --------------------------------------------------------------------------

    def guard(self, name: str, function: Guard) -> Derivation[K]:
        """With a guard registered under a name that steps and data can use from now on."""
        if not isinstance(name, str) or not name.isidentifier():
            raise InvalidValue("guard", name, "is no plain word", 'use letters, digits and "_"')
        if self._draft.guards.get(name, function) is not function:
            raise InvalidValue("guard", name, "is registered already", "give the new one another name")
        return self._with(guards={**self._draft.guards, name: function})

    def guard_beside(self, trigger: str, *names: str) -> Derivation[K]:
        """With guards of a command that leaves the state alone, such as "vote" or "assign", or of "open"."""
        chosen(trigger, GUARDED, "trigger", "is no command beside the state")
        held = self._draft.guards_beside
        return self._with(
            beside={**held, trigger: joined(held.get(trigger, ()), self._guards(names))}.items()
        )

    def declare(self, *fields: CustomField) -> Derivation[K]:
        """With fields of its own, for records of it to hold and transitions to require."""
        rows = each(CustomField, fields, "fields", 'give a CustomField("supplier_ref", "text")')
        for field in rows:
            if field.name in self._draft.kinds:
                raise InvalidValue("field", field.name, "is there already", "choose another name")
        return self._with(fields=(*self._draft.fields, *rows))

    def role(self, *names: str) -> Derivation[K]:
        """With more roles that transitions may name; a lifecycle that lists none knows every role."""
        known, more = self._draft.roles, sequence(names)
        return self._with(roles=joined(known, more) if known else ())

    def relabel(self, lang: str, /, **labels: str) -> Derivation[K]:
        """With other words in a language for states, triggers, fields and the process, by their id.

        A name that means two of them is written in full: "state.review", "trigger.review".
        """
        draft, done = self, self._draft
        known = places(done)
        for name, text in labels.items():
            found = known[chosen(name, known, "label", f"names nothing in {done.id}")]
            if len(found) > 1:
                full = " or ".join(f"{kind}.{one}" for kind, one in found)
                raise InvalidValue("label", name, "means more than one thing", f"write {full}")
            draft = draft._said(*found[0], _lang(lang), word(text, name, "give the words to show"))
        return draft

    def _said(self, kind: str, id: str, lang: str, text: str) -> Derivation[K]:
        draft = self._draft
        if kind == "process":
            return self._with(label=worded(draft.label, lang, text))
        if kind == "state":
            return self._with(states=[labelled(s, s.id == id, lang, text) for s in draft.states])
        if kind == "trigger":
            return self._with(
                transitions=[labelled(t, t.trigger == id, lang, text) for t in draft.transitions]
            )
        needs = [[labelled(n, n.field == id, lang, text) for n in t.requires] for t in draft.transitions]
        return self._with(
            opening=[labelled(n, n.field == id, lang, text) for n in draft.opening],
            transitions=[
                attrs.evolve(t, requires=held) for t, held in zip(draft.transitions, needs, strict=True)
            ],
        )

    def instruct(self, lang: str, /, **texts: str) -> Derivation[K]:
        """With other instructions in a language, by trigger."""
        found = self
        for trigger, text in texts.items():
            words = word(text, trigger, "say what to do")

            def told(row: Transition, words: str = words) -> Transition:
                return attrs.evolve(row, instructions=worded(row.instructions, _lang(lang), words))

            found = found._changed(trigger, None, told)
        return found

    # --- inside -----------------------------------------------------------------------------------

    def _with(self, **changes: Any) -> Derivation[K]:
        return attrs.evolve(self, draft=attrs.evolve(self._draft, **changes))

    def _rows(self, trigger: str, source: str | None) -> list[Transition]:
        name = f"{self._draft.id} {self._draft.version}"
        rows = self._draft.by_trigger[
            chosen(trigger, self._draft.by_trigger, "trigger", f"is none of {name}")
        ]
        if source is not None:
            chosen(source, [s for row in rows for s in row.sources], "source", f"is none of {trigger}")
        return [row for row in rows if source is None or source in row.sources]

    def _changed(
        self, trigger: str, source: str | None, change: Callable[[Transition], Transition | None]
    ) -> Derivation[K]:
        """With every row of a trigger changed, or that out of one state alone; None takes it away."""
        among = self._rows(trigger, source)
        rows: list[Transition] = []
        for row in self._draft.transitions:
            if not any(row is one for one in among):
                rows.append(row)
                continue
            part, rest = _parted(row, source)
            changed = change(part)
            if changed == part:
                rows.append(row)
            else:
                rows += [one for one in (rest, changed) if one is not None]
        return self._with(transitions=rows)

    def _state(self, id: str) -> str:
        draft = self._draft
        return chosen(id, draft.by_id, "state", f"is no state of {draft.id} {draft.version}")

    def _role(self, name: str) -> None:
        if self._draft.roles:
            remedy = f"let it be known first: .role({name!r})"
            chosen(name, self._draft.roles, "role", f"is none that {self._draft.id} knows", remedy)

    def _guards(self, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            remedy = f"register it first: .guard({name!r}, function)"
            chosen(name, self._draft.guards, "guard", "is registered nowhere", remedy)
        return names

    def _needs(self, needs: tuple[Need, ...]) -> tuple[Need, ...]:
        for name in (name for need in needs for name in (need.field, need.otherwise) if name):
            remedy = f'declare it first: .declare(CustomField({name!r}, "text"))'
            chosen(name, self._draft.kinds, "field", "is none that its records hold", remedy)
        return needs


def lite(definition: K) -> K:
    """The same with the fewest fields: needs that are not essential fall away, rules and phases stay."""
    if definition.id.endswith(_LITE):
        return definition
    rows = [attrs.evolve(row, requires=_essential(row.requires)) for row in definition.transitions]
    opening = _essential(definition.opening)
    return sound(attrs.evolve(definition, id=definition.id + _LITE, opening=opening, transitions=rows))


_LITE = ".lite"


def _essential(needs: Iterable[Need]) -> list[Need]:
    return [need for need in needs if need.essential]


def derive(parent: K, id: str, version: int) -> Derivation[K]:
    """The beginning of a derivation, under an id and version that the parent does not have."""
    if (id, version) == (parent.id, parent.version):
        remedy = f"give another id, or version={parent.version + 1}"
        raise InvalidValue("version", version, f"of {id} is what it derives from", remedy)
    return Derivation(parent, attrs.evolve(parent, id=id, version=version))


def _parted(row: Transition, source: str | None) -> tuple[Transition, Transition | None]:
    """A row out of one source alone, and the same out of its others; the whole row without a source."""
    others = [one for one in row.sources if one != source]
    if source is None or not others:
        return row, None
    return attrs.evolve(row, sources=source), attrs.evolve(row, sources=others)


def _narrows(trigger: str, roles: frozenset[str], relation: frozenset[str], rows: list[Transition]) -> None:
    """Refuses to let anybody in who may not fire these rows already, and to leave nobody."""
    remedy = "restrict only narrows; to let others in, remove the transition and add it anew"
    for what, given, may in (
        ("role", roles, {name for row in rows for name in row.roles}),
        ("relation", relation, {name for row in rows for name in row.relation}),
    ):
        for name in sorted(given):
            chosen(name, sorted(may), what, f"may not {trigger} as it is", remedy)
    if not (roles or relation):
        raise InvalidValue("roles", trigger, "would be fired by nobody", "name some of those who may")


def _lang(lang: str) -> str:
    return word(lang, "lang", 'name a language: "en", "zh"')
