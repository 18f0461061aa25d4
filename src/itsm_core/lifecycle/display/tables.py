"""States, transitions and fields of a lifecycle as tables, and these as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import attrs

from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.display.graph import MOST, Node, nodes
from itsm_core.lifecycle.display.trail import Step, Trail
from itsm_core.lifecycle.display.words import called, instant, name, one_line, say, state, term, wait, waived
from itsm_core.lifecycle.parts import Need, State, Transition


@attrs.frozen
class Named:
    """Ids in a cell, each with its label: Markdown shows the id, a page shows the label."""

    items: tuple[tuple[str, str], ...] = ()

    @classmethod
    def ids(cls, names: Iterable[str]) -> Named:
        """Ids that have no other label."""
        return cls(tuple((name, name) for name in names))


Cell: TypeAlias = "str | Named"


@attrs.frozen(kw_only=True)
class Table:
    """Rows under headings; `keys` name the columns, whatever the language of the headings."""

    caption: str
    keys: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def markdown(self) -> str:
        """The table as Markdown, without its caption."""
        lines = [[_escaped(cell) for cell in self.head], ["---"] * len(self.head)]
        lines += [[_cell(cell) for cell in row] for row in self.rows]
        return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _table(caption: str, lang: str, columns: dict[str, list[Cell]], always: int) -> Table:
    """The table of these columns; of those after the first few the empty ones are left out."""
    kept = {
        key: cells
        for n, (key, cells) in enumerate(columns.items())
        if n < always or any(cell not in ("", Named()) for cell in cells)
    }
    return Table(
        caption=say(caption, lang),
        keys=tuple(kept),
        head=tuple(say(key, lang) for key in kept),
        rows=tuple(zip(*kept.values(), strict=True)),
    )


def states_table(definition: Definition, lang: str, trail: Trail | None = None) -> Table:
    """The states: what each is called and means, and whether the record is or was there."""
    shown = trail or Trail()
    states = list(definition.by_id.values())
    columns: dict[str, list[Cell]] = {
        "state": [Named.ids([one.id]) for one in states],
        "label": [one_line(one.say(lang)) for one in states],
        "phase": [term(one.phase.value, lang) for one in states],
        "outcome": [one_line(one.outcome) if one.outcome else "" for one in states],
        "waits_on": [term(one.waits_on.value, lang) if one.waits_on else "" for one in states],
        "record": [_presence(one, shown, lang) for one in states],
    }
    return _table("states", lang, columns, 3)


def _presence(one: State, trail: Trail, lang: str) -> str:
    came = trail.entered.get(one.id, ())
    moves = ", ".join(str(number) for number in came if number)
    told = [f"▶ {say('now', lang)}"] if one.id == trail.now else []
    told += [say("first", lang)] if 0 in came else []
    told += [say("came", lang, n=moves)] if moves else []
    return "; ".join(told)


def transitions_table(definition: Definition, lang: str, trail: Trail | None = None) -> Table:
    """The transitions: what fires each, whence and whither, who may, and what has to be so.

    The opening stands first, if it asks for anything.
    """
    shown = trail or Trail()
    opening = Transition("open", (), dest=definition.initial, requires=definition.opening)
    rows = (*[opening] * bool(definition.opening), *definition.transitions)
    drawn = nodes(definition, shown, lang)
    columns: dict[str, list[Cell]] = {
        "trigger": [Named.ids([row.trigger]) for row in rows],
        "button": [one_line(say("open", lang) if row is opening else row.say(lang)) for row in rows],
        "from": [_states(drawn, row.sources) for row in rows],
        "to": [_states(drawn, (row.dest,)) for row in rows],
        "who": [_who(row, lang) for row in rows],
        "requires": [_fields(row.requires, lang) for row in rows],
        "guards": [Named.ids(row.guards) for row in rows],
        "apart": [_triggers(definition, row.separate_from, lang) for row in rows],
        "timer": [wait(row.after, lang) if row.after else "" for row in rows],
        "clocks": [term(row.reopens, lang) if row.reopens else "" for row in rows],
        "taken": [_taken(row, shown) for row in rows],
    }
    return _table("transitions", lang, columns, 5)


def _states(drawn: Mapping[str, Node], ids: Iterable[str]) -> Named:
    return Named(tuple((one, drawn[one].label) for one in ids))


def _triggers(definition: Definition, triggers: Iterable[str], lang: str) -> Named:
    return Named(tuple((one, one_line(called(definition, one, lang), MOST)) for one in triggers))


def _fields(needs: Iterable[Need], lang: str) -> Named:
    return Named(tuple((need.field, need.say(lang)) for need in needs))


def _who(row: Transition, lang: str) -> str:
    if row.after is not None:
        return say("time", lang)
    related = (say("the", lang, relation=term(relation, lang)) for relation in sorted(row.relation))
    return one_line(", ".join((*sorted(row.roles), *related))) if row.roles or row.relation else ""


def _taken(row: Transition, trail: Trail) -> str:
    return ", ".join(map(str, trail.taking(row)))


def fields_table(definition: Definition, lang: str) -> Table:
    """The fields that opening and transitions ask for: what each means and takes, and who asks for it."""
    asked = [*definition.opening, *(need for row in definition.transitions for need in row.requires)]
    needs = list({(n.field, n.clause, n.one_of, n.otherwise, n.kept, n.label): n for n in asked}.values())
    kinds = definition.kinds
    columns: dict[str, list[Cell]] = {
        "field": [Named.ids([need.field]) for need in needs],
        "meaning": [one_line(need.say(lang)) for need in needs],
        "type": [term(kinds[need.field].value, lang) if need.field in kinds else "" for need in needs],
        "choices": [Named.ids(need.one_of) for need in needs],
        "otherwise": [Named.ids([need.otherwise] if need.otherwise else []) for need in needs],
        "kept": [say("yes", lang) if need.kept else "" for need in needs],
        "clause": [one_line(need.clause) for need in needs],
    }
    return _table("fields", lang, columns, 2)


def path_lines(definition: Definition, trail: Trail, lang: str) -> list[str]:
    """The moves of the record in words, the opening first."""
    return [one_line(_told(step, definition, lang)) for step in trail.steps]


def _told(step: Step, definition: Definition, lang: str) -> str:
    source, dest = (state(definition, one, lang) for one in (step.source or step.dest, step.dest))
    if step.number == 0:
        move = say("opened", lang, to=dest)
    else:
        label = called(definition, step.trigger, lang)
        move = say("moved", lang, n=step.number, label=label, source=source, dest=dest)
    under = [say("under", lang, lifecycle=step.under[0], version=step.under[1])] if step.under else []
    return ", ".join([move, *under, instant(step.at), step.by])


def waiver_lines(definition: Definition, trail: Trail, lang: str) -> list[str]:
    """The waivers of the record, each in a sentence."""
    told = (waived(definition, waiver, lang, review=trail.review) for waiver in trail.waivers)
    return [one_line(text) for text in told]


def standing(definition: Definition, trail: Trail, lang: str) -> str:
    """Which record is shown and where it is; empty without one."""
    if trail.now is None:
        return ""
    here = f"▶ {state(definition, trail.now, lang)}"
    return one_line(say("is_now", lang, record=trail.number, state=here))


# -- Markdown --------------------------------------------------------------------------------------


def markdown(definition: Definition, trail: Trail, lang: str) -> str:
    """The lifecycle as Markdown: its name, states, transitions and fields, and the record on it."""
    parts = [f"**{_escaped(name(definition, lang))}**\n"]
    if trail.now is not None:
        parts.append(f"{_escaped(standing(definition, trail, lang))}\n")
    parts += [f"- {_escaped(text)}\n" for text in waiver_lines(definition, trail, lang)]
    parts += [table.markdown() for table in tables(definition, trail, lang)]
    path = path_lines(definition, trail, lang)
    if path:
        parts.append("".join(f"- {_escaped(text)}\n" for text in path))
    return "\n".join(parts)


def tables(definition: Definition, trail: Trail, lang: str) -> list[Table]:
    """The tables that have rows."""
    makers: tuple[Callable[[], Table], ...] = (
        lambda: states_table(definition, lang, trail),
        lambda: transitions_table(definition, lang, trail),
        lambda: fields_table(definition, lang),
    )
    return [table for make in makers if (table := make()).rows]


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return _escaped(cell) if cell else "-"
    return ", ".join(_code(name) for name, _ in cell.items) or "-"


def _code(name: str) -> str:
    return f"`{name}`" if _PLAIN.fullmatch(name) else _escaped(name)


_PLAIN = re.compile(r"[\w.:/+-]+(?: [\w.:/+-]+)*")
_MEANS_SOMETHING = re.compile(r"[\\`*\[\]<>&|~${}]|(?<![^\W_])_|_(?![^\W_])")
_AS_ENTITY = frozenset("<>&|~${}")  # some readers of Markdown show a backslash before these


def _escaped(text: str) -> str:
    """The text as Markdown shows it to the letter, inside a line or a cell."""
    return _MEANS_SOMETHING.sub(_escape, one_line(text))


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    return f"&#{ord(sign)};" if sign in _AS_ENTITY else f"\\{sign}"
