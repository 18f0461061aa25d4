"""Open time as pictures: dates in real time as SVG, a month and a whole calendar as HTML.

Drawings load nothing, run nothing, escape every name and follow the reader's light or dark setting.
Their styles are bound to their own classes, so that they change nothing of a page around them.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from unicodedata import east_asian_width

import attrs

from itsm_core.business_time.algebra import Restricted
from itsm_core.business_time.closures import label_of
from itsm_core.business_time.compiled import Compiled
from itsm_core.business_time.dates import DayPicture, Tick, days
from itsm_core.business_time.durations import Budget
from itsm_core.business_time.given import parse_date
from itsm_core.business_time.instants import DAY, HOUR
from itsm_core.business_time.intervals import Span
from itsm_core.business_time.local_hours import LocalHours, Source, leaves
from itsm_core.business_time.table import FIRST_YEAR, LAST_YEAR
from itsm_core.business_time.weeks import Week
from itsm_core.business_time.windows import MONTHS, WEEKDAYS, date_text, printable, week_text
from itsm_core.errors import InvalidValue

MOST_DAYS = 366


@attrs.frozen(repr=False)
class Drawing:
    """A picture as self-contained markup: a notebook shows it, `str` gives the text for a file."""

    markup: str

    def _repr_html_(self) -> str:
        return self.markup

    def __html__(self) -> str:  # templates of Django and Jinja take it as markup
        return self.markup

    def __str__(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.markup)} characters; a notebook shows it, str() writes it>"


# -- words -----------------------------------------------------------------------------------------


def escaped(value: object) -> str:
    """Escaped for HTML and XML; what is not for showing, and what XML cannot hold, is replaced."""
    return html.escape(printable(value), quote=True)


def _length(us: int) -> str:
    return re.sub(r"(?<=\d)(?=[hms])", " ", str(Budget(us))) if us else "0 h"


def shortened(text: str, most: int) -> str:
    """The text, or as much of it as fits, for text in SVG is not broken; wide letters count twice."""
    room = most
    for i, letter in enumerate(text):
        room -= 2 if east_asian_width(letter) in "WF" else 1
        if room < 0:
            return f"{text[: max(0, i - 1)].rstrip()}…"
    return text


def _told(day: DayPicture) -> str:
    """A date in a sentence, for readers that do not see the picture."""
    opened = f"open {_length(day.open_time)}: {' '.join(day.windows)}" if day.windows else "closed"
    return f"{date_text(day.date)}: {', '.join((_length(day.length), opened, *day.labels))}"


# -- a strip of dates ------------------------------------------------------------------------------

# Places are percent and there is no viewBox, so the picture fits any width while no text is scaled.
_STRIP_STYLE = """\
.itsm-days{color:#1b2430;font:12px system-ui,"Segoe UI",Roboto,Arial,sans-serif;\
font-variant-numeric:tabular-nums;display:block;--card:#fff;--soft:#55606e;--line:#8b95a3;\
--shut:#e9edf2;--open:#3b78c4;--turn:#b3261e}
.itsm-days .card{fill:var(--card)}.itsm-days text{fill:currentColor}.itsm-days .soft{fill:var(--soft)}
.itsm-days .hour{font-size:11px;text-anchor:middle;fill:var(--soft)}.itsm-days .name{font-weight:600}
.itsm-days line{stroke:var(--line)}.itsm-days .shut{fill:var(--shut);stroke:var(--line)}
.itsm-days .open{fill:var(--open)}.itsm-days .turn{stroke:var(--turn);stroke-width:2}
.itsm-days .halo{stroke:var(--card);stroke-width:5}.itsm-days text.turned{fill:var(--turn)}
.itsm-days svg{overflow:visible}
@media(max-width:620px){.itsm-days .fine{display:none}}
@media(prefers-color-scheme:dark){.itsm-days{color:#e6eaf0;--card:#1b212a;--soft:#a5b0be;\
--line:#6b7685;--shut:#2a323d;--open:#4f8fdd;--turn:#ff8f84}}
"""
_BAR = 20


def strip_svg(shown: Sequence[DayPicture], title: str) -> str:
    """A row for each date, to scale in real time: a date of 25 hours is longer than one of 24."""
    scale = max((DAY, *(day.length for day in shown)))
    rows, y = [], 30
    for day in shown:
        top = 36 if day.labels else 20
        height = top + _BAR + 34 if day.length else top + 14
        rows.append(f'<svg x="3%" y="{y}" width="94%" height="{height}">{_row(day, top, scale)}</svg>\n')
        y += height
    told = escaped(f"{title}. {'. '.join(map(_told, shown))}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="itsm-days" role="img" width="100%" '
        f'height="{y + 26}" aria-label="{told}">\n<title>{escaped(title)}</title>\n'
        f'<style>\n{_STRIP_STYLE}</style>\n<rect class="card" width="100%" height="100%" rx="6"/>\n'
        f'<text class="name" x="3%" y="18">{escaped(shortened(title, 50))}</text>\n'
        f'{"".join(rows)}<svg x="3%" y="{y}" width="94%" height="26">{_legend()}</svg>\n'
        "</svg>\n"
    )


def _row(day: DayPicture, top: int, scale: int) -> str:
    told = f"{_length(day.length)}, " + (f"open {_length(day.open_time)}" if day.open else "closed")
    date = f'<tspan class="name">{date_text(day.date)}</tspan> <tspan class="soft">{told}</tspan>'
    parts = [f'<title>{escaped(_told(day))}</title><text y="14">{date}</text>']
    if day.labels:
        tone = "turned" if day.turns else "soft"
        parts.append(f'<text class="{tone}" y="30">{escaped(shortened(", ".join(day.labels), 52))}</text>')
    return "".join((*parts, *_bar(day, top, scale))) if day.length else "".join(parts)


def _bar(day: DayPicture, top: int, scale: int) -> Iterator[str]:
    yield _rect("shut", (0, day.length), top, scale)
    yield from (_rect("open", span, top, scale) for span in day.open)
    coarse, fine = _spaced(day.ticks, 3, 2 * HOUR), _spaced(day.ticks, 1, HOUR * 3 // 4)
    for tick in day.ticks:
        x, long = _percent(tick.place, scale), 4 if tick in coarse else 0
        yield f'<line x1="{x}" x2="{x}" y1="{top + _BAR}" y2="{top + _BAR + 4 + long}"/>'
        if tick in fine or tick in coarse:
            kind = "hour" if tick in coarse else "hour fine"
            yield f'<text class="{kind}" x="{x}" y="{top + _BAR + 20}">{tick.clock // HOUR:02d}</text>'
    for turn in day.turns:
        x = _percent(turn.place, scale)
        for kind in ("halo", "turn"):
            yield f'<line class="{kind}" x1="{x}" x2="{x}" y1="{top - 3}" y2="{top + _BAR + 8}"/>'


def _percent(place: int, scale: int) -> str:
    return f"{place * 100 / scale:.3f}%"


def _rect(kind: str, span: Span, top: int, scale: int) -> str:
    x, width = _percent(span[0], scale), _percent(span[1] - span[0], scale)
    return f'<rect class="{kind}" x="{x}" y="{top}" width="{width}" height="{_BAR}"/>'


def _spaced(ticks: Iterable[Tick], every: int, apart: int) -> set[Tick]:
    """The full hours to label: those on every n-th hour, so far apart that no label meets another."""
    chosen: list[Tick] = []
    for tick in ticks:
        if tick.clock % (every * HOUR) == 0 and (not chosen or tick.place - chosen[-1].place >= apart):
            chosen.append(tick)
    return set(chosen)


def _legend() -> str:
    return (
        '<rect class="open" y="4" width="14" height="12"/><text x="20" y="14">open</text>'
        '<rect class="shut" x="72" y="4" width="14" height="12"/><text x="92" y="14">closed</text>'
        '<line class="turn" x1="152" x2="152" y1="3" y2="17"/><text x="160" y="14">clocks change</text>'
    )


# -- a month ---------------------------------------------------------------------------------------

_MONTH_STYLE = """\
.itsm-month{container-type:inline-size;color:#1b2430;font:13px/1.4 system-ui,"Segoe UI",Roboto,Arial,\
sans-serif;font-variant-numeric:tabular-nums;--card:#fff;--soft:#55606e;--line:#d5dae1;--shut:#f0f2f5;\
--open:#2a5f9e;--turn:#b3261e;max-width:1100px}
.itsm-month table{border-collapse:collapse;table-layout:fixed;width:100%;margin:0;background:var(--card);\
color:inherit;font:inherit}
.itsm-month caption{caption-side:top;text-align:left;padding:6px 8px;background:var(--card);color:inherit;\
overflow-wrap:anywhere}
.itsm-month th,.itsm-month td{border:1px solid var(--line);padding:4px 6px;text-align:left;\
vertical-align:top;font-weight:normal;background:var(--card);overflow-wrap:anywhere}
.itsm-month td{height:64px}.itsm-month td.shut,.itsm-month td.none{background:var(--shut)}
.itsm-month th,.itsm-month .soft{color:var(--soft)}.itsm-month td>span{display:block;font-size:12px}
.itsm-month time{font-weight:600}.itsm-month td>time>span{display:none}
.itsm-month span.open{color:var(--open)}.itsm-month .turn{color:var(--turn)}
@container(max-width:620px){.itsm-month table,.itsm-month caption,.itsm-month tbody,\
.itsm-month tr{display:block}
.itsm-month thead,.itsm-month td.none{display:none}
.itsm-month td{display:flex;flex-wrap:wrap;gap:0 10px;height:auto;min-height:20px;border-width:1px 0 0;\
padding-left:70px;position:relative}
.itsm-month time{position:absolute;left:8px}.itsm-month td>time>span{display:inline}}
@media(prefers-color-scheme:dark){.itsm-month{color:#e6eaf0;--card:#1b212a;--soft:#a5b0be;--line:#353e4b;\
--shut:#242b35;--open:#8ab8f0;--turn:#ff8f84}}
"""


def month_html(shown: Sequence[DayPicture], title: str) -> str:
    """The dates of one month as a table from Monday to Sunday, with its totals in the caption."""
    open_time, length = sum(day.open_time for day in shown), sum(day.length for day in shown)
    business = sum(day.business_day for day in shown)
    told = f"{business} business day{'' if business == 1 else 's'}, open {_length(open_time)}"
    odd = f" of {_length(length)}" if length != len(shown) * DAY else ""
    first = shown[0].date
    cells = [*[_NO_CELL] * first.weekday(), *map(_cell, shown)]
    cells += [_NO_CELL] * (-len(cells) % 7)
    rows = "".join(f"<tr>{''.join(cells[i : i + 7])}</tr>\n" for i in range(0, len(cells), 7))
    head = "".join(f'<th scope="col">{name.title()}</th>' for name in WEEKDAYS)
    return (
        f'<div class="itsm-month">\n<style>\n{_MONTH_STYLE}</style>\n<table>\n'
        f"<caption><strong>{MONTHS[first.month - 1]} {first.year}</strong> "
        f'{told}{odd} <span class="soft">{escaped(title)}</span></caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )


_NO_CELL = '<td class="none"></td>'


def _cell(day: DayPicture) -> str:
    weekday = WEEKDAYS[day.date.weekday()].title()
    lines = [f'<span class="turn">{_length(day.length)}</span>'] if day.turns else []
    lines += [f'<span class="open">{window}</span>' for window in day.windows]
    lines += [f"<span>{escaped(label)}</span>" for label in day.labels]
    if not day.windows and day.length and "closed by shift" not in day.labels:
        lines.append('<span class="soft">closed</span>')
    return (
        f'<td class="{"open" if day.open else "shut"}"><time datetime="{day.date}">'
        f"<span>{weekday} </span>{day.date.day}</time>{''.join(lines)}</td>"
    )


# -- a calendar ------------------------------------------------------------------------------------

_CALENDAR_STYLE = """\
.itsm-calendar{color:#1b2430;font:13px/1.4 system-ui,"Segoe UI",Roboto,Arial,sans-serif;max-width:1100px;\
background:#fff;padding:8px;overflow-wrap:anywhere}
.itsm-calendar dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 14px;margin:6px 0 10px}
.itsm-calendar dt{color:#55606e;font-weight:normal}.itsm-calendar dd{margin:0}
@media(prefers-color-scheme:dark){.itsm-calendar{color:#e6eaf0;background:#1b212a}\
.itsm-calendar dt{color:#a5b0be}}
"""


def calendar_html(source: Source, compiled: Compiled, name: str | None, version: int) -> str:
    """What a calendar is, and the month of its first dated rule, else January 2024."""
    facts = "".join(f"<dt>{term}</dt><dd>{escaped(told)}</dd>" for term, told in _facts(source) if told)
    named = f"<strong>{escaped(name or 'Business calendar')}</strong> version {version}"
    month = _first_dated(source)
    return (
        f'<div class="itsm-calendar">\n<style>\n{_CALENDAR_STYLE}</style>\n<div>{named}</div>\n'
        f"<dl>{facts}</dl>\n{_month(source, compiled, month.year, month.month)}</div>\n"
    )


def _facts(source: Source) -> Iterator[tuple[str, str]]:
    """What is known of a calendar, term by term; an empty text says nothing."""
    schedules = [leaf.schedule for leaf in leaves(source)]
    yield "zone", source.zone.key
    yield "hours", _hours(source)
    yield "holidays", _count(schedule.holidays for schedule in schedules)
    yield "shifts", _count(schedule.shifts for schedule in schedules)
    yield "breaks", _count(schedule.breaks for schedule in schedules)
    known = [schedule.known_until for schedule in schedules if schedule.known_until]
    yield "holidays known until", str(min(known, default=""))
    yield "sources", ", ".join(dict.fromkeys(text for schedule in schedules for text in schedule.sources))
    yield "fingerprint", source.key[:12]


def _count(found: Iterable[Sequence[object]]) -> str:
    return str(sum(map(len, found)))


def _hours(source: Source) -> str:
    """The hours as people write them; a combination names its calendars."""
    match source:
        case LocalHours():
            weeks = (_week(week) for week in source.schedule.weeks if any(week.hours))
            return "; ".join(weeks) or "none"
        case Restricted():
            kept = [f"while open: {_part(part)}" for part in source.within]
            return ", ".join([_part(source.base), *kept, *(f"less {_part(part)}" for part in source.without)])
    return " or ".join(map(_part, source.members))


def _part(source: Source) -> str:
    return f"{label_of(source)} ({_hours(source)})"


def _week(week: Week) -> str:
    breaks = f" less {week_text(week.breaks)}" if any(week.breaks) else ""
    since = f" from {week.valid_from}" if week.valid_from else ""
    return f"{week_text(week.hours)}{breaks}{since}{f' to {week.valid_to}' if week.valid_to else ''}"


def _first_dated(source: Source) -> dt.date:
    schedules = [leaf.schedule for leaf in leaves(source)]
    found = [date for s in schedules for date, _ in (*s.shifts, *s.breaks)]
    found += [holiday.first for s in schedules for holiday in s.dated]
    found += [week.valid_from for s in schedules for week in s.weeks if week.valid_from]
    return min((d for d in found if FIRST_YEAR <= d.year <= LAST_YEAR), default=dt.date(2024, 1, 1))


# -- what a calendar is asked for ------------------------------------------------------------------


def month_of(source: Source, compiled: Compiled, name: str | None, year: int, month: int) -> Drawing:
    """The drawing of one month."""
    _whole("year", year, FIRST_YEAR, LAST_YEAR)
    _whole("month", month, 1, 12)
    return Drawing(_month(source, compiled, year, month, name))


def strip_of(
    source: Source, compiled: Compiled, name: str | None, first: dt.date | str, count: int
) -> Drawing:
    """The drawing of some dates in real time."""
    start = parse_date(first, "first")
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        reason = f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}"
        raise InvalidValue("first", start.isoformat(), reason, "begin at a date in these years")
    _whole("days", count, 1, MOST_DAYS)
    return Drawing(strip_svg(days(source, compiled, start, count), _title(source, name)))


def _month(source: Source, compiled: Compiled, year: int, month: int, name: str | None = None) -> str:
    found = days(source, compiled, dt.date(year, month, 1), monthrange(year, month)[1])
    return month_html(found, _title(source, name))


def _title(source: Source, name: str | None) -> str:
    return f"{name}, {source.zone.key}" if name else source.zone.key


def _whole(what: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        remedy = f"pass an int from {least} to {most}"
        raise InvalidValue(what, value, f"is no whole number from {least} to {most}", remedy)
