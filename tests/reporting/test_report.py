"""Rows, table, bars and page of a few records, each figure counted by hand."""

import datetime as dt
import re

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar
from itsm_core.desk import ServiceDesk
from itsm_core.errors import InvalidValue
from itsm_core.escalation import EscalationPolicy, EscalationStep
from itsm_core.ports import Delivered
from itsm_core.reporting import Card, Row, Section, grid, lines, page, recurring, write
from itsm_core.reporting.picture import Axis, bar, pieces
from itsm_core.reporting.table import COLUMNS, cells, headings, width
from itsm_core.sla import Metric, PromiseVerdict, Target, Verdict, default_agreement, evaluate
from itsm_core.stores.memory import MemoryStore

ANA, BO = Actor.person("ana", "requester"), Actor.person("bo", "agent")
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", name="office")
POLICY = EscalationPolicy(
    "p", 1,
    steps=[
        EscalationStep("move", "50 %", kind="functional", group="second-line"),
        EscalationStep("tell", "100 %", to="boss"),
    ],
)  # fmt: skip
HOUR = 3_600_000_000


def at(day, hour, minute=0):
    """An instant of the week that begins on Monday 3 June 2024, UTC."""
    return dt.datetime(2024, 6, 2 + day, hour, minute, tzinfo=dt.UTC)


def us(when):
    """Microseconds UTC."""
    return int(when.timestamp()) * 1_000_000


class Office:
    """A desk in memory, Mon-Fri 9-17, whose time passes step by step."""

    def __init__(self):
        self.desk = ServiceDesk(
            MemoryStore(), agreement=default_agreement(OFFICE), policy=POLICY, notifiers=lambda _: Delivered()
        )

    def until(self, when):
        while (due := self.desk.next_due()) is not None and due <= when:
            self.desk.tick(due)
        return when

    def open(self, number, when, title="Mail is down", impact="medium", urgency="medium", **fields):
        held = {"impact": impact, "urgency": urgency, "service": "mail", **fields}
        return self.desk.open(title, actor=ANA, at=self.until(when), record_id=number, fields=held)

    def say(self, number, when, **known):
        self.desk.communicate(number, "We look.", actor=BO, at=self.until(when), **known)

    def resolve(self, number, when):
        fields = {"resolution_outcome": "workaround", "resolution_notes": "restarted"}
        self.desk.fire(number, "resolve", actor=BO, at=self.until(when), fields=fields)

    def row(self, number, when, **known):
        self.until(when)
        desk = self.desk
        return Row.of(desk.get(number), desk.clocks(number, when), desk.history(number), when, **known)


@pytest.fixture
def office():
    """A desk of its own for each test."""
    return Office()


def test_a_row_tells_what_became_of_each_target(office):
    """P3: answered after 30 minutes of 4 hours, resolved after 25 of 24 open hours."""
    office.open("I-1", at(1, 9))
    office.say("I-1", at(1, 9, 30))
    office.resolve("I-1", at(4, 10))
    row = office.row("I-1", at(4, 12))
    assert [cell.text for cell in cells(row)] == [
        "I-1", "Mail is down", "P3", "met 30m / 4h", "breached 25h / 24h", "2", "", "",
    ]  # fmt: skip
    assert [cell.tone for cell in cells(row)] == ["", "", "", "good", "bad", "", "", ""]
    assert row.outcome() == "Resolved"
    assert row.outcome("zh") == "已解决"


def test_a_row_counts_reopenings_and_promises(office):
    """One promise kept, one broken, one reopening."""
    office.open("I-1", at(1, 9))
    office.say("I-1", at(1, 9, 30), promise_due=at(1, 11))
    office.say("I-1", at(1, 10))
    office.say("I-1", at(1, 10, 30), promise_due=at(1, 11))
    office.resolve("I-1", at(1, 12))
    office.desk.fire("I-1", "reopen", actor=ANA, at=office.until(at(1, 13)), fields={"reason": "no"})
    row = office.row("I-1", at(1, 14))
    assert row.promised() == {PromiseVerdict.KEPT: 1, PromiseVerdict.BROKEN: 1}
    assert cells(row)[-2].text == "1"
    assert cells(row)[-1].text == "1 kept, 1 broken"
    assert cells(row)[-1].tone == "bad"
    assert cells(row)[4].text == "running 4h / 24h"


def test_what_nobody_knows_is_unknown_whatever_the_clock_says(office):
    """An end that was not published is neither met nor breached."""
    office.open("I-1", at(1, 9))
    row = office.row("I-1", at(5, 12), unknown=[Metric.RESOLUTION])
    assert row.verdict(Metric.RESOLUTION) is Verdict.UNKNOWN
    assert cells(row)[4].text == "unknown"
    assert row.clock(Metric.RESOLUTION).breached


def test_a_record_without_an_agreement_has_no_verdicts():
    """No target, no verdict: a dash."""
    desk = ServiceDesk(MemoryStore())
    desk.open("Mail", actor=ANA, at=at(1, 9), record_id="I-1")
    row = Row.of(desk.get("I-1"), {}, desk.history("I-1"), at(1, 10))
    assert [cell.text for cell in cells(row)] == ["I-1", "Mail", "-", "-", "-", "", "", ""]
    assert row.verdict(Metric.RESPONSE) is None


def test_a_state_of_an_unknown_lifecycle_keeps_its_name(office):
    """A host's own lifecycle has labels we do not know."""
    office.open("I-1", at(1, 9))
    row = office.row("I-1", at(1, 9))
    assert attrs.evolve(row, record=attrs.evolve(row.record, lifecycle="own")).outcome() == "new"


def test_three_incidents_with_one_item_are_a_recurring_fault(office):
    """Two are chance, and without an item nothing is compared."""
    for n in range(5):
        items = ("ap-1",) if n in (0, 1, 3) else ("ap-2",) if n == 2 else ()
        office.open(f"I-{n}", at(1, 9), category="network", configuration_items=items)
    rows = [office.row(f"I-{n}", at(1, 9)) for n in range(5)]
    (fault,) = recurring(rows)
    assert fault.fault == ("mail", "network", "ap-1")
    assert [row.number for row in fault.rows] == ["I-0", "I-1", "I-3"]


# --- the table --------------------------------------------------------------------------------


def test_columns_stay_aligned_with_chinese_titles(office):
    """A Chinese character takes two columns, so every line's cells begin below the headings."""
    office.open("I-1", at(1, 9), title="打印机卡纸")
    office.open("I-2", at(1, 9), title="Printer jams on every second page of every long document")
    head, ruler, *body = lines([office.row(n, at(1, 9)) for n in ("I-1", "I-2")], "zh", room=76)
    starts = [match.start() for match in re.finditer("-+", ruler)]
    for line in body:
        columns = "".join(char * width(char) for char in line)
        assert columns[starts[2] :].startswith("P3")
    assert "…" in body[1]
    assert head.startswith(headings("zh")[0])


def test_columns_in_which_nothing_stands_are_left_out(office):
    """No escalation, no reopening, no promise: five columns."""
    office.open("I-1", at(1, 9))
    assert grid([office.row("I-1", at(1, 9))]).columns == COLUMNS[:5]
    assert grid([]).columns == COLUMNS


def test_titles_give_way_to_verdicts(office):
    """The table takes the room it is given, but a title keeps sixteen columns."""
    office.open("I-1", at(1, 9), title="Printer jams on every second page of every long document")
    table = grid([office.row("I-1", at(1, 9))])
    room = sum(table.fitted(80).widths()) + 2 * 4
    assert room == 80
    assert table.fitted(10).rows[0][1].text == "Printer jams on…"
    assert table.fitted(500) == table


def test_hostile_titles_cannot_steer_a_terminal(office):
    """Escape sequences and line ends become blanks."""
    office.open("I-1", at(1, 9), title="a\x1b[2Jb\nc")
    assert cells(office.row("I-1", at(1, 9)))[1].text == "a [2Jb c"


def test_combining_marks_take_no_column():
    """The width of a text is that on a terminal."""
    assert (width("é"), width("e\u0301"), width("中")) == (1, 1, 2)
    assert len(headings()) == len(COLUMNS)


# --- the bars ---------------------------------------------------------------------------------


def test_open_time_is_to_scale_and_closed_stretches_are_folded():
    """Monday 13 h to Tuesday 13 h: four open hours, a folded night, four open hours."""
    axis = Axis.over(OFFICE, us(at(1, 13)), us(at(2, 13)))
    assert axis(us(at(1, 13))) == 0
    assert axis(us(at(1, 17))) == pytest.approx((97 - 2) / 2)
    assert axis(us(at(2, 9))) == pytest.approx((97 - 2) / 2 + 2)
    assert axis(us(at(2, 13))) == pytest.approx(97)
    assert axis(us(at(1, 12))) == 0
    assert axis(us(at(3, 12))) == pytest.approx(97)


def test_a_stretch_without_open_time_is_drawn_to_scale():
    """Nothing to fold by: a Saturday is a line."""
    axis = Axis.over(OFFICE, us(at(6, 0)), us(at(6, 12)))
    assert axis(us(at(6, 6))) == pytest.approx(97 / 2)
    assert Axis.over(OFFICE, us(at(6, 0)), us(at(6, 0)))(us(at(6, 0))) == 0


def test_many_folds_never_fill_the_bar():
    """A year of nights takes at most two fifths of the bar."""
    axis = Axis.over(OFFICE, us(at(1, 9)), us(at(1, 9)) + 365 * 24 * HOUR)
    folded = sum(axis(b) - axis(a) for (_, a), (b, _) in zip(axis.open, axis.open[1:], strict=False))
    assert folded <= 40


def test_a_bar_shows_running_overrun_pause_and_what_is_left(office):
    """P3, held for the requester on Monday 12-14, late from Friday on: 24 open hours and 2 of pause."""
    office.open("I-1", at(1, 9))
    hold = {"hold_reason": "requester", "message": "Which?", "look_again_at": at(2, 9)}
    office.desk.fire("I-1", "hold", actor=BO, at=office.until(at(1, 12)), fields=hold)
    office.desk.fire("I-1", "resume", actor=BO, at=office.until(at(1, 14)))
    office.resolve("I-1", at(4, 13))
    clock = office.row("I-1", at(4, 13)).clock(Metric.RESOLUTION)
    told = clock.explain()
    axis = Axis.over(OFFICE, told.started_us, told.stopped_us)
    drawn = list(pieces(told, axis))
    kinds = [piece.kind for piece in drawn]
    assert kinds.count("pause") == 1
    assert kinds.count("over") == 1
    assert kinds[-3:] == ["closed"] * 3
    hours = {k: sum(p.width for p in drawn if p.kind == k) for k in ("run", "pause", "over")}
    assert hours["run"] / hours["pause"] == pytest.approx(24 / 2)
    assert hours["over"] / hours["pause"] == pytest.approx(2 / 2)


def test_a_bar_explains_itself_to_those_who_do_not_see_it(office):
    """The label is the explanation of the clock; there is no text inside that could collide."""
    office.open("I-1", at(1, 9))
    clock = office.row("I-1", at(1, 12)).clock(Metric.RESOLUTION)
    drawn = bar(clock, [us(at(1, 10))])
    assert 'role="img" aria-label="p3-resolution (resolution within' in drawn
    assert drawn.count('class="esc"') == drawn.count('class="due"') == 1
    assert not re.sub("<[^>]*>", "", drawn)
    assert bar(clock) == bar(clock)


def test_a_clock_that_has_not_started_has_no_bar(office):
    """Asked about the day before, there is nothing to draw."""
    office.open("I-1", at(1, 9))
    target = office.row("I-1", at(1, 9)).clock(Metric.RESOLUTION).target
    assert bar(evaluate(office.desk.history("I-1"), target, at(0, 9))) == ""


# --- the page ---------------------------------------------------------------------------------


def section(*cards):
    """A section of these cards."""
    return Section(title="Office", lead="A lead.", cards=cards)


def test_the_page_tells_everything_and_loads_nothing(office):
    """Verdicts, escalations with their times, promises, sources; no address is fetched."""
    office.open("I-1", at(1, 9))
    office.say("I-1", at(1, 9, 30), promise_due=at(1, 11))
    office.resolve("I-1", at(4, 10))
    card = Card(
        row=office.row("I-1", at(4, 12)),
        source="https://example.org/x",
        unknown=("detected",),
        note="A note.",
    )
    text = page("A title", "A lead.", [section(card)])
    assert "breached 25h / 24h" in text
    assert "<time>2024-06-04 13:00</time> 50 % of resolution: work moved to second-line" in text
    assert "<time>2024-06-06 09:00</time> 100 % of resolution: boss informed" in text
    assert "Next word promised by <time>2024-06-03 11:00</time>: broken" in text
    assert "Unknown (not published): detection" in text
    assert '<a rel="noreferrer" href="https://example.org/x">' in text
    assert "A note." in text
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", text)
    assert '<html lang="en">' in text


def test_the_page_speaks_chinese(office):
    """Every label of ours is Chinese; ids and titles stay what they are."""
    office.open("I-1", at(1, 9))
    text = page("题", "说明", [section(Card(row=office.row("I-1", at(1, 10))))], lang="zh")
    assert '<html lang="zh">' in text
    assert "创建于 2024-06-03 09:00" in text
    assert "as of" not in text


def test_a_language_that_is_not_spoken_makes_no_page():
    """Refused with the choices."""
    with pytest.raises(InvalidValue, match="en, zh"):
        page("t", "l", [section()], lang="xx")


def test_every_text_is_escaped_and_only_web_addresses_become_links(office):
    """Hostile titles, services, notes and sources stay words."""
    evil = '"><script>alert(1)</script>'
    office.open("I-1", at(1, 9), title=evil, service=evil, configuration_items=(evil,))
    card = Card(row=office.row("I-1", at(1, 10)), source="javascript:alert(1)", note=evil)
    text = page(evil, evil, [Section(title=evil, lead=evil, cards=(card, card, card))])
    assert "<script" not in text
    assert "javascript:" not in text
    assert "Proposal: open a problem" in text


def test_a_paused_clock_says_that_it_has_no_due_time(office):
    """While the requester is waited for there is no due line."""
    office.open("I-1", at(1, 9))
    hold = {"hold_reason": "requester", "message": "Which?", "look_again_at": at(2, 9)}
    office.desk.fire("I-1", "hold", actor=BO, at=at(1, 12), fields=hold)
    row = office.row("I-1", at(1, 13))
    text = page("t", "l", [section(Card(row=row))])
    assert "no due time while paused" in text
    assert bar(row.clock(Metric.RESOLUTION)).count('class="due"') == 0


def test_void_reopened_and_unknown_are_said(office):
    """A cancelled record is void, a twice reopened one says so, an unknown end has no bar."""
    office.open("I-1", at(1, 9))
    office.desk.fire("I-1", "cancel", actor=ANA, at=at(1, 10), fields={"reason": "solved"})
    office.open("I-2", at(1, 10))
    for hour in (11, 12):
        office.resolve("I-2", at(1, hour))
        office.desk.fire("I-2", "reopen", actor=ANA, at=at(1, hour, 30), fields={"reason": "no"})
    cards = [
        Card(row=office.row("I-1", at(1, 13))),
        Card(row=office.row("I-2", at(1, 13), unknown=[Metric.RESOLUTION])),
    ]
    text = page("t", "l", [section(*cards)])
    assert "void 2024-06-03 10:00" in text
    assert "reopened 2 times" in text
    assert text.count('role="img"') == 3


def test_a_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """A failed write leaves the old page and no litter."""
    target = tmp_path / "page.html"
    write(target, "first")
    write(target, "second")
    assert target.read_text() == "second"

    def fail(self, _):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(InvalidValue, match="No space left on device"):
        write(target, "third")
    assert target.read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(InvalidValue, match="cannot be written"):
        write(tmp_path / "none" / "page.html", "x")


@pytest.mark.parametrize(("lang", "hidden"), [("en", "Restricted"), ("zh", "受限工单")])
def test_a_restricted_title_is_in_no_report(office, lang, hidden):
    """Not in the page, the table, or the text of a row or card; also not one that the host gives."""
    office.open("I-1", at(1, 9), title="Salary of Ms Doe", restricted=True)
    for known in ({}, {"title": "Salary of Ms Doe"}):
        row = office.row("I-1", at(1, 10), **known)
        shown = page("t", "l", [Section(title="s", lead="l", cards=(Card(row=row),))], lang=lang)
        told = [shown, "\n".join(lines([row], lang)), repr(row), repr(Card(row=row)), str(row)]
        assert not any("Salary" in text for text in told)
        assert hidden in shown
        assert hidden in told[1]


def test_a_clock_that_never_falls_due_is_told_without_a_budget(office):
    """The table leaves the budget out, and the card says why there is no due time."""
    office.open("I-1", at(1, 9))
    row = office.row("I-1", at(1, 10))
    ended = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to="2024-06-03")
    target = Target("slow", "resolution", duration="3 business days", calendar=ended)
    row = attrs.evolve(row, clocks=(evaluate(office.desk.history("I-1"), target, at(1, 10)),))
    assert cells(row)[4].text == "running 1h"
    shown = page("t", "l", [Section(title="s", lead="l", cards=(Card(row=row),))])
    assert "no due time: the calendar does not open again" in shown
