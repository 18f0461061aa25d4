"""A clock as a picture: its segments on a strip of real time, as SVG.

Like the pictures of business time it loads nothing, runs nothing, escapes every text and follows the
reader's light or dark setting. Kinds are told apart by shape, not by colour alone: running is solid,
past the due instant taller, paused striped, closed a flat band, stopped a dashed line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from itsm_core.business_time.instants import DAY, MINUTE, micros, zone_of
from itsm_core.business_time.picture import Drawing, escaped, shortened
from itsm_core.sla.explaining.segments import Segment, SegmentKind, local

KINDS = ("run", "over", "pause", "closed", "stop")


class Stretch(NamedTuple):
    """A stretch of a strip: what it shows (one of `KINDS`), from when to when (microseconds UTC)."""

    kind: str
    start: int
    end: int


class Sign(NamedTuple):
    """An instant to point at: "start", "due", "stop" or "asked", and the words beside it.

    Without an instant it is only told.
    """

    kind: str
    us: int | None
    text: str


def stretches(segments: Iterable[Segment], due_us: int | None) -> Iterator[Stretch]:
    """What to draw of each segment: running time is "over" from the due instant on."""
    for segment in segments:
        cuts = [segment.start_us, segment.end_us]
        running = segment.kind is SegmentKind.RUNNING
        if running and due_us is not None and segment.start_us < due_us < segment.end_us:
            cuts.insert(1, due_us)
        for start, end in pairwise(cuts):
            late = running and due_us is not None and start >= due_us
            yield Stretch("over" if late else _SHOWN[segment.kind], start, end)


_SHOWN = {
    SegmentKind.RUNNING: "run", SegmentKind.PAUSED: "pause",
    SegmentKind.CLOSED: "closed", SegmentKind.STOPPED: "stop",
}  # fmt: skip


# --- what is too narrow to see -------------------------------------------------------------------

_PIXELS, _SLOTS = 500, 200
"""How wide a strip is taken to be, and how many slots may hold what is narrower than a pixel."""


def visible(told: Iterable[Stretch], extent: int) -> list[Stretch]:
    """The stretches, with those below a pixel gathered so that a slot shows each kind by its share.

    A year of nights is two hundred slots of open and closed, not seven hundred slivers. A sliver among
    wide stretches stays where it is.
    """
    found: list[Stretch] = []
    slivers: list[Stretch] = []
    for one in _joined(told):
        if (one.end - one.start) * _PIXELS >= extent:
            found += _gathered(slivers)
            found.append(one)
            slivers = []
        else:
            slivers.append(one)
            if (one.end - slivers[0].start) * _SLOTS >= extent:
                found += _gathered(slivers)
                slivers = []
    return [*found, *_gathered(slivers)]


def _joined(told: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours that show the same are one, so that no seam is drawn between them."""
    last: Stretch | None = None
    for one in told:
        if last is None or (last.kind, last.end) != (one.kind, one.start):
            if last is not None:
                yield last
            last = one
        else:
            last = last._replace(end=one.end)
    if last is not None:
        yield last


def _gathered(slivers: Sequence[Stretch]) -> Iterator[Stretch]:
    lengths: dict[str, int] = {}
    for one in slivers:
        lengths[one.kind] = lengths.get(one.kind, 0) + one.end - one.start
    at = slivers[0].start if slivers else 0
    for kind, length in lengths.items():
        yield Stretch(kind, at, at + length)
        at += length


# --- ticks ---------------------------------------------------------------------------------------

_MOST_TICKS = 10
_MINUTES = (1, 5, 15, 30, 60, 120, 180, 360, 720)
_DAYS = (1, 2, 7, 14, 42, 91, 182, 364, 728, 3640, 36400, 3640000)
_WEEKS = 28  # fewer days than that are told by month and day, more by the whole date, which needs room


def ticks(start: int, end: int, zone: str) -> list[tuple[int, str]]:
    """At most eleven instants that are round on the local clock, with what it reads.

    Where the clocks go back, an hour comes twice; where they go forward, one is missing.
    """
    for step in _MINUTES:
        if end - start <= _MOST_TICKS * step * MINUTE:
            return _hours(start, end, zone, step)
    return _dates(start, end, zone)


def _hours(start: int, end: int, zone: str, step: int) -> list[tuple[int, str]]:
    wall = local(start, zone).replace(tzinfo=None)
    wall = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    last = local(end, zone).replace(tzinfo=None) + dt.timedelta(hours=3)  # the clocks may have gone back
    found: dict[int, str] = {}
    while wall <= last:
        for fold in (0, 1):
            us = micros(wall.replace(tzinfo=zone_of(zone), fold=fold))
            if start <= us <= end and local(us, zone).replace(tzinfo=None) == wall:
                found[us] = f"{wall:%H:%M}" if (wall.hour, wall.minute) != (0, 0) else f"{wall:%m-%d}"
        wall += dt.timedelta(minutes=step)
    return sorted(found.items())


def _dates(start: int, end: int, zone: str) -> list[tuple[int, str]]:
    first, last = local(start, zone).date().toordinal(), local(end, zone).date().toordinal()
    room = ((step, _MOST_TICKS if step < _WEEKS else _MOST_TICKS // 2) for step in _DAYS)
    step = next(step for step, most in room if end - start <= most * step * DAY)
    first += -(first - 1) % step  # weeks begin on Monday
    found: dict[int, str] = {}
    for day in range(first, last + 1, step):
        midnight = dt.datetime.combine(dt.date.fromordinal(day), dt.time(), zone_of(zone))
        us = micros(midnight)  # one that the clocks leave out is the instant at which they do
        if start <= us <= end:
            found[us] = f"{local(us, zone):%m-%d}" if step < _WEEKS else f"{local(us, zone):%Y-%m-%d}"
    return sorted(found.items())


# --- the drawing ---------------------------------------------------------------------------------

# Places are percent and there is no viewBox, so the picture fits any width while no text is scaled.
_STYLE = """\
.itsm-clock{color:#1b2430;font:12px system-ui,"Segoe UI",Roboto,Arial,"PingFang SC","Microsoft YaHei",\
"Noto Sans CJK SC",sans-serif;font-variant-numeric:tabular-nums;display:block;--card:#fff;--soft:#55606e;\
--line:#8b95a3;--run:#3b78c4;--over:#c8402f;--pause:#a06a00;--closed:#7b8694;--left:#f0f2f5}
.itsm-clock svg{overflow:visible}.itsm-clock text{fill:currentColor}.itsm-clock .name{font-weight:600}
.itsm-clock .card{fill:var(--card)}.itsm-clock .left{fill:var(--left)}.itsm-clock .run{fill:var(--run)}
.itsm-clock .over{fill:var(--over)}.itsm-clock .closed{fill:var(--closed)}
.itsm-clock .pause{stroke:var(--pause);stroke-width:20;stroke-dasharray:3 3}
.itsm-clock .stop{stroke:var(--soft);stroke-width:2;stroke-dasharray:6 4}
.itsm-clock .tick{stroke:var(--line)}.itsm-clock .hour{font-size:11px;text-anchor:middle;fill:var(--soft)}
.itsm-clock .sign{stroke:currentColor;stroke-width:2;fill:currentColor}
.itsm-clock .halo{stroke:var(--card);stroke-width:5;fill:none}
@media(max-width:480px){.itsm-clock .fine{display:none}}
@media(prefers-color-scheme:dark){.itsm-clock{color:#e6eaf0;--card:#1b212a;--soft:#a5b0be;--line:#6b7685;\
--run:#4f8fdd;--over:#e5604e;--pause:#d9a441;--closed:#8a95a3;--left:#242b35}}
"""
_TOP, _BAR, _LINE = 42, 20, 18

_HEADS = {
    "start": "M0-5 7-1 0 3z", "due": "M0-6 4-1 0 4-4-1z", "stop": "M-3-5h6v6h-6z",
    "asked": "M-3.5-2a3.5 3.5 0 0 1 7 0a3.5 3.5 0 0 1-7 0z",
}  # fmt: skip


def strip(
    told: Iterable[Stretch],
    signs: Sequence[Sign],
    legend: Sequence[tuple[str, str]],
    *,
    title: str,
    desc: str,
    zone: str,
) -> Drawing:
    """The drawing of a strip; `legend` says which kinds it shows, in words, and the rest stands beside.

    From the first sign to the last all instants are to scale in real time.
    """
    held = list(told)
    places = [sign.us for sign in signs if sign.us is not None] + [us for one in held for us in one[1:]]
    start = min(places)
    extent = max(max(places) - start, 1)

    def place(us: int) -> str:
        return f"{(us - start) * 100 / extent:.3f}%"

    drawn = "".join(_stretch(one, place) for one in visible(held, extent))
    marked = "".join(
        _tick(us, text, n, place) for n, (us, text) in enumerate(ticks(start, start + extent, zone))
    )
    pointed = "".join(_sign(sign.kind, place(sign.us)) for sign in signs if sign.us is not None)
    rows = "".join(_rows(signs, legend))
    height = _TOP + _BAR + 38 + _LINE * (len(signs) + -(-len(legend) // 2))
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="itsm-clock" role="img" width="100%" '
        f'height="{height}" aria-label="{escaped(desc)}">\n<title>{escaped(title)}</title>\n'
        f"<desc>{escaped(desc)}</desc>\n<style>\n{_STYLE}</style>\n"
        f'<rect class="card" width="100%" height="100%" rx="6"/>\n'
        f'<text class="name" x="5%" y="18">{escaped(shortened(title, 50))}</text>\n'
        f'<svg x="5%" width="90%" height="{height}"><rect class="left" y="{_TOP}" width="100%" '
        f'height="{_BAR}"/>{drawn}{marked}{pointed}\n{rows}</svg>\n</svg>\n'
    )


def _stretch(one: Stretch, place: Callable[[int], str]) -> str:
    kind, x, end = one.kind, place(one.start), place(one.end)
    middle = _TOP + _BAR // 2
    if kind in ("pause", "stop"):
        return f'<line class="{kind}" x1="{x}" x2="{end}" y1="{middle}" y2="{middle}"/>'
    width = f"{float(end[:-1]) - float(x[:-1]):.3f}%"
    top, height = _SHAPES[kind]
    return f'<rect class="{kind}" x="{x}" y="{_TOP + top}" width="{width}" height="{height}"/>'


_SHAPES = {"run": (0, _BAR), "over": (-4, _BAR + 4), "closed": (8, 4)}


def _tick(us: int, text: str, number: int, place: Callable[[int], str]) -> str:
    x, low = place(us), _TOP + _BAR
    kind = "hour fine" if number % 2 else "hour"
    return (
        f'<line class="tick" x1="{x}" x2="{x}" y1="{low}" y2="{low + 5}"/>'
        f'<text class="{kind}" x="{x}" y="{low + 18}">{text}</text>'
    )


def _sign(kind: str, x: str) -> str:
    line = f'x2="0" y2="{_BAR + 16}"'
    return (
        f'<svg x="{x}" y="{_TOP - 12}"><line class="halo" {line}/><line class="sign" {line}/>'
        f'<path class="sign" d="{_HEADS[kind]}"/></svg>'
    )


def _rows(signs: Sequence[Sign], legend: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The signs with their words below each other, then the kinds, two to a row."""
    y = _TOP + _BAR + 40
    for sign in signs:
        head = "" if sign.us is None else f'<path class="sign" d="{_HEADS[sign.kind]}"/>'
        text = escaped(shortened(sign.text, 56))
        yield f'<svg x="7" y="{y}">{head}<text x="20" y="4">{text}</text></svg>\n'
        y += _LINE
    for n, (kind, told) in enumerate(legend):
        x, text = "50%" if n % 2 else "0", escaped(shortened(told, 30))
        yield f'<svg x="{x}" y="{y}">{_swatch(kind)}<text x="34" y="4">{text}</text></svg>\n'
        y += _LINE if n % 2 else 0


def _swatch(kind: str) -> str:
    if kind in ("pause", "stop"):
        style = ' style="stroke-width:12"' if kind == "pause" else ""
        return f'<line class="{kind}" x1="0" x2="26"{style}/>'
    half = {"run": 6, "over": 8, "closed": 2}[kind]
    return f'<rect class="{kind}" y="{-half}" width="26" height="{2 * half}"/>'
