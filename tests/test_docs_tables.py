"""What the pages say in tables is what the code holds; and the README's starts are short.

`python tests/test_docs_tables.py` writes the tables of docs/reference/lifecycles.md anew, and adds a
section for each lifecycle that has none; `python scripts/pictures.py` draws the pictures.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import itsm_core
from itsm_core.lifecycle.beside import BESIDE
from itsm_core.lifecycle.display.tables import fields_table, states_table, transitions_table
from itsm_core.lifecycle.soundness import PHASE_MOVES
from itsm_core.processes import PROCESSES
from itsm_core.sla.agreements.targets import PAUSABLE

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "lifecycles.md"
FENCE = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


# --- the tables ------------------------------------------------------------------------------


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _code(names):
    return ", ".join(f"`{name}`" for name in names) or "-"


def _picture(lifecycle):
    told = f"{lifecycle.say('en')}: its states side by side, and below them where each transition leads"
    return f"![{told}](../assets/lifecycle-{lifecycle.id}.svg)\n"


def _states(lifecycle):
    """The states, with their labels in both languages."""
    lines = states_table(lifecycle, "en").markdown().splitlines()
    chinese = ["label (zh)", "---", *(state.say("zh") for state in lifecycle.states)]
    return "".join(_with_a_cell(line, 2, cell) for line, cell in zip(lines, chinese, strict=True))


def _with_a_cell(line, place, cell):
    before, after = line.split(" | ")[:place], line.split(" | ")[place:]
    return " | ".join([*before, cell, *after]) + "\n"


def _moves():
    rows = (
        [before.value, ", ".join(after.value for after in type(before) if after in allowed) or "-"]
        for before, allowed in PHASE_MOVES.items()
    )
    return _table(["from", "to"], rows)


def _beside():
    rows = (
        [
            f"`{name}`",
            f"`{row.kind}`",
            "anybody" if "*" in row.roles else ", ".join(sorted(row.roles)),
            _code(row.requires),
            "yes" if row.when_closed else "no",
        ]
        for name, row in BESIDE.items()
    )
    return _table(["command", "event", "who", "requires", "on a closed record"], rows)


def _of(lifecycle):
    """What the page shows of a lifecycle, by the name of its place."""
    return {
        f"{lifecycle.id} picture": lambda: _picture(lifecycle),
        f"{lifecycle.id} states": lambda: _states(lifecycle),
        f"{lifecycle.id} transitions": lambda: transitions_table(lifecycle, "en").markdown(),
        f"{lifecycle.id} fields": lambda: fields_table(lifecycle, "en").markdown(),
    }


TABLES = {
    **{name: table for lifecycle in PROCESSES.values() for name, table in _of(lifecycle).items()},
    "phase moves": _moves,
    "commands beside the state": _beside,
}

SECTION = """\
## {name}

The lifecycle `{id}`, version {version}.

<!-- table: {id} picture -->
<!-- end -->

### {name}: states

<!-- table: {id} states -->
<!-- end -->

### {name}: transitions

<!-- table: {id} transitions -->
<!-- end -->

### {name}: fields

<!-- table: {id} fields -->
<!-- end -->

"""
NEXT = "## Commands beside the state\n"


def _with_sections(text):
    """The page with a section for every lifecycle, those that are new behind the others."""
    for lifecycle in PROCESSES.values():
        if f"<!-- table: {lifecycle.id} picture -->" not in text:
            section = SECTION.format(name=lifecycle.say("en"), id=lifecycle.id, version=lifecycle.version)
            text = text.replace(NEXT, section + NEXT)
    return text


def _with_tables(text):
    """The page with every table between its marks written anew."""
    for name, table in TABLES.items():
        between = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, found = between.subn(lambda m, t=table: f"{m[1]}\n{t()}\n{m[2]}", text)
        assert found == 1, f"{PAGE.name} has no place for the table {name!r}"
    return text


def test_the_lifecycle_page_is_what_the_definition_says():
    """States, transitions, fields, phase moves and the other commands, to the letter."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == _with_tables(text), "run: python tests/test_docs_tables.py"


@pytest.mark.parametrize("lifecycle", PROCESSES.values(), ids=PROCESSES)
def test_the_page_names_the_version_of_the_lifecycle(lifecycle):
    """A new version of a lifecycle asks for a look at the words around the tables."""
    assert f"`{lifecycle.id}`, version {lifecycle.version}" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("lifecycle", PROCESSES.values(), ids=PROCESSES)
def test_a_missing_section_would_be_added(lifecycle):
    """Whoever adds a lifecycle runs the script and finds its tables on the page."""
    text = _with_sections(f"# Lifecycles\n\n{NEXT}")
    assert text.index(f"## {lifecycle.say('en')}\n") < text.index(NEXT)
    assert all(text.count(f"<!-- table: {place} -->\n<!-- end -->") == 1 for place in _of(lifecycle))
    assert _with_sections(text) == text


def test_the_tables_name_every_state_trigger_and_field():
    """Whatever a definition holds stands on the page as a word of code."""
    text = PAGE.read_text(encoding="utf-8")
    for lifecycle in PROCESSES.values():
        asked = [need.field for row in lifecycle.transitions for need in row.requires]
        asked += [need.field for need in lifecycle.opening]
        names = {*lifecycle.by_id, *lifecycle.by_trigger, *asked}
        assert not [name for name in names if f"`{name}`" not in text]


def test_the_page_of_clocks_lists_the_waits_that_may_pause():
    """Only waits on the customer's side may stand in an agreement with the customer."""
    text = (ROOT / "docs" / "explanation" / "clocks.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("May pause: "))
    assert set(re.findall(r"`(\w+)`", line)) == {wait.value for wait in PAUSABLE}


def test_every_name_of_ours_in_the_glossary_exists():
    """The left column of the first table names what can be imported."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert len(names) > 10
    assert not [name for name in names if name not in itsm_core.__all__]


# --- the README's starts ---------------------------------------------------------------------


def _starts():
    """Of each numbered section of the README: its Python, and what stands below as its output."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^### (?=\d\. )", text, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: FENCE.search(part).groups() for part in sections}


STARTS = _starts()


def test_the_readme_has_three_starts():
    """Keep your table, let us keep it, replay in a notebook."""
    assert len(STARTS) == 3


@pytest.mark.parametrize("start", STARTS)
def test_a_start_has_at_most_fifteen_lines(start):
    """What is typed to begin fits on a slide; empty lines are not counted."""
    code, _ = STARTS[start]
    assert 5 <= len([line for line in code.splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize("start", STARTS)
def test_a_start_stands_on_its_own_and_prints_what_is_shown(start, tmp_path):
    """Each runs alone in an empty folder, warnings being errors."""
    code, shown = STARTS[start]
    script = tmp_path / "start.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown


if __name__ == "__main__":
    PAGE.write_text(_with_tables(_with_sections(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
