"""What careless and hostile callers give: each of these once got a wrong answer or a bare error."""

import copy
import datetime as dt
import pickle
import time
import warnings

import pytest

from itsm_core.business_time import (
    BusinessCalendar,
    Holiday,
    HolidayList,
    Schedule,
    YearlyHoliday,
    business_days,
    hours,
    national_holidays,
    never,
)
from itsm_core.business_time.windows import printable
from itsm_core.errors import BeyondHorizon, InvalidValue, ItsmError, NeverOpens

AT = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
EVE = dt.datetime(2024, 12, 24, 10, tzinfo=dt.UTC)


def office(hours_="mon-fri 08:00-17:00", zone="UTC", **rules):
    """An office of its own rules."""
    return BusinessCalendar.weekly(hours_, zone=zone, **rules)


# Two ways to say holidays, whether they are the same rules, and who is closed on Christmas Eve at ten.
PARTS = [
    (["2024-12-24 00:00-12:00", "2024-12-24 12:00-24:00"], ["2024-12-24"], True, [True, True]),
    (["2024-12-24 00:00-12:00", "2024-12-24 12:00-24:00"], [], False, [True, False]),
    (["2024-12-24 00:00-12:00", "12-24 12:00-24:00"], ["12-24 12:00-24:00"], False, [True, False]),
    (["2024-12-24", "2024-12-24 12:00-24:00"], ["2024-12-24"], True, [True, True]),
    (["12-24..12-26"], ["12-24", "12-25", "12-26"], True, [True, True]),
    (["12-30..01-02"], ["12-30", "12-31", "01-01", "01-02"], True, [False, False]),
    ([{"date": "12-24", "since": 2020}], ["12-24"], False, [True, True]),
    (["02-28..03-01"], ["02-28", "02-29", "03-01"], True, [False, False]),
    (["03-31..03-29"], ["04-01..03-30"], False, [True, True]),  # each leaves one date, and another one
]


@pytest.mark.parametrize(("one", "other", "equal", "closed"), PARTS, ids=[str(row[:2]) for row in PARTS])
def test_holidays_that_close_alike_are_alike_and_no_others(one, other, equal, closed):
    """The fingerprint follows what is closed, whichever calendar was asked first."""
    first, second = office(holidays=one), office(holidays=other)
    assert (first == second) is equal
    assert (first.fingerprint == second.fingerprint) is equal
    assert [not calendar.is_open(EVE) for calendar in (first, second)] == closed


def test_dated_rules_to_the_end_of_the_century_hide_no_summer():
    """London's summer time makes 09:00 there 08:00 UTC also in 2100."""
    both = office("daily 09:00-10:00", "Europe/London", holidays=["2099-12-27"]) & office("daily 08:00-09:00")
    found = both.next_open(dt.datetime(2099, 12, 30, tzinfo=dt.UTC))
    assert found == dt.datetime(2100, 3, 28, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize("holidays", [["07-01..06-30"], ["12-30..01-02", "01-03..12-29"]])
def test_yearly_holidays_that_leave_nothing_are_refused(holidays):
    """A desk closed on every date of every year never opens."""
    with pytest.raises(NeverOpens):
        office("daily 09:00-17:00", holidays=holidays)


def test_zones_that_move_together_never_meet_by_a_wrong_offset():
    """London and Berlin keep an hour between them; Paris and Berlin none."""
    nine = {zone: office("mon-fri 09:00-10:00", f"Europe/{zone}") for zone in ("London", "Berlin", "Paris")}
    assert (nine["London"] & nine["Berlin"]).next_open(AT) is None
    assert (nine["Paris"] & office("mon-fri 10:00-11:00", "Europe/Berlin")).next_open(AT) is None


def test_a_yearly_holiday_that_has_ended_hides_nothing_any_more():
    """Until 2020 Christmas left the desk without its competitor; since then nothing does."""
    taken = office("mon-fri 08:00-18:00", holidays=[{"date": "12-25", "until": 2020}])
    rest = office("mon-fri 09:00-17:00") - taken
    assert rest.next_open(AT) is None
    assert rest.previous_close(AT) == dt.datetime(2020, 12, 25, 17, tzinfo=dt.UTC)


def test_a_holiday_in_2300_does_not_close_the_desk_for_ever():
    """Only one that lasts beyond all that is counted does."""
    desk = office("mon-fri 09:00-17:00", holidays=["2300-01-01"])
    assert desk.next_open(dt.datetime(2300, 1, 1, 10, tzinfo=dt.UTC)) == dt.datetime(
        2300, 1, 2, 9, tzinfo=dt.UTC
    )
    closed = office("mon-fri 09:00-17:00", holidays=["2030-01-01..2400-01-01"])
    assert closed.next_open(dt.datetime(2030, 1, 1, tzinfo=dt.UTC)) is None


def test_the_horizon_is_the_same_whatever_was_asked_before():
    """A search that comes near it teaches the table nothing beyond."""
    desk = office("mon-fri 09:00-17:01", "Asia/Tokyo")
    before, last = dt.datetime(1899, 6, 1, tzinfo=dt.UTC), dt.datetime(2300, 12, 31, 23, tzinfo=dt.UTC)
    for _ in range(2):
        for refused in (
            lambda: desk.is_open(before),
            lambda: desk.previous_close(dt.datetime(1900, 1, 1, tzinfo=dt.UTC)),
            lambda: desk.next_start(last),
            lambda: desk.elapsed(before, AT),
            lambda: desk.add(before, hours(1)),
        ):
            with pytest.raises(BeyondHorizon):
                refused()
    first = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
    end = dt.datetime(2301, 1, 1, tzinfo=dt.UTC)
    assert desk.elapsed(first, end) > dt.timedelta(0)
    assert BusinessCalendar.always("UTC").next_close(first) is None
    assert BusinessCalendar.always("UTC").elapsed(first, end) == end - first
    assert BusinessCalendar.always("UTC").subtract(end, end - first) == first


def test_the_first_days_of_1900_are_counted_in_the_east():
    """Where the local year begins before the horizon, pictures and business days go on."""
    desk = office("daily 06:00-08:00", "Asia/Shanghai")
    assert "1900" in str(desk.month(1900, 1))
    both = desk & office("daily 00:00-23:59", "Asia/Tokyo")
    start = dt.datetime(1900, 5, 5, 22, tzinfo=dt.UTC)
    assert both.add(start, business_days(3)) == start + dt.timedelta(days=3)


def test_combinations_are_refused_where_their_copy_would_be():
    """Twenty floors, by operators as well as from a file; what was built can be copied."""
    deep = office()
    with pytest.raises(InvalidValue, match="nested over 20 deep"):  # noqa: PT012 - it grows until refused
        for i in range(20):
            last = deep
            deep = (deep | office(f"sat {i:02d}:00-{i + 1:02d}:00")) & office(f"daily {i // 2:02d}:00-23:30")
    assert copy.deepcopy(last) == last
    assert pickle.loads(pickle.dumps(last)) == last


def test_holidays_without_hours_are_the_empty_calendar():
    """Whatever a schedule without hours says, it is `never`, and so is its copy."""
    empty = BusinessCalendar("UTC", Schedule.of((), holidays=["2024-01-01"]))
    assert empty == never("UTC") == copy.copy(empty) == BusinessCalendar.from_json(empty.to_json())
    assert (office() | empty) == office()


class Desk(BusinessCalendar):
    """A calendar of a host product's own."""


def test_a_copy_is_of_the_same_kind():
    """Copied, pickled and combined."""
    desk = Desk.weekly("mon 09:00-17:00", zone="UTC")
    for again in (copy.copy(desk), copy.deepcopy(desk), pickle.loads(pickle.dumps(desk)), desk & desk):
        assert type(again) is Desk
        assert again == desk


HALF = "a\ud800"
REFUSED = [
    ("half a surrogate pair", lambda: office(name=HALF), "half a surrogate pair"),
    ("in a holiday", lambda: office(holidays=[("2024-01-01", HALF)]), "half a surrogate pair"),
    ("in JSON", lambda: BusinessCalendar.from_json('{"tz":"UTC","hours":"mon 09:00-10:00","name":"\\ud800"}'), "surrogate"),
    ("a pair of pairs", lambda: office(holidays=[[[["2024-01-01", "a"], "b"], "c"]]), "is neither date, range"),
    ("a deep pair", lambda: BusinessCalendar.from_json(
        '{"tz":"UTC","hours":"mon 09:00-10:00","holidays":[' + "[" * 880 + '"2024-01-01"' + ',"a"]' * 880 + "]}"), "is neither date"),
    ("a source that is no text", lambda: BusinessCalendar.from_dict({"tz": "UTC", "hours": "mon 09:00-10:00", "sources": [{}]}), "source"),
    ("29 February twice a month", lambda: office(holidays=[YearlyHoliday((2, 30), (2, 30))]), '"02-30" is no month and day'),
    ("a month of three parts", lambda: YearlyHoliday((2, 3, 4), (2, 3)), "is no month and day"),
    ("hours that end before they begin", lambda: Holiday("2024-01-01", "2024-01-01", closed=((5, 1),)), "is no HH:MM"),
    ("no JSON at all", lambda: BusinessCalendar.from_json(None), "is no JSON"),
    ("a number as a key", lambda: BusinessCalendar.from_dict({"tz": "UTC", 10**5000: 1}), "a key that is no text"),
    ("neither yes nor no", lambda: office(cut_at_midnight="no"), "is neither True nor False"),
    ("never, in words", lambda: BusinessCalendar.from_dict({"tz": "UTC", "never_opens": "false"}), "is neither true nor false"),
    ("never, with hours", lambda: BusinessCalendar.from_dict({"tz": "UTC", "never_opens": True, "hours": "mon 09:00-10:00"}), "never opens and has hours"),
    ("another zone than the base's", lambda: BusinessCalendar.from_dict({"tz": "Asia/Tokyo", "base": office().to_dict()}), "differs from that of the base"),
    ("a nested name of a number", lambda: BusinessCalendar.from_dict({"base": {**office().to_dict(), "name": 5}}), "name 5: is no text"),
    ("a nested version of a text", lambda: BusinessCalendar.from_dict({"base": office().to_dict(), "version": "x"}), "is no version"),
    ("a combination in another zone", lambda: BusinessCalendar("Asia/Tokyo", (office() & office("sat 09:00-10:00")).rules), "is not that of the combination"),
    ("a thousand yearly ranges", lambda: office(holidays=[{"from": "01-01", "to": "12-30", "name": str(i)} for i in range(400)]), "are more than 10000"),
    ("a text as a list", lambda: HolidayList("2024-12-25"), "give a list"),
]  # fmt: skip


@pytest.mark.parametrize(("give", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_used_is_refused_by_name(give, words):
    """An error of ours, that says what is wrong."""
    with pytest.raises(InvalidValue, match=words):
        give()


def test_hours_taken_away_again_are_refused_by_the_constructor_too():
    """A Monday valid for one week, and that Monday a holiday."""
    week = BusinessCalendar.weekly(
        "mon 09:00-17:00", zone="UTC", valid_from="2024-01-01", valid_to="2024-01-07"
    ).rules.weeks
    with pytest.raises(NeverOpens):
        BusinessCalendar("UTC", Schedule.of(week, holidays=["2024-01-01"]))


def test_an_instant_that_is_missing_in_pandas_is_refused():
    """NaT claims to be a datetime, NA to be nothing."""
    pandas = pytest.importorskip("pandas")
    for missing in (pandas.NA, pandas.NaT):
        with pytest.raises(InvalidValue, match="is a missing instant"):
            office().is_open(missing)


def test_numbers_without_bounds_get_a_short_answer():
    """No message prints hundreds of digits, and nothing counts for minutes."""
    for far in (10**400, 10**5000):
        with pytest.raises(BeyondHorizon) as caught:
            office().elapsed_us(0, far)
        assert len(str(caught.value)) < 200
    start = time.perf_counter()
    for days in (50_000_000, 10**8):
        with pytest.raises(BeyondHorizon, match="number of business days"):
            office().add(AT, business_days(days))
    with pytest.raises(BeyondHorizon, match="number of business days"):
        office().add(AT, business_days(100_000))
    for year in (1, 9999):
        with pytest.raises(BeyondHorizon):
            office(holidays=["12-25"]).next_holiday(dt.datetime(year, 6, 1, tzinfo=dt.UTC))
    assert time.perf_counter() - start < 10


def test_the_year_of_what_is_too_far_is_right():
    """A microsecond beyond the horizon lies in 2301, and a day may begin a century."""
    for year, at in (
        (2301, dt.datetime(2301, 1, 1, 0, 0, 0, 1)),
        (2400, dt.datetime(2400, 1, 1)),
        (1899, dt.datetime(1899, 12, 31)),
    ):
        with pytest.raises(BeyondHorizon, match=f"in the year {year} lies"):
            office().is_open(at.replace(tzinfo=dt.UTC))


def test_a_semicolon_in_a_text_cuts_no_message():
    """What was found wrong is told whole."""
    with pytest.raises(InvalidValue, match=r"'09;00': is no HH:MM"):
        office(shifts={"2024-01-01": [["09;00", "10:00"]]})


def test_a_name_cannot_move_the_cursor_or_forge_a_line():
    """Controls and overrides of direction are replaced where names are shown; data keep them."""
    name = "\x1b[2J\nWed 3 Jan: fake\u202e"
    explained = office(holidays=[("2024-01-02", name)]).explain(AT, hours(20))
    shown = str(explained) + explained._repr_html_()
    assert not {"\x1b", "\u202e"} & set(shown)
    assert (
        sum("fake" in line and "\N{REPLACEMENT CHARACTER}[2J" in line for line in str(explained).splitlines())
        == 1
    )
    assert any(name in line.reason for line in explained.lines)
    assert printable("Fête nationale 国庆节 🎆") == "Fête nationale 国庆节 🎆"


def test_html_shows_as_much_as_text():
    """Of many lines the first and the last; how many are missing is said."""
    explained = office().explain(AT, hours(5000))
    assert explained._repr_html_().count("<tr>") == str(explained).count("\n") + 1
    assert f"{len(explained.lines) - 60} more lines" in explained._repr_html_()


def test_what_the_package_does_not_know_is_not_claimed():
    """India's dates are known from 2001 to 2035; beyond, the caller says how far to trust them."""
    pytest.importorskip("holidays")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidValue, match="are not all known"):
            national_holidays("IN", years=range(2034, 2040))
        trusted = national_holidays("IN", years=range(2034, 2040), known_until="2035-12-31")
    assert trusted.known_until == dt.date(2035, 12, 31)


def test_a_list_by_hand_is_read_like_any_other():
    """Texts and mappings within it, and what it says besides goes along."""
    listed = HolidayList(["2026-12-25"], shifts={"2026-12-26": "09:00-10:00"}, known_until="2026-12-31")
    desk = office("mon-fri 09:00-17:00", holidays=listed.only(lambda day: day.first.year == 2026))
    christmas = dt.datetime(2026, 12, 25, 10, tzinfo=dt.UTC)
    assert desk.next_open(christmas) == dt.datetime(2026, 12, 26, 9, tzinfo=dt.UTC)
    assert desk.to_dict()["known_until"] == "2026-12-31"
    assert [day.dates for day in desk.holidays_on("2026-12-25")] == ["2026-12-25"]
    assert desk.holidays_on("2026-12-24") == ()
    own = office(holidays=["2026-12-25"], known_until="2026-12-31")
    assert own.explain(dt.datetime(2027, 1, 4, 9, tzinfo=dt.UTC), hours(1)).notes


def test_objects_of_the_holidays_package_may_stand_among_others():
    """Alone or in a list; how far they reach is read from them."""
    holidays = pytest.importorskip("holidays")
    alone = office(holidays=holidays.country_holidays("DE", years=2026))
    among = office(holidays=[holidays.country_holidays("DE", years=2026), "2026-12-24"])
    assert alone.to_dict()["known_until"] == among.to_dict()["known_until"] == "2026-12-31"
    assert len(among.holidays) == len(alone.holidays) + 1
    with pytest.raises(InvalidValue, match="only the years it was asked for"):
        office(holidays=holidays.country_holidays("DE"))


def test_a_union_gives_the_weightiest_reason_of_its_zone():
    """Good Friday is a holiday, also beside a calendar that has that day off anyway."""
    week = office("mon-fri 09:00-17:00", holidays=[("2026-04-03", "Good Friday")])
    for other in ("sat 10:00-13:00", "sun 11:00-13:00", "tue 07:00-08:00", "wed 20:00-21:00"):
        united = week | office(other)
        friday = dt.datetime(2026, 4, 3, 10, tzinfo=dt.UTC)
        reasons = [name for _, _, name in united.closures(friday, friday + dt.timedelta(hours=2))]
        assert reasons == ["holiday: Good Friday"]
    zones = office("sat 10:00-13:00", "Asia/Tokyo") | office("sun 11:00-13:00", "Asia/Seoul")
    assert next(iter((never("UTC") | zones).closures(AT, AT + dt.timedelta(hours=1))))[2]


def test_the_next_holiday_is_none_of_what_is_taken_away():
    """A subtracted calendar's holidays are no days off of the desk."""
    maintenance = office("sat 00:00-06:00", holidays=[("2024-01-02", "no maintenance")])
    desk = office("mon-sat 00:00-24:00", holidays=[("2024-05-01", "May Day")])
    assert (desk - maintenance).next_holiday(AT).name == "May Day"
    assert [h.name for h in (desk - maintenance).holidays] == ["May Day"]


def test_every_refusal_is_an_error_of_ours():
    """So that a host needs one except clause."""
    for give, _ in (row[1:] for row in REFUSED):
        with pytest.raises(ItsmError):
            give()
