"""When a message is tried again: waits as data, by channel or urgency."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.durations import business_days, hours, minutes, seconds
from itsm_core.delivery import PAGES, RETRIES, STANDARD_WEBHOOKS, Retries, merged, retries_of
from itsm_core.errors import InvalidValue
from itsm_core.ports import Message

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def message(channel="c", **more):
    """A message by a channel."""
    return Message(
        key="k", record="I", to="a", channel=channel, subject="s", body="b", created_at=NOW, **more
    )


def test_pages_wait_5_15_30_and_60_seconds():
    """The tries of a page: at once, and after 5, 15, 30, 60 s (issue 7, "Delivery")."""
    assert [one.us // 10**6 for one in PAGES.waits] == [5, 15, 30, 60]
    assert [PAGES.wait("k", n) for n in range(5)] == [
        *(dt.timedelta(seconds=n) for n in (5, 15, 30, 60)), None,
    ]  # fmt: skip


def test_webhooks_wait_as_the_standard_says():
    """At once, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: 75:35:05 in all (Standard Webhooks)."""
    waits = [one.us // 10**6 for one in STANDARD_WEBHOOKS.waits]
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert sum(waits) == 75 * 3600 + 35 * 60 + 5


@given(st.text(), st.integers(0, 8), st.integers(0, 100))
def test_jitter_follows_from_the_key_and_never_shortens_a_wait(key, tried, jitter):
    """The same key and try have the same wait, at most so many percent longer."""
    waits = Retries(STANDARD_WEBHOOKS.waits, jitter=jitter)
    plain, wait = STANDARD_WEBHOOKS.waits[tried].timedelta, waits.wait(key, tried)
    assert plain <= wait <= plain * (100 + jitter) / 100
    assert wait == waits.wait(key, tried)


def test_jitter_spreads_what_failed_together():
    """A hundred messages that failed at one instant come back at a hundred."""
    waits = {STANDARD_WEBHOOKS.wait(f"k{n}", 3) for n in range(100)}
    assert len(waits) == 100
    assert max(waits) - min(waits) > dt.timedelta(minutes=9)  # of the twelve that 10 % of 2 h are


def test_the_longest_wait_is_known():
    """Of nothing it is nothing."""
    assert STANDARD_WEBHOOKS.longest == dt.timedelta(hours=24)
    assert Retries([]).longest == dt.timedelta(0)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Retries([dt.timedelta(seconds=5)]), r"waits .*: is no (list of )?Budget; list them by unit"),
        (lambda: Retries([business_days(1)]), "waits .*Budget; list them by unit"),
        (lambda: Retries(5), "waits 5: .*list them by unit"),
        (lambda: Retries([seconds(5)], jitter=-1), "jitter -1: is no percentage"),
        (lambda: Retries([seconds(5)], jitter=0.5), "jitter 0.5: is no percentage"),
        (lambda: Retries([seconds(5)], jitter=True), "jitter True: is no percentage"),
        (lambda: Retries([seconds(5)], jitter=101), "jitter 101: is no percentage"),
        (lambda: Retries([], on_unknown="drop"), "on_unknown 'drop': is no answer; say resend or hold"),
        (lambda: merged("often"), "retries 'often': is no table of Retries"),
        (lambda: merged({"sms": [seconds(5)]}), "retries .*: is no Retries; give Retries"),
    ],
)
def test_what_is_no_schedule_is_refused(make, told):
    """A plain number or timedelta has no unit or another meaning; the message says what to write."""
    with pytest.raises(InvalidValue, match=told):
        make()


def test_a_table_adds_to_the_shipped_one():
    """What the host does not name stays as shipped; one alone is for everything."""
    slow = Retries([hours(1)])
    assert merged(None) is RETRIES
    assert merged({"sms": slow}) == {**RETRIES, "sms": slow}
    assert retries_of(merged(slow), message("email")) is slow


def test_the_way_elsewhere_goes_before_the_channel_and_that_before_the_urgency():
    """A message that can go elsewhere does not wait for hours by email."""
    low = Retries([minutes(1)])
    table = merged({"urgency:low": low})
    other = [("bob", "sms")]
    assert retries_of(table, message("email")) is STANDARD_WEBHOOKS
    assert retries_of(table, message("webhook", urgency="low")) is STANDARD_WEBHOOKS
    assert retries_of(table, message("email", failover=other)) is PAGES
    assert retries_of(table, message("sms", urgency="low")) is low
    assert retries_of(table, message("sms")) is PAGES
