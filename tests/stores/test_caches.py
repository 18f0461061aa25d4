"""Snapshots as text: they come back as they went in, or not at all."""

import datetime as dt
import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.events import Phase, WaitsOn
from itsm_core.ports import FOLD, Snapshot
from itsm_core.records import Record
from itsm_core.sla.timeline import Mark, Promised, Said, Timeline, Word
from itsm_core.stores import caches

instants = st.integers(-(2**53), 2**53)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
maybe = st.none() | texts
marks = st.builds(
    Mark, instants, st.sampled_from(Phase), waits_on=st.none() | st.sampled_from(WaitsOn), state=texts,
    outcome=maybe, event=texts, group=maybe, assignee=maybe, owner=maybe,
)  # fmt: skip
words = st.builds(Word, instants, st.sampled_from(Said), event=texts)
promised = st.builds(
    Promised,
    instants,
    st.datetimes(dt.datetime(1980, 1, 1), timezones=st.just(dt.UTC)),
    by=texts,
    event=texts,
    channel=maybe,
)
timelines = st.builds(
    Timeline, instants, st.integers(0, 99), started_us=st.none() | instants,
    marks=st.lists(marks, max_size=4).map(tuple), words=st.lists(words, max_size=4).map(tuple),
    promised=st.lists(promised, max_size=2).map(tuple), monitored=st.booleans(),
)  # fmt: skip
RECORD = Record("I", "incident", lifecycle="incident", lifecycle_version=1, state="new", phase=Phase.NEW)


@given(timelines, st.none() | st.datetimes(dt.datetime(1980, 1, 1), timezones=st.just(dt.UTC)))
def test_a_snapshot_comes_back_as_it_went_in(timeline, due):
    """Every mark and word, whoever has it and whatever it is called; enums are enums again."""
    snapshot = Snapshot(record=RECORD, timeline=timeline, fold=FOLD, due=due)
    found = caches.read(caches.written(snapshot), 0)
    assert found == snapshot
    for one, was in zip(found.timeline.marks, timeline.marks, strict=True):
        assert (type(one.phase), type(one.waits_on)) == (type(was.phase), type(was.waits_on))
    assert all(type(word.said) is Said for word in found.timeline.words)


WHOLE = Snapshot(
    record=RECORD, fold=FOLD,
    timeline=Timeline(
        3, 1, marks=(Mark(3, Phase.NEW, waits_on=None, state="new", outcome=None, event="e"),),
        words=(Word(3, Said.REQUEST, event="e"),),
    ),
)  # fmt: skip


def test_a_snapshot_of_another_fold_is_none():
    """What `fold` made of the events then may not be what it makes of them now."""
    assert caches.read(caches.written(attrs.evolve(WHOLE, fold=FOLD - 1)), 0) is None


def test_a_snapshot_of_another_version_than_its_record_is_none():
    """Somebody wrote one of the two behind our back; the events tell what is right."""
    assert caches.read(caches.written(WHOLE), 1) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda plain: plain.pop("marks"),
        lambda plain: plain.pop("record"),
        lambda plain: plain["marks"].pop(),
        lambda plain: plain["marks"].append([0]),
        lambda plain: plain["words"][1].append("request"),
        lambda plain: plain["words"][1].__setitem__(0, "shouted"),
        lambda plain: plain["marks"].__setitem__(1, 7),
        lambda plain: plain.update(more=1),
    ],
    ids=range(8),
)
def test_a_snapshot_of_another_shape_is_none(damage):
    """It is a cache: its events tell what it would say."""
    plain = json.loads(caches.written(WHOLE))
    assert caches.read(json.dumps(plain), 0) == WHOLE
    damage(plain)
    assert caches.read(json.dumps(plain), 0) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '{"fold": 5}'])
def test_what_is_no_snapshot_is_none(text):
    """A cache that was cut off, too."""
    assert caches.read(text, 0) is None


# --- the snapshots that were wanted last ---

LATER = attrs.evolve(WHOLE, due=dt.datetime(2024, 1, 8, tzinfo=dt.UTC))


def test_the_same_text_is_read_once():
    """The very snapshot comes again; another text, or the text of another version, is read."""
    recent, text = caches.Recent(), caches.written(WHOLE)
    found = recent.read("I", text, 0)
    assert found == WHOLE
    assert recent.read("I", text, 0) is found
    assert recent.read("I", text, 1) is None
    assert recent.read("I", caches.written(LATER), 0) == LATER
    assert recent.read("I", "damaged", 0) is None


def test_only_so_many_are_kept_and_no_large_one_and_none_of_another_fold():
    """256 of at most 16 Ki characters; a record that has outgrown it is forgotten."""
    recent, text = caches.Recent(), " " * 16 * 1024
    for number in range(257):
        recent.put(f"I{number}", text, WHOLE)
    assert recent.read("I0", text, 0) is None
    assert recent.read("I1", text, 0) is recent.read("I256", text, 0) is WHOLE
    recent.put("I1", text + " ", WHOLE)
    assert recent.read("I1", text + " ", 0) is None
    recent.put("I2", text, attrs.evolve(WHOLE, fold=FOLD - 1))
    assert recent.read("I2", text, 0) is None
