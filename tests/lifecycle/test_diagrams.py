"""Mermaid and DOT: what they say of a lifecycle, and that no label can say anything else."""

import re

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn import HOSTILE, contrast, read_dot, read_mermaid
from itsm_core.errors import InvalidValue
from itsm_core.lifecycle import Lifecycle, State, Transition
from itsm_core.lifecycle.display.graph import INK, LINE, LOOKS, NOW
from itsm_core.processes import PROCESSES
from itsm_core.records import fold
from shown import CHANGE, HISTORY, OPENED, WAIVED, event, labelled

LABELS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=60), min_size=2, max_size=8)


# -- what they say ---------------------------------------------------------------------------------

MERMAID = """\
flowchart LR
  accTitle: Change, version 1
  begin((" ")) --> s0
  s0(["Recorded"])
  s1{{"Authorization"}}
  s2["Implementation"]
  s3("Review")
  s4[["Closed"]]
  s0 -->|"Submit"| s1
  s1 -->|"Approve"| s2
  s1 -->|"Revise"| s0
  s2 -->|"Finish<br/>Back out"| s3
  s2 -->|"Extend"| s2
  s3 -->|"Reopen"| s2
  s3 -->|"Close<br/>Nobody objected #40;by time#41;"| s4
  s0 -.->|"Expire #40;by time#41;"| s4
  s1 -.->|"Expire #40;by time#41;"| s4
"""


def test_a_flowchart_names_states_and_merged_edges():
    """One edge between two states, its triggers in lines; dashed where time fires all of them."""
    text = CHANGE.mermaid()
    assert text.startswith(MERMAID)
    assert all(re.match("  (classDef|class) ", line) for line in text[len(MERMAID) :].splitlines())


STYLES = """\
  classDef phaseNew fill:#dfeafa,stroke:#3b78c4,color:#1b2430
  class s0 phaseNew
  classDef phaseActive fill:#dcf1e2,stroke:#2e8b57,color:#1b2430
  class s2 phaseActive
  classDef phaseWaiting fill:#fdeccb,stroke:#b0761c,color:#1b2430
  class s1 phaseWaiting
  classDef phaseResolved fill:#d8f0ef,stroke:#1d8a8a,color:#1b2430
  class s3 phaseResolved
  classDef phaseClosed fill:#e6e7ec,stroke:#7a8594,color:#1b2430
  class s4 phaseClosed
  classDef begin fill:#6b7a8c,stroke:#6b7a8c
  class begin begin
"""
MARKS = """\
  classDef waiver fill:#ffffff,stroke:#d0342c,color:#1b2430,stroke-dasharray:6 4
  classDef now stroke:#d0342c,stroke-width:4px
  class s2 now
"""


def test_styles_stand_at_the_end_of_a_flowchart():
    """Colours of phases; with a record those of its state and its waivers."""
    assert CHANGE.mermaid() == MERMAID + STYLES
    assert CHANGE.mermaid(history=HISTORY).endswith(STYLES + MARKS)


DOT = """\
digraph lifecycle {
  graph [rankdir=TB label="L, version 1. Record r is now: b" labelloc=t bgcolor="#ffffff" fontcolor="#1b2430"]
  node [shape=box style=filled fontcolor="#1b2430"]
  edge [color="#6b7a8c" fontcolor="#1b2430" fontsize=11]
  begin [shape=point label="" width=0.2 color="#6b7a8c"]
  begin -> s0
  s0 [label="a" shape=ellipse fillcolor="#dfeafa" color="#3b78c4"]
  s1 [label="▶ b" shape=box peripheries=2 fillcolor="#e6e7ec" color="#d0342c" penwidth=4]
  s0 -> s1 [label="go, move 1" color="#1b2430" penwidth=3]
}
"""


def test_a_graph_to_the_letter():
    """Two states, the way between them taken."""
    small = Lifecycle(
        "l", 1, process="l", initial="a", states=[State("a", "new"), State("b", "closed", outcome="completed")],
        transitions=[Transition("go", "a", dest="b")],
    )  # fmt: skip
    moved = attrs.evolve(
        event(2, "transitioned", "a", "b", "go", record="r"), lifecycle="l", lifecycle_version=1
    )
    record = small.record("r", "b")
    assert small.dot(record=record, history=[moved], direction="TB") == DOT


SHAPES = {
    "s0": ("stadium", "phaseNew"), "s1": ("hexagon", "phaseWaiting"), "s2": ("box", "phaseActive"),
    "s3": ("rounded", "phaseResolved"), "s4": ("double", "phaseClosed"),
}  # fmt: skip


def test_the_phase_decides_shape_and_colour_of_a_flowchart():
    """Five phases, five shapes; the colour comes with a class of the same name."""
    chart = read_mermaid(CHANGE.mermaid())
    assert {key: (shape, *chart.classes[key]) for key, (shape, _) in chart.nodes.items()} == SHAPES
    assert chart.classes["begin"] == ["begin"]


def test_a_graph_says_the_same():
    """Title, nodes, edges and styles, read from the DOT text."""
    graph = read_dot(CHANGE.dot())
    assert graph.attributes["graph"]["label"] == "Change, version 1"
    assert graph.attributes["graph"]["rankdir"] == "LR"
    shapes = {
        key: (node.get("shape"), node.get("style"), node.get("peripheries"))
        for key, node in graph.nodes.items()
    }
    assert shapes == {
        "begin": ("point", None, None),
        "s0": ("ellipse", None, None),
        "s1": ("hexagon", None, None),
        "s2": ("box", None, None),
        "s3": ("box", "rounded,filled", None),
        "s4": ("box", None, "2"),
    }
    assert [(a, b, more.get("label"), more.get("style")) for a, b, more in graph.edges] == [
        ("begin", "s0", None, None),
        ("s0", "s1", "Submit", None),
        ("s1", "s2", "Approve", None),
        ("s1", "s0", "Revise", None),
        ("s2", "s3", "Finish\nBack out", None),
        ("s2", "s2", "Extend", None),
        ("s3", "s2", "Reopen", None),
        ("s3", "s4", "Close\nNobody objected (by time)", None),
        ("s0", "s4", "Expire (by time)", "dashed"),
        ("s1", "s4", "Expire (by time)", "dashed"),
    ]


def test_alternatives_of_one_trigger_are_said_once():
    """Two rows that guards tell apart are one line of one edge."""
    rows = (CHANGE.transitions[0], attrs.evolve(CHANGE.transitions[0], guards=("is_approved",)))
    chart = read_mermaid(attrs.evolve(CHANGE, transitions=rows).mermaid())
    assert chart.edges == [("s0", "-->", ("Submit",), "s1")]


def test_labels_speak_the_language_that_is_asked_for():
    """Chinese where there is some; elsewhere English, and the words of the library too."""
    chart = read_mermaid(CHANGE.mermaid("zh"))
    assert chart.title == "变更，第 1 版"
    assert chart.nodes["s1"] == ("hexagon", "授权")
    assert ("s0", "-.->", ("过期（定时）",), "s4") in chart.edges
    german = attrs.evolve(
        CHANGE, states=(State("recorded", "new", label={"de": "Erfasst"}), *CHANGE.states[1:])
    )
    chart = read_mermaid(german.mermaid("de"))
    assert (chart.nodes["s0"][1], chart.nodes["s1"][1]) == ("Erfasst", "Authorization")


@pytest.mark.parametrize("direction", ["LR", "TB", "RL", "BT"])
def test_a_diagram_runs_where_it_is_told_to(direction):
    """Left to right, top to bottom, and back."""
    assert read_mermaid(CHANGE.mermaid(direction=direction)).direction == direction
    assert read_dot(CHANGE.dot(direction=direction)).attributes["graph"]["rankdir"] == direction


@pytest.mark.parametrize("direction", ["TD", "lr", "", None, 'LR"; click s0', ["LR"]])
def test_another_direction_is_refused(direction):
    """With the four that there are."""
    for ask in (CHANGE.mermaid, CHANGE.dot):
        with pytest.raises(InvalidValue, match="use one of LR, TB, RL, BT"):
            ask(direction=direction)


@pytest.mark.parametrize("lang", [None, "", 1, b"en"])
def test_a_language_is_a_word(lang):
    """Anything else is refused, by every display."""
    for ask in (CHANGE.mermaid, CHANGE.dot, CHANGE.table, CHANGE.draw, CHANGE.html):
        with pytest.raises(InvalidValue, match="language"):
            ask(lang)


@pytest.mark.parametrize("lifecycle", PROCESSES.values(), ids=PROCESSES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_shipped_lifecycle_can_be_drawn(lifecycle, lang):
    """Every state by its label, and an edge for each move from state to state."""
    chart, graph = read_mermaid(lifecycle.mermaid(lang)), read_dot(lifecycle.dot(lang))
    assert [label for _, label in chart.nodes.values()] == [state.say(lang) for state in lifecycle.states]
    keys = {f"s{n}": state.id for n, state in enumerate(lifecycle.states)}
    assert [(keys[a], keys[b]) for a, _, _, b in chart.edges] == list(
        dict.fromkeys((source, row.dest) for row in lifecycle.transitions for source in row.sources)
    )
    assert [(a, b) for a, _, _, b in chart.edges] == [(a, b) for a, b, _ in graph.edges if a != "begin"]


# -- a record on it --------------------------------------------------------------------------------


def test_the_state_of_a_record_is_marked():
    """By a sign at its label and a strong line, and in the title."""
    record = CHANGE.record("CHG-1", "review")
    chart, graph = read_mermaid(CHANGE.mermaid(record=record)), read_dot(CHANGE.dot(record=record))
    assert chart.title == "Change, version 1. Record CHG-1 is now: Review"
    assert [key for key, (_, label) in chart.nodes.items() if label.startswith("▶ ")] == ["s3"]
    assert [key for key, kinds in chart.classes.items() if "now" in kinds] == ["s3"]
    assert graph.attributes["graph"]["label"] == chart.title
    assert graph.nodes["s3"]["label"] == "▶ Review"
    assert [key for key, node in graph.nodes.items() if "penwidth" in node] == ["s3"]
    assert not [edge for edge in chart.edges if edge[1] == "==>"]


def test_the_path_is_numbered():
    """Every move by its number, on a strong line; the opening has none."""
    chart, graph = read_mermaid(CHANGE.mermaid(history=HISTORY)), read_dot(CHANGE.dot(history=HISTORY))
    assert [edge for edge in chart.edges if edge[1] == "==>"] == [
        ("s0", "==>", ("Submit, move 1, 3",), "s1"),
        ("s1", "==>", ("Approve, move 4",), "s2"),
        ("s1", "==>", ("Revise, move 2",), "s0"),
    ]
    strong = [(a, b, more["label"]) for a, b, more in graph.edges if "penwidth" in more]
    assert strong == [(a, b, lines[0]) for a, arrow, lines, b in chart.edges if arrow == "==>"]


def test_many_moves_are_not_all_counted():
    """A path that went round ten times names the first eight moves."""
    history = [OPENED]
    for n in range(20):
        ends = ("recorded", "authorize", "submit") if n % 2 == 0 else ("authorize", "recorded", "revise")
        history.append(event(n + 2, "transitioned", *ends))
    chart = read_mermaid(CHANGE.mermaid(history=history))
    assert chart.edges[0] == ("s0", "==>", ("Submit, move 1, 3, 5, 7, 9, 11, 13, 15, …",), "s1")
    eight = read_mermaid(CHANGE.mermaid(history=history[:17]))
    assert eight.edges[0][2] == ("Submit, move 1, 3, 5, 7, 9, 11, 13, 15",)


def test_a_waiver_hangs_on_the_state():
    """A note says who let one person do what, until when, and what makes up for it."""
    told = (
        "Waiver by max: one person may do both Open and Approve, from 2024-02-05 12:00 UTC "
        "until 2024-02-12 09:00 UTC; review: the owner looks at it"
    )
    record = fold(HISTORY)
    chart, graph = read_mermaid(CHANGE.mermaid(record=record)), read_dot(CHANGE.dot(record=record))
    assert chart.nodes["w0"] == ("box", told)
    assert chart.bare == [("w0", "s2")]
    assert chart.classes["w0"] == ["waiver"]
    assert graph.nodes["w0"]["label"].replace("\n", " ") == told
    assert max(map(len, graph.nodes["w0"]["label"].split("\n"))) <= 48
    assert ("w0", "s2", {"style": "dotted", "arrowhead": "none"}) in graph.edges
    assert graph.ranks == [["w0", "s2"]]


def test_a_restricted_record_keeps_the_words_of_its_waiver():
    """Who, which duties and until when are shown; free text is not."""
    opening = attrs.evolve(OPENED, fields={**OPENED.fields, "restricted": True})
    for ask in (CHANGE.mermaid, CHANGE.dot, CHANGE.table, CHANGE.draw, CHANGE.html):
        told = str(ask(history=[opening, *HISTORY[1:]]))
        assert "Waiver by max" in told
        assert "the owner" not in told


def test_the_same_waiver_twice_is_one_note():
    """Two that differ are two."""
    again = attrs.evolve(WAIVED, id="again", seq=9)
    other = event(8, "waived", by="max", trigger="approve", separate_from="submit", reason="two people",
                  until="2024-02-12T09:00:00Z", review="the owner looks at it")  # fmt: skip
    chart = read_mermaid(CHANGE.mermaid(history=[*HISTORY, again, other]))
    assert [key for key in chart.nodes if key.startswith("w")] == ["w0", "w1"]
    assert chart.bare == [("w0", "s2"), ("w1", "s2")]


def test_a_move_that_the_lifecycle_does_not_have_is_drawn():
    """As an import brings it: on an edge of its own, or beside the triggers of one that is there."""
    history = [
        OPENED,
        event(2, "transitioned", "recorded", "review", "jump_ahead"),
        event(3, "transitioned", "review", "implement", "push"),
    ]
    chart = read_mermaid(CHANGE.mermaid(history=history))
    assert ("s0", "==>", ("jump ahead (not of this lifecycle), move 1",), "s3") in chart.edges
    assert ("s3", "==>", ("Reopen", "push (not of this lifecycle), move 2"), "s2") in chart.edges


def test_moves_that_the_lifecycle_does_not_have_stand_in_order():
    """Of their triggers, so that the same history gives the same text."""
    history = [OPENED]
    history += [
        event(n + 2, "transitioned", "recorded", "recorded", trigger) for n, trigger in enumerate("fbdaec")
    ]
    (edge,) = (
        edge for edge in read_mermaid(CHANGE.mermaid(history=history)).edges if edge[0] == edge[3] == "s0"
    )
    assert [line[0] for line in edge[2]] == list("abcdef")


def test_a_move_through_a_state_that_is_gone_is_drawn():
    """The state says that it is none."""
    history = [
        OPENED,
        event(2, "transitioned", "recorded", "old-state", "go"),
        event(3, "transitioned", "old-state", "review", "go"),
    ]
    chart = read_mermaid(CHANGE.mermaid(history=history))
    assert chart.nodes["s5"] == ("flag", "old-state (no state here)")
    assert chart.classes["s5"] == ["phaseNone"]
    assert [(a, b) for a, arrow, _, b in chart.edges if arrow == "==>"] == [("s0", "s5"), ("s5", "s3")]


def test_an_unsound_lifecycle_can_be_looked_at():
    """What is only named is drawn too: whoever wrote it wants to see what is wrong."""
    lost = Lifecycle(
        "lost", 1, process="lost", initial="nowhere", states=[State("a", "new"), State("a", "active")],
        transitions=[Transition("go", "a", dest="b"), Transition("stay", (), dest="a")],
    )  # fmt: skip
    chart, graph = read_mermaid(lost.mermaid()), read_dot(lost.dot())
    assert chart.first == "s1"
    assert chart.nodes == {
        "s0": ("box", "a"),
        "s1": ("flag", "nowhere (no state here)"),
        "s2": ("flag", "b (no state here)"),
    }
    assert graph.nodes["s2"]["style"] == "dashed,filled"
    assert [str(ask()) for ask in (lost.table, lost.draw, lost.html)]


# -- no label says anything else ---------------------------------------------------------------------


def _line(label):
    """A label on one line: without what does more than show, and never empty."""
    printable = "".join("\ufffd" if _moves(letter) else letter for letter in " ".join(label.split()))
    return printable or "–"


def _moves(letter):
    """Controls, marks that turn text round, halves of pairs: they do more than show."""
    return bool(re.match("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", letter))


def _fits(shown, label):
    whole = _line(label)
    return shown == whole or (shown.endswith("…") and whole.startswith(shown[:-1].rstrip()))


@pytest.mark.law
@given(LABELS)
def test_a_label_stays_a_label_in_mermaid(labels):
    """Whatever ids and labels hold, every line is the statement it should be and shows them to the letter."""
    chart = read_mermaid(labelled(labels).mermaid())
    shown = [label for key, (_, label) in chart.nodes.items() if key.startswith("s")]
    assert [pair for pair in zip(shown, _known_as(labels), strict=True) if not _fits(*pair)] == []


@pytest.mark.law
@given(LABELS)
def test_a_label_stays_a_label_in_dot(labels):
    """The same for Graphviz."""
    graph = read_dot(labelled(labels).dot())
    shown = [node["label"] for key, node in graph.nodes.items() if key.startswith("s")]
    assert [pair for pair in zip(shown, _known_as(labels), strict=True) if not _fits(*pair)] == []


def _known_as(labels):
    """The labels of states; one that says nothing gives way to the id."""
    return [label or f"s{n}" for n, label in enumerate(labels)]


def test_every_hostile_label_at_once():
    """All of them in one lifecycle, with a record that is called after the worst."""
    lifecycle = labelled(HOSTILE)
    record = lifecycle.record('"]; click <script>', lifecycle.states[3].id)
    chart, graph = read_mermaid(lifecycle.mermaid(record=record)), read_dot(lifecycle.dot(record=record))
    for title in (chart.title, graph.attributes["graph"]["label"]):
        assert 'Record "]; click <script> is now: a\\"b' in title
    known = [f"▶ {label}" if n == 3 else label for n, label in enumerate(_known_as(HOSTILE))]
    for shown in (
        [label for _, label in chart.nodes.values()],
        [node["label"] for node in graph.nodes.values()][1:],
    ):
        assert [pair for pair in zip(shown, known, strict=True) if not _fits(*pair)] == []


def test_a_long_note_is_cut():
    """After 240 columns; the tables have all of it."""
    waived = attrs.evolve(WAIVED, fields={**WAIVED.fields, "review": "x" * 1_000})
    record = fold([OPENED, waived])
    note = read_mermaid(CHANGE.mermaid(record=record)).nodes["w0"][1]
    assert (len(note), note[-2:]) == (240, "x…")
    assert "x" * 1_000 in CHANGE.table(record=record)
    assert "x" * 1_000 in str(CHANGE.html(record=record))


def test_a_diagram_of_long_labels_stays_short():
    """Mermaid draws up to 50,000 characters: ten states with labels of 10,000 take a fraction."""
    assert len(labelled(["x" * 10_000 + str(n) for n in range(10)]).mermaid()) < 6_000
    assert len(labelled(["名" * 10_000 + str(n) for n in range(10)]).dot()) < 6_000


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("a" * 48, "a" * 48),
        ("a" * 49, "a" * 47 + "…"),
        ("名" * 24, "名" * 24),
        ("名" * 25, "名" * 23 + "…"),
        ("a" * 46 + " bcd", "a" * 46 + "…"),
    ],
)
def test_a_long_label_is_cut_to_what_fits(label, shown):
    """Forty-eight columns; wide letters take two."""
    lifecycle = Lifecycle(
        "l", 1, process="l", initial="a", states=[State("a", "new", label=label)], transitions=[]
    )
    assert read_mermaid(lifecycle.mermaid()).nodes["s0"][1] == shown


# -- colours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_label_reads_on_its_fill_and_lines_stand_out(look):
    """7:1 for text (WCAG 2.2, 1.4.6); 3:1 for lines (1.4.11), on white as on the dark of a page."""
    assert contrast(INK, look.fill) >= 7
    for card in ("#ffffff", "#1b212a"):
        assert contrast(look.line, card) >= 3


@pytest.mark.parametrize("line", [NOW, LINE])
def test_marks_stand_out(line):
    """The mark of the present state, and the lines between states."""
    assert contrast(line, "#ffffff") >= 3
    assert contrast(line, "#1b212a") >= 3


def test_every_phase_has_a_shape_of_its_own():
    """So colour is never the only carrier of a meaning."""
    assert len({look.mermaid for look in LOOKS.values()}) == len({look.dot for look in LOOKS.values()}) == 6
