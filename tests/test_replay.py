"""Replays: a real log under the incident lifecycle and an agreement, and small ones by hand."""

import csv
import datetime as dt
import gzip
import tracemalloc
from pathlib import Path

import pytest

from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.importers import Map, open_log
from itsm_core.priority import Priority, matrix_3x3_p4
from itsm_core.processes import INCIDENT
from itsm_core.replay import lifecycle_of, moves, replay, replayed, shown
from itsm_core.sla import Agreement, Metric, Target, Verdict, judge

LOG = "servicenow_incident_log_sample.csv.gz"
REFUSED = Path(__file__).parent / "golden" / "refused_moves.csv"
SMALL = Map(
    columns={"case": "case", "state": "state", "at": "at", "priority": "priority"},
    states={
        "New": "new", "Work": "in_progress", "Hold": "on_hold", "Vendor": "on_hold/supplier",
        "Caller": "on_hold/requester", "Done": "resolved", "Shut": "closed", "Void": "cancelled",
    },
)  # fmt: skip


def small(*told):
    """Rows of a small log from texts such as "A New 9:00"; the day is a Monday, in UTC."""
    found = []
    for text in told:
        case, state, clock = text.split()
        hour, minute = map(int, clock.split(":"))
        at = dt.datetime(2024, 2, 5, hour, minute, tzinfo=dt.UTC)
        found.append({"case": case, "state": state, "at": at, "priority": "P3"})
    return found


def four_hours(calendar="UTC", **more):
    around = BusinessCalendar.always(calendar)
    target = Target("fix", Metric.RESOLUTION, duration=hours(4), calendar=around, **more)
    return Agreement("four", 1, targets=[target])


# --- the golden table ------------------------------------------------------------------------


def _refused():
    with REFUSED.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_of_refused_moves_is_whole():
    """At least ten moves, each with a source, of states that the incident has."""
    found = _refused()
    assert len(found) >= 10
    assert len({(row["from"], row["to"]) for row in found}) == len(found)
    for row in found:
        assert {row["from"], row["to"]} <= INCIDENT.by_id.keys()
        assert row["source"].startswith(("DESIGN.md", "lifecycles.md", "platforms.md"))


@pytest.mark.parametrize("row", _refused(), ids=lambda row: f"{row['from']}-{row['to']}")
def test_the_incident_refuses_the_move(row):
    """No transition of the lifecycle leads this way, and a replay says so."""
    assert (row["from"], row["to"]) not in INCIDENT.edges
    words = {ours: theirs for theirs, ours in SMALL.states if "/" not in ours}
    log = small(f"A {words[row['from']]} 9:00", f"A {words[row['to']]} 10:00")
    done = replay(log, map=SMALL)
    assert (done.fitting, done.moves_outside) == (0, ((row["from"], row["to"], 1),))


# --- the ServiceNow log ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(request):
    """The sample: its path, its rows by incident, each record of it, and its counts."""
    path = request.getfixturevalue("shared_data") / LOG
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    incidents = {}
    for row in rows:
        incidents.setdefault(row["number"], []).append(row)
    records = {one.record.id: one for one in replayed(open_log(path))}
    return path, incidents, records, replay(path, format="servicenow-audit")


def test_the_real_log_fits_the_incident_but_for_three(real, conformance_report):
    """997 incidents, 994 of them fit, three go from Closed to Active; every reopen count agrees."""
    _, incidents, records, done = real
    assert (done.records, done.events, done.zone) == (997, 5758, "assumed UTC")
    assert (done.fitting, done.moves_outside) == (994, (("closed", "in_progress", 3),))
    assert done.hold_without_reason == done.duplicate_rows == done.disordered_rows == 0
    assert records.keys() == incidents.keys()
    agreeing = [
        number
        for number, rows in incidents.items()
        if records[number].record.reopened == max(int(row["reopen_count"]) for row in rows)
    ]
    conformance_report(LOG, len(incidents), len(agreeing), 0)
    assert len(agreeing) == 997
    assert done.reopen_count_total == sum(one.record.reopened for one in records.values())
    assert (done.reopened, done.reopen_count_differs) == (10, 0)


def test_the_real_priorities_follow_matrix_3x3_p4(real):
    """On every row; the default matrix differs on 108."""
    _, incidents, records, done = real
    rows = [row for told in incidents.values() for row in told]
    for row in rows:
        assert matrix_3x3_p4.priority(row["impact"], row["urgency"]) is Priority.of(row["priority"])
    assert done.priority_differs == {"matrix_3x3_p5": 108, "matrix_3x3_p4": 0}
    for number, told in incidents.items():
        assert records[number].record.priority is Priority.of(told[-1]["priority"])


def test_a_phone_call_answers_and_other_channels_are_unknown(real):
    """The log holds no messages: 986 of 997 came by phone, the other responses nobody can know."""
    *_, done = real
    counts = [told for name, told in done.targets.items() if name.endswith("response")]
    assert sum(told["met"] for told in counts) == 986
    assert sum(told["unknown"] for told in counts) == 11
    assert not sum(told["breached"] for told in counts)


def test_words_that_are_no_states_are_counted_not_guessed(real, tmp_path):
    """A copy with `-100` in every New row: the rows are counted, nothing takes their place."""
    path, _, records, _ = real
    copy = tmp_path / "copy.csv"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        text = file.read()
    copy.write_text(text.replace(",New,", ",-100,"), encoding="utf-8")
    done = replay(copy)
    assert done.unknown_states == {"-100": 1500}
    assert (done.records, done.events, done.fitting) == (997, 5758, 994)
    assert done.reopen_count_total == 16
    for one in replayed(open_log(copy)):
        assert one.record.state == records[one.record.id].record.state


def test_the_rows_in_any_order_of_records_give_the_same(real, tmp_path):
    """The log sorted by time, records mixed, replays to the same counts."""
    _, incidents, _, done = real
    rows = [row for told in incidents.values() for row in told]
    rows.sort(key=lambda row: dt.datetime.strptime(row["sys_updated_at"], "%d/%m/%Y %H:%M"))
    mixed = tmp_path / "mixed.csv"
    with mixed.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    one, two = done.to_dict(), replay(mixed).to_dict()
    for name in ("source", "first_findings"):
        one.pop(name)
        two.pop(name)
    assert one == two


def test_a_notebook_replays_the_log_under_another_agreement(real):
    """`clocks` judges a history that was read once; `replayed` reads the log again."""
    path, _, records, _ = real
    log = open_log(path)
    one = records["INC0000045"]
    (clock,) = judge(one.told.history, four_hours(), log.last).values()
    assert (clock.target.agreement, clock.verdict) == ("four@1", Verdict.BREACHED)
    verdicts = {one.clocks[0].verdict for one in replayed(log, agreement=four_hours())}
    assert verdicts == {Verdict.MET, Verdict.BREACHED}


# --- small logs ------------------------------------------------------------------------------


def test_every_start_is_accepted():
    """A record may begin anywhere; only moves are judged."""
    log = small("A Shut 9:00", "B Work 9:00", "B Done 9:30", "C Void 9:00")
    assert replay(log, map=SMALL).fitting == 3


def test_moves_between_hold_reasons_are_no_moves():
    """Another reason is another wait, in the same state."""
    (one,) = replayed(open_log(small("A Work 9:00", "A Vendor 9:10", "A Caller 9:20"), map=SMALL))
    assert moves(one.told.history) == (("in_progress", "on_hold"),)
    assert one.fits


def test_a_hold_without_reason_pauses_nothing_and_is_counted():
    """Only the hold for the requester pauses the clock."""
    log = small(
        "A Hold 9:00", "B Caller 9:00", "C Work 9:00", "C Hold 9:01", "C Work 9:02", "C Hold 14:00",
    )  # fmt: skip
    done = replay(log, map=SMALL, agreement=four_hours(pauses_on=["requester"]))
    assert done.hold_without_reason == 3
    assert done.targets["fix"] == {"met": 0, "breached": 2, "running": 1, "void": 0, "unknown": 0}


def test_verdicts_are_counted_by_target():
    """Met, breached, running, void; what is voided after its breach stands with the breached."""
    log = small(
        "A New 9:00", "A Done 12:00", "B New 9:00", "B Done 14:00", "C New 12:00", "D New 9:00",
        "D Void 10:00", "E New 8:00", "E Void 14:30",
    )  # fmt: skip
    done = replay(log, map=SMALL, agreement=four_hours())
    assert done.targets == {"fix": {"met": 1, "breached": 2, "running": 1, "void": 1, "unknown": 0}}
    assert done.until == dt.datetime(2024, 2, 5, 14, 30, tzinfo=dt.UTC)


def test_odd_rows_are_counted():
    """Repeated and disordered rows, words that are no levels, rows of nobody."""
    log = [
        *small("A New 9:00", "A Done 9:30", "A Work 9:10"),
        {"case": "B", "state": "New", "at": "2024-02-05T09:00Z", "priority": "soon"},
        {"case": "B", "state": "New", "at": "2024-02-05T09:00Z", "priority": "soon"},
        {"case": None, "state": "New", "at": "2024-02-05T09:00Z", "priority": None},
    ]
    done = replay(log, map=SMALL)
    assert (done.records, done.events, done.rows_without_record) == (2, 5, 1)
    assert (done.duplicate_rows, done.disordered_rows) == (1, 1)
    assert done.findings == {"out_of_order": 1, "duplicate": 1, "unknown_value": 1}
    assert done.first_findings["duplicate"].startswith("line 5, record B: ")


@pytest.mark.parametrize("levels", [("1", "high", "soon"), ("odd", "high", "P1"), ("1", None, "P1")])
def test_priorities_are_compared_where_all_three_are_known(levels):
    """A word that is none differs from nothing."""
    named = Map(columns={**dict(SMALL.columns), "impact": "i", "urgency": "u"}, states=dict(SMALL.states))
    row = dict(zip(("i", "u", "priority"), levels, strict=True))
    row |= {"case": "A", "state": "New", "at": "2024-02-05T09:00Z"}
    assert replay([row], map=named).priority_differs == {"matrix_3x3_p5": 0, "matrix_3x3_p4": 0}


def test_the_default_agreement_keeps_the_hours_of_the_zone():
    """Weekdays 9 to 17 where the log was written."""
    (one,) = replayed(open_log(small("A New 9:00"), map=SMALL, zone="Asia/Shanghai"))
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Asia/Shanghai")
    assert {clock.target.calendar for clock in one.clocks} == {desk}


def test_a_date_that_no_calendar_reaches_is_refused_with_its_line():
    """Not a traceback, the record and where it stands."""
    row = {"case": "A", "state": "New", "at": "1900-01-01T00:00+08:00", "priority": "P3"}
    with pytest.raises(InvalidInput, match=r"rows, line 1: record 'A': cannot be measured under default@1"):
        replay([row], map=SMALL)


def test_a_lifecycle_is_given_by_name_or_whole():
    """Names are those that ship."""
    assert lifecycle_of("incident") is lifecycle_of(INCIDENT) is INCIDENT
    with pytest.raises(InvalidValue, match="'problems': is not shipped; use incident"):
        replay([], lifecycle="problems")


def test_a_replay_shows_itself_and_no_input_acts_on_the_reader():
    """Text and HTML hold every count; control characters and markup are escaped."""
    evil = "<b>\x1b[31m"
    log = [*small("A Shut 9:00", "A Work 9:30"), {**small("B New 9:00")[0], "state": evil}]
    done = replay(log, map=SMALL)
    text, page = str(done), done._repr_html_()
    assert "closed to in_progress: 1" in text
    assert "p3-resolution" in text
    assert "\x1b" not in text + page
    assert "<b>" not in page
    assert r"\x1b[31m" in text
    assert shown("line\nbreak\u202e") == r"line\nbreak\u202e"


@pytest.mark.parametrize(
    ("terms", "told"),
    [({}, "desk@1 (not agreed)"), ({"agreed_with": "us", "agreed_on": dt.date(2026, 1, 1)}, "desk@1")],
)
def test_a_replay_says_of_an_agreement_that_nobody_agreed_to_it(terms, told):
    """With whom and when are asked for (ISO/IEC 20000-1, 8.3.3)."""
    fix = Target("fix", "resolution", duration="8h", calendar=BusinessCalendar.always("UTC"))
    found = replay(small("A Work 9:00"), map=SMALL, agreement=Agreement("desk", 1, targets=[fix], **terms))
    assert ("agreement", told) in found.lines()
    assert found.to_dict()["agreed"] is (told == "desk@1")


def test_a_replay_is_plain_json():
    """`to_dict` holds the pinned names."""
    found = replay(small("A Shut 9:00", "A Work 9:30"), map=SMALL).to_dict()
    assert found["moves_outside"] == [{"from": "closed", "to": "in_progress", "count": 1}]
    assert found["until"] == "2024-02-05T09:30:00+00:00"
    assert found.keys() >= {
        "records", "events", "zone", "fitting", "reopened", "reopen_count_total", "hold_without_reason",
        "unknown_states", "targets", "duplicate_rows", "disordered_rows", "priority_differs",
    }  # fmt: skip


def _generated(path, count):
    with path.open("w") as file:
        file.write("case,state,at,priority\n")
        for n in range(count):
            for minute, state in enumerate(["New", "Vendor", "Done", "Shut"]):
                file.write(f"INC{n:07d},{state},2024-02-05T09:0{minute}:00Z,P3\n")
    return path


def _peak(path):
    tracemalloc.start()
    try:
        replay(path, map=SMALL)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.nightly)])
def test_memory_does_not_grow_with_the_number_of_records(tmp_path, count):
    """Ten times the records, the same memory, once the bounded caches of calendars are full."""
    assert replay(_generated(tmp_path / "warm.csv", 3000), map=SMALL).fitting == 3000
    one = _peak(_generated(tmp_path / "one.csv", count))
    ten = _peak(_generated(tmp_path / "ten.csv", 10 * count))
    print(f"peak of {count:,} records {one / 1024:.0f} KiB, of ten times that {ten / 1024:.0f} KiB")
    assert ten < 1.5 * one


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"agreement": "strict"}, "^agreement 'strict': is no Agreement; make one"),
        ({"map": {"case": "case"}}, r"is no Map; give Map\("),
        ({"lifecycle": ["incident"]}, "is not shipped; use incident"),
        ({"source": 5}, "^rows: rows 5: are no list of rows"),
        ({"source": [5]}, "^rows, line 1: row 5: is no mapping"),
        ({"zone": "Mars"}, "is not in the IANA time-zone database"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused_by_name(wrong, message):
    """The error names the thing, the reason and the remedy."""
    call = {"source": small("A New 9:00"), "map": SMALL, **wrong}
    with pytest.raises(InvalidValue, match=message):
        replay(call.pop("source"), **call)
