"""Lifecycles as Mermaid and as DOT: text that browsers, GitHub, notebooks and Graphviz draw.

States stand as s0, s1, ...: an id may be a keyword of the language or hold anything. A label stands
in quotes with every sign escaped that means something there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.display.graph import INK, LINE, LOOKS, MOST, NOW, Edge, Node, edges, nodes
from itsm_core.lifecycle.display.trail import Trail
from itsm_core.lifecycle.display.words import fitting, name, one_line, say, waived

_DIRECTIONS = ("LR", "TB", "RL", "BT")
_HERE = "▶"


def direction(value: object) -> str:
    """The direction itself: from left to right (LR), from top to bottom (TB), or the other way round."""
    if value not in _DIRECTIONS:
        choices = f"use one of {', '.join(_DIRECTIONS)}"
        raise InvalidValue("direction", value, "is none that diagrams run in", choices)
    return str(value)


def _title(lifecycle: Definition, trail: Trail, lang: str) -> str:
    told = name(lifecycle, lang)
    if trail.now is None:
        return told
    state = lifecycle.state(trail.now).say(lang)
    return f"{told}. {say('is_now', lang, record=trail.number, state=state)}"


def _label(node: Node, trail: Trail) -> str:
    return f"{_HERE} {node.label}" if node.id == trail.now else node.label


def _notes(lifecycle: Definition, trail: Trail, lang: str) -> list[str]:
    told = [waived(lifecycle, waiver, lang, review=trail.review) for waiver in trail.waivers]
    return [one_line(text, _MOST_OF_A_NOTE) for text in dict.fromkeys(told)]


_MOST_OF_A_NOTE = 240


# -- Mermaid ---------------------------------------------------------------------------------------


def mermaid(lifecycle: Definition, trail: Trail, lang: str, towards: str) -> str:
    """The lifecycle as a Mermaid flowchart."""
    drawn = nodes(lifecycle, trail, lang)
    body = [
        f"accTitle: {_safe(one_line(_title(lifecycle, trail, lang), _MOST_OF_A_NOTE))}",
        f'begin((" ")) --> {drawn[lifecycle.initial].key}',
        *(_mermaid_node(node, trail) for node in drawn.values()),
        *map(_mermaid_edge, edges(lifecycle, trail, drawn, lang)),
        *_mermaid_notes(lifecycle, trail, drawn, lang),
        *_mermaid_classes(drawn, trail),
    ]
    return f"flowchart {towards}\n" + "".join(f"  {line}\n" for line in body)


def _mermaid_node(node: Node, trail: Trail) -> str:
    left, right = LOOKS[node.phase].mermaid
    return f'{node.key}{left}"{_safe(_label(node, trail))}"{right}'


def _mermaid_edge(edge: Edge) -> str:
    arrow = "==>" if edge.taken else "-.->" if edge.timed else "-->"
    return f'{edge.source.key} {arrow}|"{"<br/>".join(map(_safe, edge.lines))}"| {edge.dest.key}'


def _mermaid_notes(lifecycle: Definition, trail: Trail, drawn: dict[str, Node], lang: str) -> Iterator[str]:
    """Waivers hang on the state in which the record is."""
    for n, text in enumerate(_notes(lifecycle, trail, lang)):
        yield f'w{n}["{_safe(text)}"]'
        yield f"w{n} -.- {drawn[trail.now or lifecycle.initial].key}"
        yield f"class w{n} waiver"


def _mermaid_classes(drawn: dict[str, Node], trail: Trail) -> Iterator[str]:
    for phase, look in LOOKS.items():
        keys = [node.key for node in drawn.values() if node.phase is phase]
        if keys:
            kind = f"phase{'None' if phase is None else phase.title()}"
            yield f"classDef {kind} fill:{look.fill},stroke:{look.line},color:{INK}"
            yield f"class {','.join(keys)} {kind}"
    yield f"classDef begin fill:{LINE},stroke:{LINE}"
    yield "class begin begin"
    if trail.waivers:
        yield f"classDef waiver fill:#ffffff,stroke:{NOW},color:{INK},stroke-dasharray:6 4"
    if trail.now is not None:
        yield f"classDef now stroke:{NOW},stroke-width:4px"
        yield f"class {drawn[trail.now].key} now"


# Letters, digits, spaces, commas and whatever is not ASCII mean nothing to Mermaid, nor do "-" and "_"
# inside a word. All else becomes an entity, which it decodes after it has parsed the text. Its lexer takes
# any line for a statement in which "direction TB" stands, also inside quotes.
_MEANS_SOMETHING = re.compile(r"(?<![A-Za-z0-9])[-_]|[-_](?![A-Za-z0-9])|[!-+./:-@\[-^`{-~]|d(?=irection)")


def _safe(text: str) -> str:
    return _MEANS_SOMETHING.sub(lambda sign: f"#{ord(sign[0])};", text)


# -- DOT -------------------------------------------------------------------------------------------


def dot(lifecycle: Definition, trail: Trail, lang: str, towards: str) -> str:
    """The lifecycle in the language of Graphviz."""
    drawn = nodes(lifecycle, trail, lang)
    title = _quoted(one_line(_title(lifecycle, trail, lang), _MOST_OF_A_NOTE))
    body = [
        f'graph [rankdir={towards} label={title} labelloc=t bgcolor="#ffffff" fontcolor="{INK}"]',
        f'node [shape=box style=filled fontcolor="{INK}"]',
        f'edge [color="{LINE}" fontcolor="{INK}" fontsize=11]',
        f'begin [shape=point label="" width=0.2 color="{LINE}"]',
        f"begin -> {drawn[lifecycle.initial].key}",
        *(_dot_node(node, trail) for node in drawn.values()),
        *map(_dot_edge, edges(lifecycle, trail, drawn, lang)),
        *_dot_notes(lifecycle, trail, drawn, lang),
    ]
    return "digraph lifecycle {\n" + "".join(f"  {line}\n" for line in body) + "}\n"


def _dot_node(node: Node, trail: Trail) -> str:
    look = LOOKS[node.phase]
    line = f'color="{NOW}" penwidth=4' if node.id == trail.now else f'color="{look.line}"'
    label = _quoted(_label(node, trail))
    return f'{node.key} [label={label} {look.dot} fillcolor="{look.fill}" {line}]'


def _dot_edge(edge: Edge) -> str:
    drawn = " style=dashed" * edge.timed + f' color="{INK}" penwidth=3' * edge.taken
    return f"{edge.source.key} -> {edge.dest.key} [label={_quoted(*edge.lines)}{drawn}]"


def _dot_notes(lifecycle: Definition, trail: Trail, drawn: dict[str, Node], lang: str) -> Iterator[str]:
    for n, text in enumerate(_notes(lifecycle, trail, lang)):
        yield f'w{n} [shape=note label={_quoted(*fitting(text, MOST))} fillcolor="#ffffff" color="{NOW}"]'
        at = drawn[trail.now or lifecycle.initial].key
        yield f"w{n} -> {at} [style=dotted arrowhead=none]"
        yield f"{{ rank=same; w{n}; {at} }}"


def _quoted(*lines: str) -> str:
    """The lines as one string; Graphviz decodes entities in it, and reads backslashes."""
    safe = (one.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for one in lines)
    return '"' + "\\n".join(safe) + '"'
