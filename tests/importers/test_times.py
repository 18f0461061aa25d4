"""Wall times of a table: formats, zones, and the hour that comes twice."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.importers import Map, open_log
from itsm_core.importers.times import placed, wall_reader

BERLIN = ZoneInfo("Europe/Berlin")


@given(st.datetimes(min_value=dt.datetime(1900, 1, 1)))
@pytest.mark.parametrize("shape", ["%d/%m/%Y %H:%M", "%Y.%m.%d %H:%M:%S", "%m-%d-%Y", "%d.%m.%Y %I:%M %p"])
def test_a_plain_format_reads_what_strptime_reads(shape, moment):
    """The fast way and the slow way agree."""
    text = moment.strftime(shape)
    assert wall_reader(shape)(text) == dt.datetime.strptime(text, shape)


@pytest.mark.parametrize("text", ["2024-02-05", "30/2/2024 10:00", "1/2/2024 10:00 ", "", "?"])
def test_other_texts_are_value_errors(text):
    """What the format does not say is no instant."""
    with pytest.raises(ValueError):
        wall_reader("%d/%m/%Y %H:%M")(text)


@pytest.mark.parametrize("shape", ["%Y %Y", "%d %d", "%Q", "%Y-%m-%d %", "", "yesterday", "%e.%m.%Y"])
def test_a_format_that_cannot_be_read_is_refused_by_name(shape):
    """No row is blamed for it, and no error of the standard library's gets out."""
    with pytest.raises(InvalidValue, match=r"time_format .*cannot be read"):
        wall_reader(shape)


def test_without_a_format_texts_are_iso():
    """An offset in the text is kept, whatever the zone of the table."""
    moment = wall_reader(None)("2024-02-04T10:30:00+08:00")
    assert placed(moment, BERLIN) == dt.datetime(2024, 2, 4, 2, 30, tzinfo=dt.UTC)


def test_the_hour_that_comes_twice_follows_the_row_before():
    """First 02:50, then 02:10: the second is the later hour. Elsewhere late stays late."""
    first = placed(dt.datetime(2024, 10, 27, 2, 50), BERLIN)
    assert first.hour == 0
    assert placed(dt.datetime(2024, 10, 27, 2, 10), BERLIN, first).hour == 1
    assert placed(dt.datetime(2024, 10, 27, 2, 55), BERLIN, first).hour == 0
    late = dt.datetime(2024, 10, 27, 1, 30)
    assert placed(late, BERLIN, first) < first


def test_a_wall_time_that_did_not_exist_has_one_meaning():
    """In the gap of spring there is nothing to choose from."""
    before = dt.datetime(2024, 3, 31, 1, 20, tzinfo=dt.UTC)
    gap = dt.datetime(2024, 3, 31, 2, 10)
    assert placed(gap, BERLIN, before) == dt.datetime(2024, 3, 31, 1, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "far",
    [
        "0001-01-01T00:00+08:00",
        "9999-12-31T23:59-08:00",
        dt.datetime.max,
        dt.datetime.min.replace(tzinfo=dt.UTC),
    ],
)
def test_an_instant_at_the_end_of_time_is_refused_with_its_line(far):
    """A far year stands for an unknown instant; it is named, not counted."""
    names = Map({"case": "c", "state": "s", "at": "t"}, {"New": "new"})
    given = [{"c": "1", "s": "New", "t": "2024-02-04T10:30"}, {"c": "1", "s": "New", "t": far}]
    with pytest.raises(InvalidInput, match=r"rows, line 2: t .*outside the years 1900 to 2300") as caught:
        open_log(given, map=names).last  # noqa: B018
    assert caught.value.remedy
