""".ci/run sees what it must: a copy of the checkout, broken in five ways, fails each time."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("tests", "types", "docs", "examples")

pytestmark = pytest.mark.nightly


class Copy:
    """A copy of the working tree with an environment that all its runs share."""

    def __init__(self, folder):
        self.root, self.venv = folder / "copy", folder / "venv"
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)

    def run(self, *stages):
        """Status and output of the named stages; of the tests, only those of the shape are run."""
        only = [word for stage in stages for word in ("--only", stage)]
        env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        env["PYTEST_ADDOPTS"] = "tests/test_architecture.py" if stages[0] == "tests" else ""
        done = subprocess.run(
            ["bash", self.root / ".ci" / "run", *only, "--venv", self.venv],
            cwd=self.root.parent, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def append(self, name, text):
        """Adds text to a file and answers how to undo it."""
        path = self.root / name
        before = path.read_text(encoding="utf-8")
        path.write_text(before + text, encoding="utf-8")
        return lambda: path.write_text(before, encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The unbroken copy, which passes every stage that a break below must fail."""
    made = Copy(tmp_path_factory.mktemp("ci"))
    for stage in STAGES:
        code, output = made.run(stage)
        assert code == 0, f"the unbroken copy fails {stage}:\n{output}"
    return made


def _first_example():
    return min((ROOT / "examples").glob("*.py")).relative_to(ROOT).as_posix()


BREAKS = {
    "a test": (
        "tests",
        lambda: "tests/test_architecture.py",
        '\n\ndef test_that_is_broken():\n    """One is two."""\n    assert 1 == 2\n',
        "FAILED tests/test_architecture.py::test_that_is_broken",
    ),
    "a type": (
        "types",
        lambda: "src/itsm_core/errors.py",
        '\n_BROKEN: int = "no number"\n',
        r"errors.py:\d+: error: Incompatible types in assignment",
    ),
    "a doc link": (
        "docs",
        lambda: "docs/contributing.md",
        "\n[a page that is not there](no-such-page.md)\n",
        "no-such-page.md",
    ),
    "an example": ("examples", _first_example, '\nprint("one line too many")\n', "one line too many"),
    "an import direction": (
        "tests",
        lambda: "src/itsm_core/errors.py",
        "\n\ndef _broken() -> None:\n    from itsm_core import records  # noqa: F401, PLC0415\n",
        r"errors.py:\d+ stands on floor 0 and imports records",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_copy_fails_and_is_named(copy, what):
    """The status is not zero and the output says what and where (a pattern)."""
    stage, name, text, said = BREAKS[what]
    undo = copy.append(name(), text)
    try:
        code, output = copy.run(stage)
    finally:
        undo()
    assert code != 0, f"{what} is broken and {stage} passes:\n{output}"
    assert re.search(said, output), output
    assert f"{stage:<9}" in output.rpartition("=== summary")[2]
