"""The words of reports: both languages, exact lengths, local moments."""

import datetime as dt
import string
from zoneinfo import ZoneInfo

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.reporting import words


@pytest.mark.parametrize("key", words._TABLE)
def test_both_languages_fill_in_the_same_facts(key):
    """A phrase names the same places in English and in Chinese."""
    english, chinese = ({f for _, f, *_ in string.Formatter().parse(t) if f} for t in words._TABLE[key])
    assert english == chinese


def test_a_language_that_is_not_spoken_is_refused_with_the_choices():
    """An unknown language names the known ones."""
    assert words.known("zh") == "zh"
    with pytest.raises(InvalidValue, match="en, zh"):
        words.known("fr")


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (dt.timedelta(0), "0s", "0秒"),
        (dt.timedelta(minutes=14, seconds=36), "14m 36s", "14分钟36秒"),
        (dt.timedelta(hours=48, minutes=22), "48h 22m", "48小时22分钟"),
        (dt.timedelta(seconds=59, microseconds=999_999), "59s", "59秒"),
    ],
)
def test_lengths_are_said_in_hours_never_in_days(value, en, zh):
    """Open time reads in hours, minutes and whole seconds, rounded down."""
    assert (words.length(value, "en"), words.length(value, "zh")) == (en, zh)


def test_moments_are_local_and_show_seconds_only_where_there_are_some():
    """2:30 UTC is 10:30 in Shanghai."""
    at = dt.datetime(2024, 2, 4, 2, 30, tzinfo=dt.UTC)
    assert words.moment(at, ZoneInfo("Asia/Shanghai")) == "2024-02-04 10:30"
    assert words.moment(at.replace(second=7), dt.UTC) == "2024-02-04 02:30:07"


@pytest.mark.parametrize(("share", "shown"), [("3/4", "75"), ("1", "100"), ("1/8", "12.5")])
def test_stored_shares_read_as_percent(share, shown):
    """Shares are stored exactly and shown as percent."""
    assert words.percent(share) == shown
