"""Libraries that count business time, each behind one small adapter.

An adapter is given the peer's module and the hours of a desk and hands back the peer's own calls
with the conversions to and from its own types. The conversions run outside the timer.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.metadata
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = dt.timedelta(minutes=1)
FIRST_YEAR, AFTER_LAST_YEAR = 2015, 2031


@dataclass(frozen=True)
class Hours:
    """The same windows on each of some weekdays in London; an end up to its start is the next day's."""

    weekdays: tuple[int, ...]
    windows: tuple[tuple[dt.time, dt.time], ...]
    holidays: tuple[dt.date, ...] = ()

    @property
    def day(self) -> tuple[dt.time, dt.time]:
        """From the first opening to the last closing of a day."""
        return self.windows[0][0], self.windows[-1][1]

    @property
    def gaps(self) -> list[tuple[dt.time, dt.time]]:
        """The breaks between the windows of a day."""
        return [(a[1], b[0]) for a, b in zip(self.windows, self.windows[1:], strict=False)]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The windows as HH:MM."""
        return [(f"{start:%H:%M}", f"{end:%H:%M}") for start, end in self.windows]


def same(value: Any) -> Any:
    """The value itself: the peer takes what the standard library has."""
    return value


def naive(at: dt.datetime) -> dt.datetime:
    """The local time without its zone, for peers that know none."""
    return at.replace(tzinfo=None)


def aware(at: dt.datetime) -> dt.datetime:
    """The instant that a peer's naive local time means."""
    return at.replace(tzinfo=ZONE)


class Calls(NamedTuple):
    """What a peer does, in its own types, and how to get there from aware datetimes in London."""

    elapsed: Callable[[Any, Any], Any] | None
    add: Callable[[Any, Any], Any] | None = None
    instant: Callable[[dt.datetime], Any] = same
    end: Callable[[dt.datetime], Any] | None = None  # of a span, where it differs from its start
    budget: Callable[[dt.timedelta], Any] = same
    seconds: Callable[[Any], float] = dt.timedelta.total_seconds
    moment: Callable[[Any], dt.datetime] = same


class Peer(NamedTuple):
    """A library, and whether its day may have a break and its hours may cross midnight and DST."""

    name: str
    distribution: str
    module: str
    make: Callable[[Any, Hours], Calls]
    lunch: bool = True
    zoned: bool = False  # takes part in the DST check
    overnight: bool = True  # there also with hours over midnight
    note: str = ""

    def version(self) -> str | None:
        """The installed version, or None."""
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return None

    def calls(self, hours: Hours) -> Calls:
        """The peer's calls for some hours."""
        return self.make(importlib.import_module(self.module), hours)


# --- with time zones -------------------------------------------------------------------------


def _calendar(module: Any, hours: Hours) -> Any:
    days = {WEEKDAYS[day]: hours.texts for day in hours.weekdays}
    return module.BusinessCalendar.weekly(days, zone=ZONE, holidays=hours.holidays)


def itsm_core(module: Any, hours: Hours) -> Calls:
    """Ours, on aware datetimes."""
    desk = _calendar(module, hours)
    return Calls(desk.elapsed, desk.add)


def itsm_core_integers(module: Any, hours: Hours) -> Calls:
    """Ours, on integer microseconds."""
    desk = _calendar(module, hours)
    return Calls(
        desk.elapsed_us,
        desk.add_us,
        lambda at: round(at.timestamp()) * 1_000_000,
        budget=lambda length: length // dt.timedelta(microseconds=1),
        seconds=lambda us: us / 1e6,
        moment=lambda us: dt.datetime.fromtimestamp(us / 1e6, dt.UTC),
    )


def workclock(module: Any, hours: Hours) -> Calls:
    """A core in Rust behind aware datetimes."""
    days = list(hours.weekdays)
    rules = [module.WorkDay(*hours.day, days)]
    rules += [module.Break(*gap, days) for gap in hours.gaps]
    rules += [module.Holidays(hours.holidays)] * bool(hours.holidays)
    schedule = module.Schedule(rules, time_zone=ZONE)
    return Calls(schedule.between, schedule.add)


def businesstimedelta(module: Any, hours: Hours) -> Calls:
    """Rules that are asked for the next period; the zone is pytz's."""
    zone = importlib.import_module("pytz").timezone(ZONE.key)
    days = list(hours.weekdays)
    rules = [module.WorkDayRule(*hours.day, days, tz=zone)]
    rules += [module.LunchTimeRule(*gap, days, tz=zone) for gap in hours.gaps]
    if hours.holidays:  # past the last one it raises, hence a far one
        dates = {*hours.holidays, dt.date(AFTER_LAST_YEAR, 12, 25)}
        rules.append(module.HolidayRule(dates, tz=zone))
    desk = module.Rules(rules)
    return Calls(
        desk.difference,
        operator.add,
        lambda at: at.astimezone(zone),  # within one ZoneInfo it would subtract wall-clock times
        budget=lambda length: module.BusinessTimeDelta(desk, timedelta=length),
        seconds=lambda found: found.timedelta.total_seconds(),
    )


def django_bizcal(module: Any, hours: Hours) -> Calls:
    """Windows of each day in turn; needs Django, but no settings."""
    providers = importlib.import_module("django_bizcal.providers")
    windows = [(start, end, int(end <= start)) for start, end in hours.texts]
    calendar = module.WorkingCalendar(
        tz=ZONE,
        weekly_schedule=dict.fromkeys(hours.weekdays, windows),
        holiday_provider=providers.SetHolidayProvider.from_dates(hours.holidays),
    )
    return Calls(calendar.business_time_between, calendar.add_business_time)


def opening_hours(module: Any, hours: Hours) -> Calls:
    """The grammar of OpenStreetMap; elapsed time is the sum of its open intervals."""
    days = ",".join(WEEKDAYS[day][:2].title() for day in hours.weekdays)
    rules = [f"{days} {','.join('-'.join(window) for window in hours.texts)}"]
    rules += [f"{date:%Y %b %d} off" for date in hours.holidays]
    desk = module.OpeningHours("; ".join(rules), timezone=ZONE)
    is_open = module.State.OPEN

    def elapsed(start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        spans = (b.astimezone(dt.UTC) - a.astimezone(dt.UTC)
                 for a, b, state, _ in desk.intervals(start, end) if state == is_open)  # fmt: skip
        return sum(spans, dt.timedelta())

    return Calls(elapsed)


def exchange_calendars(module: Any, hours: Hours) -> Calls:
    """Trading minutes of an exchange with one break; spans end with the minute before."""
    (gap,) = hours.gaps
    rules = {
        "name": "desk",
        "tz": ZONE,
        "weekmask": "".join(str(int(day in hours.weekdays)) for day in range(7)),
        "open_times": ((None, hours.day[0]),),
        "break_start_times": ((None, gap[0]),),
        "break_end_times": ((None, gap[1]),),
        "close_times": ((None, hours.day[1]),),
        "adhoc_holidays": list(hours.holidays),
    }
    exchange = type("Exchange", (module.ExchangeCalendar,), rules)(
        f"{FIRST_YEAR}-01-01", f"{AFTER_LAST_YEAR - 1}-12-31"
    )
    stamp = importlib.import_module("pandas").Timestamp

    def add(at: Any, minutes: int) -> Any:
        return exchange.minute_offset(exchange.minute_to_trading_minute(at, "next"), minutes - 1)

    return Calls(
        exchange.minutes_distance,
        add,
        lambda at: stamp(at.astimezone(dt.UTC)),
        lambda at: stamp(at.astimezone(dt.UTC) - MINUTE),
        budget=lambda length: length // MINUTE,
        seconds=lambda minutes: minutes * 60,
        moment=lambda minute: minute.to_pydatetime() + MINUTE,
    )


def bizdurr(module: Any, hours: Hours) -> Calls:
    """One interval a day, counted in wall-clock time."""
    ((start, end),) = hours.texts
    names = [f"{dt.date(2024, 1, 1 + day):%A}".lower() for day in hours.weekdays]
    days = {name: {"start": start, "end": end} for name in names}
    desk = module.BusinessDuration(days, ZONE.key, list(hours.holidays))
    return Calls(desk.calculate)


def pandas_hours(module: Any, hours: Hours) -> Calls:
    """An offset of whole hours; it cannot count what has elapsed. Naive: aware it fails over DST."""
    return _offset(module, hours)._replace(instant=lambda at: module.Timestamp(naive(at)))


def pandas_hours_aware(module: Any, hours: Hours) -> Calls:
    """The same offset on aware stamps."""
    return _offset(module, hours)._replace(instant=module.Timestamp, moment=lambda at: at.to_pydatetime())


def _offset(module: Any, hours: Hours) -> Calls:
    starts, ends = zip(*hours.windows, strict=True)
    mask = " ".join(WEEKDAYS[day].title() for day in hours.weekdays)
    one = module.offsets.CustomBusinessHour(
        start=starts, end=ends, weekmask=mask, holidays=list(hours.holidays)
    )
    return Calls(
        None,
        operator.add,
        budget=lambda length: one * (length // dt.timedelta(hours=1)),
        moment=lambda at: aware(at.to_pydatetime()),
    )


# --- naive local time ------------------------------------------------------------------------


def numpy_idiom(module: Any, hours: Hours) -> Calls:
    """What people write by hand: whole days by `busday_count`, the two ends by `clip`."""
    mask = [day in hours.weekdays for day in range(7)]
    days = module.busdaycalendar(mask, list(hours.holidays))
    edges = [[at.hour * 3600 + at.minute * 60 for at in ends] for ends in zip(*hours.windows, strict=True)]
    opens = module.array(edges[0])
    lengths = module.array(edges[1]) - opens
    whole = int(lengths.sum())

    def elapsed(start: Any, end: Any) -> int:
        at = module.array((start, end))
        day = at.astype("M8[D]")
        seconds = (at - day).astype("int64")
        within = module.clip(seconds[:, None] - opens, 0, lengths).sum(axis=1)
        within *= module.is_busday(day, busdaycal=days)
        return module.busday_count(day[0], day[1], busdaycal=days) * whole + within[1] - within[0]

    return Calls(elapsed, instant=lambda at: module.datetime64(naive(at), "s"), seconds=float)


def timegrid(module: Any, hours: Hours) -> Calls:
    """Rules in Rust, walked window by window."""
    calendar = _grid(module, hours)
    return Calls(calendar.get_working_duration, calendar.add_work_duration, naive, moment=aware)


def timegrid_compiled(module: Any, hours: Hours) -> Calls:
    """The same rules compiled for all years; it measures and does not add."""
    first, after = dt.datetime(FIRST_YEAR, 1, 1), dt.datetime(AFTER_LAST_YEAR, 1, 1)  # noqa: DTZ001
    return Calls(_grid(module, hours).compile(first, after).get_working_duration, None, naive)


def _grid(module: Any, hours: Hours) -> Any:
    calendar = module.TimeGridCalendar.weekdays(*hours.day)
    for gap in hours.gaps:
        calendar = calendar.break_weekdays(*gap)
    for date in hours.holidays:
        calendar = calendar.close(date)
    return calendar


def calc_work_hours(module: Any, hours: Hours) -> Calls:
    """Day by day; the holidays are China's unless its table is replaced."""
    frames = importlib.import_module("work_hours.work_hours").WorkTimeFrames(*hours.windows)
    desk = module.WorkHours(frames)
    desk.xs = {f"{date:%Y%m%d}": False for date in hours.holidays}
    return Calls(desk.calc, instant=naive, seconds=lambda found: round(found * 3600))


def officehours(module: Any, hours: Hours) -> Calls:
    """Day by day, one interval."""
    ((start, end),) = hours.texts
    desk = module.Calculator(start, end, hours.holidays)
    return Calls(
        desk.working_seconds,
        lambda at, length: desk.due_date(length, at),
        naive,
        budget=lambda length: length // dt.timedelta(hours=1),
        seconds=float,
        moment=aware,
    )


def businesstime(module: Any, hours: Hours) -> Calls:
    """Day by day, one interval."""
    desk = module.BusinessTime(hours.day, holidays=set(hours.holidays))
    return Calls(desk.businesstime_hours, instant=naive)


def business_duration(module: Any, hours: Hours) -> Calls:
    """Day by day through pandas, one interval."""
    (start, end), holidays = hours.day, set(hours.holidays)

    def elapsed(a: dt.datetime, b: dt.datetime) -> float:
        return module.businessDuration(a, b, start, end, holidaylist=holidays, unit="sec")

    return Calls(elapsed, instant=naive, seconds=float)


def biztime(module: Any, hours: Hours) -> Calls:
    """Day by day, one interval."""
    rules = {
        "biz_start": hours.day[0],
        "biz_end": hours.day[1],
        "weekend": [day for day in range(7) if day not in hours.weekdays],
        "holidays": set(hours.holidays),
    }
    return Calls(module.BizTime(rules).date_diff, instant=naive)


def worktimecalc(module: Any, hours: Hours) -> Calls:
    """Weeks and holidays counted beforehand, one interval."""
    mask = "".join(str(int(day in hours.weekdays)) for day in range(7))
    return Calls(module.WorkTimeCalculator(*hours.day, mask, list(hours.holidays)), instant=naive)


PEERS = (
    Peer("itsm_core", "itsm-core", "itsm_core.business_time", itsm_core, zoned=True),
    Peer("itsm_core, integers", "itsm-core", "itsm_core.business_time", itsm_core_integers,
         note="µs since 1970"),
    Peer("workclock", "workclock", "workclock", workclock, zoned=True, note="Rust"),
    Peer("timegrid", "timegrid", "timegrid", timegrid, note="Rust; naive"),
    Peer("timegrid, compiled", "timegrid", "timegrid", timegrid_compiled, note="Rust; naive"),
    Peer("django-bizcal", "django-bizcal", "django_bizcal", django_bizcal, zoned=True),
    Peer("businesstimedelta", "businesstimedelta", "businesstimedelta", businesstimedelta, zoned=True),
    Peer("exchange_calendars", "exchange_calendars", "exchange_calendars", exchange_calendars,
         note="whole minutes of known years"),
    Peer("numpy busday_count + clip", "numpy", "numpy", numpy_idiom, note="an idiom; naive"),
    Peer("pandas CustomBusinessHour", "pandas", "pandas", pandas_hours, note="whole hours; naive"),
    Peer("pandas, aware", "pandas", "pandas", pandas_hours_aware, zoned=True, note="whole hours"),
    Peer("opening-hours-py", "opening-hours-py", "opening_hours", opening_hours, zoned=True, note="Rust"),
    Peer("calc-work-hours", "calc-work-hours", "work_hours", calc_work_hours, note="naive"),
    Peer("bizdurr", "bizdurr", "bizdurr", bizdurr, lunch=False, zoned=True, overnight=False),
    Peer("officehours", "officehours", "officehours", officehours, lunch=False, note="naive"),
    Peer("businesstime", "businesstime", "businesstime", businesstime, lunch=False,
         note="naive; loses time between two evenings"),
    Peer("business-duration", "business-duration", "business_duration", business_duration, lunch=False,
         note="naive; imports pandas in its first call"),
    Peer("biztime", "biztime", "biztime.biztime", biztime, lunch=False,
         note="naive; counts a span within a holiday or weekend"),
    Peer("worktimecalc", "worktimecalc", "worktimecalc.calc", worktimecalc, lunch=False, note="naive"),
)  # fmt: skip
