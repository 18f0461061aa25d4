"""Tables of edges: how they are read, what they notice, and that the shipped lifecycles are what they say."""

import ast
import contextlib
import csv
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core import InvalidValue
from itsm_core.business_time import hours
from itsm_core.lifecycle import Lifecycle, Need, State, Transition
from itsm_core.processes import INCIDENT, PROCESSES
from itsm_core.testing import Edge, EdgeTable, assert_edges, differences, edges_of
from random_lifecycles import sound_lifecycles

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"

LOAN = Lifecycle(
    "loan", 1, process="loan", initial="asked",
    states=[State("asked", "new"), State("lent", "active"), State("back", "closed", outcome="completed")],
    transitions=[
        Transition("lend", "asked", dest="lent", roles={"agent", "manager"}, guards=("in_stock",),
                   requires=[Need("device", "our rule", otherwise="reason"), Need("note", "x", required=False, one_of=("used", "new"))]),
        Transition("lend", "asked", dest="asked", roles={"agent"}),
        Transition("return", ("asked", "lent"), dest="back", relation={"requester"}, separate_from=("lend",),
                   requires=[Need("state", "our rule", kept=True, essential=False)]),
        Transition("forget", "lent", dest="back", after=hours(4)),
    ],
    guards={"in_stock": lambda _: None},
)  # fmt: skip
EDGES = [("lend", "asked", "lent"), ("lend", "asked", "asked"), ("return", "asked", "back"),
         ("return", "lent", "back"), ("forget", "lent", "back")]  # fmt: skip
TABLE = """\
trigger,from,to,roles,relation,requires,asks,kept,optional,one_of,guards,separate_from,after,reopens,source
lend,asked,lent,agent|manager,,device/reason,note,,,note=used/new,in_stock,,,,3.1
lend,asked,asked,agent,,,,,,,,,,,3.2
return,asked|lent,back,,requester,state,,state,state,,,lend,,,3.3
forget,lent,back,,,,,,,,,,4h,,3.4
"""


# --- the shipped lifecycles --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["edges", "conditions"])
@pytest.mark.parametrize("process", PROCESSES)
def test_a_shipped_lifecycle_is_what_its_golden_table_says(process, kind):
    """Edge by edge, and condition by condition."""
    assert_edges(PROCESSES[process], GOLDEN / f"{process}_{kind}.csv")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.csv")), ids=lambda path: path.stem)
def test_each_row_of_a_golden_table_has_a_source(path):
    """Somebody outside the code asks for it."""
    with path.open(encoding="utf-8", newline="") as lines:
        assert all(row["source"].strip() for row in csv.DictReader(lines))


def test_both_tables_of_a_lifecycle_say_the_same_edges():
    """They are written by hand, each by itself."""
    for process in PROCESSES:
        told = [EdgeTable.of(GOLDEN / f"{process}_{kind}.csv").rows for kind in ("edges", "conditions")]
        one, other = ([edge for edge, _ in rows if edge.source] for rows in told)
        assert sorted(one) == sorted(other)


WRITING = {"write_text", "write_bytes", "writer", "DictWriter", "writelines", "to_csv", "copy", "rename"}


def _writes(function):
    """Whether a function calls what writes a file: methods that do, and `open` in a mode that does."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            modes = {
                word
                for word in words
                if isinstance(word, str) and word in {"w", "a", "x", "r+", "wb", "ab", "xb"}
            }
            if name in WRITING or (name == "open" and modes):
                return True
    return False


def _knows(node):
    """Whether code names the folder of the golden tables."""
    parts = (
        part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    words = [part.value for part in parts] + [
        part.id for part in ast.walk(node) if isinstance(part, ast.Name)
    ]
    return any(word in ("golden", "GOLDEN") or "golden/" in word for word in words)


def test_no_test_writes_a_golden_file():
    """Where a file names their folder, what writes is told where, and names no golden table itself."""
    folders = ("tests", "scripts", "src/itsm_core/testing")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    knowing = {path: tree for path in files if _knows(tree := ast.parse(path.read_text(encoding="utf-8")))}
    assert {"golden_edges.py", "test_mutants.py", "edges.py"} <= {path.name for path in knowing}
    functions = [(path, node) for path, tree in knowing.items() for node in ast.walk(tree)
                 if isinstance(node, ast.FunctionDef) and _writes(node)]  # fmt: skip
    for path, node in functions:
        assert {"tmp_path", "path"} & {argument.arg for argument in node.args.args}, (path, node.name)
        assert not _knows(node), (path, node.name)


# --- reading -----------------------------------------------------------------------------------


def test_a_table_is_read_from_a_path_its_text_or_rows(tmp_path):
    """All say the same; a mark at the beginning and the ends of lines do not matter."""
    file = tmp_path / "loan.csv"
    file.write_bytes(b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode() + b"\r\n,,,,,,,,,,,,,,\r\n")
    read = EdgeTable.of(file)
    assert read == EdgeTable.of(str(file)) == EdgeTable.of(TABLE) == EdgeTable.of(EdgeTable.of(TABLE))
    rows = list(csv.DictReader(TABLE.splitlines()))
    assert EdgeTable.of(rows) == read == EdgeTable.of(iter(rows))
    assert EdgeTable.of(TABLE.replace("agent|manager", " manager | agent ")) == read
    assert [edge for edge, _ in read.rows] == list(map(Edge._make, EDGES))
    assert "when" not in read.columns
    assert "source" not in read.columns


def test_rows_may_be_sequences_and_lists_may_stand_in_a_cell():
    """What a test writes by hand."""
    assert_edges(LOAN, EDGES)
    assert_edges(LOAN, [(*edge, "our handbook") for edge in EDGES])
    assert_edges(LOAN, [{"trigger": t, "from": [s], "to": d} for t, s, d in EDGES])
    assert EdgeTable.of([{"trigger": "go", "from": ("a|b", "c"), "to": "d"}]).rows == (
        (Edge("go", "a|b", "d"), ()), (Edge("go", "c", "d"), ()),
    )  # fmt: skip


def test_names_may_hold_anything():
    """Where a text cannot say them, edges and lists do; a message shows them on one line."""
    odd = Lifecycle(
        "odd", 1, process="x", initial="in work|x",
        states=[State("in work|x", "new"), State("é\u202e ", "closed", outcome="completed")],
        transitions=[Transition("go,\n", "in work|x", dest="é\u202e ", roles={"a b"})],
    )  # fmt: skip
    assert_edges(odd, edges_of(odd))
    assert_edges(odd, [{"trigger": ["go,\n"], "from": ["in work|x"], "to": ["é\u202e "], "roles": ["a b"]}])
    missing, found = differences(odd, [("go", "a", "b")])
    assert (missing, found) == ("- go: a -> b", "+ 'go,\\n': in work|x -> 'é\\u202e '")


# fmt: off
BAD = {
    "nothing":         ("\n",                                    "is no table"),
    "no rows":         ("trigger,from,to\n",                     "holds no edge"),
    "rows: none":      ([],                                      "holds no edge"),
    "no table":        (7,                                       "is no table"),
    "a row is a text": (["close"],                               "is no row"),
    "a row is None":   ([None],                                  "is no row"),
    "a short row":     ([("a", "b")],                            "has 2 cells"),
    "a long row":      ([("a", "b", "c", "d", "e")],             "has 5 cells"),
    "a missing cell":  ("trigger,from,to\na,b\n",                "has 2 cells, and there are 3 columns"),
    "one cell more":   ("trigger,from,to\na,b,c,d\n",            "has 4 cells"),
    "no trigger":      ("trigger,from,to\n,b,c\n",               "has no single trigger"),
    "no column from":  ("trigger,to\na,b\n",                  "has no single from"),
    "from nowhere":    ("trigger,from,to\nclose,,b\n",         "has no single from"),
    "open to nowhere": ("trigger,from,to\nopen,,\n",           "has no single to"),
    "open to two":     ("trigger,from,to\nopen,,a|b\n",        "has no single to"),
    "a vote that moves": ("trigger,from,to\nvote,,b\n",        "leads to b from nowhere"),
    "escalate":        ("trigger,from,to\nescalate,,\n",       "has no single from"),
    "no column to":    ("trigger,from\na,b\n",                   "has no single to"),
    "two ends":        ("trigger,from,to\na,b,c|d\n",            "has no single to"),
    "strange column":  ("trigger,from,to,role\na,b,c,agent\n",   "is no column"),
    "column twice":    ("trigger,from,to,to\na,b,c,c\n",         "is there twice"),
    "bad quotes":      ('trigger,from,to\n"a"b,c,d\n',           "is no table"),
    "a number":        ([{"trigger": "a", "from": 1, "to": "c"}], "has no words in from"),
    "an empty name":   ([{"trigger": "a", "from": [""], "to": "c"}], "has no words in from"),
    "a list of such":  ([{"trigger": "a", "from": [1], "to": "c"}], "has no words in from"),
    "no such time":    ("trigger,from,to,after\na,b,c,1 day\n",  "names no time in after"),
}
# fmt: on


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_table_is_refused(name):
    """With what is wrong and what to write; a column that nobody compares would prove nothing."""
    table, reason = BAD[name]
    with pytest.raises(InvalidValue, match=reason) as refused:
        EdgeTable.of(table)
    assert refused.value.remedy


def test_a_file_that_is_no_text_is_refused(tmp_path):
    """As is one that is not there, by the system."""
    file = tmp_path / "edges.csv"
    file.write_bytes(b"trigger,from,to\n\xff\xfe,b,c\n")
    with pytest.raises(InvalidValue, match="UTF-8"):
        EdgeTable.of(file)
    with pytest.raises(FileNotFoundError):
        EdgeTable.of(tmp_path / "nowhere.csv")


def test_only_a_lifecycle_has_edges():
    """Not its name."""
    with pytest.raises(InvalidValue, match="lifecycle"):
        assert_edges("incident", EDGES)


@given(st.text())
def test_any_text_is_a_table_or_refused(text):
    """Nothing else comes of it."""
    with contextlib.suppress(InvalidValue):
        assert EdgeTable.of(text + "\n").rows


# --- comparing ---------------------------------------------------------------------------------


def changed(row, **more):
    """The loan with one transition changed."""
    rows = list(LOAN.transitions)
    rows[row] = attrs.evolve(rows[row], **more)
    return attrs.evolve(LOAN, transitions=rows)


def test_a_lifecycle_that_is_what_the_table_says_passes():
    """All columns compared, the prose left alone."""
    assert differences(LOAN, TABLE) == ()
    assert_edges(LOAN, TABLE)
    assert edges_of(LOAN) == tuple(map(Edge._make, EDGES))


def test_the_message_is_a_diff():
    """What stands in the table only, and what in the lifecycle only."""
    other = changed(0, dest="back")
    with pytest.raises(AssertionError) as wrong:
        assert_edges(other, EDGES)
    assert str(wrong.value).splitlines() == [
        "loan 1 is not what the table says (-: table, +: lifecycle):",
        "- lend: asked -> lent",
        "+ lend: asked -> back",
    ]


def test_missing_and_added_edges_are_named():
    """Those of the table first, in its order."""
    other = attrs.evolve(LOAN, transitions=[*LOAN.transitions[:-1], Transition("find", "back", dest="lent")])
    assert differences(other, TABLE) == (
        "- forget: lent -> back",
        "+ find: back -> lent",
    )  # fmt: skip
    assert differences(LOAN, EDGES[:-1]) == ("+ forget: lent -> back",)


def test_an_edge_that_is_there_twice_is_noticed():
    """As often as the table has it, no more."""
    assert differences(attrs.evolve(LOAN, transitions=[*LOAN.transitions, LOAN.transitions[-1]]), EDGES) == (
        "+ forget: lent -> back",
    )
    assert differences(LOAN, [*EDGES, EDGES[0]]) == ("- lend: asked -> lent",)


def test_the_order_of_the_ways_of_a_trigger_is_compared():
    """The first that no guard bars is taken."""
    first, second, *rest = LOAN.transitions
    assert differences(attrs.evolve(LOAN, transitions=[second, first, *rest]), EDGES) == (
        "- lend: asked -> lent",
        "- lend: asked -> asked",
        "+ lend: asked -> asked",
        "+ lend: asked -> lent",
    )
    assert differences(attrs.evolve(LOAN, transitions=[*rest, first, second]), TABLE) == ()


# fmt: off
CONDITIONS = {
    "roles":         (0, {"roles": {"agent"}},           "roles agent", "roles agent|manager"),
    "relation":      (2, {"relation": ()},               "relation none", "relation requester"),
    "requires":      (0, {"requires": ()},               "requires none", "requires device/reason"),
    "asks":          (1, {"requires": [Need("note", "x", required=False)]}, "asks note", "asks none"),
    "kept":          (2, {"requires": [Need("state", "our rule", essential=False)]}, "kept none", "kept state"),
    "optional":      (2, {"requires": [Need("state", "our rule", kept=True)]}, "optional none", "optional state"),
    "one_of":        (0, {"requires": [Need("device", "our rule", otherwise="reason"), Need("note", "x", required=False)]},
                      "one_of none", "one_of note=used/new"),
    "guards":        (0, {"guards": ()},                 "guards none", "guards in_stock"),
    "separate_from": (2, {"separate_from": ("open",)},   "separate_from open", "separate_from lend"),
    "after":         (3, {"after": hours(5)},            "after 5h", "after 4h"),
    "reopens":       (1, {"reopens": "resume"},          "reopens resume", "reopens none"),
}
# fmt: on


@pytest.mark.parametrize("column", CONDITIONS)
def test_a_condition_that_differs_is_named(column):
    """And is looked at only if the table has a column for it."""
    row, more, now, was = CONDITIONS[column]
    lines = differences(changed(row, **more), TABLE)
    assert [line for line in lines if line.startswith("-") and was in line]
    assert [line for line in lines if line.startswith("+") and now in line]
    without = [{n: c for n, c in line.items() if n != column} for line in csv.DictReader(TABLE.splitlines())]
    assert not any(column in line for line in differences(changed(row, **more), without))


def test_every_column_of_conditions_is_tried_above():
    """The table of the tests has them all."""
    assert set(CONDITIONS) == set(EdgeTable.of(TABLE).columns)


# --- what leaves no state ----------------------------------------------------------------------

ASKED = attrs.evolve(
    LOAN,
    opening=[Need("device", "our rule", one_of=("phone", "laptop")), Need("note", "x", kept=True)],
    beside={"open": "in_stock", "vote": ("in_stock", "may_vote")},
    guards={**LOAN.guards, "may_vote": lambda _: None},
)
BESIDE = """\
open,,asked,,,device|note,,note,,device=phone/laptop,in_stock,,,,2.1
vote,,,,,,,,,,in_stock|may_vote,,,,2.2
"""
MORE = TABLE + BESIDE


def test_the_opening_and_commands_beside_the_state_have_rows():
    """In any place; they are no edges, so a table of edges alone need not have them."""
    assert differences(ASKED, MORE) == ()
    assert differences(ASKED, EDGES) == ()
    assert differences(ASKED, [*EDGES, ("open", "", "asked"), ("vote", "", "")]) == ()
    assert differences(LOAN, TABLE + "open,,asked,,,,,,,,,,,,nothing is asked\nvote,,,,,,,,,,,,,,free") == ()
    assert edges_of(ASKED) == edges_of(LOAN)
    assert EdgeTable.of([Edge("open", "", "asked"), Edge("vote", "", "")]).rows == (
        (Edge("open", "", "asked"), ()), (Edge("vote", "", ""), ()),
    )  # fmt: skip


def test_what_was_dropped_beside_the_state_is_named():
    """Nobody would miss a guard of a vote by the edges."""
    assert differences(attrs.evolve(ASKED, beside={}, opening=()), MORE) == (
        "- open: -> asked; requires device|note; kept note; one_of device=phone/laptop; guards in_stock",
        "+ open: -> asked; requires none; kept none; one_of none; guards none",
        "- vote; guards in_stock|may_vote",
        "+ vote; guards none",
    )
    assert differences(attrs.evolve(ASKED, beside={**ASKED.guards_beside, "vote": "in_stock"}), MORE) == (
        "- vote; guards in_stock|may_vote",
        "+ vote; guards in_stock",
    )


def test_what_a_table_has_no_row_for_is_named_with_its_conditions():
    """The columns are there, so they have to say it."""
    assert differences(ASKED, TABLE) == (
        "+ open: -> asked; requires device|note; kept note; one_of device=phone/laptop; guards in_stock",
        "+ vote; guards in_stock|may_vote",
    )
    assert differences(attrs.evolve(LOAN, beside={"vot": "in_stock"}), TABLE) == ("+ vot; guards in_stock",)


def test_the_row_of_the_opening_says_where_a_record_begins():
    """Another first state is another lifecycle."""
    assert differences(attrs.evolve(ASKED, initial="lent"), [*EDGES, ("open", "", "asked")]) == (
        "- open: -> asked",
        "+ open: -> lent",
    )


def test_a_trigger_that_takes_such_a_name_is_an_edge():
    """`check` refuses it; a table still says what is there."""
    odd = attrs.evolve(LOAN, transitions=[*LOAN.transitions, Transition("vote", "lent", dest="back")])
    assert differences(odd, [*EDGES, ("vote", "lent", "back")]) == ()
    assert differences(odd, EDGES) == ("+ vote: lent -> back",)


def test_choices_are_compared_in_the_order_in_which_they_are_offered():
    """People read them from the top."""
    needs = LOAN.transitions[0].requires
    turned = changed(0, requires=[needs[0], attrs.evolve(needs[1], one_of=("new", "used"))])
    was, now = differences(turned, TABLE)
    assert (was[0], now[0]) == ("-", "+")
    assert now[1:] == was[1:].replace("note=used/new", "note=new/used") != was[1:]


def test_the_column_when_holds_the_guards_that_tell_rows_apart():
    """Guards that it names nowhere are left open."""
    table = "trigger,from,to,when\nlend,asked,lent,in_stock\nlend,asked,asked,\n" + "\n".join(
        f"{t},{s},{d}," for t, s, d in EDGES[2:]
    )
    assert differences(LOAN, table) == ()
    assert differences(changed(0, guards=("in_stock", "other")), table) == ()
    assert differences(changed(0, guards=("other",)), table) == (
        "- lend: asked -> lent; when in_stock",
        "+ lend: asked -> lent; when none",
    )


@pytest.mark.law
@given(sound_lifecycles)
def test_any_lifecycle_is_what_a_table_of_its_edges_says(lifecycle):
    """And no other one, if an edge is taken away."""
    edges = edges_of(lifecycle)
    assert differences(lifecycle, edges) == ()
    assert len(differences(lifecycle, [*edges[1:], ("no", "such", "edge")])) == 2
    assert str(INCIDENT.id) not in differences(lifecycle, edges)
