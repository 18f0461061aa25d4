"""The contract suite itself: it passes what is sound, and names what is planted."""

import inspect
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from itsm_core import ports
from itsm_core.errors import InvalidValue
from itsm_core.testing import CONTRACT, AsyncStoreContract, NotifierContract, StoreContract
from itsm_core.testing.__main__ import main
from itsm_core.testing.contract.guard import checks_of, promise_of
from itsm_core.testing.contract.report import contract_of, report_on

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The planted stores can be named on a command line."""
    monkeypatch.syspath_prepend(str(HERE))


def failed(subject):
    """The checks that a subject fails, without their parameters."""
    return {check.name.partition("[")[0] for check in report_on(f"planted:{subject}").of("failed")}


PLANTED = {
    "no_version_check": {"test_p2_the_version_is_checked"},
    "partial_commit": {"test_p1_a_conflict_leaves_no_partial_commit"},
    "interrupted": {"test_p1_an_interrupted_commit_leaves_no_part"},
    "wrong_order": {"test_p5_events_come_in_the_order_of_seq"},
    "inclusive_position": {"test_p6_a_position_lies_behind_what_was_read"},
    "inclusive_page": {"test_p8_find_is_ordered_by_id_and_paged"},
    "lease_ignored": {"test_p7_a_lease_is_respected"},
    "one_name_for_two": {"test_p7_a_timer_and_a_message_of_one_name_are_two"},
    "lost_late_commit": {"test_p6_no_late_commit_is_lost"},
    "snapshot_newer": {"test_p5_the_snapshot_is_not_newer_than_the_events"},
    "snapshot_newer_by_turns": {"test_p5_the_snapshot_is_not_newer_than_the_events_while_others_commit"},
    "first_for_all": {"test_p3_an_id_that_is_taken_in_part_is_refused"},
    "keys_folded": {"test_p9_ids_that_look_alike_are_not_the_same"},
    "latest_now": {"test_p7_a_clock_that_is_behind_takes_what_is_due_by_it"},
    "whole_batch": {"test_p7_each_claim_is_settled_by_itself"},
    "history_cut": {"test_p5_a_long_history_comes_back_whole"},
    "Stale": {"test_p5_what_another_store_writes_is_seen_by_one_that_read_before"},
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_caught_by_a_check_that_names_it(bug):
    """The seven of the design, two of them in two guises, and two that the suite once missed."""
    assert failed(bug) >= PLANTED[bug]


def test_a_sound_store_fails_nothing():
    """The same contract without a bug."""
    report = report_on("planted:sound")
    assert report.of("failed") == ()
    assert len(report.of("passed")) > 75


@pytest.mark.parametrize("contract", ["Alone", "Shared"])
def test_what_is_unusual_is_sound(contract):
    """Text that is refused whole, a store that cannot be opened again, one store for all that await."""
    assert report_on(f"planted:{contract}").of("failed") == ()


def test_a_fixture_that_lacks_another_is_not_taken_for_missing():
    """The check says which one nobody defined."""
    (why, *others) = {check.why for check in report_on("planted:Lacking").of("failed")}
    assert "no_such_fixture" in why
    assert others == []


# --- the guard --------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["Overridden", "Deleted", "Unexplained"])
def test_a_check_is_neither_overridden_nor_deleted_in_silence(cut):
    """The guard names what is missing."""
    (guard,) = [c for c in report_on(f"planted:{cut}").of("failed") if c.promise == 0]
    assert guard.name == "test_suite_no_check_is_overridden_or_deleted"
    assert "test_p2_the_version_is_checked" in guard.why


def test_a_check_that_is_known_to_fail_is_left_out_with_its_reason():
    """It is expected to fail, and the report says why."""
    report = report_on("planted:Owned")
    left_out = {check.name: check.why for check in report.of("left out")}
    assert left_out["test_p2_the_version_is_checked"] == "expected to fail: the last writer wins, by design"


def test_whoever_takes_the_guard_away_is_told_by_the_report():
    """It knows which checks there are."""
    gone = {check.name: check.why for check in report_on("planted:GuardGone").of("failed")}
    assert gone == dict.fromkeys(
        ("test_p2_the_version_is_checked", "test_suite_no_check_is_overridden_or_deleted"),
        "the check was taken away",
    )


def test_checks_are_named_after_the_promises_they_prove():
    """Each of the ten has one, and each check says which."""
    assert {promise_of(name)[0] for name in checks_of(StoreContract)} == set(range(11))
    assert checks_of(AsyncStoreContract) == checks_of(StoreContract)
    assert {promise_of(name)[0] for name in checks_of(NotifierContract)} == set(range(7))
    assert promise_of("test_policy_x")[0] == 0


def test_every_promise_of_the_ports_has_a_check():
    """What the docstrings number, the checks prove: of a store and of a notifier."""
    of_stores, beside = inspect.getsource(ports).split("\nNotifier = ")
    of_notifiers, _ = beside.split("\nDirectory = ")
    for text, suite in ((of_stores, StoreContract), (of_notifiers, NotifierContract)):
        promised = [int(number) for number in re.findall(r"^ *(\d+)\. ", text, re.MULTILINE)]
        assert promised == list(range(1, len(promised) + 1))
        assert {promise_of(name)[0] for name in checks_of(suite)} == {0, *promised}


# --- the report -------------------------------------------------------------------------------


def test_the_command_prints_the_report(tmp_path):
    """In a process of its own, whose folder is on the path, and nothing is left behind there."""
    (tmp_path / "acme.py").write_text("from itsm_core.stores import MemoryStore as new_store")
    done = subprocess.run(
        [sys.executable, "-m", "itsm_core.testing", "acme:new_store", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["suite"] == f"itsm_core StoreContract {CONTRACT}"
    assert (said["subject"], said["failed"], said["kept"]) == ("acme:new_store", 0, True)
    assert said["passed"] + said["left_out"] == len(said["checks"])
    assert said["flags"] == {"durable": False, "concurrent": True, "chained": False}
    assert {path.name for path in tmp_path.iterdir()} <= {"acme.py", "__pycache__"}


def test_the_module_runs_as_a_command(monkeypatch, capsys):
    """With --json it prints one object."""
    monkeypatch.setattr(sys, "argv", ["itsm_core.testing", "planted:Careful", "--json"])
    monkeypatch.delitem(sys.modules, "itsm_core.testing.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("itsm_core.testing", run_name="__main__")
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["kept"] is True


def test_a_broken_promise_is_status_1(capsys):
    """And the report counts by promise, with how each check failed."""
    assert main(["planted:wrong_order"]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"itsm_core StoreContract {CONTRACT}: planted:wrong_order\n")
    assert "\n  failed: test_p5_events_come_in_the_order_of_seq\n      " in said
    assert "0 failed" not in next(line for line in said.splitlines() if line.startswith("  promise 5"))
    assert "0 failed" in next(line for line in said.splitlines() if line.startswith("  promise 6"))
    assert "no fixture `transaction`" in said
    assert said.endswith("NOT KEPT\n")


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("planted", "names no function of a module"),
        ("planted:", "names no function of a module"),
        ("no_such_module:x", "cannot be found: No module named"),
        ("planted:nothing", "cannot be found: module 'planted' has no attribute"),
        ("planted:number", "can neither be called nor subclassed"),
        ("planted:falls", "makes no store: ConnectionError: no such server; call it yourself"),
        ("planted:wants_more", "makes no store: TypeError: wants_more() missing 1 required"),
        (
            "builtins:dict",
            "makes {}, which lacks load, commit, event, read, claim, settle, next_due, find, l",
        ),
        ("planted:settles_only", "which lacks load, commit, event, read, claim, next_due, find, links; give"),
        ("itsm_core.testing:StoreContract", "is the contract itself; subclass it"),
        ("this_raises:store", "cannot be imported: ZeroDivisionError: division by zero"),
        ("this_leaves:store", "cannot be imported: SystemExit: 0; mend the module"),
        ("planted:leaves", "makes no store: SystemExit: 0; call it yourself"),
        ("planted:skips", "makes no store: Skipped: no database; call it yourself"),
        ("planted:SkipsAll", "left out every check: no database; give it what it asks for"),
    ],
)
def test_what_cannot_be_run_is_status_2(subject, why, capsys, tmp_path, monkeypatch):
    """It is said on the other stream, with the remedy."""
    (tmp_path / "this_raises.py").write_text("1 / 0")
    (tmp_path / "this_leaves.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main([subject]) == 2
    assert why in capsys.readouterr().err


def test_a_factory_that_falls_is_not_blamed_on_the_suite():
    """Its own error is the cause."""
    with pytest.raises(InvalidValue) as refused:
        contract_of("planted:falls")
    assert isinstance(refused.value.__cause__, ConnectionError)


def test_a_class_that_cannot_be_collected_is_status_2(capsys):
    """pytest says why."""
    assert main(["planted:WithInit"]) == 2
    assert "could not be run" in capsys.readouterr().err


@pytest.mark.parametrize("factory", ["open_store", "opening", "Awaitable"])
def test_a_store_that_is_awaited_gets_the_async_contract(factory):
    """Made by a coroutine, by a function that gives one, or at once."""
    report = report_on(f"planted:{factory}")
    assert (report.contract, report.of("failed")) == ("AsyncStoreContract", ())
    assert len(report.of("passed")) > 60


def test_without_pytest_the_command_says_what_to_install(monkeypatch, capsys):
    """Another missing module is not blamed on it."""
    monkeypatch.setitem(sys.modules, "itsm_core.testing.contract.report", None)
    with pytest.raises(ModuleNotFoundError, match="report"):
        main(["planted:sound"])
    for name in [name for name in sys.modules if name.startswith("itsm_core.testing.contract")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytest", None)
    assert main(["planted:sound"]) == 2
    assert "pip install pytest hypothesis" in capsys.readouterr().err
