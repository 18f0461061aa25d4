"""Tables, picture and page of a lifecycle, with a record on it: what they say, and that labels stay labels."""

import datetime as dt
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import attrs
import markdown as python_markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn import HOSTILE, Reader, cells_of, contrast
from itsm_core.business_time.durations import (
    business_days,
    calendar_days,
    end_of_business_day,
    hours,
    minutes,
    seconds,
)
from itsm_core.business_time.picture import Drawing
from itsm_core.errors import InvalidValue
from itsm_core.lifecycle import InstantOf, Lifecycle, Need, State, Transition
from itsm_core.lifecycle.display.tables import fields_table, states_table, transitions_table
from itsm_core.lifecycle.display.words import fitting, one_line, wait
from itsm_core.processes import PROCESSES
from itsm_core.records import fold
from shown import CHANGE, HISTORY, NINE, OPENED, event, labelled

LABELS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=60), min_size=2, max_size=5, unique=True)
SVG = "{http://www.w3.org/2000/svg}"


# -- tables ------------------------------------------------------------------------------------------

TABLE = """\
**Change, version 1**

| state | label | phase | outcome | waits on |
| --- | --- | --- | --- | --- |
| `recorded` | Recorded | new | - | - |
| `authorize` | Authorization | waiting | - | internal |
| `implement` | Implementation | active | - | - |
| `review` | Review | resolved | - | - |
| `closed` | Closed | closed | completed | - |

| trigger | button | from | to | who | requires | guards | kept apart from | by time | clocks |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| `open` | Open | - | `recorded` | - | `title` | - | - | - | - |
| `submit` | Submit | `recorded` | `authorize` | agent, manager | `risk`, `test_result` | - | - | - | - |
| `approve` | Approve | `authorize` | `implement` | manager | - | `is_approved` | `open`, `submit` | - | - |
| `revise` | Revise | `authorize` | `recorded` | agent | - | - | - | - | - |
| `finish` | Finish | `implement` | `review` | agent | - | - | - | - | - |
| `back_out` | Back out | `implement` | `review` | agent | - | - | - | - | - |
| `extend` | Extend | `implement` | `implement` | agent | - | - | - | - | - |
| `reopen` | Reopen | `review` | `implement` | agent | - | - | - | - | resume |
| `close` | Close | `review` | `closed` | the requester, the sponsor | - | - | - | - | - |
| `lapse` | Nobody objected | `review` | `closed` | time | - | - | - | after 5 business days | - |
| `expire` | Expire | `recorded`, `authorize` | `closed` | time | - | - | - | after 20 business days | - |

| field | meaning | type | choices | or in its place | may be on record | asked for by |
| --- | --- | --- | --- | --- | --- | --- |
| `title` | what is to change | text | - | - | - | 8.5.1.2 |
| `risk` | risk | - | `low`, `high` | - | - | 8.5.1.3 |
| `test_result` | test_result | - | - | `untested_reason` | yes | 8.5.1.3 |
"""


def test_the_tables_say_all_that_the_definition_holds():
    """States, the opening and transitions, and the fields that they ask for."""
    assert CHANGE.table() == TABLE


def test_the_tables_speak_chinese():
    """Headings, phases, waits and times too; ids stay what they are."""
    lines = CHANGE.table("zh").splitlines()
    assert lines[0] == "**变更，第 1 版**"
    assert lines[2] == "| 状态 | 名称 | 阶段 | 结果 | 等待 |"
    assert lines[5] == "| `authorize` | 授权 | 等待 | - | 内部 |"
    assert "| `close` | 关闭 | `review` | `closed` | 请求人, sponsor | - | - | - | - | - |" in lines
    assert "| `reopen` | 重开 | `review` | `implement` | agent | - | - | - | - | 继续 |" in lines
    assert "| `lapse` | 无异议 | `review` | `closed` | 时间 | - | - | - | 5 个工作日后 | - |" in lines


def test_a_column_without_entries_is_left_out():
    """A lifecycle without guards has no column of guards; the first columns always stand."""
    plain = Lifecycle("p", 1, process="p", initial="a", states=[State("a", "new")], transitions=[])
    assert states_table(plain, "en").keys == ("state", "label", "phase")
    assert (
        plain.table()
        == "**P, version 1**\n\n| state | label | phase |\n| --- | --- | --- |\n| `a` | a | new |\n"
    )
    assert transitions_table(plain, "en").rows == ()


def test_a_field_that_is_asked_for_twice_alike_is_one_row():
    """Whether `lite` keeps it makes no difference to a reader; another clause does."""
    asked = (
        Need("reason", "a"), Need("reason", "a", essential=False), Need("reason", "b"),
        Need("reason", "a", one_of=("x",)),
    )  # fmt: skip
    row = attrs.evolve(CHANGE.transitions[0], requires=asked)
    table = fields_table(attrs.evolve(CHANGE, opening=(), transitions=(row,)), "en")
    assert len(table.rows) == 3


@pytest.mark.parametrize(
    ("after", "english", "chinese"),
    [
        (business_days(1), "after 1 business day", "1 个工作日后"),
        (calendar_days(30), "after 30 calendar days", "30 个日历日后"),
        (end_of_business_day(), "at end of business day", "当日工作结束时"),
        (end_of_business_day(2), "at end of business day +2", "第 2 个后续工作日结束时"),
        (hours(4), "after 4h", "4 小时后"),
        (minutes(90), "after 1h 30m", "1 小时 30 分钟后"),
        (seconds(5), "after 5s", "5 秒后"),
        (InstantOf("risk_review_at"), "at risk_review_at", "到 risk_review_at 时"),
        (InstantOf("approval.due"), "when the approval falls due", "审批到期时"),
    ],
)
def test_the_wait_of_a_timer_in_words(after, english, chinese):
    """What is counted is always said."""
    assert wait(after, "en") == wait(after, "fr") == english
    assert wait(after, "zh") == chinese


@pytest.mark.law
@given(LABELS)
def test_a_label_stays_a_label_in_markdown(labels):
    """Python-Markdown shows every cell to the letter, and the table keeps its columns."""
    lifecycle = labelled(labels)
    page = python_markdown.markdown(lifecycle.table(), extensions=["tables"])
    assert page.count("<table>") == 3
    cells = cells_of(page)
    made = [states_table(lifecycle, "en"), transitions_table(lifecycle, "en"), fields_table(lifecycle, "en")]
    told = [[list(table.head), *map(_shown, table.rows)] for table in made]
    assert cells == [row for rows in told for row in rows]


def _shown(row):
    ids = (
        cell if isinstance(cell, str) else ", ".join(one_line(one) for one, _ in cell.items) for cell in row
    )
    return [cell or "-" for cell in ids]


# -- a record on the tables ----------------------------------------------------------------------------


def test_the_tables_show_where_the_record_is_and_was():
    """The present state has a mark, every state and transition the numbers of the moves."""
    lines = CHANGE.table(history=HISTORY).splitlines()
    assert lines[2] == "Record CHG-1 is now: ▶ Implementation"
    assert lines[4].startswith("- Waiver by max: one person may do both Open and Approve")
    assert "| `recorded` | Recorded | new | - | - | opened; by move 2 |" in lines
    assert "| `authorize` | Authorization | waiting | - | internal | by move 1, 3 |" in lines
    assert "| `implement` | Implementation | active | - | - | ▶ now; by move 4 |" in lines
    (submit,) = (line for line in lines if line.startswith("| `submit`"))
    assert submit.endswith("| 1, 3 |")
    assert lines[-5:] == [
        "- opened as Recorded, 2024-02-05 10:00 UTC, ana",
        "- move 1, Submit: Recorded to Authorization, 2024-02-05 11:00 UTC, ana",
        "- move 2, Revise: Authorization to Recorded, 2024-02-05 13:00 UTC, ana",
        "- move 3, Submit: Recorded to Authorization, 2024-02-05 14:00 UTC, ana",
        "- move 4, Approve: Authorization to Implementation, 2024-02-05 15:00 UTC, ana",
    ]


def test_the_path_speaks_chinese():
    """Moves, marks and waivers."""
    told = CHANGE.table("zh", history=HISTORY)
    assert "记录 CHG-1 当前：▶ 实施" in told
    assert "▶ 当前; 第 4 步" in told
    assert "- 第 4 步，批准：授权 至 实施, 2024-02-05 15:00 UTC, ana" in told
    assert (
        "max 豁免：一人可兼 登记 与 批准，自 2024-02-05 12:00 UTC 至 2024-02-12 09:00 UTC；复核：the owner"
        in told
    )


def test_a_record_goes_by_its_number():
    """Where it has one."""
    record = CHANGE.record("c4711", "review", number="CHG-1")
    assert "Record CHG-1 is now: ▶ Review" in CHANGE.table(record=record)


def test_moves_under_another_version_are_told_and_not_drawn():
    """Before a migration the lifecycle was another: its moves stand in the list alone."""
    before = (
        attrs.evolve(OPENED, lifecycle_version=2),
        event(2, "transitioned", "recorded", "authorize", "submit", version=2),
        event(3, "migrated", "authorize", "implement"),
        event(4, "transitioned", "implement", "review", "finish"),
    )
    told = CHANGE.table(history=before)
    assert "- opened as Recorded, under change 2, 2024-02-05 10:00 UTC, ana" in told
    assert "- move 1, Submit: Recorded to Authorization, under change 2, 2024-02-05 11:00 UTC, ana" in told
    assert (
        "- move 2, Migrate: Authorization to Implementation, under change 1, 2024-02-05 12:00 UTC, ana"
        in told
    )
    assert "| `authorize` | Authorization | waiting | - | internal | - |" in told
    strong = [line for line in CHANGE.mermaid(history=before).splitlines() if "==>" in line]
    assert strong == ['  s2 ==>|"Finish, move 3<br/>Back out"| s3']


def test_a_history_without_a_lifecycle_is_shown():
    """Rows of a host say no lifecycle; what their record is shown on is the host's to know."""
    history = [
        event(1, "opened", None, "recorded", process="change", version=None),
        event(2, "transitioned", "recorded", "authorize", version=None),
    ]
    told = CHANGE.table(history=history)
    assert "- move 1, transitioned: Recorded to Authorization, 2024-02-05 11:00 UTC, ana" in told


def test_a_part_of_the_history_needs_the_record():
    """Given the record, any stretch of its path is shown; alone it must be whole."""
    told = CHANGE.table(record=fold(HISTORY), history=HISTORY[-1:])
    assert "- move 1, Approve: Authorization to Implementation" in told
    with pytest.raises(InvalidValue, match="whole history"):
        CHANGE.table(history=HISTORY[-1:])


def test_events_are_put_in_order():
    """Whatever order they come in, and corrected."""
    moved = event(
        7, "corrected", event="e6", field="occurred_at", now=(NINE + dt.timedelta(hours=5, minutes=30)).isoformat(),
        was="x", reason="mistyped",
    )  # fmt: skip
    assert CHANGE.table(history=HISTORY[::-1]) == CHANGE.table(history=HISTORY)
    assert "Implementation, 2024-02-05 14:30 UTC, ana" in CHANGE.table(history=[*HISTORY, moved])


STRANGE = {
    "record of another version": lambda ask: ask(record=attrs.evolve(fold(HISTORY), lifecycle_version=2)),
    "record of another lifecycle": lambda ask: ask(record=attrs.evolve(fold(HISTORY), lifecycle="incident")),
    "state that is none": lambda ask: ask(record=attrs.evolve(fold(HISTORY), state="gone")),
    "no record": lambda ask: ask(record="CHG-1"),
    "no events": lambda ask: ask(history=["e1"]),
    "one event": lambda ask: ask(history=OPENED),
    "two records": lambda ask: ask(history=[OPENED, attrs.evolve(HISTORY[1], record="CHG-2")]),
    "another record": lambda ask: ask(record=CHANGE.record("CHG-2"), history=HISTORY),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("display", ["mermaid", "dot", "table", "draw", "html"])
def test_what_does_not_belong_on_it_is_refused(display, strange):
    """With what to give instead, by every display."""
    with pytest.raises(InvalidValue) as refused:
        strange(getattr(CHANGE, display))
    assert refused.value.remedy


def test_a_refusal_names_both_versions():
    """What the record runs on, and what was asked to show it."""
    record = attrs.evolve(fold(HISTORY), lifecycle_version=2)
    told = "record 'CHG-1': runs on change 2, not on change 1; show it on its own lifecycle"
    with pytest.raises(InvalidValue, match=f"^{re.escape(told)}$"):
        CHANGE.draw(record=record)


# -- words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "most", "lines"),
    [
        ("", 5, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 5, ["one", "two", "three"]),
        ("threefold", 5, ["three", "fold"]),
        ("名名名 名", 5, ["名名", "名 名"]),
        ("名名", 1, ["名", "名"]),
    ],
)
def test_a_text_is_broken_into_lines(text, most, lines):
    """At spaces where there are any; a line holds one letter at least."""
    assert list(fitting(text, most)) == lines


@pytest.mark.law
@given(st.text(alphabet="ab 名\u0301", max_size=40), st.integers(1, 12))
def test_lines_lose_nothing_but_spaces(text, most):
    """And every line fits, unless one wide letter is all of it."""
    found = list(fitting(text, most))
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) + line.count("名") <= max(most, 2) for line in found)


# -- the picture -----------------------------------------------------------------------------------------


def picture(lifecycle, *arguments, **options):
    """The root of the picture; it must be XML."""
    return ET.fromstring(str(lifecycle.draw(*arguments, **options)))


def rows(root):
    """What each row across the lanes says, and its classes."""
    found = [group for group in root.iter(f"{SVG}g") if "row" in group.get("class")]
    return [
        (group.find(f"{SVG}title").text, group.get("class").removeprefix("row").strip()) for group in found
    ]


def test_the_picture_has_a_row_for_each_transition():
    """The opening first; what time fires is dashed and says when."""
    assert rows(picture(CHANGE)) == [
        ("Open: as Recorded", ""),
        ("Submit: from Recorded to Authorization", ""),
        ("Approve: from Authorization to Implementation", ""),
        ("Revise: from Authorization to Recorded", ""),
        ("Finish: from Implementation to Review", ""),
        ("Back out: from Implementation to Review", ""),
        ("Extend: from Implementation to Implementation", ""),
        ("Reopen: from Review to Implementation", ""),
        ("Close: from Review to Closed", ""),
        ("Nobody objected: from Review to Closed, after 5 business days", "timed"),
        ("Expire: from Recorded, Authorization to Closed, after 20 business days", "timed"),
    ]


def _places(root):
    """The lanes by their head, and for each row its dots and the tips of its arrows, as states."""
    heads = [text for text in root.findall(f"{SVG}text") if text.get("transform")]
    lanes = {line.get("x1"): head.text for line, head in zip(root.findall(f"{SVG}line"), heads, strict=True)}
    found = []
    for group in root.iter(f"{SVG}g"):
        if "row" not in group.get("class"):
            continue
        dots = [lanes.get(dot.get("cx"), "outside") for dot in group.findall(f"{SVG}circle")]
        tips = [
            lanes[re.match(r"M(\d+) ", path.get("d"))[1]]
            for path in group.findall(f"{SVG}path[@class='end']")
        ]
        found.append((dots, tips))
    return found


def test_dots_and_arrows_stand_in_the_lanes_of_their_states():
    """A dot for each source; an arrow from the left, from the right, or back to the same state."""
    root = picture(CHANGE, "en")
    assert _places(root)[:2] == [(["outside"], ["Recorded"]), (["Recorded"], ["Authorization"])]
    both = Transition("gather", ("recorded", "review", "implement"), dest="implement")
    _, (dots, tips) = _places(picture(attrs.evolve(CHANGE, transitions=(both,))))
    assert dots == ["Recorded", "Review", "Implementation"]
    assert tips == ["Implementation"] * 3


@pytest.mark.parametrize("lifecycle", PROCESSES.values(), ids=PROCESSES)
def test_rows_and_lanes_keep_apart_and_stay_in_the_frame(lifecycle):
    """Rows 26 pixels apart below the heads and above the legend, lanes 44 at least, all inside the picture."""
    root = picture(lifecycle)
    width, height = int(root.get("width")), int(root.get("height"))
    assert root.get("viewBox") == f"0 0 {width} {height}"
    lanes = root.findall(f"{SVG}line")
    xs = [int(line.get("x1")) for line in lanes]
    steps = {after - before for before, after in pairwise(xs)}
    assert len(steps) == 1
    assert 44 <= min(steps) <= 96
    labels = [group.find(f"{SVG}text") for group in root.iter(f"{SVG}g") if "row" in group.get("class")]
    ys = [int(label.get("y")) for label in labels]
    assert {after - before for before, after in pairwise(ys)} == {26}
    top, bottom = int(lanes[0].get("y1")), int(lanes[0].get("y2"))
    legend = max(int(text.get("y")) for text in root.iter(f"{SVG}text") if text.get("class") == "soft")
    assert 60 < top < ys[0] < ys[-1] < bottom < legend - 12 < legend < height
    assert {label.get("text-anchor") for label in labels} == {"end"}
    assert 100 < int(labels[0].get("x")) < xs[0] < xs[-1] < width - 40


def test_alternatives_share_a_row():
    """One trigger to one state is one row, whatever guards tell apart; to another state it is another."""
    first = CHANGE.transitions[0]
    alternatives = (
        first,
        attrs.evolve(first, sources=("authorize", "recorded"), guards=("is_approved",)),
        attrs.evolve(first, dest="review"),
    )
    told = [label for label, _ in rows(picture(attrs.evolve(CHANGE, transitions=alternatives)))]
    assert told == [
        "Open: as Recorded",
        "Submit: from Recorded, Authorization to Authorization",
        "Submit: from Recorded to Review",
    ]


def test_the_picture_shows_the_record():
    """The lane of its state, the rows it took with the numbers of the moves, its waivers."""
    root = picture(CHANGE, history=[*HISTORY, event(7, "transitioned", "implement", "closed", "give_up")])
    text = [element.text for element in root.iter(f"{SVG}text")]
    assert text[0] == "Change, version 1. Record CHG-1 is now: ▶ Closed"
    assert "▶ Closed" in text
    assert len(root.findall(f"{SVG}rect[@class='here']")) == 1
    taken = {told: classes for told, classes in rows(root) if classes}
    assert taken == {
        "Submit: from Recorded to Authorization": "taken",
        "Approve: from Authorization to Implementation": "taken",
        "Revise: from Authorization to Recorded": "taken",
        "give up (not of this lifecycle): from Implementation to Closed": "taken",
        "Nobody objected: from Review to Closed, after 5 business days": "timed",
        "Expire: from Recorded, Authorization to Closed, after 20 business days": "timed",
    }
    assert {"move 1, 3", "move 2", "move 4", "move 5"} <= set(text)
    assert " ".join(text).count("Waiver by max") == 1
    assert "path taken" in text


def test_a_legend_explains_only_what_is_there():
    """No dashes without timers, no strong lines without a path."""
    plain = attrs.evolve(CHANGE, transitions=CHANGE.transitions[:3])
    text = [element.text for element in picture(plain).iter(f"{SVG}text")]
    assert text[-7:] == ["new", "active", "waiting", "resolved", "closed", "from", "to"]
    assert [element.text for element in picture(CHANGE, "zh").iter(f"{SVG}text")][-2:] == ["至", "定时"]


def test_the_picture_is_told_to_those_who_do_not_see_it():
    """Name, state and every row in words."""
    root = picture(CHANGE, history=HISTORY)
    assert root.get("role") == "img"
    assert root.get("lang") == "en"
    assert root.get("aria-label").startswith(
        "Change, version 1. Record CHG-1 is now: ▶ Implementation. Open: as"
    )
    assert all(told in root.get("aria-label") for told, _ in rows(root))


@pytest.mark.parametrize("lifecycle", PROCESSES.values(), ids=PROCESSES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_shipped_lifecycle_has_a_picture(lifecycle, lang):
    """A lane for each state, and no row without an end."""
    root = picture(lifecycle, lang)
    assert len(root.findall(f"{SVG}line")) == len(lifecycle.states)
    assert all(dots and tips for dots, tips in _places(root))


# -- the page --------------------------------------------------------------------------------------------


def test_the_page_says_what_the_tables_say():
    """Every table with caption and headings, labels in place of ids where people read."""
    page = Reader(str(CHANGE.html()))
    assert page.rows[0] == ["state", "label", "phase", "outcome", "waits on"]
    assert page.rows[2] == ["authorize", "Authorization", "waiting", "–", "internal"]
    (expire,) = (row for row in page.rows if row[0] == "expire")
    assert expire[1:5] == ["Expire", "Recorded, Authorization", "Closed", "time"]
    (approve,) = (row for row in page.rows if row[0] == "approve")
    assert approve[6:8] == ["is_approved", "Open, Submit"]
    assert [row for row in page.rows if row[0] == "risk"] == [
        ["risk", "risk", "–", "low, high", "–", "–", "8.5.1.3"]
    ]
    captions = re.findall("<caption>(.*?)</caption>", str(CHANGE.html()))
    assert captions == ["States", "Transitions", "Fields asked for"]


def test_the_page_can_be_read_aloud():
    """A language, headings with their direction, and what scrolls can be reached by keyboard and has a name."""
    page = Reader(str(CHANGE.html("zh", history=HISTORY)))
    tags = dict(page.seen[:1])
    assert tags["div"]["lang"] == "zh"
    scopes = [attributes["scope"] for tag, attributes in page.seen if tag == "th"]
    assert scopes.count("row") == len(page.rows) - 3
    assert set(scopes) == {"row", "col"}
    wide = [attributes for tag, attributes in page.seen if attributes.get("class") == "wide"]
    assert [(one["role"], one["tabindex"], one["aria-label"]) for one in wide] == [
        ("region", "0", name) for name in ("图", "状态", "流转", "所需字段")
    ]


def test_the_page_shows_the_record_in_words():
    """Where it is, what was waived and the path, none of it by colour alone."""
    page = Reader(str(CHANGE.html(history=HISTORY)))
    assert "Record CHG-1 is now: ▶ Implementation" in page.text
    assert "Waiver by max: one person may do both Open and Approve" in page.text
    assert "The path taken" in page.text
    assert "move 4, Approve: Authorization to Implementation, 2024-02-05 15:00 UTC, ana" in page.text
    here = [attributes for tag, attributes in page.seen if tag == "tr" and attributes]
    assert here == [{"class": "here"}]
    assert ["implement", "Implementation", "active", "–", "–", "▶ now; by move 4"] in page.rows
    assert not [
        tag for tag, attributes in Reader(str(CHANGE.html())).seen if attributes.get("class") == "here"
    ]


def test_a_record_on_its_own_says_what_is_known_of_it():
    """Without a history there is no path; without waivers no heading for them."""
    page = Reader(str(CHANGE.html(record=CHANGE.record("CHG-1", "review"))))
    assert "Record CHG-1 is now: ▶ Review" in page.text
    assert "The path taken" not in page.text
    assert "Waivers" not in page.text


@pytest.mark.law
@given(LABELS)
def test_a_label_stays_a_label_on_the_page(labels):
    """The page has the tags that it should have, and every label is there to the letter."""
    lifecycle = labelled(labels)
    plain = labelled([f"plain{n}" for n in range(len(labels))])
    page, expected = Reader(str(lifecycle.html())), Reader(str(plain.html()))
    assert [tag for tag, _ in page.seen] == [tag for tag, _ in expected.seen]
    shown = [row[1] for row in page.rows[1 : len(labels) + 1]]
    assert shown == [one_line(label or f"s{n}") for n, label in enumerate(labels)]
    ET.fromstring(str(lifecycle.draw()))


def test_every_hostile_label_at_once():
    """All of them in one lifecycle, with a record called after one: nothing runs, nothing is loaded."""
    lifecycle = labelled(HOSTILE)
    record = lifecycle.record('"><script>alert(1)</script>', lifecycle.states[3].id)
    for ask in (lifecycle.html, lifecycle.draw):
        markup = str(ask(record=record))
        Reader(markup)  # knows no script, no handler, no link
        assert not re.search(r"url\(|@import|expression\(", re.sub("&[^;]*;", "", markup))


def test_long_labels_are_told_in_full_once_and_cut_where_they_are_named_again():
    """A page of a hundred transitions between states with labels of 10,000 characters stays a page."""
    states = [State(f"s{n}", "new", label=f"{n} {'x' * 10_000}") for n in range(10)]
    rows = [Transition(f"t{n}", [f"s{m}" for m in range(10)], dest=f"s{n % 10}") for n in range(100)]
    crowd = Lifecycle("crowd", 1, process="crowd", initial="s0", states=states, transitions=rows)
    markup = str(crowd.html())
    assert markup.count("x" * 10_000) == 10
    assert len(markup) < 600_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\t c ", "a b c"),
        ("", "–"),
        (" \n ", "–"),
        ("\x00", "\ufffd"),
        ("\u202eabc", "\ufffdabc"),
        ("\ud800", "\ufffd"),
        (5, "5"),
    ],
)
def test_a_text_is_shown_on_one_line(text, shown):
    """Spaces of any kind are one space; what does more than show is replaced; nothing is a dash."""
    assert one_line(text) == shown


def test_colours_of_the_page_read_in_light_and_dark():
    """Text on what lies behind it at 4.5:1 (WCAG 2.2, 1.4.3), on the card, on headings, on the present row."""
    for markup in (str(CHANGE.html()), str(CHANGE.draw())):
        for style in re.findall(r"<style>\n(.*?)</style>", markup, re.DOTALL):
            light, dark = style.split("@media(prefers-color-scheme:dark)")
            for scheme in (light, dark):
                ink = re.search(r"\{color:(#\w+)", scheme)[1]
                colours = dict(re.findall(r"--(\w+):(#\w+)", scheme))
                behind = [colours[name] for name in ("card", "here", "head") if name in colours]
                front = [ink, colours["soft"], colours["now"]]
                assert len(behind) >= 2
                assert min(contrast(ink, one) for one in behind) >= 4.5
                assert min(contrast(one, colours["card"]) for one in front) >= 4.5
                assert contrast(colours["now"], colours["here"]) >= 4.5


# -- in a notebook ---------------------------------------------------------------------------------------


def test_a_notebook_gets_text_page_and_mermaid():
    """The richest is shown by whatever reads it."""
    bundle = CHANGE._repr_mimebundle_(include=None, exclude=None)
    assert bundle == {
        "text/plain": "<lifecycle change 1: 5 states, 10 transitions>",
        "text/html": str(CHANGE.html()),
        "text/vnd.mermaid": CHANGE.mermaid(),
    }
    assert CHANGE._repr_html_() == str(CHANGE.html())


def test_a_page_is_a_drawing():
    """A notebook shows it, `str` gives the text, and templates take it as markup."""
    page = CHANGE.html()
    assert isinstance(page, Drawing)
    assert page.__html__() == page._repr_html_() == str(page)
    assert isinstance(CHANGE.draw(), Drawing)
