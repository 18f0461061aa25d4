"""The repository around the package: documents, navigation, and what must never be committed."""

import ast
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = sorted(DOCS.rglob("*.md"))


def _committable():
    """The files that git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout, so nothing can be committed from here")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def _texts():
    for path in _committable():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_lock_file_is_committed():
    """A lock file would record the addresses of a registry."""
    names = {"Pipfile.lock", "package-lock.json", "pdm.lock", "poetry.lock", "pylock.toml", "uv.lock"}
    assert not [path for path in _committable() if path.name in names]


def test_no_registry_host_is_committed():
    """Packages are named, never where they were fetched."""
    hosts = [f"{name}.org" for name in ("pypi", "pythonhosted", "registry.npmjs", "deb.debian")]
    hosts += [f"{word}-url" for word in ("index", "extra-index")]
    found = [f"{name}: {host}" for name, text in _texts() for host in hosts if host in text]
    assert not found


def test_no_path_of_this_machine_is_committed():
    """Neither the home folder, nor the folder of the checkout, nor a temporary one."""
    folders = {str(Path.home()), str(ROOT.parent), tempfile.gettempdir()} - {"/", ""}
    machine = re.compile(r"(?<![\w.])(" + "|".join(map(re.escape, sorted(folders))) + r")/")
    found = {name: machine.search(text) for name, text in _texts()}
    assert not [f"{name}: {place[0]}" for name, place in found.items() if place]


@pytest.mark.parametrize(
    "command", ["pip install -e '.[test]' && pytest", "pip install '.[cli]'", "itsm demo"]
)
def test_the_readme_shows_the_commands_that_ci_runs(command):
    """What .ci/run proves is what the reader is told."""
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_licence_is_mit():
    """The file and the metadata say the same."""
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert PROJECT["project"]["license"] == "MIT"


def test_the_extra_all_names_every_capability():
    """`all` is every extra but the one for tests and itself."""
    extras = PROJECT["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    assert set(re.findall(r"\w+", everything.split("[")[1])) == set(extras) - {"all", "test"}


def test_the_changelog_begins_with_what_is_unreleased():
    """Keep a Changelog: the next release is written as the changes land."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0].strip("[]") == "Unreleased"


def _navigation(entry):
    """The pages of a part of the navigation."""
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [page for part in parts for page in _navigation(part)]


def test_the_navigation_lists_every_page_once():
    """No page of docs/ is out of reach, and no entry leads nowhere."""
    listed = _navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_python_in_a_page_is_marked_so_that_it_is_run(page):
    """Blocks marked `py` or `pycon` would be shown and never run: write `python`."""
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"^ *```+ *(py|pycon|python3|Python|doctest)\b", text, re.MULTILINE)
    diagram = re.search(r"^ *```+ *mermaid", text, re.MULTILINE)
    assert not diagram, "the renderer of mermaid is loaded from elsewhere: commit an SVG"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=str)
def test_every_test_says_its_rule_in_a_sentence(path):
    """Each test function has a docstring, one line that states the rule."""
    silent = [
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test")
        and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(silent)
