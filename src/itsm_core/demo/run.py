"""The demo from end to end: read, rehearse, carry out on SQLite, then a table and a page.

Everything is rehearsed in memory first. So a file that cannot be carried out is refused before
the database is touched, and a database is known to hold the same history, part of it, or another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import attrs

from itsm_core import stores
from itsm_core.asking import Tick
from itsm_core.demo.script import Case, Script, Step, read
from itsm_core.demo.setting import POLICY, SETTINGS, Setting, resolver
from itsm_core.demo.turn import turn
from itsm_core.desk import ServiceDesk
from itsm_core.errors import InvalidInput, InvalidValue, RecordNotFound, TransitionRefused
from itsm_core.events import Event
from itsm_core.notifiers import ConsoleNotifier
from itsm_core.ports import Delivered, Message, Notifier, Outcome, Query, Store
from itsm_core.records import Record
from itsm_core.reporting import Card, Row, Section, grid, lines, page, write
from itsm_core.reporting.page import proposals
from itsm_core.reporting.table import one_line
from itsm_core.reporting.words import known, moment, say
from itsm_core.sla import Metric

HERE = Path(__file__).parent
INPUTS = (HERE / "public_outages.csv", HERE / "desk_week.csv")


def run_demo(
    *,
    input: Path | None = None,
    lang: str = "en",
    database: Path = Path("itsm-demo.db"),
    page: Path = Path("itsm-demo.html"),
    out: TextIO,
) -> None:
    """Plays the histories of a CSV file (by default the two that ship) and reports on them.

    Raises `InvalidInput` for a file that does not fit, `StoreError` for a database that is not
    ours or is held, and `InvalidValue` for one that holds another history.
    """
    _usable(database)
    scripts = [read(path, known(lang)) for path in (INPUTS if input is None else (input,))]
    _writable(page, database, input)
    rehearsed = [_rehearsed(script, lang) for script in scripts]
    wanted = {record: marks for history in rehearsed for record, marks in history.items()}
    with turn(database), closing(stores.open(f"sqlite:///{database}")) as store:
        before = _history(store)
        _same_history(before, wanted, database)
        done = _Done(records=-len(before), events=-sum(map(len, before.values())))
        for script, history in zip(scripts, rehearsed, strict=True):
            if any(before.get(record) != marks for record, marks in history.items()):
                done += _play(script, _desk(store, script, lang, ConsoleNotifier(out)))
        after = _history(store)
        done += _Done(records=len(after), events=sum(map(len, after.values())))
        sections = [_section(script, store, lang) for script in scripts]
    write(page, _page(sections, lang))
    _tell(done, sections, database, page, lang, out)


def _usable(database: Path) -> None:
    """Refuses a place for the database that would not do, before anything is read."""
    if not database.name or database.is_dir():
        reason = "names no file" if not database.name else "is a folder"
        remedy = "name a file, such as itsm-demo.db, in a folder that exists"
        raise InvalidValue("db", str(database), reason, remedy)


def _writable(page: Path, database: Path, source: Path | None) -> None:
    """Refuses a place for the page that would not do, before anything is done."""
    others = [path.resolve() for path in (database, source) if path is not None]
    if page.is_dir() or not page.parent.is_dir() or page.resolve() in others:
        raise InvalidValue(
            "page", str(page), "is no place for a page", "name an .html file in a folder that exists"
        )


# --- carrying out -----------------------------------------------------------------------------


@attrs.frozen
class _Done:
    """How much was done."""

    records: int = 0
    events: int = 0
    steps: int = 0
    escalated: int = 0
    delivered: int = 0
    failed: int = 0

    def __add__(self, other: _Done) -> _Done:
        return _Done(*(a + b for a, b in zip(attrs.astuple(self), attrs.astuple(other), strict=True)))

    @classmethod
    def of(cls, tick: Tick) -> _Done:
        return cls(escalated=tick.escalated, delivered=tick.delivered, failed=len(tick.failures))


class _Numbers:
    """Numbers for the records that a reply to a closed one opens: the same in every run."""

    step: Step

    def __call__(self, process: str) -> str:  # noqa: ARG002 - the script knows incidents only
        return f"{self.step.record}-{self.step.line}"


def _desk(store: Store, script: Script, lang: str, notifier: Notifier) -> tuple[ServiceDesk, _Numbers]:
    setting, numbers = SETTINGS[script.kind], _Numbers()
    desk = ServiceDesk(
        store, agreement=setting.agreement, policy=POLICY, notifiers=notifier, resolver=resolver,
        number=numbers, lang=lang, calendar=setting.calendar,
    )  # fmt: skip
    return desk, numbers


def _play(script: Script, on: tuple[ServiceDesk, _Numbers]) -> _Done:
    """Carries every step in the order of time, and lets time pass between them."""
    desk, numbers = on
    done = _Done()
    for step in script.steps:
        done += _until(desk, step.at)
        numbers.step = step
        if desk.store.event(step.id) is None:
            _carry(desk, step, script.file)
            done += _Done(steps=1)
    return done + _until(desk, script.ends)


def _until(desk: ServiceDesk, at: dt.datetime) -> _Done:
    """Ticks the desk at each instant that falls due up to `at`, so that nothing comes late."""
    done = _Done()
    while (due := desk.next_due()) is not None and due <= at:
        done += _Done.of(desk.tick(due))
    return done


def _carry(desk: ServiceDesk, step: Step, file: str) -> None:
    """Carries one step; a refusal names the line and all its reasons."""
    try:
        _command(desk, step)
    except TransitionRefused as refused:
        why = "is refused: " + "; ".join(str(reason) for reason in refused.reasons)
        remedy = "correct the row, or add the rows that are missing before it"
        raise InvalidInput(step.trigger, step.record, why, remedy, file=file, line=step.line) from None
    except RecordNotFound as missing:
        remedy = "refer to a ticket that was opened before"
        raise InvalidInput("ref", missing.record, "is no record", remedy, file=file, line=step.line) from None


def _command(desk: ServiceDesk, step: Step) -> Record:
    number, actor, at, fields = step.record, step.actor, step.at, step.fields
    match step.trigger:
        case "open":
            return desk.open(
                step.text, actor=actor, at=at, fields={n: v for n, v in fields.items() if v is not None},
                channel=step.channel, record_id=number, command_id=step.id,
            )  # fmt: skip
        case "receive":
            return desk.receive(
                number, step.text, actor=actor, at=at, channel=step.channel, message_id=fields["message_id"]
            )
        case "communicate":
            return desk.communicate(
                number, step.text, actor=actor, at=at, channel=step.channel, fields=fields, command_id=step.id
            )
        case "link":
            other, relation = fields["other"], fields["relation"]
            return desk.link(number, relation, other, actor=actor, at=at, command_id=step.id)
    return desk.fire(number, step.trigger, actor=actor, at=at, fields=fields, command_id=step.id)


# --- the same history or another --------------------------------------------------------------

_Mark = tuple[str, str, dt.datetime]


def _rehearsed(script: Script, lang: str) -> dict[str, list[_Mark]]:
    """What a script leads to, played in memory where nobody is told anything."""
    with closing(stores.open("memory://")) as store:
        _play(script, _desk(store, script, lang, _silently))
        return _history(store)


def _silently(_: Message) -> Outcome:
    return Delivered()


def _records(store: Store) -> Iterator[Record]:
    last = None
    while found := store.find(Query(after=last)):
        yield from found
        last = found[-1].id


def _history(store: Store) -> dict[str, list[_Mark]]:
    """Which events each record has; the ids hold a digest of the line they come from."""
    return {record.id: [_mark(event) for event in store.load(record.id, 0)[1]] for record in _records(store)}


def _mark(event: Event) -> _Mark:
    return event.id, event.kind, event.occurred_at


def _same_history(held: dict[str, list[_Mark]], wanted: dict[str, list[_Mark]], database: Path) -> None:
    """Refuses a database that holds anything but a beginning of what the input leads to."""
    for record, marks in held.items():
        if wanted.get(record, [])[: len(marks)] != marks:
            raise InvalidValue(
                "database", str(database), f"holds another history of {record} than the input tells",
                "remove the file or name another one; histories are not mixed",
            )  # fmt: skip


# --- the report -------------------------------------------------------------------------------


def _section(script: Script, store: Store, lang: str) -> Section:
    setting = SETTINGS[script.kind]
    desk, _ = _desk(store, script, lang, _silently)
    cards = [_card(desk, case, script.ends) for case in (*script.cases, *_follow_ups(script, store))]
    return Section(
        title=setting.title[lang], lead=_lead(script, setting, lang), cards=tuple(cards), zone=_zone(setting)
    )


def _zone(setting: Setting) -> ZoneInfo:
    return setting.calendar.zone


def _lead(script: Script, setting: Setting, lang: str) -> str:
    at = moment(script.ends, _zone(setting))
    words = {"en": f"{script.file}, as of {at}.", "zh": f"{script.file}，截至 {at}。"}
    return f"{setting.lead[lang]} {words[lang]}"


def _follow_ups(script: Script, store: Store) -> Iterator[Case]:
    """The records that replies to closed ones opened."""
    named = {f"{step.record}-{step.line}": step for step in script.steps if step.trigger == "receive"}
    for record in _records(store):
        if record.id in named:
            yield Case(record=record.id, line=named[record.id].line, title=record.title or "")


def _card(desk: ServiceDesk, case: Case, at: dt.datetime) -> Card:
    events = desk.history(case.record)
    row = Row.of(
        desk.get(case.record), desk.clocks(case.record, at), events, at,
        title=case.title, unknown=[Metric.RESOLUTION] if "resolved" in case.unknown else [],
    )  # fmt: skip
    return Card(row=row, source=case.source, unknown=case.unknown, note=case.note)


_TITLE = {"en": "itsm demo: incidents against their targets", "zh": "itsm 演示：事件与目标"}
_LEAD = {
    "en": "Each history was opened as incidents, fired through the lifecycle, and judged by the customary "
    "targets of the field (a convention, not the standard's). All of it comes from the events alone.",
    "zh": "每段历史都作为事件单创建，按生命周期执行，并按行业惯用目标（惯例，并非标准规定）评判。"
    "全部结论仅由事件推导。",
}


def _page(sections: Sequence[Section], lang: str) -> str:
    return page(_TITLE[lang], _LEAD[lang], sections, lang=lang)


# --- what is printed --------------------------------------------------------------------------

# fmt: off
_SAID = {
    "did": {
        "en": "{records} incidents opened and {steps} steps carried in {database}: {escalated} escalations, "
              "{delivered} messages delivered, {failed} failed.",
        "zh": "已在 {database} 中创建 {records} 个事件、执行 {steps} 个步骤：升级 {escalated} 次，"
              "送达消息 {delivered} 条，失败 {failed} 条。",
    },
    "nothing": {
        "en": "Nothing new: {database} holds the whole history already. Nothing was changed, "
              "and nobody was told twice.",
        "zh": "没有新内容：{database} 已包含全部历史。未作任何更改，也没有重复通知任何人。",
    },
    "page": {"en": "Timelines as pictures: {page}", "zh": "时间线图：{page}"},
}
# fmt: on
_STYLES = {"good": "green", "bad": "bold red", "busy": "cyan", "mute": "dim", "": ""}


def _tell(
    done: _Done, sections: Sequence[Section], database: Path, page: Path, lang: str, out: TextIO
) -> None:
    said = {name: words[lang] for name, words in _SAID.items()}
    facts = {**attrs.asdict(done), "database": database, "page": page}
    print(file=out)
    print(said["did" if done.events else "nothing"].format(**facts), file=out)
    for section in sections:
        rows = [card.row for card in section.cards]
        zone = say("zone", lang, zone=section.zone.key)
        print(f"\n{section.title}\n{section.lead} {zone}\n", file=out)
        _print_table(rows, lang, out)
        for sentence in proposals(rows, lang):
            print(f"\n{one_line(sentence)}", file=out)
    print("\n" + said["page"].format(**facts), file=out)


def _print_table(rows: Sequence[Row], lang: str, out: TextIO) -> None:
    """The table, coloured on a terminal where the extra `cli` is installed."""
    if not out.isatty():
        print("\n".join(lines(rows, lang)), file=out)
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - of the extra `cli`
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415
    except ImportError:
        print("\n".join(lines(rows, lang)), file=out)
        return
    console = Console(file=out, highlight=False)
    fitted = grid(rows, lang).fitted(console.width)
    table = Table(*fitted.headings, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[0].no_wrap = True
    for row in fitted.rows:
        table.add_row(*(Text(cell.text, style=_STYLES[cell.tone]) for cell in row))
    console.print(table)
