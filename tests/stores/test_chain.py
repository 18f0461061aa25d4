"""Events are chained as they are written, and the bytes that are hashed are those of RFC 8785."""

import hashlib
import json
import sqlite3
from contextlib import closing
from fractions import Fraction

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itsm_core import custody
from itsm_core.errors import InvalidValue, RecordNotFound
from itsm_core.events import Event
from itsm_core.ports import Position
from itsm_core.stores.memory import MemoryStore
from itsm_core.stores.sqlite import SqliteStore
from itsm_core.values import Fields, canonical, digest, digest_of, to_dict, written

texts = st.text(st.characters(codec="utf-8"))
names = st.text(st.characters(codec="utf-8"), min_size=1)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def chain(events):
    """The links by hand: each is of the one before it and the event's digest."""
    links, link = [], ""
    for event in events:
        link = hashlib.sha256((link + event.digest).encode()).hexdigest()
        links.append(link)
    return tuple(links)


# --- the chain ---


def test_a_link_is_of_the_link_before_it_and_the_digest(store, write):
    """SQLite keeps a chain, one event or several at a time; memory keeps none."""
    first = write.changes(new=2)
    store.commit(first)
    second = write.changes("R1", first.events, new=3)
    store.commit(second)
    store.commit(write.changes("R2"))
    kept = () if isinstance(store, MemoryStore) else chain((*first.events, *second.events))
    assert store.links("R1") == kept
    assert len(set(kept)) == len(kept)


def test_a_commit_without_events_and_a_repeated_one_add_no_link(store, write):
    """Timers alone change no history."""
    done = write.changes(new=2)
    store.commit(done)
    before = store.links("R1")
    store.commit(attrs.evolve(done, expected=2, events=(), timers=(write.timer("t", 1),)))
    assert store.commit(done).repeated
    assert store.links("R1") == before


def test_an_unknown_record_has_no_chain(store):
    """Asking for its links is an error of ours."""
    with pytest.raises(RecordNotFound):
        store.links("nobody")


def test_links_are_as_many_as_the_record_had_events(file, write):
    """A gap is told by "", and a missing end by the head that the record itself keeps."""
    done = write.changes(new=4)
    with closing(SqliteStore(file)) as store:
        store.commit(done)
        whole = store.links("R1")
        with closing(sqlite3.connect(file, isolation_level=None)) as behind:
            behind.execute("DELETE FROM itsm_events WHERE seq IN (2, 4)")
        assert store.links("R1") == (whole[0], "", whole[2], whole[3])


def test_the_same_history_has_the_same_links_however_it_was_committed(tmp_path, write):
    """One event at a time or all at once."""
    told = write.changes(new=4).events
    with closing(SqliteStore(tmp_path / "one.db")) as one, closing(SqliteStore(tmp_path / "all.db")) as other:
        other.commit(write.changes(new=4))
        for version in range(4):
            one.commit(write.changes("R1", told[:version]))
        assert one.links("R1") == other.links("R1") == chain(told)


# --- the bytes that are hashed ---


@pytest.mark.law
@given(value=st.lists(values, max_size=4) | st.dictionaries(names, values, max_size=4))
@example(
    ["1,9007199254740992", ":9007199254740992", '":9007199254740991', "[1.5", ",1e5", "09:00:00.000000Z"]
)
@example({"\ufffd": 1, "\U00010000": 2, "\ud7ff": 3, "é": 4, "e\u0301": 5, "\u2028": "\x7f\x00\x1f\b"})
@example({"n": [2**53 - 1, -(2**53) + 1, 10**15, 0, -1], "t": True, "f": False, "z": None})
def test_the_quick_writer_writes_what_rfc_8785_says(value):
    """Byte for byte what the slow way writes, whatever letters and numbers there are."""
    assert written(value).encode() == canonical(value)


@pytest.mark.law
@given(parts=st.tuples(texts, names, values))
def test_the_digest_of_a_field_is_that_of_its_list(parts):
    """Of salt, name and value; texts go a quicker way to the same bytes."""
    assert digest_of(*parts) == digest(list(parts))


@pytest.mark.parametrize(
    "value",
    [
        [1.5], {"a": [1e300]}, {"a": -0.1}, [float("nan")], [float("inf")], [-float("inf")], {"a": 1e16},
        [2**53], {"a": -(2**53)}, [10**40], ["\ud800"], {"\udfff": 1}, {"a": ["x", {"\ud800": 1}]},
    ],
    ids=repr,
)  # fmt: skip
def test_the_quick_writer_refuses_what_the_slow_one_refuses(value):
    """Floats, numbers that other languages round, and halves of surrogate pairs have no digest."""
    for write in (canonical, written, digest_of):
        with pytest.raises(InvalidValue):
            write(value)


def test_a_text_that_only_looks_like_a_number_is_no_number():
    """Digests of sixteen decimal digits, amounts and times in a text change nothing."""
    odd = ["4" * 64, "a" + "1" * 20, "12,345678901234567890", '":9007199254740999', "1.5,2.5e9"]
    assert json.loads(written(odd)) == odd
    assert written(odd).encode() == canonical(odd)


def slow(event):
    """The canonical bytes as the envelope was first written down."""
    envelope = to_dict(event)
    for name in ("fields", "personal", "erased"):
        envelope.pop(name, None)
    fields = {n: digest([event.personal.get(n, ""), n, v]) for n, v in event.fields.items()}
    return canonical({**envelope, "fields": {**event.erased, **fields}})


@pytest.mark.law
@given(fields=st.dictionaries(names, values, max_size=4), channel=st.none() | texts, salt=names)
def test_an_event_is_hashed_as_it_always_was(write, fields, channel, salt):
    """Sealed or not, erased or not: the same bytes as the slow way, and its digest stays."""
    event = attrs.evolve(
        write.event("R1", 2), fields=fields, channel=channel, personal=dict.fromkeys(fields, salt)
    )
    assert event.canonical() == slow(event)
    assert event.proven() == (canonical(to_dict(event)).decode(), hashlib.sha256(slow(event)).hexdigest())
    gone = event.erase(*list(fields)[:2])
    assert gone.canonical() == slow(gone)
    assert gone.digest == event.digest == hashlib.sha256(slow(event)).hexdigest()


def test_values_that_are_made_json_first_are_hashed_the_same():
    """Shares and sets among fields are texts and lists by then."""
    kept = Fields({"share": str(Fraction(1, 3)), "who": ("a", "b")})
    assert digest_of("", "f", kept) == digest(["", "f", {"share": "1/3", "who": ["a", "b"]}])


def test_a_field_that_holds_half_a_letter_is_refused_by_its_event(write):
    """Also where somebody made the fields by hand, past the door."""
    event = Event(**{**attrs.asdict(write.event("R1", 2), recurse=False), "fields": Fields({"a": "\ud800"})})
    with pytest.raises(InvalidValue, match="surrogate"):
        _ = event.digest


# --- in every store ---


def test_a_history_can_be_moved_into_every_store_and_back(store, write, tmp_path):
    """Copied, dumped and restored, in PostgreSQL as in a file: the same events, and the same seal."""
    source, back = MemoryStore(), MemoryStore()
    told = ()
    for new in (2, 1, 600):
        done = write.changes("R1", told, new=new)
        source.commit(done)
        told += done.events
        source.commit(write.changes(f"R{len(told)}", new=2, number=f"{len(told)}"))
    report = custody.copy(source, store)
    assert (report.records, report.events, report.first) == (4, 609, None)
    custody.dump(store, tmp_path / "dump.jsonl")
    custody.restore(back, tmp_path / "dump.jsonl")
    assert custody.verify(back).seal == custody.verify(source).seal == report.seal
    assert store.read(Position(), 1000)[0] == source.read(Position(), 1000)[0]
