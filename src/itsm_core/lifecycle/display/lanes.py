"""A lifecycle as lanes: a line down for each state, and across them each transition, from where to where.

No layout has to be searched, so no label meets another, however many transitions there are.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

import attrs

from itsm_core.events import Phase
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.display.graph import LOOKS, Node, nodes
from itsm_core.lifecycle.display.tables import standing, waiver_lines
from itsm_core.lifecycle.display.trail import Trail
from itsm_core.lifecycle.display.words import (
    called,
    columns,
    fitting,
    name,
    one_line,
    say,
    spoken,
    term,
    wait,
)
from itsm_core.lifecycle.parts import Transition

_STYLE = """\
.itsm-lanes{color:#1b2430;font:13px system-ui,"Segoe UI",Roboto,Arial,sans-serif;display:block;\
--card:#fff;--soft:#55606e;--line:#8b95a3;--here:#fdecea;--now:#b3261e;overflow:visible}
.itsm-lanes .card{fill:var(--card)}.itsm-lanes text{fill:currentColor}.itsm-lanes .soft{fill:var(--soft)}
.itsm-lanes .name{font-weight:600}.itsm-lanes .here{fill:var(--here)}
.itsm-lanes .lane{stroke:var(--line);stroke-dasharray:1 4}.itsm-lanes .lane.now{stroke:var(--now)}
.itsm-lanes .way{stroke:currentColor;stroke-width:1.25;fill:none}.itsm-lanes .end{fill:currentColor}
.itsm-lanes .timed .way{stroke-dasharray:5 4}.itsm-lanes .taken .way{stroke-width:3.5}
.itsm-lanes .taken text{font-weight:600}.itsm-lanes text.now{fill:var(--now);font-weight:600}
@media(prefers-color-scheme:dark){.itsm-lanes{color:#e6eaf0;--card:#1b212a;--soft:#a5b0be;\
--line:#6b7685;--here:#4a2526;--now:#ff8f84}}
"""
_ROW, _SLOPE = 26, -38
_MOST_OF_A_LABEL, _MOST_OF_A_HEAD, _MOST_OF_A_LINE, _MOST_OF_A_NUMBER = 30, 22, 96, 24
_BROAD = frozenset("MWmw@%—…▶")


@attrs.frozen(kw_only=True)
class Lane:
    """A transition across the lanes: whence and whither, how long it waits, the moves that took it.

    Without a source it comes from outside, as the opening does.
    """

    label: str
    told: str
    sources: tuple[int, ...]
    dest: int
    wait: str = ""
    moves: tuple[int, ...] = ()


def lanes(definition: Definition, trail: Trail, drawn: dict[str, Node], lang: str) -> list[Lane]:
    """The opening, each way of each trigger, and the ways of the record that the lifecycle does not have.

    Alternatives of one trigger to one state, which guards tell apart, share a lane.
    """
    ways: dict[tuple[object, ...], list[Transition]] = {}
    for row in definition.transitions:
        ways.setdefault((row.trigger, row.dest, row.label, row.after), []).append(row)
    merged = [attrs.evolve(rows[0], sources=_sources(rows)) for rows in ways.values()]
    opening = Transition("open", (), dest=definition.initial, label={lang: say("open", lang)})
    found = [_lane(row, trail.taking(row), drawn, lang) for row in (opening, *merged)]
    known = {(source, row.dest, row.trigger) for row in merged for source in row.sources}
    for (source, dest), triggers in trail.moves.items():
        for trigger, numbers in triggers.items():
            if (source, dest, trigger) not in known:
                label = say("outside", lang, label=one_line(called(definition, trigger, lang), 20))
                outside = Transition(trigger, source, dest=dest, label={lang: label})
                found.append(_lane(outside, numbers, drawn, lang, most=None))
    return found


def _sources(rows: Iterable[Transition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source for row in rows for source in row.sources))


def _lane(
    row: Transition,
    moves: tuple[int, ...],
    drawn: dict[str, Node],
    lang: str,
    *,
    most: int | None = _MOST_OF_A_LABEL,
) -> Lane:
    label, waits = one_line(row.say(lang)), "" if row.after is None else wait(row.after, lang)
    sources, dest = ", ".join(drawn[one].label for one in row.sources), drawn[row.dest].label
    told = say("edge" if sources else "entry", lang, label=label, source=sources, dest=dest)
    return Lane(
        label=one_line(label, most),
        told=", ".join(filter(None, (told, waits))),
        sources=tuple(drawn[source].place for source in row.sources),
        dest=drawn[row.dest].place,
        wait=waits,
        moves=moves,
    )


# -- the picture -----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Frame:
    """Where things stand: the lanes between `left` and the last of `xs`, from `top` to `bottom`."""

    left: int
    top: int
    step: int
    xs: tuple[int, ...]
    bottom: int
    width: int

    @classmethod
    def around(cls, heads: Sequence[str], rows: Sequence[Lane], besides: Sequence[str], above: int) -> Frame:
        """The frame into which these texts fit."""
        left = 30 + _widest([row.label for row in rows])
        step = max(44, min(96, 440 // len(heads)))
        xs = tuple(left + step // 2 + step * n for n in range(len(heads)))
        leaning = _widest(heads)  # as far to the right as up, nearly
        top = 24 + above + leaning * 5 // 8
        return cls(
            left=left,
            top=top,
            step=step,
            xs=xs,
            bottom=top + 24 + _ROW * len(rows),
            width=max(680, xs[-1] + 24 + max(_widest(besides), leaning * 7 // 8)),
        )


def _widest(told: Iterable[str]) -> int:
    return max(map(_pixels, told))


def _pixels(text: str) -> int:
    """How wide a text may be, in bold and in the widest of the fonts."""
    broad, upper = sum(letter in _BROAD for letter in text), sum(map(str.isupper, text))
    return 8 * columns(text) + 6 * broad + 3 * upper


def lanes_svg(definition: Definition, trail: Trail, lang: str, *, alone: bool = True) -> str:
    """The picture, self-contained: it loads nothing and follows the reader's light or dark setting.

    Alone it shows name, record and waivers too; on a page they stand beside it.
    """
    drawn = nodes(definition, trail, lang)
    rows = lanes(definition, trail, drawn, lang)
    heads = ["▶ " * (node.id == trail.now) + one_line(node.label, _MOST_OF_A_HEAD) for node in drawn.values()]
    besides = [_beside(row, lang) for row in rows]
    frame = Frame.around(heads, rows, besides, 30 * alone)
    waivers = waiver_lines(definition, trail, lang) if alone else []
    notes = [line for told in waivers for line in fitting(told, _MOST_OF_A_LINE)]
    height = frame.bottom + 44 + 18 * len(notes)
    title = ". ".join(filter(None, (one_line(name(definition, lang)), standing(definition, trail, lang))))
    body = (
        *_line("name", 22, [one_line(title, _MOST_OF_A_LINE)] * alone),
        *_heads(list(drawn.values()), heads, frame, trail.now),
        *(_across(row, frame, n, beside) for n, (row, beside) in enumerate(zip(rows, besides, strict=True))),
        *_line("now", frame.bottom + 12, notes),
        _legend(height - 16, lang, timed=any(row.wait for row in rows), taken=bool(trail.moves)),
    )
    size = f'width="{frame.width}" height="{height}"'
    told = _text(". ".join((title, *(row.told for row in rows))))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="itsm-lanes" role="img" lang="{spoken(lang)}" '
        f'{size} viewBox="0 0 {frame.width} {height}" aria-label="{told}">\n<title>{_text(title)}</title>\n'
        f'<style>\n{_STYLE}</style>\n<rect class="card" {size} rx="6"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _line(kind: str, y: int, lines: Sequence[str]) -> Iterator[str]:
    for n, line in enumerate(lines):
        yield f'<text class="{kind}" x="14" y="{y + 18 * n}">{_text(line)}</text>'


def _text(value: str) -> str:
    return html.escape(one_line(value), quote=True)


def _beside(row: Lane, lang: str) -> str:
    told = say("number", lang, n=", ".join(map(str, row.moves))) if row.moves else row.wait
    return one_line(told, _MOST_OF_A_NUMBER) if told else ""


def _heads(drawn: Sequence[Node], heads: Sequence[str], frame: Frame, now: str | None) -> Iterator[str]:
    """The name of each state, the shape of its phase, and its lane; the record's own stands out."""
    top, bottom, step = frame.top, frame.bottom, frame.step
    for node, label, x in zip(drawn, heads, frame.xs, strict=True):
        here = node.id == now
        if here:
            place = f'x="{x - step // 2}" y="{top - 12}" width="{step}" height="{bottom - top + 8}"'
            yield f'<rect class="here" {place}/>'
        yield f'<line class="lane{" now" * here}" x1="{x}" x2="{x}" y1="{top}" y2="{bottom - 6}"/>'
        yield shape(node.phase, x, top)
        leaning = f'transform="translate({x + 4} {top - 14}) rotate({_SLOPE})"'
        yield f'<text class="{"now" if here else "head"}" {leaning}>{_text(label)}</text>'


def shape(phase: Phase | None, x: int, y: int) -> str:
    """The shape of a phase: round, square, hexagon, rounded, double; a cross where there is no state."""
    look = LOOKS[phase]
    drawn = f'fill="{look.fill}" stroke="{look.line}" stroke-width="1.75"'
    square = f'<rect x="{x - 7}" y="{y - 7}" width="14" height="14" {drawn}'
    match phase:
        case Phase.NEW:
            return f'<circle cx="{x}" cy="{y}" r="7.5" {drawn}/>'
        case Phase.ACTIVE:
            return f"{square}/>"
        case Phase.WAITING:
            return f'<path d="M{x - 9} {y}l4.5-8h9l4.5 8-4.5 8h-9z" {drawn}/>'
        case Phase.RESOLVED:
            return f'{square} rx="5"/>'
        case Phase.CLOSED:
            return f'{square}/><rect x="{x - 4}" y="{y - 4}" width="8" height="8" {drawn}/>'
    return f'<path d="M{x - 6} {y - 6}l12 12m0-12l-12 12" {drawn}/>'


def _across(row: Lane, frame: Frame, number: int, beside: str) -> str:
    """One transition: its label, a dot on each source, an arrow to where it leads, and what stands beside."""
    classes = " ".join(["row", *["timed"] * bool(row.wait), *["taken"] * bool(row.moves)])
    xs, y = frame.xs, frame.top + 24 + _ROW * number
    parts = [f"<title>{_text(row.told)}</title>"]
    parts.append(f'<text x="{frame.left - 12}" y="{y + 4}" text-anchor="end">{_text(row.label)}</text>')
    parts += _ways([xs[n] for n in row.sources] or [frame.left], xs[row.dest], y)
    if beside:
        parts.append(f'<text x="{xs[-1] + 16}" y="{y + 4}">{_text(beside)}</text>')
    return f'<g class="{classes}">{"".join(parts)}</g>'


def _ways(sources: Sequence[int], dest: int, y: int) -> Iterator[str]:
    first, last = min(sources), max(sources)
    if first < dest:
        yield f'<path class="way" d="M{first} {y}H{dest - 9}"/>'
        yield f'<path class="end" d="M{dest} {y}l-10-5v10z"/>'
    if last > dest:
        yield f'<path class="way" d="M{last} {y}H{dest + 9}"/>'
        yield f'<path class="end" d="M{dest} {y}l10-5v10z"/>'
    if dest in sources:
        yield f'<path class="way" d="M{dest} {y - 8}h8a8 8 0 0 1 0 16h-1"/>'
        yield f'<path class="end" d="M{dest} {y + 8}l9-4.5v9z"/>'
    for x in dict.fromkeys(sources):
        yield f'<circle class="end" cx="{x}" cy="{y - 8 if x == dest else y}" r="3.5"/>'


def _legend(y: int, lang: str, *, timed: bool, taken: bool) -> str:
    """What shapes and lines mean; each part as wide as its words."""
    x, parts = 22, []
    for phase in Phase:
        parts.append(shape(phase, x, y - 4))
        x = _said(parts, x + 14, y, term(phase.value, lang))
    parts.append(f'<circle class="end" cx="{x}" cy="{y - 4}" r="3.5"/>')
    x = _said(parts, x + 9, y, say("legend_from", lang))
    parts.append(f'<path class="end" d="M{x + 10} {y - 4}l-10-5v10z"/>')
    x = _said(parts, x + 15, y, say("legend_to", lang))
    for shown, kind in ((timed, "time"), (taken, "taken")):
        if shown:
            style = "timed" if kind == "time" else kind
            parts.append(f'<g class="{style}"><path class="way" d="M{x} {y - 4}h24"/></g>')
            x = _said(parts, x + 30, y, say(f"legend_{kind}", lang))
    return f'<g class="legend">{"".join(parts)}</g>'


def _said(parts: list[str], x: int, y: int, told: str) -> int:
    """Adds the words to the parts, and says where the next may begin."""
    parts.append(f'<text class="soft" x="{x}" y="{y}">{_text(told)}</text>')
    return x + 16 + _pixels(told)
