"""`import itsm_core` is light: few modules, little time."""

import json
import os
import statistics
import subprocess
import sys

import pytest

FORBIDDEN = {
    "asyncio", "sqlite3", "numpy", "narwhals", "psycopg", "sqlalchemy", "pytest", "click", "rich",
    "smtplib", "jinja2", "apprise",
}  # fmt: skip
BAR = 1.3
RUNS = 11

# CPU time of this process, so that neither start-up nor a busy neighbour is counted.
CLOCK = "import time, sys; a = time.process_time(); {}; print(time.process_time() - a)"
OURS, PEERS = "import itsm_core", "import attrs, transitions, pendulum"


def _fresh(code, folder):
    """What a fresh interpreter prints, started where src/ is no working directory."""
    command = [sys.executable, "-c", code]
    # Compiled files are a user's normal case: without them our source alone would be compiled anew.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def _loaded(statement, folder):
    code = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    return {name.split(".")[0] for name in json.loads(_fresh(code, folder))}


def test_the_import_loads_nothing_heavy(tmp_path):
    """None of the forbidden packages is in sys.modules afterwards."""
    assert not _loaded(OURS, tmp_path) & FORBIDDEN


@pytest.mark.parametrize("module", ["business_time", "lifecycle", "sla", "desk"])
def test_the_road_itself_is_light(tmp_path, module):
    """Nor does the first use of what everybody needs, up to the desk, load any of them."""
    assert not _loaded(f"import itsm_core.{module}", tmp_path) & FORBIDDEN


def test_the_import_costs_at_most_1_3_times_the_dependencies(tmp_path):
    """Median CPU time of interleaved fresh interpreters, as a ratio to the three dependencies."""
    seconds = {OURS: [], PEERS: []}
    for _ in range(RUNS + 1):
        for statement, times in seconds.items():
            times.append(float(_fresh(CLOCK.format(statement), tmp_path)))
    ours, peers = (statistics.median(times[1:]) for times in seconds.values())  # the first warms up
    figure = (
        f"import itsm_core: {ours * 1000:.1f} ms CPU, attrs + transitions + pendulum: "
        f"{peers * 1000:.1f} ms, ratio {ours / peers:.2f} (bar {BAR}, median of {RUNS})"
    )
    print(figure)
    assert ours <= BAR * peers, figure
