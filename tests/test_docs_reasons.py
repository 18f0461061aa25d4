"""The page of refusals has a row for every code that a `Reason` in the source can have, and no other."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "itsm_core"
PAGE = ROOT / "docs" / "how-to" / "when-a-command-is-refused.md"
OF_DEFINITIONS = {"lifecycle/migration.py", "lifecycle/soundness.py"}
"""Here a code is a finding about a definition, and no refusal: docs/reference/soundness-rules.md."""

ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def codes_in(source):
    """The code of each `Reason(...)` of a module; None where it is no literal."""
    return [_code(call) for call in ast.walk(ast.parse(source)) if _makes_a_reason(call)]


def _makes_a_reason(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Reason"


def _code(call):
    given = call.args[:1] or [word.value for word in call.keywords if word.arg == "code"]
    return given[0].value if given and isinstance(given[0], ast.Constant) else None


CODES = {
    path.relative_to(PACKAGE).as_posix(): codes_in(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")
}
KNOWN = {code for codes in CODES.values() for code in codes if code is not None}
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ('Reason("late", said)', ["late"]),
        ('errors.Reason("late", said)', ["late"]),
        ('f(Reason(\n    code="late", message=said))', ["late"]),
        ("Reason(found.code, said)", [None]),
        ('Refused("late", said)', []),
    ],
)
def test_a_code_is_found_however_a_reason_is_written(source, codes):
    """By position or by name, over several lines, within other calls."""
    assert codes_in(source) == codes


@pytest.mark.parametrize("folder", ["approvals", "lifecycle", "processes"])
def test_reasons_are_looked_for_where_they_are_given(folder):
    """A folder without codes would mean that nobody looked into it."""
    assert [path for path, codes in CODES.items() if path.startswith(f"{folder}/") and any(codes)]


def test_every_code_has_a_row():
    """Whoever gets a code finds what it says and what to do about it."""
    assert KNOWN - {code for code, _, _ in ROWS} == set()


def test_every_row_is_about_a_code_that_there_is():
    """No row is about a code that is gone, and none is there twice."""
    codes = [code for code, _, _ in ROWS]
    assert set(codes) - KNOWN == set()
    assert sorted(codes) == sorted(set(codes))


def test_every_line_with_a_code_is_a_whole_row():
    """Code, what it says and what to do: a row that lacks one is none, and would be overlooked."""
    begun = re.findall(r"^\| `(\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert begun == [code for code, _, _ in ROWS]


def test_codes_of_refusals_are_written_out():
    """A code that is put together is in no list; only findings about definitions have such codes."""
    assert {path for path, codes in CODES.items() if None in codes} == OF_DEFINITIONS
