"""The report to publish: which promises a store or a notifier keeps, counted check by check."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from itsm_core.errors import InvalidValue
from itsm_core.testing.contract.awaited import METHODS, AsyncStoreContract
from itsm_core.testing.contract.guard import Guarded, checks_of, promise_of
from itsm_core.testing.contract.notifier import NotifierContract
from itsm_core.testing.contract.store import StoreContract
from itsm_core.testing.edition import CONTRACT

Verdict = Literal["passed", "failed", "left out"]
_FLAGS = ("durable", "concurrent", "chained", "idempotent")
_REMEDY = (
    "give package.module:name of a function that makes an empty store or of a class that keeps a contract"
)
_FILE = (
    "from itsm_core.testing.contract.report import contract_of\n\n"
    "TestContract = type('TestContract', (contract_of({subject!r}),), {{'shrinks': False}})\n"
)


@attrs.frozen
class Check:
    """What became of one check; `why` is the reason for leaving it out, or how it failed."""

    name: str
    verdict: Verdict
    why: str = ""

    @property
    def promise(self) -> int:
        """The promise that it proves; 0: all of them."""
        return promise_of(self.name)[0]


@attrs.frozen
class Report:
    """Which checks a subject passed, failed and was not asked, and by which version of the suite."""

    subject: str
    contract: str
    flags: dict[str, bool]
    checks: tuple[Check, ...]
    version: str = CONTRACT

    @property
    def kept(self) -> bool:
        """Whether nothing failed."""
        return not self.of("failed")

    def of(self, verdict: Verdict) -> tuple[Check, ...]:
        """The checks with this verdict."""
        return tuple(check for check in self.checks if check.verdict == verdict)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        counts = {verdict.replace(" ", "_"): len(self.of(verdict)) for verdict in _VERDICTS}
        head = {"suite": f"itsm_core {self.contract} {self.version}", "subject": self.subject, **counts}
        checks = [{**attrs.asdict(check), "promise": check.promise} for check in self.checks]
        return {**head, "kept": self.kept, "flags": self.flags, "checks": checks}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"itsm_core {self.contract} {self.version}: {self.subject}"
        yield "  " + ", ".join(f"{name} = {said}" for name, said in self.flags.items())
        for promise in sorted({check.promise for check in self.checks}):
            of_it = [check for check in self.checks if check.promise == promise]
            yield f"  {f'promise {promise}' if promise else 'all promises':<14}{_counted(of_it)}"
        for verdict in ("failed", "left out"):
            for check in self.of(verdict):
                yield f"  {verdict}: {check.name}\n      {check.why}"
        yield f"  {_counted(self.checks)}: {'kept' if self.kept else 'NOT KEPT'}"


_VERDICTS: tuple[Verdict, ...] = ("passed", "failed", "left out")


def _counted(checks: Any) -> str:
    return ", ".join(f"{sum(c.verdict == v for c in checks)} {v}" for v in _VERDICTS)


_FALLS = (Exception, SystemExit, pytest.skip.Exception, pytest.fail.Exception)
"""What ends a module or a function: who leaves or skips without a word makes nothing that keeps promises."""
_SUITES = (AsyncStoreContract, StoreContract, NotifierContract)


# --- what is tested ---------------------------------------------------------------------------


def contract_of(subject: str) -> type[Guarded]:
    """The contract to run: the class of that name, or one whose store is what the function makes."""
    found = _found(subject)
    if found in _SUITES:
        remedy = "subclass it, give it the fixture it asks for, and name your class"
        raise InvalidValue("subject", subject, "is the contract itself", remedy)
    if isinstance(found, type) and issubclass(found, Guarded):
        return found
    if not callable(found):
        raise InvalidValue("subject", subject, "can neither be called nor subclassed", _REMEDY)
    return type("Contract", (_contract_for(subject, found),), {"store": _fixture(found), "durable": False})


def _found(subject: str) -> Any:
    module, colon, name = subject.partition(":")
    if not (module and colon and name):
        raise InvalidValue("subject", subject, "names no function of a module", _REMEDY)
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as lacking:
        raise InvalidValue("subject", subject, f"cannot be found: {lacking}", _REMEDY) from lacking
    except _FALLS as wrong:
        remedy = "mend the module until it can be imported"
        raise InvalidValue("subject", subject, f"cannot be imported: {_said(wrong)}", remedy) from wrong


def _contract_for(subject: str, factory: Callable[[], Any]) -> type[StoreContract]:
    """Whether its store is awaited is asked of the function, or else of the store."""
    if inspect.iscoroutinefunction(factory):
        return AsyncStoreContract
    made = _made(subject, factory)
    if inspect.isawaitable(made):
        made.close()  # type: ignore[attr-defined]
        return AsyncStoreContract
    if inspect.iscoroutinefunction(made.close):
        return AsyncStoreContract
    made.close()
    return StoreContract


def _made(subject: str, factory: Callable[[], Any]) -> Any:
    """A store, or what is awaited for one."""
    try:
        made = factory()
    except _FALLS as wrong:
        remedy = "call it yourself, without arguments, until it makes an empty store"
        raise InvalidValue("subject", subject, f"makes no store: {_said(wrong)}", remedy) from wrong
    lacks = [name for name in (*METHODS, "close") if not callable(getattr(made, name, None))]
    if lacks and not inspect.isawaitable(made):
        reason = f"makes {made!r}, which lacks {', '.join(lacks)}"
        raise InvalidValue("subject", subject, reason, "give it all the methods of ports.Store")
    return made


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _fixture(factory: Callable[[], Any]) -> Any:
    @pytest.fixture
    def store(self: object) -> Iterator[Any]:  # noqa: ARG001 - a method
        made = factory()
        yield made
        if not (inspect.isawaitable(made) or inspect.iscoroutinefunction(made.close)):
            made.close()

    return store


# --- running it -------------------------------------------------------------------------------


class _Outcomes:
    """A plugin of pytest that notes what became of each check."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a check has ended."""
        name = report.nodeid.rpartition("::")[2]
        if report.failed:
            self.checks[name] = Check(name, "failed", _last_line(report.longreprtext))
        elif report.skipped:
            self.checks[name] = Check(name, "left out", _why(report))
        elif name not in self.checks:
            self.checks[name] = Check(name, "passed")


def _why(report: pytest.TestReport) -> str:
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        return f"expected to fail: {expected}"
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return said.removeprefix("Skipped: ")


def _last_line(text: str) -> str:
    """How a check failed: the first line of its error."""
    lines = text.strip().splitlines()
    return next((line[1:].strip() for line in lines if line.startswith("E ")), lines[0])


def report_on(subject: str) -> Report:
    """Runs the suite on `package.module:name` and reports.

    The name is that of a function that makes an empty store each time it is called, or of a subclass of
    `StoreContract`, `AsyncStoreContract` or `NotifierContract`, whose fixtures allow for more checks: of a
    function nobody knows whether its stores outlive the process. Where each check is left out, as where a
    fixture finds no database, nothing is proved, and it is refused.
    """
    contract = contract_of(subject)
    outcomes = _run(subject)
    suite = next(c for c in contract.__mro__ if c in _SUITES)
    ran = {name.partition("[")[0] for name in outcomes.checks}
    missing = [Check(n, "failed", "the check was taken away") for n in checks_of(suite) if n not in ran]
    checks = sorted((*outcomes.checks.values(), *missing), key=lambda c: promise_of(c.name))
    numbered = [check for check in checks if check.promise]
    if all(check.verdict == "left out" for check in numbered):
        remedy = "give it what it asks for, such as the address of a database"
        raise InvalidValue("subject", subject, f"left out every check: {numbered[0].why}", remedy)
    flags = {name: bool(getattr(contract, name)) for name in _FLAGS if hasattr(contract, name)}
    return Report(subject, suite.__name__, flags, tuple(checks))


def _run(subject: str) -> _Outcomes:
    """pytest on a file that holds nothing but the contract, with no plugin but its own."""
    outcomes = _Outcomes()
    with tempfile.TemporaryDirectory(prefix="itsm_contract_") as folder:
        file = Path(folder, f"test_{Path(folder).name}.py")  # modules of one name would be one
        file.write_text(_FILE.format(subject=subject), encoding="utf-8")
        Path(folder, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        options = ["-q", "--disable-plugin-autoload", "--noconftest", "--import-mode=importlib"]
        options += ["-p", "no:cacheprovider"]
        said = StringIO()
        set_hypothesis_home_dir(folder)  # it would leave one in the working directory
        with redirect_stdout(said):
            status = pytest.main(
                [*options, "--rootdir", folder, "-c", str(Path(folder, "pytest.ini")), str(file)],
                plugins=[outcomes],
            )
    set_hypothesis_home_dir(None)
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise InvalidValue("subject", subject, f"could not be run: {said.getvalue()}", _REMEDY)
    return outcomes
