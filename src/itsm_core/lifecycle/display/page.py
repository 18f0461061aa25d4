"""A lifecycle as a fragment of a page: the picture, and everything in it again as tables.

The fragment loads nothing and runs nothing, and its style is bound to its own class. Where it stands,
how it came there and what was waived is said in words; colour only helps.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.display.lanes import lanes_svg
from itsm_core.lifecycle.display.tables import Cell, Named, Table, path_lines, standing, tables, waiver_lines
from itsm_core.lifecycle.display.trail import Trail
from itsm_core.lifecycle.display.words import name, one_line, say, spoken

_STYLE = """\
.itsm-lifecycle{color:#1b2430;font:14px/1.45 system-ui,"Segoe UI",Roboto,Arial,sans-serif;max-width:1200px;\
background:var(--card);padding:10px 14px;overflow-wrap:break-word;--card:#fff;--soft:#55606e;--line:#d5dae1;\
--head:#f0f2f5;--here:#fdecea;--now:#b3261e}
.itsm-lifecycle p,.itsm-lifecycle ol,.itsm-lifecycle ul{margin:6px 0;color:inherit}
.itsm-lifecycle .title{font-weight:600}.itsm-lifecycle .now{color:var(--now);font-weight:600}
.itsm-lifecycle .wide{overflow-x:auto;margin:10px 0}
.itsm-lifecycle table{border-collapse:collapse;margin:0;background:var(--card);color:inherit;font:inherit}
.itsm-lifecycle caption{caption-side:top;text-align:left;padding:6px 0;font-weight:600;color:inherit}
.itsm-lifecycle th,.itsm-lifecycle td{border:1px solid var(--line);padding:4px 8px;text-align:left;\
vertical-align:top;background:var(--card);font-weight:normal;max-width:26em}
.itsm-lifecycle thead th{background:var(--head);color:var(--soft)}
.itsm-lifecycle tr.here th,.itsm-lifecycle tr.here td{background:var(--here)}
.itsm-lifecycle code{font:13px ui-monospace,Consolas,monospace;color:inherit;background:none;padding:0}
@media(prefers-color-scheme:dark){.itsm-lifecycle{color:#e6eaf0;--card:#1b212a;--soft:#a5b0be;\
--line:#353e4b;--head:#242b35;--here:#4a2526;--now:#ff8f84}}
"""
_NO_MATHS = "tex2jax_ignore mathjax_ignore"  # notebooks read $ in HTML as the sign of a formula
_IDS = frozenset({"state", "trigger", "field", "guards", "choices", "otherwise"})  # columns that show ids


def page(definition: Definition, trail: Trail, lang: str) -> str:
    """The fragment: name, record, picture, tables, path and waivers."""
    return (
        f'<div class="itsm-lifecycle {_NO_MATHS}" lang="{spoken(lang)}">\n<style>\n{_STYLE}</style>\n'
        f"{''.join(_parts(definition, trail, lang))}</div>\n"
    )


def _parts(definition: Definition, trail: Trail, lang: str) -> Iterator[str]:
    title = _text(name(definition, lang))
    yield f'<p class="title">{title} <code>{_text(definition.id)}</code></p>\n'
    if trail.now is not None:
        yield f'<p class="now">{_text(standing(definition, trail, lang))}</p>\n'
    yield _list("ul", say("waivers", lang), waiver_lines(definition, trail, lang))
    yield _wide(say("picture", lang), lanes_svg(definition, trail, lang, alone=False))
    for table in tables(definition, trail, lang):
        yield _wide(table.caption, _table(table, trail))
    yield _list("ol", say("path", lang), path_lines(definition, trail, lang))


def _text(value: object) -> str:
    return html.escape(one_line(value), quote=True)


def _wide(label: str, inside: str) -> str:
    """What may be wider than the page scrolls by itself, by keyboard too."""
    return f'<div class="wide" role="region" tabindex="0" aria-label="{_text(label)}">\n{inside}</div>\n'


def _list(kind: str, title: str, lines: list[str]) -> str:
    """The lines under a title; nothing if there are none. Those of a path bring their numbers."""
    if not lines:
        return ""
    items = "".join(f"<li><bdi>{_text(line)}</bdi></li>\n" for line in lines)
    style = ' style="list-style:none;padding-left:0"'
    return f'<p class="title">{_text(title)}</p>\n<{kind}{style}>\n{items}</{kind}>\n'


def _table(table: Table, trail: Trail) -> str:
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.head)
    rows = "".join(_row(table, row, trail) for row in table.rows)
    return (
        f"<table>\n<caption>{_text(table.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table>\n"
    )


def _row(table: Table, row: tuple[Cell, ...], trail: Trail) -> str:
    first, *others = (_cell(key, cell) for key, cell in zip(table.keys, row, strict=True))
    here = trail.now is not None and table.keys[0] == "state" and row[0] == Named.ids([trail.now])
    cells = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr{_HERE * here}><th scope="row">{first}</th>{cells}</tr>\n'


_HERE = ' class="here"'


def _cell(key: str, cell: Cell) -> str:
    if isinstance(cell, str):
        return f"<bdi>{_text(cell)}</bdi>" if cell else "–"
    if key in _IDS:
        return ", ".join(f"<code>{_text(one)}</code>" for one, _ in cell.items) or "–"
    return ", ".join(f"<bdi>{_text(label)}</bdi>" for _, label in cell.items) or "–"
