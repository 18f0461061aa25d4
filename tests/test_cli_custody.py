"""`itsm verify`, `itsm dump` and `itsm restore`, as somebody at a terminal uses them."""

import datetime as dt
import sqlite3
import sys
from contextlib import closing

import pytest

from itsm_core import Actor, ServiceDesk
from itsm_core.cli import main
from itsm_core.ports import Query
from itsm_core.stores.sqlite import SqliteStore

AT = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
UMA = Actor.person("uma")


@pytest.fixture
def store(tmp_path):
    """The path of a store with two records, one of them named to upset a terminal."""
    path = tmp_path / "desk.db"
    with closing(SqliteStore(path)) as store:
        desk = ServiceDesk(store)
        desk.open("Mail is down", actor=UMA, at=AT, record_id="A")
        desk.open("Mail is down", actor=UMA, at=AT, record_id="B\x1b[2J")
    return path


@pytest.fixture
def itsm(capsys):
    """Runs the command; gives status, what it said and what it complained of."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main([str(one) for one in arguments])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


def test_a_whole_store_is_said_to_be_whole(itsm, store):
    """Status 0, the counts and the seal; one record on request."""
    status, said, complained = itsm("verify", store)
    assert (status, complained) == (0, "")
    assert said.startswith("whole: 2 records, 2 events, 2 of them chained; seal ")
    assert itsm("verify", f"sqlite:///{store}", "--record", "A")[1].startswith("whole: 1 records")


def test_a_break_is_named_and_the_status_says_so(itsm, store):
    """Status 2; letters that command a terminal are shown, not sent."""
    with closing(sqlite3.connect(store)) as behind, behind:
        behind.execute("UPDATE itsm_events SET json = replace(json, 'down', 'up')")
    status, said, _ = itsm("verify", store)
    assert status == 2
    assert said.startswith("broken in 2 places")
    assert "record A, event #1" in said
    assert "\x1b" not in said
    status, _, complained = itsm("dump", store, store.with_name("x.jsonl"))
    assert status == 2
    assert "the store is not as it was written: record A, event #1" in complained
    assert itsm("dump", store, store.with_name("x.jsonl"), "--anyway")[0] == 0


def test_a_dump_is_restored_into_a_new_store(itsm, store, tmp_path):
    """And once more: nothing is written twice, and what is left to do is said."""
    file, other = tmp_path / "d.jsonl", tmp_path / "other.db"
    status, said, _ = itsm("dump", store, file)
    assert (status, said) == (0, f"{file}: 2 events; it holds all personal fields, so keep it safe\n")
    assert itsm("restore", other, file)[:2] == (
        0,
        f"{file}: 2 events written, 0 were there already; set the timers anew by ServiceDesk.rearm\n",
    )
    assert "0 events written, 2 were there already" in itsm("restore", other, file)[1]
    with closing(SqliteStore(other)) as restored:
        assert len(restored.find(Query())) == 2


def test_a_store_is_copied_into_another(itsm, store, tmp_path):
    """Both are verified; what the other store then is, is said as `verify` says it."""
    other = tmp_path / "other.db"
    seal = itsm("verify", store)[1].split()[-1]
    status, said, complained = itsm("copy", store, other)
    assert (status, complained) == (0, "")
    whole = f"whole: 2 records, 2 events, 2 of them chained; seal {seal}"
    assert said == f"{other}: {whole}; set the timers anew by ServiceDesk.rearm\n"
    assert itsm("verify", other)[1] == f"{whole}\n"
    with closing(sqlite3.connect(store)) as behind, behind:
        behind.execute("UPDATE itsm_events SET json = replace(json, 'down', 'up')")
    status, _, complained = itsm("copy", store, tmp_path / "third.db")
    assert status == 2
    assert "the store to copy from is not as it was written: record A, event #1" in complained


@pytest.mark.parametrize("file", ["none.jsonl", "desk.db"])
def test_a_file_that_is_no_dump_makes_no_store(itsm, store, tmp_path, file):
    """Missing or of another kind: it is refused before a store is made for it."""
    status, _, complained = itsm("restore", tmp_path / "other.db", store.with_name(file))
    assert status == 2
    assert file in complained
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("command", [("verify",), ("dump", "d.jsonl"), ("copy", "other.db")])
def test_a_store_in_memory_is_refused(itsm, command):
    """Nothing was in it, and nothing would be left of it."""
    status, _, complained = itsm(command[0], "memory://", *command[1:])
    assert status == 2
    assert complained == (
        "itsm: store 'memory://': is empty, and gone with this command; "
        "name a file or a postgresql:// database\n"
    )


def test_a_store_or_file_that_is_not_there_is_said(itsm, store, tmp_path):
    """A mistyped path makes no empty store, and an existing file is not written over."""
    for command in (("verify", tmp_path / "no.db"), ("dump", tmp_path / "no.db", tmp_path / "d")):
        status, _, complained = itsm(*command)
        assert status == 2
        assert "is not there; check the path" in complained
    assert not (tmp_path / "no.db").exists()
    assert "is there already" in itsm("dump", store, store)[2]
    assert "No such file" in itsm("restore", store, tmp_path / "none")[2]
    assert "record 'Z'" in itsm("verify", store, "--record", "Z")[2]


def test_a_database_whose_driver_is_not_installed_is_told_in_a_line(itsm, store, monkeypatch):
    """With what to install, as of every other extra; what is really broken is no such line."""
    monkeypatch.setitem(sys.modules, "itsm_core.stores.postgres", None)
    status, _, complained = itsm("copy", store, "postgresql://host/db")
    needs = "a store on PostgreSQL needs its extra: pip install 'itsm-core[postgres]'"
    assert (status, complained) == (2, f"itsm: {needs}\n")
    monkeypatch.setitem(sys.modules, "itsm_core.custody", None)
    with pytest.raises(ImportError, match=r"import of itsm_core\.custody"):
        main(["verify", str(store)])


def test_progress_shows_on_a_terminal(itsm, store, monkeypatch):
    """A bar without an end, and gone when it is done."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    status, said, complained = itsm("verify", store)
    assert (status, said.startswith("whole")) == (0, True)
    assert "desk.db" in complained
