"""`stores.open`: the store that a URL or a path names."""

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from itsm_core import stores
from itsm_core.errors import InvalidValue
from itsm_core.stores.memory import MemoryStore


def test_memory_is_named_by_its_scheme():
    """Each time a new one."""
    assert isinstance(stores.open("memory://"), MemoryStore)
    assert stores.open("memory://") is not stores.open("memory://")


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}", "{}ite", "{}.SQLITE3"])
def test_a_file_is_named_by_url_or_by_its_ending(tmp_path, form, write):
    """Three slashes and a path, or a path alone that ends as databases do."""
    named = form.format(tmp_path / "desk.db" if "ite" not in form[2:] else tmp_path / "desk.sql")
    with closing(stores.open(named, busy_timeout=write.MINUTE)) as store:
        assert store.commit(write.changes()).version == 1
    assert Path(named.removeprefix("sqlite:///")).exists()


def test_three_slashes_are_relative_and_four_absolute(tmp_path, monkeypatch):
    """As elsewhere in Python."""
    monkeypatch.chdir(tmp_path)
    stores.open("sqlite:///here.db").close()
    stores.open(f"sqlite:////{str(tmp_path).lstrip('/')}/there.db").close()
    assert {"here.db", "there.db"} <= {path.name for path in tmp_path.iterdir()}


def test_a_path_object_is_a_file_whatever_its_ending(tmp_path):
    """A Path can be nothing else."""
    stores.open(tmp_path / "desk").close()
    assert (tmp_path / "desk").exists()


@pytest.mark.parametrize(
    "named",
    ["", "desk", "mysql://host/db", "sqlite://", "sqlite:///", ":memory:", "sqlite:///a://b.db", "memory:"],
)
def test_anything_else_is_refused_with_what_is_possible(named):
    """The error lists the forms."""
    with pytest.raises(InvalidValue, match='write "memory://", "sqlite:///'):
        stores.open(named)


@pytest.mark.parametrize("named", ["memory://", "desk.db", "postgresql:///desk"])
def test_a_wait_has_a_unit(named):
    """Nobody need guess whether five are seconds."""
    why = r"busy_timeout 5: is no timedelta; give a timedelta, such as timedelta\(seconds=5\)"
    with pytest.raises(InvalidValue, match=why):
        stores.open(named, busy_timeout=5)
    with pytest.raises(InvalidValue, match=why):
        asyncio.run(stores.open_async(named, busy_timeout=5))


def test_names_are_found_on_first_use():
    """The stores by their class, and nothing that does not exist."""
    assert stores.SqliteStore.__name__ == "SqliteStore"
    with pytest.raises(AttributeError, match="no attribute 'MongoStore'"):
        _ = stores.MongoStore


def test_sqlite3_is_loaded_only_when_it_is_asked_for():
    """Neither the package nor the store in memory costs that import."""
    program = (
        "import sys; from itsm_core import stores; stores.open('memory://'); "
        "assert 'sqlite3' not in sys.modules; stores.SqliteStore; assert 'sqlite3' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
