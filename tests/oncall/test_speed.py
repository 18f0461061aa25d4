"""How fast it is said who is on call, beside what it cannot do without: one conversion by `zoneinfo`.

A bar is a ratio, the median of nine rounds in which both sides take turns on the same instants. Noise
only ever slows, so a missed bar is measured anew, three times at most; the bound stays.
"""

import datetime as dt
import random
import statistics
import sys
import time
from zoneinfo import ZoneInfo

import pytest

from itsm_core.business_time import hours
from itsm_core.oncall import Rotation

pytestmark = pytest.mark.usefixtures("untraced")

ROUNDS, TRIES, BAR = 9, 3, 3
# CPU time, which other processes do not lengthen; Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
BERLIN = ZoneInfo("Europe/Berlin")
START = dt.datetime(2020, 1, 6, 9)
PEOPLE = tuple("abcdefgh")


def seconds(call, instants):
    """Seconds of one round."""
    start = CLOCK()
    for at in instants:
        call(at)
    return CLOCK() - start


@pytest.fixture(scope="module")
def instants():
    """Two thousand instants of ten years, on whole seconds."""
    drawn = random.Random("on call")
    first = dt.datetime(2018, 1, 1, tzinfo=dt.UTC)
    return [first + dt.timedelta(seconds=drawn.randrange(10 * 365 * 86_400)) for _ in range(2000)]


USUAL = [
    ("hourly", {"shift_length": 8}),
    ("daily", {}),
    ("weekly", {}),
    ("monthly", {}),
    ("weekly", {"every": 2}),
    ("daily", {"duration": hours(12)}),
    ("daily", {"days": "mon-fri", "shift_length": 2}),
    ("weekly", {"days": "mon-fri", "duration": hours(9), "blocks": "calendar"}),
    ("weekly", {"valid_from": START}),
]


@pytest.mark.parametrize(("kind", "words"), USUAL, ids=range(len(USUAL)))
def test_on_call_costs_at_most_three_conversions(instants, kind, words):
    """Done when, line 1: `Rotation.on_call` takes at most 3 times one conversion of the instant to the zone."""
    rotation = Rotation(kind, START, zone=BERLIN, participants=PEOPLE, **words)

    def convert(at):
        return at.astimezone(BERLIN)

    found = []
    while len(found) < TRIES and (not found or found[-1] > BAR):
        turns = [seconds(rotation.on_call, instants) / seconds(convert, instants) for _ in range(ROUNDS)]
        found.append(statistics.median(turns))
        print(f"{kind} {words}: {found[-1]:.2f} conversions (bar {BAR})")
    assert min(found) <= BAR
