"""The demo from end to end: figures counted by hand from the two files, and every way to fail."""

import csv
import datetime as dt
import functools
import io
import re
import sqlite3
import subprocess
import sys

import pytest

from itsm_core import stores
from itsm_core.demo import run, run_demo, script
from itsm_core.demo.turn import turn
from itsm_core.errors import InvalidInput, InvalidValue, ItsmError, StoreBusy, StoreUnreadable
from itsm_core.ports import Query

OUTAGES, DESK = run.INPUTS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder in which the demo is started."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def demo(**options):
    """What the demo printed."""
    out = io.StringIO()
    run_demo(out=out, **options)
    return out.getvalue()


def table(printed):
    """The rows of the printed tables by number, blanks squeezed."""
    rows = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
    return {row[0]: row[1:] for row in rows if re.fullmatch(r"(OUT|T)-\d\d", row[0])}


def edited(source, target, was, now):
    """A copy of a shipped file in which one text is another."""
    text = source.read_text(encoding="utf-8")
    assert text.count(was) == 1
    target.write_text(text.replace(was, now), encoding="utf-8")
    return target


# --- the table, counted by hand ---------------------------------------------------------------

# From the instants in public_outages.csv: first_public - began, resolved - began.
BY_HAND = {
    "OUT-01": ["P1", "met 14m 36s / 15m", "met 34m / 4h", "1"],
    "OUT-02": ["P1", "met 1m 38s / 15m", "breached 18h 47m / 4h", "3"],
    "OUT-03": ["P1", "breached 17m 19s / 15m", "breached 24h 11m 58s / 4h", "4"],
    "OUT-04": ["P1", "met 9m / 15m", "met 1h 6m / 4h"],
    "OUT-08": ["P4", "met 0s / 24h", "met 3h 47m / 120h"],
    "OUT-11": ["P2", "met 13m / 30m", "met 57m / 8h"],
    "OUT-13": ["P1", "breached 23m / 15m", "breached 14h 32m / 4h", "4"],
    "OUT-15": ["P1", "met 10m / 15m", "met 25m / 4h"],
    # 10:30 to 10:36:05, answered on the phone at once.
    "T-01": ["P4", "met 0s / 6h", "met 6m 5s / 30h"],
    # 4 Feb 11:15-13:10 = 1h 55m; the reply comes at 9:12, so on from 10:30 to 11:20 = 50m.
    "T-03": ["P4", "met 1h 47m / 6h", "met 2h 45m / 30h"],
    # 5 Feb 11:20-16:30 = 5h 10m, three days of 6 h, 9 Feb 10:30-15:05 = 4h 35m.
    "T-09": ["P3", "met 50m / 4h", "breached 27h 45m / 18h", "3"],
    "T-12": ["P4", "void", "void"],
    # Sent at night, so from 10:30: answered 10:41, resolved 11:30:20.
    "T-13": ["P3", "met 11m / 4h", "met 1h 20s / 18h"],
    # Promised by 12:00, spoken at 11:52.
    "T-14": ["P2", "met 0s / 30m", "met 2h 48m 53s / 8h", "1 kept"],
    # 6 Feb 11:00-16:30 = 5h 30m, 7 Feb 10:30-11:10 = 40m.
    "T-15": ["P3", "breached 6h 10m / 4h", "met 13h 30m 45s / 18h", "3"],
    # 15:20-16:05 = 45m, reopened at 10:12, so 10:30-12:15 = 1h 45m.
    "T-20": ["P4", "met 18m / 6h", "met 2h 30m / 30h", "1"],
    "T-21": ["P4", "met 0s / 6h", "met 6h 48m / 30h", "1 broken"],
    # Monitoring opened it; the acknowledgement answers.
    "T-24": ["P1", "met 2m 33s / 15m", "met 1h 13m 38s / 4h", "1 kept"],
    # 9 Feb 13:50-16:30 = 2h 40m, the holiday, make-up Sunday 10:30-14:40:55.
    "T-35": ["P4", "met 33m / 6h", "met 6h 50m 55s / 30h"],
    # Waiting for a supplier pauses nothing: 19 Feb 10:50-16:30, three days, 23 Feb 10:30-11:05.
    "T-39": ["P4", "met 24m / 6h", "running 24h 15m / 30h", "2"],
}


def rows(source):
    """The rows of a shipped file as mappings."""
    with source.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


PUBLISHED = ("began", "detected", "acknowledged", "first_public", "mitigated", "resolved", "review")
TRACKS = {"mobilisation": 1, "restoration": 3, "announcements": 3}
"""How many steps each track of the demo's procedure takes from its first one to its end."""


def steps_of(row):
    """A step for each instant that was published, and those of the outage's major incident.

    It is declared and accepted, its tracks go to their ends, and a published review is report and review.
    """
    papers = 2 * bool(row["review"].strip())
    return sum(bool(row[name].strip()) for name in PUBLISHED) + 2 + sum(TRACKS.values()) + papers


STEPS = len(rows(DESK)) + sum(map(steps_of, rows(OUTAGES)))
"""A line of the desk's log is a step."""

GRADE = {"high": 0, "medium": 1, "low": 2}
MINUTES = [(15, 240), (30, 480)]  # P1 and P2; no outage of less importance lasted for half of its target


def escalations(row):
    """How many steps an outage sets off: 75 % of the response, 50, 75 and 100 % of the resolution.

    The clocks of an outage never stand still, so a step fires if its share of the target is over
    by the first public word, or by the resolution.
    """
    grade = GRADE[row["impact"]] + GRADE[row["urgency"]]
    if grade > 1:
        return 0
    began, public, resolved = (
        dt.datetime.fromisoformat(row[name]) for name in ("began", "first_public", "resolved")
    )
    response, resolution = (dt.timedelta(minutes=minutes) for minutes in MINUTES[grade])
    over = [public - began >= response * 3 / 4]
    return sum(over + [resolved - began >= resolution * quarters / 4 for quarters in (2, 3, 4)])


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """What the first run of the demo printed, and its page."""
    folder = tmp_path_factory.mktemp("demo")
    page = folder / "demo.html"
    return demo(database=folder / "demo.db", page=page), page.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", BY_HAND)
def test_the_table_says_what_a_hand_counts(first, number):
    """Priority, response and resolution against target, escalations, reopenings, promises."""
    assert table(first[0])[number][1:] == BY_HAND[number]


def test_every_incident_has_a_row_and_a_card(first):
    """Fifteen outages and forty tickets, in the table and as pictures."""
    printed, page = first
    assert len(table(printed)) == 55
    assert page.count("<article ") == 55
    assert page.count('role="img"') == 110


def test_each_kind_of_segment_is_on_the_page(first):
    """Running, past due, paused, closed and stopped, each in a bar and in the legend with its words.

    T-09 ran late, T-03 waited for its requester; T-20 was resolved at 16:05, which is 25 minutes before
    the desk closed, and reopened on the next day.
    """
    _, page = first
    bars = dict(re.findall(r'<article id="([^"]+)">(.*?)</article>', page, re.DOTALL))
    legend = page.partition("</ul>")[0]
    words = {
        "run": ("clock running", "T-09"), "over": ("running past the due line", "T-09"),
        "pause": ("paused", "T-03"), "closed": ("desk closed", "T-20"),
        "stop": ("stopped: resolved, then reopened", "T-20"),
    }  # fmt: skip
    for kind, (told, article) in words.items():
        assert f'<i class="{kind}" style=' in bars[article], kind
        assert re.search(rf'<i class="{kind}" [^>]*></i></span><span>{told}</span>', legend), kind


def test_the_demo_says_what_it_did_and_what_it_proposes(first):
    """Counts, deliveries on the console, the recurring fault, and where the page is."""
    printed, _ = first
    incidents = len(rows(OUTAGES)) + sum(row["action"] == "open" for row in rows(DESK))
    assert f"{incidents} incidents opened and {STEPS} steps carried" in printed
    assert "0 failed" in printed
    assert "[console] to service-manager: T-09 P3: 100 % of the time for the resolution" in printed
    assert "[status_page] to public: OUT-03 | First public word" in printed
    assert "(wifi / network / ap-2f-03): T-02, T-11, T-19, T-27. Proposal: open a problem." in printed
    assert "Timelines as pictures: " in printed


@pytest.mark.parametrize("row", rows(OUTAGES), ids=lambda row: row["number"])
def test_the_escalations_of_an_outage_follow_from_its_instants(first, row):
    """Counted from the file, by the shares of the policy."""
    told = table(first[0])[row["number"]][4:]
    assert told == [str(escalations(row))] * bool(escalations(row))


def test_every_escalation_that_is_counted_is_shown_with_its_instant(first):
    """The sum that is printed is that of the cards; the desk's are those beyond the outages'."""
    printed, page = first
    shown = re.findall(r"</time> \d+ % of (?:response|resolution): ", page)
    assert f" {len(shown)} escalations" in printed
    by_hand = sum(map(escalations, rows(OUTAGES)))
    assert len(shown) - by_hand >= sum(int(BY_HAND[ticket][3]) for ticket in ("T-09", "T-15", "T-39"))


def test_escalations_fire_when_they_are_due(first):
    """OUT-03: 75 % of 15 minutes after 22:52 is 23:03:15; T-09 has its 18 h at 8 Feb 11:20."""
    _, page = first
    assert "<time>2018-10-21 23:03:15</time> 75 % of response: lead of service-desk informed" in page
    assert "<time>2024-02-08 11:20</time> 100 % of resolution: service-manager informed" in page


def test_instants_that_were_not_published_are_unknown(first):
    """OUT-01 has neither detection nor acknowledgement, mitigation or review."""
    _, page = first
    assert "Unknown (not published): detection, acknowledgement, mitigation, review" in page


# --- the major incidents of the outages ---------------------------------------------------------

# Done when, 5: "the demo's outages run a major incident with its three tracks". From public_outages.csv:
# accepted at the first instant after it began, assembled as acknowledged, else as resolved.
MAJOR_BY_HAND = {
    "OUT-03": [
        "Major incident by demo 1 since 2018-10-21 22:54, responsible: incident-manager",
        "mobilisation: assembled 2018-10-21 22:54",
        "restoration: restored 2018-10-22 23:03:58",
        "announcements: final 2018-10-22 23:03:58",
        "Reported and reviewed 2018-10-30 00:00",
    ],
    "OUT-12": [
        "Major incident by demo 1 since 2024-08-14 23:11, responsible: incident-manager",
        "mobilisation: assembled 2024-08-15 00:30",
        "restoration: restored 2024-08-15 00:30",
        "announcements: final 2024-08-15 00:30",
    ],
}


@pytest.mark.parametrize("number", MAJOR_BY_HAND)
def test_the_page_shows_the_major_incident_of_an_outage_with_its_three_tracks(first, number):
    """Who is responsible, where each track stands since when, and when it was reported and reviewed."""
    card = re.search(rf'<article id="{number}">(.*?)</article>', first[1], re.DOTALL)[1]
    lines = re.findall(r"<li>(.*?)</li>", card)
    plain = [re.sub(r"<[^>]+>", "", line) for line in lines]
    wanted = MAJOR_BY_HAND[number]
    assert plain[: len(wanted)] == wanted


def told_to_management(history):
    """The instants at which top management heard of an outage."""
    return [event.occurred_at for event in history if event.fields.get("audience") == "management"]


def test_every_outage_runs_a_major_incident_to_its_end():
    """Done when, 5: accepted, three tracks side by side, joined before Resolved; the desk's week has none.

    Closed are just those whose review was published. OUT-03 was open for 24 hours and 9 minutes after its
    acceptance: top management heard then, six times by the cadence of four hours, and at its end.
    """
    demo()
    store = stores.open("itsm-demo.db")
    try:
        found = {record.id: record for record in store.find(Query(limit=1000))}
        heard = {number: told_to_management(store.load(number, 0)[1]) for number in ("OUT-01", "OUT-03")}
    finally:
        store.close()
    for row in rows(OUTAGES):
        record = found[row["number"]]
        held = record.major_incident
        assert held.is_accepted
        assert (held.procedure.label, held.manager) == ("demo 1", "incident-manager")
        assert [track.track for track in held.tracks] == list(TRACKS)
        assert held.joined
        assert record.state == ("closed" if row["review"].strip() else "resolved")
        assert (held.review is not None) is bool(row["review"].strip())
    assert not any(record.major for number, record in found.items() if number.startswith("T-"))
    assert len(heard["OUT-03"]) == 8
    assert [at.isoformat() for at in heard["OUT-01"]] == [
        "2016-07-20T14:58:36+00:00",
        "2016-07-20T15:18:00+00:00",
    ]


def test_an_outage_whose_end_was_not_published_stays_a_proposal(folder):
    """Nobody knows how it went on; the page says when it was proposed."""
    open_end = edited(OUTAGES, folder / "open.csv", ",2016-07-20T15:18:00Z,,", ",,,")
    demo(input=open_end, database=folder / "a.db", page=run.Path("a.html"))
    page = run.Path("a.html").read_text(encoding="utf-8")
    assert "<li>Proposed as a major incident <time>2016-07-20 14:44</time></li>" in page


def test_an_outage_that_was_never_announced_needs_no_announcement(folder):
    """As far as is published; the track ends all the same."""
    row = outage(first_public="")
    (folder / "silent.csv").write_bytes(row)
    demo(input=folder / "silent.csv", page=run.Path("a.html"))
    assert "<li>announcements: not needed " in run.Path("a.html").read_text(encoding="utf-8")


def test_chinese_is_spoken_throughout():
    """Headings, verdicts, titles, messages and escalations."""
    printed = demo(lang="zh")
    assert table(printed)["T-15"] == [
        "假期余额显示为零",
        "P3",
        "违约 6小时10分钟 / 4小时",
        "达标 13小时30分钟45秒 / 18小时",
        "3",
    ]
    assert "解决时限已用 100 %" in printed
    assert "建议：立为问题" in printed
    page = (run.Path("itsm-demo.html")).read_text(encoding="utf-8")
    assert '<html lang="zh">' in page
    assert "服务恢复：已恢复 " in page


def test_on_a_terminal_the_table_is_coloured(monkeypatch):
    """The extra `cli` colours verdicts; the facts are the same."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    run_demo(out=out)
    assert "\x1b[" in out.getvalue()
    assert "breached 27h 45m / 18h" in re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())


def test_without_the_extra_a_terminal_gets_plain_text(monkeypatch):
    """The demo needs nothing but the core to print its table."""
    monkeypatch.setitem(sys.modules, "rich.console", None)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    run_demo(out=out)
    assert table(out.getvalue())["T-15"][1:] == BY_HAND["T-15"]


# --- the input decides ------------------------------------------------------------------------


def test_changing_one_instant_changes_the_table(folder):
    """The first public word two minutes later, and a kept target is a broken one."""
    later = edited(OUTAGES, folder / "later.csv", ",2016-07-20T14:58:36Z,", ",2016-07-20T15:00:36Z,")
    assert table(demo(input=OUTAGES, database=folder / "a.db"))["OUT-01"][2:] == [
        "met 14m 36s / 15m",
        "met 34m / 4h",
        "1",
    ]
    assert table(demo(input=later, database=folder / "b.db"))["OUT-01"][2] == "breached 16m 36s / 15m"


@pytest.mark.parametrize(("source", "count"), [(OUTAGES, 15), (DESK, 40)])
def test_another_file_is_taken_instead(source, count):
    """--input takes a file of either shape, and nothing else is opened."""
    assert len(table(demo(input=source))) == count


def test_a_spreadsheet_may_add_a_mark_line_ends_and_blank_lines(folder):
    """Byte order mark, CRLF and blank lines change no fact, so nothing is new."""
    demo(input=DESK)
    rows = DESK.read_text(encoding="utf-8").splitlines()
    (folder / "saved.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(rows).encode() + b"\r\n")
    assert "Nothing new" in demo(input=folder / "saved.csv")


def test_an_outage_without_end_or_public_word_is_unknown_on_both(folder):
    """Unknown is never met and never passed."""
    text = OUTAGES.read_text(encoding="utf-8").splitlines()
    row = next(csv.reader([text[1]]))
    row[9] = row[11] = ""
    target = folder / "open.csv"
    out = io.StringIO()
    csv.writer(out).writerow(row)
    target.write_text(f"{text[0]}\n{out.getvalue()}{text[2]}\n", encoding="utf-8")
    assert table(demo(input=target))["OUT-01"][2:4] == ["unknown", "unknown"]


def test_a_reply_to_a_closed_ticket_opens_a_linked_one_the_same_in_every_run(folder):
    """The new record takes its number from the line of the reply."""
    head, *rows = DESK.read_text(encoding="utf-8").splitlines()
    mine = [row for row in rows if row.startswith("invented,T-01,")]
    reply = "invented,T-01,2024-02-05T10:40:00+08:00,reply,u-003,requester,email,,,,,,Again.,,,,,"
    target = folder / "short.csv"
    target.write_text("\n".join([head, *mine, reply]), encoding="utf-8")
    assert "T-01-6" in demo(input=target)
    assert "Nothing new" in demo(input=target)


# --- twice is safe ----------------------------------------------------------------------------


def test_twice_is_safe_and_says_so():
    """The second run changes nothing, tells nobody, and shows the same table."""
    one = demo()
    size = run.Path("itsm-demo.db").read_bytes()
    two = demo()
    assert "Nothing new: itsm-demo.db holds the whole history already" in two
    assert "[console]" not in two
    assert table(two) == table(one)
    assert run.Path("itsm-demo.db").read_bytes() == size


def test_another_language_shows_the_same_database():
    """Texts are no part of what makes a history the same."""
    demo()
    assert "没有新内容" in demo(lang="zh")


@pytest.mark.parametrize("after", [0, 3, 60, 200])
def test_a_run_that_was_broken_off_goes_on(after, monkeypatch):
    """Whatever was done stays done, the rest follows, and the table is the whole one."""
    whole = table(demo(database=run.Path("whole.db")))
    carry, left = run._carry, [after]

    def some(desk, step, file):
        if isinstance(desk.store, stores.SqliteStore):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
        carry(desk, step, file)

    monkeypatch.setattr(run, "_carry", some)
    with pytest.raises(KeyboardInterrupt):
        demo()
    monkeypatch.setattr(run, "_carry", carry)
    printed = demo()
    assert f"{STEPS - after} steps carried" in printed
    assert table(printed) == whole


def test_a_database_with_another_history_is_refused_and_left_alone(folder):
    """Histories are never mixed: remove the file or name another one."""
    demo(input=DESK)
    before = run.Path("itsm-demo.db").read_bytes()
    changed = edited(DESK, folder / "changed.csv", "2024-02-04T10:34:20+08:00", "2024-02-04T10:34:21+08:00")
    for source in (changed, OUTAGES):
        with pytest.raises(
            InvalidValue, match=r"another history of T-01.*remove the file or name another one"
        ):
            demo(input=source)
    assert run.Path("itsm-demo.db").read_bytes() == before


# --- bad input --------------------------------------------------------------------------------

HEAD = DESK.read_text(encoding="utf-8").splitlines()[0]
OPEN = "x,A-1,2024-02-05T10:30:00+08:00,open,u-1,requester,phone,low,low,mail,,,Mail,,,,,"
START = "x,A-1,2024-02-05T10:40:00+08:00,start,d-1,agent,,,,,,,,,,,,"
OUTAGE_HEAD, OUTAGE = OUTAGES.read_text(encoding="utf-8").splitlines()[:2]


def desk(*rows):
    """The bytes of a desk's log."""
    return "\n".join([HEAD, *rows]).encode()


def outage(**changed):
    """The bytes of a file with one outage, some of its cells changed."""
    names = next(csv.reader([OUTAGE_HEAD]))
    row = dict(zip(names, next(csv.reader([OUTAGE])), strict=True)) | changed
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerow(row)
    return out.getvalue().encode()


BAD = {
    "empty": (b"", None, "is empty"),
    "blank": (b" \n\n", None, "is empty"),
    "binary": (b"number,at\n\x00\x01\x02", 2, "is binary"),
    "not utf-8": (b"number,at\n\xff\xfe", 2, "no UTF-8 text"),
    "no csv": (desk('x,"A-1'), 2, "is no CSV"),
    "header only": (HEAD.encode(), 1, "no rows"),
    "missing columns": (b"number,at,action\nA-1,2024-02-05,open", 1, "lacks the columns by, role"),
    "missing instants": (b"number,title,began\nA,b,c", 1, "lacks the columns service, impact"),
    "a column twice": (desk().replace(b"number,", b"number,number,", 1) + b"\n" + OPEN.encode(), 1, "twice"),
    "too few cells": (desk("x,A-1,2024-02-05T10:30:00+08:00"), 2, "has 3 cells, the header 18"),
    "no date": (desk(OPEN.replace("2024-02-05T10:30:00+08:00", "yesterday")), 2, "no ISO 8601 instant"),
    "no offset": (desk(OPEN.replace("+08:00", "")), 2, "has no zone"),
    "no such day": (desk(OPEN.replace("02-05", "02-30")), 2, "no ISO 8601 instant"),
    "far away": (desk(OPEN.replace("2024-02-05", "0001-01-01")), 2, "1970 to 2099"),
    "no instant": (desk(OPEN.replace("2024-02-05T10:30:00+08:00", "")), 2, "at '': is empty"),
    "no action": (desk(OPEN.replace(",open,", ",opened,")), 2, "use one of open, assign"),
    "no role": (desk(OPEN.replace(",requester,", ",boss,")), 2, "use one of requester, agent"),
    "nobody": (desk(OPEN.replace(",u-1,", ",,")), 2, "fill in the column by"),
    "no number": (desk(OPEN.replace(",A-1,", ",,")), 2, "fill in the column number"),
    "no text": (desk(OPEN.replace(",Mail,", ",,")), 2, "fill in the column text_en"),
    "a row twice": (desk(OPEN, START, START), 4, "repeats line 3 word for word"),
    "opened twice": (desk(OPEN, OPEN.replace("10:30", "10:31")), 3, "was opened on line 2"),
    "out of order": (desk(OPEN, START.replace("10:40", "10:20")), 3, "lies before line 2"),
    "never opened": (desk(START), 2, "was not opened before"),
    "bad level": (desk(OPEN.replace(",low,low,", ",huge,low,")), 2, 'use "high", "medium" or "low"'),
    "refused": (desk(OPEN, START, START.replace("10:40", "10:41")), 4, "start does not lead out of"),
    "no such ticket": (
        desk(OPEN, START.replace(",start,", ",link,") + "A-9"), 3, "refer to a ticket that was opened before",
    ),
    "an outage twice": (outage() + outage().split(b"\n", 1)[1], 3, "was used on line 2"),
    "never began": (outage(began=""), 2, "began '': is empty"),
    "before it began": (outage(first_public="2016-07-20T14:00:00Z"), 2, "before the outage began"),
    "resolved before": (outage(mitigated="2016-07-20T16:00:00Z"), 2, "lies before mitigated"),
    "review without end": (outage(resolved="", review="2016-07-21T00:00:00Z"), 2, "without a resolution"),
    "no address": (outage(postmortem_url="javascript:alert(1)"), 2, "no web address"),
    "no title": (outage(title=""), 2, "fill in the column title"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_names_file_line_value_and_remedy_and_writes_nothing(name, folder):
    """No half-written database or page, and a message that says what to do."""
    raw, line, told = BAD[name]
    (folder / "bad.csv").write_bytes(raw)
    with pytest.raises(InvalidInput) as caught:
        demo(input=folder / "bad.csv")
    error = caught.value
    assert (error.file, error.line) == ("bad.csv", line)
    assert error.remedy
    assert str(error).startswith("bad.csv, line " if line else "bad.csv: ")
    assert told in str(error)
    assert [path.name for path in folder.iterdir()] == ["bad.csv"]


def test_a_due_time_before_the_step_is_refused(folder):
    """A promise for yesterday is a slip of the pen."""
    promise = (
        "x,A-1,2024-02-05T10:40:00+08:00,promise,d-1,agent,email,,,,,,Soon.,,,2024-02-04T10:40:00+08:00,,"
    )
    with pytest.raises(InvalidInput, match=r"bad.csv, line 3: due .* lies before the step itself"):
        script.parse(desk(OPEN, promise), "bad.csv")


@pytest.mark.parametrize("name", ["none.csv", "."])
def test_a_file_that_cannot_be_read_is_named(name, folder):
    """Missing, or a folder."""
    with pytest.raises(InvalidInput, match="cannot be read"):
        demo(input=folder / name)
    assert not list(folder.iterdir())


def test_a_language_that_is_not_spoken_is_refused_first(folder):
    """Before anything is written."""
    with pytest.raises(InvalidValue, match="en, zh"):
        demo(lang="fr")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("place", ["", ".", "none/page.html", "itsm-demo.db"])
def test_a_page_that_cannot_be_written_is_refused_first(place, folder):
    """A folder, a place in no folder, or the database itself."""
    with pytest.raises(InvalidValue, match="is no place for a page"):
        demo(page=run.Path(place))
    assert not list(folder.iterdir())


@pytest.mark.parametrize("place", ["", ".", "/", "none/.."])
def test_a_database_that_names_no_file_is_refused_first(place, folder):
    """An empty name and folders, before anything is written."""
    (folder / "none").mkdir()
    with pytest.raises(InvalidValue, match=r"db .*(names no file|is a folder); name a file"):
        demo(database=run.Path(place))
    assert [path.name for path in folder.iterdir()] == ["none"]


def test_the_page_never_replaces_the_input(folder):
    """Somebody's CSV is not overwritten."""
    (folder / "mine.csv").write_bytes(desk(OPEN))
    with pytest.raises(InvalidValue, match="is no place for a page"):
        demo(input=folder / "mine.csv", page=folder / "mine.csv")


@pytest.mark.parametrize("name", ["damaged", "foreign", "text"])
def test_a_database_that_is_not_ours_is_refused_and_left_alone(name, folder):
    """Damaged, of another application, or no database at all."""
    path = folder / "itsm-demo.db"
    if name == "foreign":
        other = sqlite3.connect(path)
        other.execute("create table notes (text)")
        other.execute("insert into notes values ('mine')")
        other.commit()
        other.close()
    elif name == "damaged":
        demo(input=DESK)
        raw = bytearray(path.read_bytes())
        raw[:100] = bytes(100)
        path.write_bytes(raw)
        (folder / "itsm-demo.html").unlink()
    else:
        path.write_text("this is no database\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnreadable, match=r"itsm-demo\.db"):
        demo()
    assert path.read_bytes() == before
    assert not (folder / "itsm-demo.html").exists()


def test_a_database_that_another_process_holds_is_named(folder, monkeypatch):
    """It waits, gives up, and says so; nothing is half-written."""
    patience = functools.partial(stores.open, busy_timeout=dt.timedelta(milliseconds=100))
    monkeypatch.setattr(run.stores, "open", patience)
    demo(input=OUTAGES)
    run.Path("itsm-demo.html").unlink()
    code = (
        "import sqlite3, sys; c = sqlite3.connect('itsm-demo.db', isolation_level=None); "
        "c.execute('begin exclusive'); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreBusy, match=r"itsm-demo\.db"):
            demo()
        assert not run.Path("itsm-demo.html").exists()
    finally:
        holder.communicate()


def test_two_demos_at_once_are_one_too_many(folder):
    """Each lets a time of its own pass, so the second is told to wait; then nothing is new."""
    with turn(folder / "itsm-demo.db"), pytest.raises(StoreBusy, match="another process runs the demo"):
        demo()
    assert not list(folder.iterdir())
    demo()
    assert "Nothing new" in demo()
    assert sorted(path.name for path in folder.iterdir()) == ["itsm-demo.db", "itsm-demo.html"]


def test_a_folder_that_does_not_exist_is_named(folder):
    """The store says where it cannot write."""
    with pytest.raises(ItsmError, match="none"):
        demo(database=folder / "none" / "demo.db")


def test_every_error_of_the_demo_is_one_of_ours():
    """So the command line can turn each into one line and exit status 2."""
    assert issubclass(InvalidInput, ItsmError)
    assert issubclass(StoreBusy, ItsmError)


def test_the_store_holds_what_the_table_shows():
    """The table is read back from the database."""
    demo()
    store = stores.open("itsm-demo.db")
    try:
        found = store.find(Query(limit=1000))
    finally:
        store.close()
    assert len(found) == 55
    assert {record.state for record in found} == {"closed", "resolved", "cancelled", "on_hold", "in_progress"}
