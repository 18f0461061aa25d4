"""Pictures of clocks: to scale in real time, each kind with a shape of its own, and nothing a name can break."""

import datetime as dt
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar, Drawing, hours
from itsm_core.errors import InvalidValue
from itsm_core.sla import Target, evaluate
from itsm_core.sla.explaining.picture import KINDS, Sign, Stretch, stretches, strip, ticks, visible
from page_labels import LABELS, overlaps

H = 3_600_000_000
DAY = 24 * H
SVG = "{http://www.w3.org/2000/svg}"


def us(text):
    """Microseconds of an instant with its offset."""
    return int(dt.datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.fixture
def told(history, office, resolution):
    """Monday 13:00 to Tuesday 14:00, two hours promised: run, pause, over, stop, over, closed."""
    h = history("Europe/Berlin").opened("2026-03-02 13:00").hold("2026-03-02 14:00")
    h.resumed("2026-03-02 14:30").resolved("2026-03-02 15:45").resumed("2026-03-02 16:30")
    return evaluate(h.events, resolution(hours(2), office), h.at("2026-03-03 14:00")).explain()


def drawn(told, lang="en"):
    """The picture as XML."""
    return ET.fromstring(str(told.draw(lang)))


def kinds(root):
    """Each stretch of the strip as (kind, left, right) in percent; the legend is left out."""
    found = []
    for one in root.find(f"{SVG}svg"):
        kind = one.get("class")
        if one.tag == f"{SVG}rect" and kind in KINDS:
            found.append(
                (kind, float(one.get("x")[:-1]), float(one.get("x")[:-1]) + float(one.get("width")[:-1]))
            )
        elif one.tag == f"{SVG}line" and kind in KINDS:
            found.append((kind, float(one.get("x1")[:-1]), float(one.get("x2")[:-1])))
    return sorted(found, key=lambda one: one[1])


# --- what is drawn ------------------------------------------------------------------------------


def test_stretches_lie_to_scale_in_real_time(told):
    """25 hours: an hour is 4 %; two hours promised and half an hour paused make it due at 15:30."""
    assert [(kind, round(a, 2), round(b, 2)) for kind, a, b in kinds(drawn(told))] == [
        ("run", 0, 4), ("pause", 4, 6), ("run", 6, 10), ("over", 10, 11), ("stop", 11, 14),
        ("over", 14, 16), ("closed", 16, 80), ("over", 80, 100),
    ]  # fmt: skip


def test_kinds_have_a_shape_of_their_own(told):
    """Without any colour: solid, taller, striped, flat, dashed."""
    shapes = {}
    for one in drawn(told).find(f"{SVG}svg"):
        if one.get("class") in KINDS:
            shapes[one.get("class")] = (one.tag, one.get("height"), one.get("y"))
    assert set(shapes) == set(KINDS)
    style = drawn(told).find(f"{SVG}style").text
    dashes = {kind: re.search(rf"\.{kind}\{{[^}}]*dasharray:([\d ]+)", style) for kind in ("pause", "stop")}
    told_apart = {(*shape, dashes[kind][1] if kind in dashes else "") for kind, shape in shapes.items()}
    assert len(told_apart) == len(KINDS)


@pytest.mark.parametrize("dark", [False, True])
def test_kinds_stand_out_from_the_strip_behind_them(told, dark):
    """The contrast of what must be seen is at least 3 to 1 (WCAG 2.2, 1.4.11), by day and by night."""
    light, _, night = drawn(told).find(f"{SVG}style").text.partition("prefers-color-scheme:dark")
    colours = dict(re.findall(r"--(\w+):#(\w+)", light))
    colours |= dict(re.findall(r"--(\w+):#(\w+)", night)) if dark else {}

    def luminance(name):
        digits = colours[name] if len(colours[name]) == 6 else "".join(d * 2 for d in colours[name])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for kind in ("run", "over", "pause", "closed", "soft"):
        low, high = sorted((luminance(kind), luminance("left")))
        assert (high + 0.05) / (low + 0.05) >= 3, kind


def test_signs_point_at_start_due_stop_and_the_instant_asked_about(told, history, office, resolution):
    """Each at its place, with its words below."""
    strip_ = drawn(told).find(f"{SVG}svg")
    places = [
        one.get("x")
        for one in strip_
        if one.tag == f"{SVG}svg" and one.find(f"{SVG}line[@class='halo']") is not None
    ]
    assert places == ["0.000%", "10.000%", "100.000%"]
    texts = "".join(strip_.itertext())
    assert "Started 2026-03-02 13:00 +0100 (Europe/Berlin)" in texts
    assert "due 2026-03-02 15:30 +0100" in texts
    assert "asked 2026-03-03 14:00 +0100" in texts
    h = history("Europe/Berlin").opened("2026-03-02 13:00").resolved("2026-03-02 14:00")
    stopped = evaluate(h.events, resolution(hours(2), office), h.at("2026-03-03 14:00")).explain()
    assert "stopped 2026-03-02 14:00 +0100 (resolved)" in str(stopped.draw())


def test_the_strip_goes_on_to_the_due_instant(history, around, resolution):
    """One of four hours is over: a quarter is drawn, the rest is left."""
    h = history().opened("2026-03-02 08:00")
    told = evaluate(h.events, resolution(hours(4), around), h.at("2026-03-02 09:00")).explain()
    assert kinds(drawn(told)) == [("run", 0, 25)]


def test_the_legend_tells_how_long_each_kind_took(told):
    """It names what is shown, and nothing else."""
    texts = [one.text for one in drawn(told).iter(f"{SVG}text")]
    assert texts[-5:] == ["running 2h", "past due 5h 45m", "paused 30m", "closed 16h", "stopped 45m"]


def test_less_than_a_second_is_told(history, around, resolution):
    """Never as nothing."""
    h = history().opened("2026-03-02 08:00")
    told = evaluate(
        h.events, resolution(hours(4), around), h.at("2026-03-02 08:00") + dt.timedelta(microseconds=7)
    )
    assert "running &lt;1s" in str(told.explain().draw())


def test_the_picture_speaks_chinese(told):
    """Title, description, signs and legend."""
    shown = str(told.draw("zh"))
    assert "解决时限" in shown
    assert "超过到期 5小时45分钟" in shown
    assert "开始于 2026-03-02 13:00 +0100" in shown
    with pytest.raises(InvalidValue, match="is not spoken here"):
        told.draw("fr")


def test_the_picture_explains_itself_to_those_who_do_not_see_it(told):
    """An image with a title and the whole explanation as its description."""
    root = drawn(told)
    assert (root.get("role"), root.get("aria-label")) == ("img", told.text())
    assert root.find(f"{SVG}title").text == "fix (resolution within 2h): breached"
    assert root.find(f"{SVG}desc").text == told.text()


def test_a_clock_that_has_not_started_is_an_empty_strip(history, around, resolution):
    """The only sign is the instant asked about."""
    h = history().opened("2026-03-02 08:00")
    told = evaluate(h.events, resolution(hours(4), around), h.at("2026-03-01 08:00")).explain()
    assert kinds(drawn(told)) == []
    assert "Not started by 2026-03-01 08:00" in str(told.draw())


def test_a_clock_that_never_falls_due_says_so_beside_the_strip(history, resolution):
    """There is no place to point at."""
    ends = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to="2026-03-03")
    h = history().opened("2026-03-03 10:00")
    told = evaluate(h.events, resolution("5 business days", ends), h.at("2026-03-03 12:00")).explain()
    shown = str(told.draw())
    assert "never due: the calendar" in shown
    assert shown.count('class="halo"') == 2


def test_one_instant_is_a_picture_too(history, around, resolution):
    """Resolved as it was opened, with a due rule that leaves nothing."""
    h = history().opened("2026-03-02 08:00").resolved("2026-03-02 08:00")
    told = evaluate(h.events, resolution(hours(4), around), h.at("2026-03-02 08:00")).explain()
    assert kinds(drawn(told)) == []
    same = strip([], [Sign("start", 5, "a"), Sign("stop", 5, "b")], [], title="t", desc="d", zone="UTC")
    assert isinstance(same, Drawing)
    assert ET.fromstring(str(same)) is not None


def test_hostile_names_are_only_text(history):
    """Markup, ends of attributes and signs for a terminal stay words, in the picture and on the page."""
    evil = '"><script>alert(1)</script>]]>\x1b[31m&'
    calendar = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00",
        zone="UTC",
        holidays=[{"date": "2026-03-03", "name": "</desc><b>"}],
        name="]]><i>",
    )
    h = history().opened("2026-03-02 10:00")
    target = Target(evil.replace("\x1b[31m", ""), "resolution", duration=hours(40), calendar=calendar)
    told = evaluate(h.events, target, h.at("2026-03-04 12:00")).explain()
    shown = str(told.draw()) + told.html()
    for markup in ("<script", "<b>", "<i>", "\x1b"):
        assert markup not in shown
    assert ET.fromstring(str(told.draw())).find(f"{SVG}desc").text == told.text()


# --- narrow stretches ---------------------------------------------------------------------------


def test_running_is_over_from_the_due_instant_on(told):
    """Only running time is cut there."""
    cut = [(one.kind, one.end - one.start) for one in stretches(told.segments, told.due_us)][:4]
    assert cut == [("run", H), ("pause", H // 2), ("run", H), ("over", H // 4)]
    assert {one.kind for one in stretches(told.segments, None)} == {"run", "pause", "stop", "closed"}


def nights(count, opened=8):
    """So many days that are open for some hours."""
    found = []
    for day in range(count):
        found += [
            Stretch("run", day * DAY, day * DAY + opened * H),
            Stretch("closed", day * DAY + opened * H, (day + 1) * DAY),
        ]
    return found


def lengths(found):
    """How much each kind takes."""
    return {kind: sum(b - a for k, a, b in found if k == kind) for kind in {one.kind for one in found}}


@pytest.mark.parametrize("days", [10, 90, 365, 3650])
def test_years_of_nights_stay_few_and_keep_their_shares(days):
    """However long: some hundreds of shapes, a third of the strip open."""
    told = nights(days)
    found = visible(told, days * DAY)
    assert len(found) <= 1000
    assert lengths(found) == lengths(told)
    assert [a.end for a, _ in pairwise(found)] == [b.start for _, b in pairwise(found)]


def test_a_long_clock_is_a_small_picture(history, resolution):
    """Five years at a desk that opens on weekdays: thousands of segments, and a page of some kilobytes."""
    desk = BusinessCalendar.weekly("mon-fri 09:00-12:00 13:00-17:00", zone="Europe/London")
    h = history("Europe/London").opened("2020-03-02 09:00")
    told = evaluate(h.events, resolution(hours(4000), desk), h.at("2025-03-02 09:00")).explain()
    assert len(told.segments) > 5000
    assert len(told.html()) < 60_000
    assert len(kinds(drawn(told))) <= 1000


def test_a_sliver_among_wide_stretches_stays_where_it_is():
    """A minute of pause in a month is a minute, at its place."""
    told = [
        Stretch("run", 0, 10 * DAY),
        Stretch("pause", 10 * DAY, 10 * DAY + H // 60),
        Stretch("run", 10 * DAY + H // 60, 30 * DAY),
    ]
    assert visible(told, 30 * DAY) == told


def test_neighbours_that_show_the_same_are_one():
    """No seam is drawn between them; what does not touch is not joined."""
    told = [Stretch("run", 0, 10), Stretch("run", 10, 20), Stretch("run", 25, 30)]
    assert visible(told, 30) == [Stretch("run", 0, 20), Stretch("run", 25, 30)]
    assert visible([], 30) == []


@pytest.mark.law
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 10**6)), max_size=400))
def test_gathering_moves_no_kind_by_more_than_a_slot(drawn_):
    """The whole is covered without gap, each kind keeps its length, and all stays in order."""
    told, at = [], 0
    for kind, length in drawn_:
        told.append(Stretch(kind, at, at + length))
        at += length
    found = visible(told, max(at, 1))
    assert lengths(found) == lengths(told)
    assert [one.start for one in found] == [0, *(one.end for one in found[:-1])][: len(found)]
    assert len(found) <= 500 + 200 * len(KINDS)


# --- ticks --------------------------------------------------------------------------------------


def test_ticks_show_the_local_clock_in_real_time():
    """On a fold night one o'clock comes twice, on a gap night it is missing (Europe/London, 2026)."""
    back = ticks(us("2026-10-24T22:00+01:00"), us("2026-10-25T05:00+00:00"), "Europe/London")
    assert [text for _, text in back] == [
        "22:00",
        "23:00",
        "10-25",
        "01:00",
        "01:00",
        "02:00",
        "03:00",
        "04:00",
        "05:00",
    ]
    assert {b - a for (a, _), (b, _) in pairwise(back)} == {H}
    forward = ticks(us("2026-03-28T22:00+00:00"), us("2026-03-29T05:00+01:00"), "Europe/London")
    assert [text for _, text in forward] == ["22:00", "23:00", "03-29", "02:00", "03:00", "04:00", "05:00"]


def test_days_begin_at_the_local_midnight():
    """In Sao Paulo 15 October 2017 began at one o'clock; Samoa had no 30 December 2011."""
    missing = ticks(us("2017-10-12T12:00-03:00"), us("2017-10-18T12:00-02:00"), "America/Sao_Paulo")
    assert (us("2017-10-15T01:00-02:00"), "10-15") in missing
    left_out = ticks(us("2011-12-27T00:00-10:00"), us("2012-01-03T00:00+14:00"), "Pacific/Apia")
    assert [text for _, text in left_out] == ["12-27", "12-28", "12-29", "12-31", "01-01", "01-02", "01-03"]


def test_weeks_begin_on_monday_and_longer_steps_tell_the_year():
    """2026-03-02 is a Monday."""
    weeks = ticks(us("2026-03-01T00:00+00:00"), us("2026-05-01T00:00+00:00"), "UTC")
    assert [text for _, text in weeks][:2] == ["03-02", "03-09"]
    years = ticks(us("2020-01-01T00:00+00:00"), us("2026-01-01T00:00+00:00"), "UTC")
    assert 1 <= len(years) <= 6
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", text) for _, text in years)


@pytest.mark.law
@given(
    st.integers(0, us("2200-01-01T00:00+00:00")),
    st.integers(1, 60 * 365 * DAY) | st.integers(1, 3 * DAY),
    st.sampled_from(
        ["Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]
    ),
)
def test_ticks_are_few_and_lie_on_the_strip(start, extent, zone):
    """Never so many that their words would meet, in order, and each where the clock reads so."""
    found = ticks(start, start + extent, zone)
    assert len(found) <= 13
    assert [at for at, _ in found] == sorted({at for at, _ in found})
    assert all(start <= at <= start + extent for at, _ in found)


# --- in a browser -------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 390])
def test_pictures_fit_and_their_words_read(browser, tmp_path, told, history, resolution, office, width):
    """No sideways scroll, no word below 11 pixels, none on another; nothing is loaded."""
    h = history("Europe/Berlin").opened("2025-03-03 09:00")
    long = evaluate(h.events, resolution(hours(900), office), h.at("2026-02-02 09:00")).explain()
    page = tmp_path / "clocks.html"
    shown = "".join(f"{one.draw('en')}{one.draw('zh')}" for one in (told, long))
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{shown}</body>", encoding="utf-8")
    driver = browser(width)
    driver.get(page.as_uri())
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    labels = [one for one in driver.execute_script(LABELS) if one[5]]
    assert len(labels) > 40
    assert min(size for *_, size, _ in labels) >= 11
    assert all(left >= 0 and right <= width for left, _, right, *_ in labels)
    assert not overlaps(labels)
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
