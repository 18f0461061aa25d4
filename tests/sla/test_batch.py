"""Many records judged one by one: lazily, in constant memory, and no bad history ends the batch."""

import datetime as dt
import tracemalloc
from itertools import groupby

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.events import Event
from itsm_core.sla import Agreement, Judged, Problem, Target, evaluate_all, judge
from itsm_core.sla.many.batch import read_all

UTC = dt.UTC
AT = dt.datetime(2026, 3, 31, tzinfo=UTC)
AROUND = BusinessCalendar.always("UTC")
ANA = Actor.person("ana", "agent")


def agreement(id="standard", **rest):
    """A resolution within two hours, around the clock."""
    fix = Target("fix", "resolution", duration="2h", calendar=AROUND, pauses_on={"requester"})
    return Agreement(id, 1, targets=[fix], **rest)


def opened(record, hour=9, **fields):
    """The opening of a record on 2 March 2026, at an hour UTC."""
    at = dt.datetime(2026, 3, 2, hour, tzinfo=UTC)
    fields = {"phase": "new", "priority": "P3"} | fields
    return Event(
        id=f"{record}/1", record=record, seq=1, kind="opened", occurred_at=at, recorded_at=at, actor=ANA,
        fields=fields,
    )  # fmt: skip


def later(record, seq, hour, phase, *, recorded=None, **fields):
    """A move of a record on that day; `recorded` is the hour at which it became known."""
    at = dt.datetime(2026, 3, 2, hour, tzinfo=UTC)
    known = at if recorded is None else at.replace(hour=recorded)
    return Event(
        id=f"{record}/{seq}", record=record, seq=seq, kind="transitioned", occurred_at=at, recorded_at=known,
        actor=ANA, to_state=phase, fields={"phase": phase, **fields},
    )  # fmt: skip


def solved(record, hour=10, **fields):
    """A record opened at nine and resolved at an hour."""
    return [opened(record, **fields), later(record, 2, hour, "resolved")]


def broken():
    """A history whose second event cannot be made: its date has no zone."""
    yield opened("INC-9")
    attrs.evolve(opened("INC-9"), occurred_at=dt.datetime(2026, 3, 2, 9))
    yield from ()


# --- what comes out -----------------------------------------------------------------------------


def test_each_record_comes_with_its_clocks_in_the_order_given():
    """As `judge` gives them for one record, beside the record and the agreement that judged it."""
    histories = [solved("INC-1"), solved("INC-2", 12)]
    one, two = evaluate_all(histories, agreement(), AT)
    assert (one.id, one.record.id, one.agreement, one.problem) == ("INC-1", "INC-1", "standard@1", None)
    assert one.clocks == judge(histories[0], agreement(), AT)
    assert [str(found.clocks["resolution"].verdict) for found in (one, two)] == ["met", "breached"]
    assert one.covered


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([solved("INC-1"), solved("INC-2")], id="list"),
        pytest.param({"INC-1": solved("INC-1"), "INC-2": solved("INC-2")}, id="mapping"),
        pytest.param([("INC-1", solved("INC-1")), ("INC-2", solved("INC-2"))], id="pairs"),
        pytest.param((tuple(solved(name)) for name in ("INC-1", "INC-2")), id="generator"),
        pytest.param(iter([iter(solved("INC-1")), iter(solved("INC-2"))]), id="of generators"),
    ],
)
def test_histories_are_given_as_they_are_at_hand(given):
    """A mapping by id, pairs, or the histories alone; lists or iterators."""
    assert [one.id for one in evaluate_all(given, agreement(), AT)] == ["INC-1", "INC-2"]


def test_a_sorted_stream_of_events_is_grouped_by_record_on_the_way():
    """The pairs of `itertools.groupby` are taken as they come."""
    stream = [*solved("INC-1"), *solved("INC-2", 12)]
    found = [*evaluate_all(groupby(stream, key=lambda event: event.record), agreement(), AT)]
    assert [(one.id, one.clocks["resolution"].breached) for one in found] == [
        ("INC-1", False),
        ("INC-2", True),
    ]


def test_a_record_goes_by_the_id_it_was_given_under():
    """A host's own number, whatever it is, stays the name of the result."""
    (one,) = evaluate_all({4711: solved("INC-1")}, agreement(), AT)
    assert (one.id, one.record.id) == ("4711", "INC-1")


def test_a_history_of_two_events_is_no_pair():
    """A tuple of two events is a history, not an id with a history."""
    (one,) = evaluate_all([tuple(solved("INC-1"))], agreement(), AT)
    assert one.problem is None


def test_nothing_is_read_before_it_is_asked_for():
    """One history at a time, and none after the last that was asked for."""
    read = []

    def source():
        for name in ("INC-1", "INC-2", "INC-3"):
            read.append(name)
            yield solved(name)

    found = evaluate_all(source(), agreement(), AT)
    assert read == []
    assert next(found).id == "INC-1"
    assert read == ["INC-1"]


def test_no_histories_give_no_records():
    """An empty batch is a batch."""
    assert list(evaluate_all([], agreement(), AT)) == list(evaluate_all({}, agreement(), AT)) == []


def test_settled_and_provisional_are_told_apart():
    """A resolved record may be reopened; a closed one is final; one without clocks is neither."""
    closed = [*solved("INC-2"), later("INC-2", 3, 11, "closed", outcome="closed")]
    one, two, three = evaluate_all([solved("INC-1"), closed, []], agreement(), AT)
    assert (one.settled, two.settled, three.settled) == (False, True, False)
    assert repr(one) == "<INC-1 by standard@1: resolution met (provisional)>"
    assert repr(two) == "<INC-2 by standard@1: resolution met>"


def test_a_judged_record_reads_in_one_line():
    """Running, overdue, not covered, no target, not judged."""
    early = dt.datetime(2026, 3, 2, 10, tzinfo=UTC)
    p1 = Target("p1", "resolution", duration="2h", calendar=AROUND, priorities={"P1"})
    other = Agreement("vip", 1, targets=[p1])
    histories = [[opened("INC-1")]]
    shown = [
        *evaluate_all(histories, agreement(), early),
        *evaluate_all(histories, agreement(), AT),
        *evaluate_all(histories, agreement(customers={"acme"}), AT),
        *evaluate_all(histories, other, AT),
        *evaluate_all([[]], agreement(), AT),
    ]
    assert [repr(one) for one in shown] == [
        "<INC-1 by standard@1: resolution running>",
        "<INC-1 by standard@1: resolution breached, running>",
        "<INC-1: not covered>",
        "<INC-1 by vip@1: no target>",
        "<history 1: not judged, no_opening: it holds no `opened` event; give the whole history>",
    ]


# --- which agreement ----------------------------------------------------------------------------


def test_the_first_agreement_that_covers_a_record_judges_it():
    """In the order given; the second takes what the first does not cover."""
    held = [agreement("gold", customers={"acme"}), agreement("standard")]
    one, two = evaluate_all([solved("INC-1", customer="acme"), solved("INC-2", customer="bolt")], held, AT)
    assert (one.agreement, two.agreement) == ("gold@1", "standard@1")


def test_what_no_agreement_covers_is_reported_and_not_judged():
    """There is a record without clocks, and no problem with it."""
    (one,) = evaluate_all([solved("INC-1")], [agreement(customers={"acme"})], AT)
    assert (one.covered, dict(one.clocks), one.problem, one.record.id) == (False, {}, None, "INC-1")


def test_several_agreements_may_come_from_a_generator():
    """They are asked for each record, so they are kept."""
    held = (agreement(name, customers={name}) for name in ("acme", "bolt"))
    found = evaluate_all([solved(f"INC-{n}", customer="bolt") for n in (1, 2)], held, AT)
    assert [one.agreement for one in found] == ["bolt@1", "bolt@1"]


# --- problems -----------------------------------------------------------------------------------


def failing(error):
    """A history that fails while it is read."""
    yield opened("INC-9")
    raise error


PROBLEMS = {
    "empty": ([], "no_opening"),
    "without opening": ([later("INC-9", 2, 10, "resolved")], "no_opening"),
    "of two records": ([opened("INC-8"), opened("INC-9")], "several_records"),
    "of rows": ([{"record": "INC-9"}], "unreadable"),
    "of text": ("INC-9", "unreadable"),
    "of nothing": (None, "unreadable"),
    "a number": (7, "unreadable"),
    "mapping": ({"INC-9": 1}, "unreadable"),
    "fails with a value": (failing(ValueError("no date")), "unreadable"),
    "fails with a key": (failing(KeyError("opened_at")), "unreadable"),
    "fails with a type": (failing(TypeError("None + 1")), "unreadable"),
    "fails with a number": (failing(ZeroDivisionError("0")), "unreadable"),
    "a phase there is not": ([opened("INC-9", phase="asleep")], "unreadable"),
    "naive": (None, "unreadable"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_history_that_cannot_be_judged_is_named_and_the_next_one_follows(name):
    """By a stable code and a sentence; both neighbours are judged."""
    history, code = PROBLEMS[name]
    bad = broken() if name == "naive" else history
    before, found, after = evaluate_all([solved("INC-1"), bad, solved("INC-2")], agreement(), AT)
    assert found.problem.code == code
    assert found.problem.message
    assert (dict(found.clocks), found.covered, found.settled) == ({}, False, False)
    assert before.problem is after.problem is None


def test_a_problem_tells_the_position_or_the_id_or_the_record():
    """Whatever is known of it."""
    lone = [later("INC-9", 2, 10, "resolved")]
    assert [one.id for one in evaluate_all([[], lone, None], agreement(), AT)] == [
        "history 1", "INC-9", "history 3",
    ]  # fmt: skip
    assert [one.id for one in evaluate_all({"T-1": [], "T-2": None}, agreement(), AT)] == ["T-1", "T-2"]


def test_the_sentence_of_a_problem_says_what_was_wrong():
    """Our errors in their words, others with their kind, many records with the first three."""
    many = [opened(f"INC-{n}") for n in range(5)]
    found = [*evaluate_all([broken(), failing(KeyError("opened_at")), many], agreement(), AT)]
    assert "has no zone" in found[0].problem.message
    assert str(found[1].problem) == "unreadable: KeyError: 'opened_at'"
    assert found[2].problem.message == "it holds events of INC-0, INC-1, INC-2, ..."


def test_a_record_that_cannot_be_measured_keeps_its_record_and_agreement():
    """Beyond the years that a calendar can count, for one; what is known of it stays."""
    far = dt.datetime(9990, 1, 1, tzinfo=UTC)
    history = [attrs.evolve(opened("INC-1"), occurred_at=far, recorded_at=far)]
    history.append(attrs.evolve(later("INC-1", 2, 10, "resolved"), occurred_at=far, recorded_at=far))
    (one,) = evaluate_all([history], agreement(), far + dt.timedelta(days=9))
    assert one.problem is not None, "calendars count further than they did: find another example"
    assert (one.problem.code, one.record.id, one.agreement) == ("unmeasurable", "INC-1", "standard@1")


def test_an_error_of_the_source_itself_is_not_swallowed():
    """A database that is gone is no bad history."""
    with pytest.raises(ConnectionError):
        list(evaluate_all([failing(ConnectionError("gone"))], agreement(), AT))


@pytest.mark.parametrize("wrong", [None, 7, "INC-1", b"bytes", opened("INC-1")])
def test_what_are_no_histories_is_refused_at_once(wrong):
    """Before anything is read, with the way to give them."""
    with pytest.raises(InvalidValue, match="no histories"):
        evaluate_all(wrong, agreement(), AT)


@pytest.mark.parametrize("flat", [solved("INC-1"), [("INC-1", opened("INC-1"))]])
def test_events_that_are_not_grouped_are_refused_with_the_remedy(flat):
    """Each of them would else be a bad history of its own."""
    with pytest.raises(InvalidValue, match="groupby"):
        list(evaluate_all(flat, agreement(), AT))


@pytest.mark.parametrize("wrong", [[], None, "standard", ["standard"], {"a": 1}])
def test_what_is_no_agreement_is_refused_at_once(wrong):
    """None, an empty list, and names are no agreements."""
    with pytest.raises(InvalidValue, match="agreement"):
        evaluate_all([], wrong, AT)


@pytest.mark.parametrize("name", ["at", "known_at"])
def test_a_naive_instant_is_refused_at_once(name):
    """It would else be a problem of every record."""
    naive = dt.datetime(2026, 3, 2, 9)
    with pytest.raises(NaiveDatetime):
        evaluate_all([], agreement(), **{"at": AT, name: naive})


# --- what was known -----------------------------------------------------------------------------


def test_known_at_leaves_out_what_was_recorded_later():
    """A resolution told at noon was not known at eleven; one recorded at that instant is known."""
    history = [opened("INC-1"), later("INC-1", 2, 10, "resolved", recorded=12)]
    eleven, noon = (dt.datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (11, 12))
    (then,) = evaluate_all([history], agreement(), eleven, known_at=eleven)
    (now,) = evaluate_all([history], agreement(), eleven, known_at=noon)
    assert then.clocks["resolution"].state == "running"
    assert now.clocks["resolution"].verdict == "met"


def test_a_record_nobody_knew_of_is_named():
    """Left out silently, it would miss in a report of that day against one of today."""
    (one,) = evaluate_all([solved("INC-1")], agreement(), AT, known_at=dt.datetime(2026, 3, 2, 8, tzinfo=UTC))
    assert one.problem.code == "not_recorded"


# --- laws ---------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["met", "late", "open", "bad", "empty"]), max_size=12))
def test_as_many_come_out_as_went_in(kinds):
    """One for each history, whatever is wrong with some; the others are judged as if alone."""
    made = {
        "met": lambda: solved("INC-1"), "late": lambda: solved("INC-1", 15), "open": lambda: [opened("INC-1")],
        "bad": lambda: failing(ValueError("no date")), "empty": list,
    }  # fmt: skip
    found = [*evaluate_all((made[kind]() for kind in kinds), agreement(), AT)]
    assert len(found) == len(kinds)
    for kind, one in zip(kinds, found, strict=True):
        (alone,) = evaluate_all([made[kind]()], agreement(), AT)
        assert (one.clocks, one.problem) == (alone.clocks, alone.problem)
        assert (one.problem is None) == (kind in ("met", "late", "open"))


def test_memory_does_not_grow_with_the_number_of_records():
    """Twenty thousand histories made on the way hold at no instant more than the first thousands did.

    The first fill what is bounded: caches, and the tuples that CPython keeps to use again.
    """
    peaks = []
    tracemalloc.start()
    try:
        made = (solved(f"INC-{n}") for n in range(20_000))
        for count, _ in enumerate(evaluate_all(made, agreement(), AT), start=1):
            if count % 5_000 == 0:
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    print("bytes held at most in each 5,000:", peaks)
    assert max(peaks) < 1_000_000, "one record weighs a few thousand bytes"
    assert peaks[-1] <= peaks[0] + 65_536


def test_what_is_read_once_can_be_judged_again_and_again():
    """`read_all` gives what is known of each record, and its problem where nothing is."""
    known, bad = read_all([solved("INC-1"), []])
    assert (known.id, known.record.id, known.timeline.seq) == ("INC-1", "INC-1", 2)
    assert isinstance(bad, Judged)
    assert isinstance(bad.problem, Problem)
