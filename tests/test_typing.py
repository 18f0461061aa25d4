"""What users write type-checks under `mypy --strict`, against the installed package."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted([*(ROOT / "examples").glob("*.py"), *(ROOT / "tests" / "typing").glob("*.py")])
FOLDERS = sorted(p for p in (ROOT / "examples").glob("*/") if any(p.rglob("*.py")))
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _mypy(folder, *paths):
    """mypy's findings with no configuration of ours, from a folder where src/ is not."""
    command = [
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary",
        "--follow-untyped-imports", "--allow-redefinition", "--cache-dir", str(folder / "cache"),
        *map(str, paths),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _blocks(text):
    """The Python blocks of a Markdown page as one module whose line numbers are the page's."""
    lines = [""] * (text.count("\n") + 1)
    for found in FENCE.finditer(text):
        code = found[1].splitlines()
        if any(line.startswith(">>>") for line in code):
            code = [line[4:] if line.startswith((">>> ", "... ")) else "" for line in code]
        first = text.count("\n", 0, found.start(1))
        lines[first : first + len(code)] = code
    return "\n".join(lines)


def test_the_python_of_the_readme_type_checks(tmp_path):
    """The first lines that anybody copies are sound."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert FENCE.search(text), "README.md shows no Python"
    page = tmp_path / "README.py"
    page.write_text(_blocks(text), encoding="utf-8")
    assert _mypy(tmp_path, page.name) == ""


def test_the_examples_type_check(tmp_path):
    """Each script of examples/ (and of tests/typing/, never run), as its author's own code."""
    assert SCRIPTS, "examples/ holds no *.py"
    assert _mypy(tmp_path, *SCRIPTS) == ""


def test_the_example_folders_type_check(tmp_path):
    """Each host product of examples/, its tests left out."""
    for folder in FOLDERS:
        tests = {*folder.rglob("test_*.py"), *folder.rglob("conftest.py")}
        assert _mypy(tmp_path, *sorted({*folder.rglob("*.py")} - tests)) == "", folder.name


def test_a_wrong_call_is_seen(tmp_path):
    """The package's types reach the user: the check above is no empty pass."""
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from itsm_core.errors import Reason\nReason(code=1, message='')\n", "utf-8")
    assert 'Argument "code" to "Reason"' in _mypy(tmp_path, wrong.name)
