"""The page on joining a transaction: its functions are called, on a real PostgreSQL where they name one."""

import asyncio
import re
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

PAGE = Path(__file__).resolve().parent.parent / "docs" / "how-to" / "join-your-own-transaction.md"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def url(postgres):
    """A database in which the product has its table; an item ordered twice is found out at the commit."""
    named = postgres()
    with psycopg.connect(named) as connection:
        connection.execute("CREATE TABLE orders (item TEXT UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    return named


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """What the page defines; its examples are run with the other pages."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if not block.startswith(">>>"):
            exec(block, names)
    return names


def rows(url):
    """The items ordered, and the titles of incidents that were opened."""
    with psycopg.connect(url) as connection:
        items = [item for (item,) in connection.execute("SELECT item FROM orders")]
        if connection.execute("SELECT to_regclass('itsm_events')").fetchone() == (None,):
            return items, []
        return items, [title for (title,) in connection.execute("SELECT id FROM itsm_records")]


def test_an_order_and_its_incident_are_committed_together(url, shown):
    """The block of psycopg that ends well keeps both."""
    incident = shown["place"](url, "desk")
    assert rows(url) == (["desk"], [incident])


def test_a_commit_that_fails_leaves_no_incident(url, shown):
    """What the product's own rules undo at the very end takes our rows along."""
    incident = shown["place"](url, "desk")
    with pytest.raises(psycopg.errors.UniqueViolation):
        shown["place"](url, "desk")
    assert rows(url) == (["desk"], [incident])


def test_a_first_use_that_is_rolled_back_leaves_no_table_of_ours(url, shown):
    """Tables are made inside the transaction as well, and made again by the next."""
    with psycopg.connect(url) as connection:
        shown["PostgresStore"].on(connection)
        connection.rollback()
    assert rows(url) == ([], [])
    shown["place"](url, "desk")
    assert len(rows(url)[1]) == 1


def test_the_async_handler_keeps_both_or_neither(url, shown, monkeypatch):
    """A good order is there with its incident; a refused one is answered 409 and leaves nothing."""
    monkeypatch.setenv("DATABASE", url)

    async def asked():
        transport = httpx.ASGITransport(shown["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.post("/orders/desk?user=ana"), await http.post("/orders/moon?user=uma")

    good, refused = asyncio.run(asked())
    assert (good.status_code, refused.status_code) == (200, 409)
    assert "uma may not assign" in refused.json()[0]
    assert rows(url) == (["desk"], [good.json()["incident"]])


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_session_of_sqlalchemy_takes_our_rows_along(kind, shown, request):
    """A savepoint that is rolled back takes what was opened in it, a rollback everything, a commit nothing."""
    if kind == "postgres":
        url = request.getfixturevalue("url").replace("postgresql://", "postgresql+psycopg://")
        monkeypatch = request.getfixturevalue("monkeypatch")
        monkeypatch.setitem(shown, "SqliteStore", shown["PostgresStore"])  # nothing else changes
        engine = create_engine(url)
    else:
        engine = shown["engine"]
    asked = {"actor": shown["uma"], "at": shown["monday"]}
    with Session(engine) as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS orders (item TEXT)"))
        desk = shown["desk_in"](session)
        desk.open("kept", record_id="R1", **asked)
        inner = session.begin_nested()
        session.execute(text("INSERT INTO orders VALUES ('lamp')"))
        desk.open("taken back", record_id="R2", **asked)
        inner.rollback()
        desk.note("R1", "still here", actor=shown["ana"], at=shown["monday"])
        session.commit()
    with Session(engine) as session:
        shown["desk_in"](session).open("never", record_id="R3", **asked)
        session.rollback()
        kept = shown["desk_in"](session).find()
        assert [(record.id, record.version) for record in kept] == [("R1", 2)]
        assert session.scalars(text("SELECT item FROM orders")).all() == []
    engine.dispose()
