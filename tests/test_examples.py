"""Every example runs as a user would run it and prints what stands beside it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
FOLDERS = sorted(p for p in EXAMPLES.glob("*/") if any(p.rglob("*.py")))


def test_there_are_examples():
    """An empty folder would make the tests below pass for nothing."""
    assert SCRIPTS, "examples/ holds no *.py"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_example_prints_its_golden_output(script, tmp_path):
    """Run in an empty folder, warnings being errors, stdout equals the .out file."""
    golden = script.with_suffix(".out")
    assert golden.is_file(), f"{golden.name} is missing: run the example and look at what it prints"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"examples/{script.name} failed:\n{done.stderr}"
    assert done.stdout == golden.read_text(encoding="utf-8"), f"examples/{script.name}"


def test_every_golden_output_has_its_example():
    """No .out file is left behind by a renamed example."""
    assert {p.stem for p in EXAMPLES.glob("*.out")} <= {p.stem for p in SCRIPTS}


def test_an_example_folder_brings_its_own_test():
    """A larger example, such as a host product, is proved by a test_*.py beside it."""
    unproved = [folder.name for folder in FOLDERS if not list(folder.rglob("test_*.py"))]
    assert not unproved, f"no test_*.py in examples/: {unproved}"
