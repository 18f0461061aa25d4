"""Explanations: segments, words in two languages, the table, the dict."""

import datetime as dt
import json
import subprocess
import sys

import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.sla import (
    AgreedException,
    Agreement,
    SegmentKind,
    Target,
    compare,
    evaluate,
    evaluate_all,
    judge,
    preview,
)
from itsm_core.sla.explaining.words import CHINESE

FESTIVAL = {"date": "2026-02-17", "name": "Spring Festival"}


@pytest.fixture
def told(history, resolution):
    """A resolution over a holiday and a weekend: held, reopened, breached, closed."""
    shanghai = BusinessCalendar.weekly(
        "mon-fri 09:00-18:00", zone="Asia/Shanghai", holidays=[FESTIVAL],
        name="shanghai",
    )  # fmt: skip
    (target,) = Agreement("gold", 2, targets=[resolution(hours(8), shanghai)]).targets
    h = history("Asia/Shanghai").opened("2026-02-16 16:00").resumed("2026-02-16 17:00")
    h.hold("2026-02-18 10:00").resumed("2026-02-18 11:00").resolved("2026-02-18 17:00").resumed(
        "2026-02-20 17:00"
    )
    h.hold("2026-02-20 17:30", "supplier").closed("2026-02-23 10:00")
    return evaluate(h.events, target, h.at("2026-02-23 12:00")).explain()


def test_segments_tell_where_the_time_went(told):
    """Each stretch with its kind, reason and the event that began it."""
    rows = [
        (f"{s.start:%d %H:%M}", f"{s.end:%d %H:%M}", s.kind.value, s.reason, s.event) for s in told.segments
    ]
    assert rows == [
        ("16 16:00", "16 17:00", "running", "new", "e1"),
        ("16 17:00", "16 18:00", "running", "in progress", "e2"),
        ("16 18:00", "17 00:00", "closed", "night", "e2"),
        ("17 00:00", "18 00:00", "closed", "holiday: Spring Festival", "e2"),
        ("18 00:00", "18 09:00", "closed", "night", "e2"),
        ("18 09:00", "18 10:00", "running", "in progress", "e2"),
        ("18 10:00", "18 11:00", "paused", "waiting for requester", "e3"),
        ("18 11:00", "18 17:00", "running", "in progress", "e4"),
        ("18 17:00", "20 17:00", "stopped", "resolved", "e5"),
        ("20 17:00", "20 17:30", "running", "in progress", "e6"),
        ("20 17:30", "20 18:00", "running", "waiting for supplier", "e7"),
        ("20 18:00", "21 00:00", "closed", "night", "e7"),
        ("21 00:00", "23 00:00", "closed", "weekend", "e7"),
        ("23 00:00", "23 09:00", "closed", "night", "e7"),
        ("23 09:00", "23 10:00", "running", "waiting for supplier", "e7"),
    ]


def test_the_english_text_says_verdict_instants_use_and_versions(told):
    """One paragraph; hours, never days; shares rounded down."""
    assert (
        str(told)
        == told.text("en")
        == (
            "fix (resolution within 8h): breached, settled. "
            "Started 2026-02-16 16:00 +0800 (Asia/Shanghai); due 2026-02-18 16:00 +0800; "
            "stopped 2026-02-23 10:00 +0800 (closed). "
            "11 hours of 8 hours used (137 %), over by 3 hours. "
            "Running 1 hour (new); running 8 hours 30 minutes (in progress); closed 30 hours (night); "
            "closed 24 hours (holiday: Spring Festival); paused 1 hour (waiting for requester); "
            "stopped 48 hours (resolved); running 1 hour 30 minutes (waiting for supplier); "
            "closed 48 hours (weekend). "
            "Judged by gold@2, calendar shanghai@1."
        )
    )


def test_the_chinese_text_says_the_same(told):
    """Chinese words and signs; the name of the holiday stays."""
    assert told.text("zh") == (
        "fix（解决时限：8小时）：违约，已定。"
        "开始于 2026-02-16 16:00 +0800（Asia/Shanghai）；到期 2026-02-18 16:00 +0800；"
        "停止于 2026-02-23 10:00 +0800（关闭）。"
        "已用11小时，时限8小时（137 %），超出3小时。"
        "运行1小时（新建）；运行8小时30分钟（处理中）；关闭30小时（夜间）；"
        "关闭24小时（假日：Spring Festival）；暂停1小时（等待申请人）；"
        "停止48小时（已解决）；运行1小时30分钟（等待供应商）；关闭48小时（周末）。"
        "依据 gold@2，日历 shanghai@1。"
    )


def test_totals_group_wall_time_by_kind_and_reason(told):
    """The groups add up to the whole."""
    totals = told.totals()
    assert totals[SegmentKind.CLOSED, "weekend"] == dt.timedelta(hours=48)
    assert sum(totals.values(), dt.timedelta()) == told.segments[-1].end - told.segments[0].start


def test_the_dict_is_json_and_names_everything(told):
    """Instants as ISO 8601 in the zone, durations as microseconds, the share exact."""
    held = json.loads(json.dumps(told.to_dict()))
    assert held["due"] == "2026-02-18T16:00:00+08:00"
    assert (held["verdict"], held["state"], held["share"], held["settled"]) == (
        "breached",
        "stopped",
        "11/8",
        True,
    )
    assert (held["agreement"], held["calendar"], held["target"]) == ("gold@2", "shanghai@1", "fix")
    assert sum(s["length_us"] for s in held["segments"] if s["kind"] == "running") == held["elapsed_us"]


def test_the_table_is_escaped(history, resolution):
    """Names of holidays are text, never markup."""
    calendar = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="UTC", holidays=[{"date": "2026-03-03", "name": "<b>X & Y</b>"}]
    )
    h = history().opened("2026-03-02 16:59:30").resolved("2026-03-04 10:00")
    shown = (
        evaluate(h.events, resolution(hours(8), calendar), h.at("2026-03-04 10:00")).explain()._repr_html_()
    )
    assert "&lt;b&gt;X &amp; Y&lt;/b&gt;" in shown
    assert "<b>" not in shown
    assert shown.count("<tr>") == 1 + 5
    assert "2026-03-02 16:59:30 +0000" in shown


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_clock_that_has_not_started_says_so(history, resolution, around, lang):
    """No segments, no due instant; the dict has null instants."""
    h = history().opened("2026-03-02 09:00")
    early = evaluate(h.events, resolution(hours(8), around), h.at("2026-03-01 09:00")).explain()
    assert {"en": "Not started by 2026-03-01 09:00", "zh": "尚未开始"}[lang] in early.text(lang)
    assert (early.to_dict()["started"], early.segments) == (None, ())


def test_small_and_empty_durations_have_words(history, resolution, around):
    """Nothing yet, and less than a second over."""
    h = history().opened("2026-03-02 09:00")
    target = resolution("1 business day", around)
    begun = evaluate(h.events, target, h.at("2026-03-02 09:00")).explain()
    assert "0 seconds of 24 hours used (0 %). Judged by calendar" in begun.text()
    assert "已用0秒，时限24小时（0 %）。依据日历" in begun.text("zh")
    assert "解决时限：1个工作日" in begun.text("zh")
    over = evaluate(h.events, target, h.at("2026-03-03 09:00") + dt.timedelta(milliseconds=1)).explain()
    assert "(100 %), over by under 1 second" in over.text()
    assert "，超出不到1秒" in over.text("zh")


def test_every_wait_and_outcome_has_a_reason_and_chinese_words(history, resolution, around):
    """No reason falls through to English in a Chinese text."""
    for wait in (None, *WaitsOn):
        h = history().opened("2026-03-02 09:00").hold("2026-03-02 10:00", wait and wait.value)
        told = evaluate(h.events, resolution(hours(8), around), h.at("2026-03-02 11:00")).explain()
        assert told.segments[-1].reason in CHINESE.dictionary
        assert "hold" in told.segments[-1].reason or "waiting" in told.segments[-1].reason
    for outcome in ("cancelled", "duplicate", "merged"):
        h = (
            history()
            .opened("2026-03-02 09:00")
            .closed("2026-03-02 10:00", outcome)
            .resumed("2026-03-02 11:00")
        )
        again = evaluate(h.events, resolution(hours(8), around), h.at("2026-03-02 12:00"))
        assert [s.reason for s in again.explain().segments] == ["new", outcome, "in progress"]
        (voided,) = again.earlier  # what was closed stays as it was; the clock that goes on is another cycle
        assert voided.stop_reason == outcome


def test_ways_to_answer_read_as_words(history, response, around):
    """`resolved_without_reply` and its like are shown without underscores."""
    h = history().opened("2026-03-02 09:00", by=Actor.monitoring("m")).closed("2026-03-02 10:00")
    told = evaluate(h.events, response(hours(8), around), h.at("2026-03-02 12:00")).explain()
    assert "(resolved without reply)" in told.text()
    assert "（未答复即解决）" in told.text("zh")


def test_an_unknown_language_is_refused_with_the_known_ones(told):
    """Two languages are spoken here."""
    with pytest.raises(InvalidValue, match=r"en.*zh"):
        told.text("fr")


def test_a_length_is_wall_time_across_a_change_of_clocks(history, resolution):
    """Midnight to midnight on a day of 25 hours is 25 hours."""
    h = history("Europe/Berlin").opened("2026-10-25 00:00")
    clock = evaluate(
        h.events, resolution(hours(99), BusinessCalendar.always("Europe/Berlin")), h.at("2026-10-26 00:00")
    )
    assert [s.length for s in clock.explain().segments] == [dt.timedelta(hours=25)]


def test_pendulum_is_loaded_only_when_words_are_wanted():
    """Importing the clocks costs no import of pendulum."""
    code = "import sys, itsm_core.sla; sys.exit('pendulum' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_target_outside_an_agreement_is_judged_by_its_calendar(history, around):
    """No agreement is named where there is none."""
    h = history().opened("2026-03-02 09:00")
    bare = Target("t", "resolution", duration=hours(1), calendar=around)
    told = evaluate(h.events, bare, h.at("2026-03-02 09:30")).explain()
    assert (told.agreement, "asked 2026-03-02 09:30" in told.text()) == (None, True)


@pytest.fixture
def beside(history):
    """Six hours of four, two of them excused, justified twice, confirmed once; told in Berlin."""
    calendar = BusinessCalendar.always("Europe/Berlin", name="around")
    noon = BusinessCalendar.weekly("mon-sun 12:00-14:00", zone="Europe/Berlin")
    h = history("Europe/Berlin").opened("2026-03-02 09:00").resolved("2026-03-02 15:00")
    h.add("overrun_justified", "2026-03-02 16:00", metric="resolution", reason="<b>")
    h.add("overrun_justified", "2026-03-02 17:00", metric="resolution", reason="<b>", confirmation="m7")
    agreed = Agreement(
        "gold", 2, targets=[Target("fix", "resolution", duration="4h", calendar=calendar)],
        exceptions=[AgreedException("noon", times=noon), AgreedException("again", times=noon)],
    )  # fmt: skip
    return judge(h.events, agreed, h.at("2026-03-03 09:00"))["resolution"].explain()


def test_what_exceptions_make_of_it_is_told_after_the_raw_verdict(beside):
    """The verdict of the first sentence is the raw one; ids of exceptions, and who confirmed."""
    assert beside.text() == (
        "fix (resolution within 4h): breached, provisional. "
        "Started 2026-03-02 09:00 +0100 (Europe/Berlin); due 2026-03-02 13:00 +0100; "
        "stopped 2026-03-02 15:00 +0100 (resolved). "
        "6 hours of 4 hours used (150 %), over by 2 hours. Running 6 hours (new). "
        "Adjusted by noon, again: met, 2 hours excused, 4 hours counted. "
        "Justified 2026-03-02 16:00 +0100, not confirmed by the requester. "
        "Justified 2026-03-02 17:00 +0100, confirmed by the requester. "
        "Judged by gold@2, calendar around@1."
    )
    assert (
        "按例外 noon、again 调整：达标，免计2小时，计入4小时。"
        "超时已说明理由（2026-03-02 16:00 +0100），申请人未确认。"
        "超时已说明理由（2026-03-02 17:00 +0100），申请人已确认。"
    ) in beside.text("zh")
    assert "Adjusted by noon, again" in beside._repr_html_()


def test_the_dict_tells_what_stands_beside_the_verdict(beside, told):
    """Microseconds and ids; null and empty where there is nothing."""
    held = json.loads(json.dumps(beside.to_dict()))
    assert held["verdict"] == "breached"
    assert held["adjusted"] == {
        "verdict": "met", "elapsed_us": 4 * 3600 * 10**6, "excused_us": 2 * 3600 * 10**6,
        "by": ["noon", "again"], "events": [],
    }  # fmt: skip
    assert held["justified"] == [
        {"at": "2026-03-02T16:00:00+01:00", "event": "e3", "confirmation": None},
        {"at": "2026-03-02T17:00:00+01:00", "event": "e4", "confirmation": "m7"},
    ]
    assert (told.to_dict()["adjusted"], told.to_dict()["justified"]) == (None, [])


def test_the_page_has_picture_words_and_table_in_two_languages(told):
    """What a notebook shows is the English one."""
    assert told._repr_html_() == told.html() == told.html("en")
    chinese = told.html("zh")
    assert chinese.count("<svg xmlns") == 1
    assert told.text("zh") in chinese
    assert '<th style="text-align:left">类别</th>' in chinese
    assert '<td style="text-align:left">等待申请人</td>' in chinese
    assert chinese.count("<tr>") == 1 + len(told.segments)
    with pytest.raises(InvalidValue, match=r"en.*zh"):
        told.html("fr")


@pytest.mark.parametrize(("days", "rows"), [(100, 199), (101, 2)])
def test_many_segments_are_added_up(history, resolution, days, rows):
    """Up to two hundred segments are told one by one, more by kind and reason."""
    daily = BusinessCalendar.weekly("daily 09:00-17:00", zone="UTC")
    h = history().opened("2026-01-01 09:00")
    told = evaluate(
        h.events, resolution(hours(9999), daily), h.at("2026-01-01 17:00") + dt.timedelta(days=days - 1)
    )
    assert told.explain().html().count("<tr>") == 1 + rows


def test_an_unspoken_language_may_be_anything(told):
    """A list is no language either."""
    with pytest.raises(InvalidValue, match="is not spoken here"):
        told.text(["en"])


def test_no_name_forges_a_line_or_turns_the_text_around(history, around):
    """Ids of targets, agreements and records, states and names of calendars are shown as they may be."""
    evil = "x\x1b[2J\u202e\nINC-2: met"
    calendar = around.named(evil)
    target = Target(evil, "resolution", duration="4h", calendar=calendar)
    agreement = Agreement(evil, 1, targets=[target])
    h = history().opened("2026-03-02 09:00").resumed("2026-03-02 10:00", to=evil)
    at = h.at("2026-03-02 14:00")
    (one,) = evaluate_all({evil: h.events}, agreement, at)
    told = one.clocks["resolution"].explain()
    foreseen = preview(agreement, {"priority": "P1"}, at)
    other = Agreement("b", 1, targets=[Target("b", "resolution", duration="9h", calendar=around)])
    (change,) = compare(agreement, other, {evil: h.events}, at).changes
    lines = [target, agreement, one, one.clocks["resolution"]]
    lines = [*map(repr, lines), told.text(), told.text("zh"), str(change), *foreseen.text().split("\n")]
    assert len(lines) == 9
    assert all(line.isprintable() and "\ufffd" in line for line in lines), lines
