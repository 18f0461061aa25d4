"""Logs as histories: grouping, snapshots, formats, and what does not fit."""

import datetime as dt
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.importers import SERVICENOW_AUDIT, Map, load_map, open_log, rows
from itsm_core.priority import Level, Priority
from itsm_core.records import fold

SMALL = Map(
    columns={"case": "case", "state": "state", "at": "at"},
    states={"New": "new", "Work": "in_progress", "Done": "resolved", "Shut": "closed"},
)


def row(ticket, status, minute, **more):
    return {"ticket": ticket, "status": status, "changed": f"2024-02-05T09:{minute:02d}", **more}


def codes(told):
    return [finding.code for finding in told.history.findings]


@pytest.fixture
def histories(write_log, map_file):
    """`histories(rows)`: the records of a log written and read back, by id."""

    def read(given_rows, **options):
        log = open_log(write_log(given_rows), map=load_map(map_file), **options)
        return {told.record: told for told in log.histories()}

    return read


# --- snapshots -------------------------------------------------------------------------------


def test_rows_become_the_events_between_them(histories):
    """State, group and priority that change are events; what stays is none."""
    more = {"impact": "2 - Medium", "urgency": "1", "who": "ana", "via": "Walk-in"}
    told = histories([
        row("T1", "New", 0, prio="usual", team="a", opened="2024-02-05T08:00", **more),
        row("T1", "New", 1, prio="usual", team="b", **more),
        row("T1", "Work", 2, prio="urgent", team="b", **more),
        row("T1", "Work", 3, prio="urgent", team="b", **more),
    ])["T1"]  # fmt: skip
    assert [e.kind for e in told.history] == ["opened", "assigned", "reprioritised", "transitioned"]
    opened, record = told.history[0], fold(told.history)
    assert opened.occurred_at == dt.datetime(2024, 2, 5, 7, 0, tzinfo=dt.UTC)
    assert (opened.channel, opened.fields["messages"]) == ("walk_in", "none")
    assert (opened.fields["group"], opened.fields["priority"]) == ("a", Priority.P3)
    assert (record.priority, record.impact, record.group) == (Priority.P1, Level.MEDIUM, "b")
    assert not told.history.findings


def test_columns_are_joined_where_both_are_there(histories):
    """`Hold` alone is a hold without reason, `Hold/Vendor` one for the supplier."""
    told = histories([row("T1", "Hold", 0), row("T1", "Hold", 1, sub="Vendor"), row("T1", "Hold", 2)])["T1"]
    waits = [e.fields.get("waits_on") for e in told.history if e.kind == "transitioned"]
    assert waits == [None, "supplier", None]


def test_a_word_that_is_no_state_changes_nothing_and_is_counted_by_row(histories):
    """Each row with such a word is a finding; an empty one too."""
    words = ["Work", "-100", "", "Work"]
    told = histories([row("T1", word, minute) for minute, word in enumerate(words)])["T1"]
    assert [(f.code, f.value, f.row) for f in told.history.findings] == [
        ("unknown_state", "-100", 3), ("unknown_state", "", 4),
    ]  # fmt: skip
    assert [e.to_state for e in told.history] == ["new", "in_progress"]


def test_a_record_without_any_known_state_is_new(histories):
    """Nothing is known, and nothing is guessed."""
    told = histories([row("T1", "-100", 0)])["T1"]
    assert fold(told.history).phase is Phase.NEW


def test_levels_that_are_none_are_reported_and_left_out(histories):
    """At the opening and later."""
    told = histories([row("T1", "New", 0, prio="soon"), row("T1", "New", 1, prio="later")])["T1"]
    assert codes(told) == ["unknown_value", "unknown_value"]
    assert fold(told.history).priority is None


def test_row_order_decides_at_one_instant(histories):
    """Two states in one minute happened in the order of the table."""
    told = histories([row("T1", "New", 0), row("T1", "Done", 1), row("T1", "Shut", 1)])["T1"]
    assert [e.to_state for e in told.history] == ["new", "resolved", "closed"]


def test_a_late_row_is_put_in_its_place_and_reported(histories):
    """By its instant, with the line that says so."""
    told = histories([row("T1", "New", 0), row("T1", "Done", 5), row("T1", "Work", 3)])["T1"]
    assert [e.to_state for e in told.history] == ["new", "in_progress", "resolved"]
    assert [(f.code, f.row) for f in told.history.findings] == [("out_of_order", 4)]


def test_a_log_given_twice_is_the_same_log(histories):
    """Every repeated row is left out and reported."""
    once = [row("T1", "New", 0), row("T1", "Work", 1), row("T1", "Done", 1), row("T2", "New", 9)]
    one, two = histories(once), histories(once + once)
    assert [one[n].history for n in one] == [two[n].history for n in two]
    assert [codes(two[n]) for n in two] == [["duplicate"] * 3, ["duplicate"]]


def test_the_hour_that_comes_twice_keeps_the_order_of_rows(histories):
    """02:50 then 02:10 on the night of the change is no disorder."""
    told = histories([
        {"ticket": "T1", "status": "New", "changed": "2024-10-27T02:50"},
        {"ticket": "T1", "status": "Work", "changed": "2024-10-27T02:10"},
    ])["T1"]  # fmt: skip
    assert not told.history.findings
    assert told.history[-1].occurred_at == dt.datetime(2024, 10, 27, 1, 10, tzinfo=dt.UTC)


def test_a_hold_reason_column_tells_each_hold():
    """Also one that the row before had already, and one that changes during the hold."""
    named = Map(
        columns={"case": "case", "state": "state", "at": "at", "hold_reason": "why"},
        states={"Work": "in_progress", "Hold": "on_hold"},
    )
    day = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
    states = [("Hold", "supplier"), ("Work", "supplier"), ("Hold", "supplier"), ("Hold", "requester")]
    given_rows = [
        {"case": 7, "state": state, "at": day + dt.timedelta(minutes=n), "why": why}
        for n, (state, why) in enumerate(states)
    ]
    log = open_log(given_rows, map=named)
    (told,) = log.histories()
    waits = [e.fields.get("waits_on") for e in told.history if e.kind == "transitioned"]
    assert waits == ["supplier", None, "supplier", "requester"]
    assert fold(told.history).waits_on is WaitsOn.REQUESTER
    assert (told.record, log.zone) == ("7", "offsets of the input")


def test_rows_of_a_dataframe_may_hold_numbers_and_nan():
    """NaN is missing, an id may be a number, a number in a text column is text."""
    named = Map(
        columns={"case": "case", "state": "state", "at": "at", "group": "team", "category": "kind"},
        states=dict(SMALL.states),
    )
    row = {"case": 7, "state": "New", "at": "2024-02-05T09:00Z", "team": 2.5, "kind": float("nan")}
    (told,) = open_log([row], map=named).histories()
    assert (told.record, fold(told.history).group, fold(told.history).category) == ("7", "2.5", None)


# --- grouping --------------------------------------------------------------------------------


STATES = st.sampled_from(["New", "Work", "Done", "Shut", "odd"])
LOGS = st.dictionaries(
    st.sampled_from(["T1", "T10", "T2", "a", "ä", "b;c"]),
    st.lists(st.tuples(st.integers(0, 9), STATES), min_size=1, max_size=6).map(
        lambda told: sorted(told, key=lambda pair: pair[0])
    ),
    min_size=1,
)


def _as_rows(log, order):
    """The rows of a log, records mixed by `order`, each record's own order kept."""
    queues = {case: list(told) for case, told in log.items()}
    cases = [case for case, told in log.items() for _ in told]
    order.shuffle(cases)
    for case in cases:
        minute, state = queues[case].pop(0)
        yield {"case": case, "state": state, "at": f"2024-02-05T09:0{minute}"}


def _written(path, given_rows):
    lines = ["case,state,at"]
    lines += ['"{case}",{state},{at}'.format(**given_row) for given_row in given_rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@given(LOGS, st.randoms(use_true_random=False))
def test_any_grouping_of_a_file_gives_the_same_moves(tmp_path_factory, log, order):
    """Records one after the other, mixed on disk in chunks of three, or in memory: the same."""
    folder = tmp_path_factory.mktemp("logs")
    grouped = [
        {"case": case, "state": state, "at": f"2024-02-05T09:0{minute}"}
        for case, told in sorted(log.items())
        for minute, state in told
    ]
    mixed = list(_as_rows(log, order))
    sources = [_written(folder / "grouped.csv", grouped), _written(folder / "mixed.csv", mixed), mixed]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "CHUNK", 3)
        read = [
            {told.record: (told.history, codes(told)) for told in open_log(source, map=SMALL).histories()}
            for source in sources
        ]
    assert read[0] == read[1] == read[2]
    assert set(read[0]) == set(log)


def test_rows_that_belong_to_no_record_are_counted_and_left_out():
    """A row without id is nobody's."""
    at = "2024-02-05T09:00Z"
    log = open_log([{"case": case, "state": "New", "at": at} for case in ("", "A")], map=SMALL)
    assert (log.survey.rows, log.survey.without_case) == (1, 1)
    assert [told.record for told in log.histories()] == ["A"]


def _generated(path, count):
    with path.open("w") as file:
        file.write("case,state,at\n")
        for n in range(count):
            for minute, state in enumerate(["New", "Work", "Done", "Shut"]):
                file.write(f"INC{n:07d},{state},2024-02-05T09:0{minute}:00Z\n")
    return path


def _peak(path):
    tracemalloc.start()
    try:
        for told in open_log(path, map=SMALL).histories():
            assert len(told.history) == 4
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [150, pytest.param(2000, marks=pytest.mark.nightly)])
def test_memory_does_not_grow_with_the_number_of_records(tmp_path, count):
    """Ten times the records, the same memory."""
    _peak(_generated(tmp_path / "warm.csv", 100))
    small = _peak(_generated(tmp_path / "small.csv", count))
    large = _peak(_generated(tmp_path / "large.csv", 10 * count))
    print(f"peak of {count:,} records {small / 1024:.0f} KiB, of ten times that {large / 1024:.0f} KiB")
    assert large < 1.5 * small


def test_progress_is_told_rows_and_total(tmp_path, monkeypatch):
    """First without a total, then with it."""
    monkeypatch.setattr(rows, "EVERY", 3)
    seen = []
    log = open_log(_generated(tmp_path / "log.csv", 1), map=SMALL, progress=lambda *pair: seen.append(pair))
    list(log.histories())
    assert seen == [(3, None), (4, None), (3, 4), (4, 4)]


# --- opening ---------------------------------------------------------------------------------


def _header_only(tmp_path, columns):
    path = tmp_path / "log.csv"
    path.write_text(",".join(columns) + "\n")
    return path


def test_the_header_tells_the_format(tmp_path):
    """All columns of the ServiceNow audit log, whatever the others."""
    columns = [name for _, theirs in SERVICENOW_AUDIT.columns for name in theirs]
    assert open_log(_header_only(tmp_path, ["more", *columns])).format == "servicenow-audit"
    assert open_log(_header_only(tmp_path, ["case", "state", "at"]), map=SMALL).format == "csv"
    with pytest.raises(InvalidInput, match=r"line 1: .*no known format; say --format"):
        open_log(_header_only(tmp_path, ["case", "state", "at"]))


def test_missing_and_doubled_columns_are_named(tmp_path):
    """The header is checked before any row is read."""
    with pytest.raises(InvalidInput, match=r"line 1: .*lacks the columns at, state"):
        open_log(_header_only(tmp_path, ["case"]), map=SMALL)
    with pytest.raises(InvalidInput, match=r"line 1: .*names twice the columns at"):
        open_log(_header_only(tmp_path, ["case", "state", "at", "at"]), map=SMALL)


def test_csv_needs_a_map_and_a_map_our_states(tmp_path):
    """What cannot be read without more is said before it is tried."""
    path = _header_only(tmp_path, ["case", "state", "at"])
    with pytest.raises(InvalidInput, match="needs a map"):
        open_log(path, format="csv")
    odd = Map(columns=dict(SMALL.columns), states={"New": "fresh"})
    with pytest.raises(InvalidValue, match="'fresh': is no state of incident"):
        open_log(path, map=odd)


@pytest.mark.parametrize("options", [{"format": "xes"}, {}])
def test_a_format_that_is_not_read_is_refused_with_those_that_are(tmp_path, options):
    """By name or by suffix, before the file is touched."""
    with pytest.raises(InvalidValue, match="'xes': is not read; use one of servicenow-audit, csv"):
        open_log(tmp_path / "log.xes.gz", **options)


def test_a_log_without_rows_has_no_end(tmp_path):
    """A header alone is no history."""
    log = open_log(_header_only(tmp_path, ["case", "state", "at"]), map=SMALL)
    with pytest.raises(InvalidInput, match=r"line 2: .*stand below the header"):
        assert log.last


def test_a_bad_instant_is_refused_with_its_line(write_log, map_file):
    """In either column of times; the message shows how to write it."""
    late = [row("A", "New", 0), row("A", "New", 0, changed="soon")]
    log = open_log(write_log(late), map=load_map(map_file))
    with pytest.raises(InvalidInput, match="line 3: changed 'soon': is no instant; write it as"):
        assert log.survey
    log = open_log(write_log([row("A", "New", 0, opened="soon")]), map=load_map(map_file))
    with pytest.raises(InvalidInput, match="line 2: opened 'soon': is no instant"):
        list(log.histories())


def test_the_zone_is_said_or_assumed(write_log, map_file):
    """The caller goes before the map; without either UTC is assumed, and the report says so."""
    path, names = write_log([row("A", "New", 0)]), load_map(map_file)
    assert open_log(path, map=names).zone == "Europe/Berlin"
    assert open_log(path, map=names, zone="Asia/Tokyo").zone == "Asia/Tokyo"
    bare = Map(columns=dict(names.columns), states=dict(names.states))
    log = open_log(path, map=bare)
    assert (log.zone, log.last) == ("assumed UTC", dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC))


def test_random_orders_are_no_accident():
    """The helper above really mixes."""
    log = {"A": [(0, "New"), (1, "Work")], "B": [(0, "New"), (1, "Work")]}
    orders = {tuple(r["case"] for r in _as_rows(log, random.Random(n))) for n in range(20)}
    assert len(orders) > 2
