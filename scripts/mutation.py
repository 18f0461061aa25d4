"""Mutation testing: which small changes of src/ no test of the same folder notices.

    python scripts/mutation.py business_time/table            # one module, or more of them
    python scripts/mutation.py business_time --write          # a folder; survivors.md is rewritten
    python scripts/mutation.py business_time -j 2 --only Table.add

Each mutant (scripts/mutants.py) is first put in the place of its function in a fork of a process that
has imported everything, and the tests that run the changed line are run: those of the module's own
file, then two seconds of those in other files, the fastest of each first, until one fails. A test
that runs five times as long as it should has noticed, too. What survives, and what changes more than a
function, is imported anew in a fork of a process that has imported nothing of ours, so that no cache
and no calendar of the unchanged code helps it to survive. Which test runs which line is told by one
run of all, each in a fork of its own.

The status is 1 if a survivor has no reason in tests/mutation/survivors.md, or if fewer than nine in
ten of a module's mutants are noticed.
"""

import argparse
import ast
import contextlib
import gc
import hashlib
import importlib
import importlib.abc
import importlib.util
import math
import os
import pickle
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from inspect import CO_OPTIMIZED
from itertools import accumulate, zip_longest
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from mutants import Mutant, mutants
from survivors import Outcome, listed, rewritten, unexplained

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "itsm_core"
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.md"
LEFT_OUT = ("test_speed.py",)  # it measures time
WARM = ("holidays.countries", "icalendar", "numpy", "pandas", "pendulum")
SLOW = 1.5  # seconds: a slower test is not run on mutants
OTHERS = 2.0  # seconds: so much of the tests in other files is run on a mutant; without own tests, thrice
PYTEST = [
    "-q", "-x", "--tb=no", "--no-header", "--hypothesis-profile=mutation", f"--rootdir={ROOT}",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
]  # fmt: skip
for _unused in (
    "cacheprovider", "faulthandler", "logging", "pytest_cov", "threadexception",
    "unraisableexception", "xdist",
):  # fmt: skip
    PYTEST += ["-p", f"no:{_unused}"]


class Ran(NamedTuple):
    """What a test, or the import of a test file or of the package, ran: lines by file; and how long."""

    file: str
    seconds: float
    lines: dict[str, set[int]]


# -- forks -----------------------------------------------------------------------------------------


def forked(work: Callable[[], Any]) -> Any:
    """What a function gives in a process of its own; None if a signal ended it."""
    read, write = os.pipe()
    if not (pid := os.fork()):
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            pickle.dump(work(), pipe)
            pipe.flush()
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(told) if told else None  # noqa: S301 - our own process wrote it


def _quiet() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


# -- which test runs which line --------------------------------------------------------------------


class _Coverage:
    """A plugin of pytest: runs each test in a fork and notes the lines that it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ran, self.failed = folder, {}, []

    def traced(self, work: Callable[[], Any]) -> tuple[Any, Ran]:
        """What a function gives, and what it ran."""
        import coverage  # noqa: PLC0415 - not in the processes of mutants

        cov = coverage.Coverage(data_file=None, config_file=False, include=[f"{self.folder}/*"])
        cov.set_option("run:disable_warnings", ["no-data-collected"])
        began = time.process_time()
        cov.start()
        try:
            found = work()
        finally:
            cov.stop()
        seconds, data = time.process_time() - began, cov.get_data()
        lines = {Path(file).stem: set(data.lines(file) or ()) for file in data.measured_files()}
        return found, Ran("", seconds, lines)

    def pytest_make_collect_report(self, collector: Any) -> Any:
        """Notes what the import of a test file runs."""
        from _pytest.python import Module  # noqa: PLC0415
        from _pytest.runner import pytest_make_collect_report as collected  # noqa: PLC0415

        if not isinstance(collector, Module):
            return None
        report, ran = self.traced(lambda: collected(collector))
        self.ran[str(collector.path)] = ran._replace(file=str(collector.path))
        return report

    def pytest_runtest_protocol(self, item: Any) -> bool:
        """Runs one test in a fork."""
        from _pytest.runner import runtestprotocol  # noqa: PLC0415

        def work() -> tuple[bool, Ran]:
            _limit(1.2 * SLOW)  # of a slower one nothing is told: it is not run on mutants
            reports, ran = self.traced(lambda: runtestprotocol(item, log=False, nextitem=None))
            return any(report.failed for report in reports), ran

        failed, ran = forked(work) or (False, Ran("", math.inf, {}))
        self.ran[item.nodeid] = ran._replace(file=str(item.path))
        if failed:
            self.failed.append(item.nodeid)
        return True


def survey(folder: str) -> tuple[dict[str, Ran], set[str]]:
    """What each test runs, by id, and each test file and the package by path; third-party modules.

    Kept in .cache/ for each test file until it, the sources or what all tests share is changed.
    """
    cache = ROOT / ".cache" / "mutation" / f"{folder.replace('/', '-')}.pickle"
    known = pickle.loads(cache.read_bytes()) if cache.exists() else {}  # noqa: S301 - written below
    shared = [*(PACKAGE / folder).glob("*.py"), *(ROOT / "tests").glob("conftest.py")]
    shared += (ROOT / "tests" / "oracles").glob("*.py")
    ran: dict[str, Ran] = {}
    loaded: set[str] = set()
    for path in test_files(folder):
        state = hashlib.sha256(b"".join(p.read_bytes() for p in (*sorted(shared), path))).digest()
        if known.get(path, (b"",))[0] != state:
            known[path] = (state, *_surveyed(folder, path))
            cache.parent.mkdir(parents=True, exist_ok=True)
            cache.write_bytes(pickle.dumps(known))
        ran |= known[path][1]
        loaded |= known[path][2]
    return ran, loaded


def _surveyed(folder: str, path: Path) -> tuple[dict[str, Ran], set[str]]:
    def work() -> Any:
        import pytest  # noqa: PLC0415

        _quiet()
        plugin = _Coverage(PACKAGE / folder)
        _, plugin.ran[""] = plugin.traced(lambda: list(_imported(folder)))
        code = pytest.main([*PYTEST, str(path)], plugins=[plugin])
        return plugin.ran, plugin.failed, code, _third_parties()

    ran, failed, code, loaded = forked(work)
    if code:
        sys.exit(f"{path.name} cannot be read (pytest: {code})")
    for key in failed:  # also one that only fails while it is traced
        ran[key] = ran[key]._replace(seconds=math.inf)
    return ran, loaded


def _third_parties() -> set[str]:
    ours = ("itsm_core", "test", "conftest", "__", "mutants", "survivors", "coverage")
    found = (name for name, module in sys.modules.items() if getattr(module, "__spec__", None))
    return {name for name in found if not name.startswith(ours)}


def _imported(folder: str) -> Iterator[Any]:
    for path in sorted((PACKAGE / folder).glob("*.py")):
        with contextlib.suppress(ImportError):  # an extra that is not installed
            yield importlib.import_module(dotted(f"{folder}/{path.stem}"))


def test_files(folder: str) -> list[Path]:
    """The test files of a folder."""
    files = sorted((ROOT / "tests" / folder).glob("test_*.py"))
    return [path for path in files if path.name not in LEFT_OUT]


def chosen(mutant: Mutant, name: str, ran: dict[str, Ran]) -> list[list[str]]:
    """The ids of the tests that may notice: those of the module's own file, then the others."""
    lines = set(range(mutant.lines[0], mutant.lines[1] + 1))

    def runs(key: str) -> bool:
        return key in ran and not lines.isdisjoint(ran[key].lines.get(name, ()))

    tests = {key: found for key, found in ran.items() if "::" in key and found.seconds < SLOW}
    if runs(""):  # at import: whoever uses the module at all
        used = {key for key, found in ran.items() if key and found.lines.get(name)}
        hit = [key for key, found in tests.items() if key in used or found.file in used]
    else:
        hit = [key for key, found in tests.items() if runs(key) or runs(found.file)]
    by_file: dict[str, list[str]] = defaultdict(list)
    for key in sorted(hit, key=lambda key: tests[key].seconds):
        by_file[Path(tests[key].file).stem].append(key)
    own = by_file.pop(f"test_{name}", [])
    rest = [key for layer in zip_longest(*by_file.values()) for key in layer if key]  # some of each file
    within = zip(rest, accumulate(tests[key].seconds for key in rest), strict=True)
    others = [key for key, seconds in within if seconds < OTHERS * (1 if own else 3)]
    return [group for group in (own, others) if group]


# -- one mutant ------------------------------------------------------------------------------------


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a changed tree; it is still told by its own file."""

    def __init__(self, module: str, path: Path, tree: Any) -> None:
        self.module, self.path, self.tree = module, path, tree

    def find_spec(self, fullname: str, _path: Any, _target: Any = None) -> Any:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_source(self, _fullname: str) -> str:
        return self.path.read_text(encoding="utf-8")

    def get_code(self, _fullname: str) -> Any:
        return compile(self.tree, str(self.path), "exec", dont_inherit=True)


class _Chosen:
    """A plugin of pytest: keeps the tests chosen, in order, and ends what does not end."""

    def __init__(self, ids: list[str], ran: dict[str, Ran]) -> None:
        self.order, self.ran = {key: i for i, key in enumerate(ids)}, ran

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Only the tests that run the line, the fastest first."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda i: self.order[i.nodeid]
        )

    def pytest_runtest_setup(self, item: Any) -> None:
        """Winds the clock: processor time for loops, time on the wall for locks."""
        _limit(1 + 5 * self.ran[item.nodeid].seconds)


def _limit(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 60 + 10 * seconds)


def survives(mutant: Mutant, path: Path, groups: list[list[str]], ran: dict[str, Ran]) -> bool:
    """Whether all tests pass with the mutant; called in a fork, which a signal may end."""
    import pytest  # noqa: PLC0415

    module = dotted(path.relative_to(PACKAGE).with_suffix("").as_posix())
    sys.meta_path.insert(0, _Loader(module, path, mutant.tree(path.read_text(encoding="utf-8"))))
    for ids in groups:
        files = sorted({ran[key].file for key in ids})
        if pytest.main([*PYTEST, *files], plugins=[_Chosen(ids, ran)]) not in (0, 5):
            return False
        _limit(30)
    return True


def dotted(name: str) -> str:
    """The import path of `business_time/table`."""
    return "itsm_core." + name.replace("/", ".").removesuffix(".__init__")


# -- all mutants of a module -----------------------------------------------------------------------


class _Loop:
    """A plugin of pytest: runs the tests chosen for each mutant in a fork where all is imported.

    The changed function takes the place of the one imported. `lived` are the numbers of the mutants
    that no test noticed so, or that change more than a function.
    """

    def __init__(self, path: Path, found: list[Mutant], ran: dict[str, Ran], jobs: int) -> None:
        self.path, self.found, self.ran, self.jobs = path, found, ran, jobs
        self.source = path.read_text(encoding="utf-8")
        self.codes = self._codes(ast.parse(self.source))
        self.lived: list[int] = []

    def _codes(self, tree: ast.Module) -> dict[tuple[str, int], CodeType]:
        return dict(_outermost(compile(tree, str(self.path), "exec", dont_inherit=True)))

    def pytest_runtestloop(self, session: Any) -> bool:
        """Instead of running all tests once."""
        items = {item.nodeid: item for item in session.items}
        functions = [f for f in gc.get_objects() if isinstance(f, FunctionType)]
        functions = [f for f in functions if f.__code__.co_filename == str(self.path)]
        gc.freeze()  # a fork need not look through what it did not make

        def works() -> Iterator[tuple[int, Callable[[], bool]]]:
            for i, mutant in enumerate(self.found):
                ids = [key for group in chosen(mutant, self.path.stem, self.ran) for key in group]
                tests = [items[key] for key in ids if key in items]
                yield i, lambda m=mutant, t=tests: not self._put(m, functions) or self._pass(t)

        self.lived = trues(works(), self.jobs)
        return True

    def _put(self, mutant: Mutant, functions: list[FunctionType]) -> bool:
        """Puts the changed function in the place of the one imported; False if there is none."""
        found = self._codes(mutant.tree(self.source))
        changed = {name: code for name, code in found.items() if code != self.codes.get(name)}
        hit = [f for f in functions if (f.__code__.co_qualname, f.__code__.co_firstlineno) in changed]
        for function in hit:
            function.__code__ = changed[function.__code__.co_qualname, function.__code__.co_firstlineno]
        return bool(hit)

    def _pass(self, tests: list[Any]) -> bool:
        from _pytest.runner import runtestprotocol  # noqa: PLC0415

        for test, following in zip(tests, [*tests[1:], None], strict=True):
            _limit(1 + 5 * self.ran[test.nodeid].seconds)
            if any(report.failed for report in runtestprotocol(test, log=False, nextitem=following)):
                return False
        return True


def _outermost(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """The functions of a module and the methods of its classes, by name and first line."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & CO_OPTIMIZED:
                yield (inner.co_qualname, inner.co_firstlineno), inner
            else:
                yield from _outermost(inner)


def trues(works: Iterable[tuple[int, Callable[[], bool]]], jobs: int) -> list[int]:
    """The numbers of those works that are true, each done in a fork, which a signal may end."""
    running: dict[int, int] = {}
    found: list[int] = []

    def reap() -> None:
        pid, status = os.wait()
        number = running.pop(pid)
        if os.waitstatus_to_exitcode(status) == 0:
            found.append(number)

    for number, work in works:
        while len(running) >= jobs:
            reap()
        if not (pid := os.fork()):
            code = 1
            with contextlib.suppress(BaseException):
                _quiet()
                resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
                _limit(30)
                code = 0 if work() else 1
            os._exit(code)
        running[pid] = number
    while running:
        reap()
    return sorted(found)


def outcome(name: str, ran: dict[str, Ran], jobs: int, choose: Callable[[Outcome], Outcome]) -> Outcome:
    """The figures of one module and the mutants that nobody noticed."""
    path = PACKAGE / f"{name}.py"
    every = list(mutants(path.read_text(encoding="utf-8")))
    found = choose(Outcome(name, len(every), every)).survivors

    def quickly() -> list[int]:
        import pytest  # noqa: PLC0415

        _quiet()
        loop = _Loop(path, found, ran, jobs)
        pytest.main([*PYTEST, *map(str, test_files(name.rpartition("/")[0]))], plugins=[loop])
        return loop.lived

    rest = [found[i] for i in forked(quickly)]
    works = (
        (i, lambda m=mutant: survives(m, path, chosen(m, path.stem, ran), ran))
        for i, mutant in enumerate(rest)
    )
    return Outcome(name, len(every), [rest[i] for i in trues(works, jobs)])


def modules(names: Iterable[str]) -> Iterator[str]:
    """The modules that the arguments name: "business_time/table", or all of "business_time"."""
    for name in names:
        path = PACKAGE / name.removesuffix(".py")
        files = sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        yield from (file.relative_to(PACKAGE).with_suffix("").as_posix() for file in files)


def _warm(names: Iterable[str]) -> None:
    """Imports what is not ours once, so that no fork need do it."""
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def main() -> int:
    """Runs the mutants of the modules named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="+", help="business_time/table, or a whole folder")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--only", default="", help="only what stands in this function or class")
    parser.add_argument("--again", action="store_true", help="only what survivors.md names")
    parser.add_argument("--write", action="store_true", help="rewrite tests/mutation/survivors.md")
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    # A test fails on purpose: Hypothesis need not import what would suggest a patch of it.
    sys.modules["hypothesis.extra._patching"] = None  # type: ignore[assignment]
    by_folder = defaultdict(list)
    for name in modules(given.names):
        by_folder[name.rpartition("/")[0]].append(name)
    known = SURVIVORS.read_text(encoding="utf-8") if SURVIVORS.exists() else ""
    failed = False

    def choice(every: Outcome) -> Outcome:
        every = listed(every, known) if given.again else every
        return every._replace(survivors=[m for m in every.survivors if m.where.startswith(given.only)])

    _warm(WARM)
    for folder, names in by_folder.items():
        ran, loaded = survey(folder)
        _warm(sorted(loaded))
        gc.freeze()  # a fork need not look through what it did not make
        slow = sorted(key for key, found in ran.items() if "::" in key and found.seconds >= SLOW)
        tests = [found.seconds for key, found in ran.items() if "::" in key]
        print(f"{folder}: {len(tests)} tests; too slow for mutants, or failing: {slow or 'none'}")
        for name in names:
            began = time.monotonic()
            found = outcome(name, ran, given.jobs, choice)
            if not found.mutants:
                continue
            killed, same, share = found.figures(known)
            print(f"{name}: {killed} of {found.mutants} killed, {same} equivalent, {share:.1%}", end="")
            print(f" ({time.monotonic() - began:.0f} s)")
            new = unexplained(found, known)
            for line in new:
                print(f"    {line}")
            failed |= bool(new) or share < 0.9
            if given.write and not given.only:
                known = rewritten(found, known)
                SURVIVORS.parent.mkdir(exist_ok=True)
                SURVIVORS.write_text(known, encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
