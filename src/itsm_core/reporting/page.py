"""One self-contained HTML page: a table of rows, and a card with both clocks for each record.

It loads nothing from anywhere, runs no script, follows the reader's light or dark setting, and
escapes every text it was given.
"""

from __future__ import annotations

import html
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.instants import micros
from itsm_core.errors import InvalidValue
from itsm_core.events import Event
from itsm_core.processes.major import called
from itsm_core.records import MANAGER, MajorIncident
from itsm_core.reporting.picture import bar
from itsm_core.reporting.rows import Row, recurring
from itsm_core.reporting.table import Cell, against_target, grid
from itsm_core.reporting.words import known, moment, percent, say, word
from itsm_core.sla import Clock, ClockState, Metric, Promise, PromiseVerdict, Verdict


@attrs.frozen(kw_only=True)
class Card:
    """A row and what is known beside it: a source, unpublished instants, a note on the facts."""

    row: Row
    source: str = ""
    unknown: tuple[str, ...] = ()
    note: str = ""


@attrs.frozen(kw_only=True)
class Section:
    """Records of one desk: a title, what the reader should know first, and the zone of times."""

    title: str
    lead: str
    cards: tuple[Card, ...]
    zone: ZoneInfo = attrs.field(factory=lambda: ZoneInfo("UTC"))


def page(title: str, lead: str, sections: Sequence[Section], *, lang: str = "en") -> str:
    """The whole page as text, in "en" or "zh"."""
    body = "".join(_section(section, known(lang)) for section in sections)
    style = files("itsm_core.reporting").joinpath("page.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{_text(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{_text(title)}</h1>
<p>{_text(lead)}</p>
{_legend(lang)}
{body}</main>
</body>
</html>
"""


def write(path: Path, text: str) -> None:
    """Puts the page at `path`, whole or not at all; raises `InvalidValue` if it cannot."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        told = error.strerror or str(error)
        raise InvalidValue(
            "page", str(path), f"cannot be written: {told}", "name another file in a folder you own"
        ) from error


_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)


# --- the parts of the page --------------------------------------------------------------------


def _legend(lang: str) -> str:
    signs = (
        *((kind, "left:0;width:100%") for kind in ("run", "over", "pause")),
        ("closed", "left:40%;width:20%"),
        *((kind, "left:0;width:100%") for kind in ("stop", "left")),
        ("due", "left:50%"),
        ("esc", "left:50%"),
    )
    items = "".join(
        f'<li><span class="bar"><i class="{kind}" style="{style}"></i></span>'
        f"<span>{_text(say(kind, lang))}</span></li>"
        for kind, style in signs
    )
    return (
        f'<div class="legend"><strong>{_text(say("legend", lang))}</strong><ul>{items}</ul>'
        f'<div class="soft">{_text(say("folded", lang))}</div></div>'
    )


def _section(section: Section, lang: str) -> str:
    rows = [card.row for card in section.cards]
    zone = say("zone", lang, zone=section.zone.key)
    cards = "".join(_card(card, section.zone, lang) for card in section.cards)
    return (
        f"<section>\n<h2>{_text(section.title)}</h2>\n<p>{_text(section.lead)} {_text(zone)}</p>\n"
        f"{_tally(rows, lang)}\n{_table(rows, lang)}\n{_recurring(rows, lang)}"
        f'<h4>{_text(say("timelines", lang))}</h4>\n<div class="cards">\n{cards}</div>\n</section>\n'
    )


def _tally(rows: Sequence[Row], lang: str) -> str:
    told = []
    for metric in Metric:
        counts = [(v, sum(row.verdict(metric) is v for row in rows)) for v in Verdict]
        words = ", ".join(f"{word(v, lang)} {n}" for v, n in counts if n)
        if words:
            told.append(say("tally", lang, metric=say(metric, lang), counts=words))
    told.append(say("sum_esc", lang, n=sum(len(row.escalations) for row in rows)))
    kept = [(v, sum(row.promised().get(v, 0) for row in rows)) for v in PromiseVerdict]
    if any(n for _, n in kept):
        words = ", ".join(f"{say(v, lang)} {n}" for v, n in kept if n)
        told.append(say("sum_promises", lang, counts=words))
    return '<ul class="tally">' + "".join(f"<li>{_text(text)}</li>" for text in told) + "</ul>"


def _table(rows: Iterable[Row], lang: str) -> str:
    table = grid(rows, lang)
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.headings)
    told = "".join(
        f"<tr>{''.join(map(_table_cell, table.columns, table.headings, line))}</tr>\n" for line in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{told}</tbody></table>"


def _table_cell(column: str, name: str, cell: Cell) -> str:
    text = _text(cell.text)
    if column == "number":
        return f'<th scope="row"><a href="#{text}">{text}</a></th>'
    named = "" if column == "title" else f' data-name="{_text(name)}"'
    kind = " ".join(word for word in (cell.tone, "verdict" if column in tuple(Metric) else "") if word)
    return f'<td{named} class="{kind}">{text}</td>'


def _recurring(rows: Sequence[Row], lang: str) -> str:
    items = "".join(f"<li>{_text(text)}</li>" for text in proposals(rows, lang))
    if not items:
        return ""
    return f'<h4>{_text(say("proposals", lang))}</h4><ul class="facts">{items}</ul>\n'


def proposals(rows: Sequence[Row], lang: str) -> list[str]:
    """A sentence for each fault that came back: open a problem."""
    return [
        say(
            "recurring", lang, n=len(fault.rows), what=" / ".join(fault.fault),
            numbers=", ".join(row.number for row in fault.rows),
        )
        for fault in recurring(rows)
    ]  # fmt: skip


# --- a card -----------------------------------------------------------------------------------


def _card(card: Card, zone: ZoneInfo, lang: str) -> str:
    row, record = card.row, card.row.record
    about = " · ".join(
        text for text in (record.priority, record.service, row.outcome(lang), _reopened(row, lang)) if text
    )
    clocks = "".join(_clock(row, clock, zone, lang) for clock in row.clocks)
    facts = [f'<li class="esc">{_escalation(row, event, zone, lang)}</li>' for event in row.escalations]
    promised = [_promise(promise, zone, lang) for promise in row.promises]
    beside = [*_major(record.major_incident, zone, lang), *promised, *_beside(card, lang)]
    facts += [f"<li>{told}</li>" for told in beside]
    listed = f'<ul class="facts">{"".join(facts)}</ul>' if facts else ""
    return (
        f'<article id="{_text(row.number)}">\n<h3>{_text(row.number)} {_text(row.heading(lang))}</h3>\n'
        f'<p class="about">{_text(about)}</p>\n{clocks}{listed}{_why(card, lang)}</article>\n'
    )


def _reopened(row: Row, lang: str) -> str:
    n = row.record.reopened
    return "" if not n else say("once", lang) if n == 1 else say("times", lang, n=n)


def _clock(row: Row, clock: Clock, zone: ZoneInfo, lang: str) -> str:
    metric = clock.target.metric
    cell = against_target(row, metric, lang)
    marks = [
        micros(event.occurred_at)
        for event in row.escalations
        if event.fields.get("target") == clock.target.id
    ]
    times = "".join(f"<span>{_text(text)}</span>" for text in _times(row, clock, zone, lang))
    picture = "" if metric in row.unknown else bar(clock, marks, lang=lang)
    return (
        f'<div class="clock"><div><span>{_text(say(metric, lang))}</span>'
        f'<span class="{cell.tone}">{_text(cell.text)}</span></div>{picture}'
        f'<div class="when">{times}</div></div>\n'
    )


def _times(row: Row, clock: Clock, zone: ZoneInfo, lang: str) -> list[str]:
    told = [] if clock.started_at is None else [say("opened_at", lang, at=moment(clock.started_at, zone))]
    due, metric = clock.due_at, clock.target.metric
    if due is None:
        paused = clock.state is ClockState.PAUSED and not clock.unlimited
        told.append(say("no_due" if paused else "never_due", lang))
    else:
        told.append(say("was_due_at" if clock.breached else "due_at", lang, at=moment(due, zone)))
    if metric in row.unknown:
        return told
    if clock.stopped_at is None:
        return [*told, say("as_of", lang, at=moment(clock.at, zone))]
    void = clock.verdict in (Verdict.VOID, Verdict.VOID_AFTER_BREACH)
    ended = "void_at" if void else "answered_at" if metric is Metric.RESPONSE else "resolved_at"
    return [*told, say(ended, lang, at=moment(clock.stopped_at, zone))]


def _escalation(row: Row, event: Event, zone: ZoneInfo, lang: str) -> str:
    metrics = {clock.target.id: clock.target.metric for clock in row.clocks}
    target = event.fields.get("target", "")
    key = "moved" if event.fields.get("step_kind") == "functional" else "informed"
    told = say(
        key, lang, share=percent(str(event.fields.get("share", "0"))), to=event.fields.get("to", ""),
        metric=say(metrics[target], lang).lower() if target in metrics else target,
    )  # fmt: skip
    at = moment(event.occurred_at, zone)
    return f"<i></i><time>{at}</time> {_text(told)}"


def _promise(promise: Promise, zone: ZoneInfo, lang: str) -> str:
    told = say("promise", lang, due=moment(promise.due, zone), verdict=say(promise.verdict, lang))
    if promise.followed_at is not None:
        told += say("spoken", lang, at=moment(promise.followed_at, zone))
    tone = "bad" if promise.verdict is PromiseVerdict.BROKEN else ""
    return f'<time>{moment(promise.made_at, zone)}</time> <span class="{tone}">{_dated(told)}</span>'


def _major(held: MajorIncident | None, zone: ZoneInfo, lang: str) -> list[str]:
    """A line for the major incident, one for each of its tracks, and one for its report and review."""
    if held is None:
        return []
    if held.procedure is None:
        return [_dated(say("proposed", lang, at=moment(held.proposed_at, zone)))]
    since = moment(held.decided_at or held.proposed_at, zone)
    told = [say("major", lang, procedure=held.procedure.label, at=since, manager=_manager(held))]
    for one in held.tracks:
        track, step = called(one.track, lang), called(one.step, lang)
        told.append(say("track", lang, track=track, step=step, at=moment(one.since, zone)))
    if held.report is not None and held.review is not None:
        told.append(say("papers", lang, at=moment(max(held.report.at, held.review.at), zone)))
    return [_dated(text) for text in told]


def _manager(held: MajorIncident) -> str:
    """Who is responsible, or was at its end."""
    return [one.held_by for one in held.roles if one.role == MANAGER][-1]


def _dated(told: str) -> str:
    """The text with its instants marked: a date is not broken over two lines."""
    return _DATE.sub(r"<time>\g<0></time>", _text(told))


def _beside(card: Card, lang: str) -> list[str]:
    told = []
    if card.unknown:
        comma = "、" if lang == "zh" else ", "
        names = comma.join(say(name, lang) for name in card.unknown)
        told.append(_text(say("not_known", lang, names=names)))
    if card.source.startswith(("https://", "http://")):
        words = _text(say("source", lang))
        told.append(f'<a rel="noreferrer" href="{_text(card.source)}">{words}</a>')
    return told


def _why(card: Card, lang: str) -> str:
    texts = [clock.explain().text(lang) for clock in card.row.clocks]
    texts += [card.note] if card.note else []
    inside = "".join(f"<p>{_text(text)}</p>" for text in texts)
    return f"<details><summary>{_text(say('why', lang))}</summary>{inside}</details>\n"
