"""The stores that ship keep the shipped contract; what is asked of them beyond it."""

import gc
import weakref

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.ports import Position, Settlement
from itsm_core.stores import open_async
from itsm_core.stores.postgres_async import AsyncPostgresStore
from itsm_core.testing import AsyncStoreContract, StoreContract


class Shelved(StoreContract):
    """A contract for some kinds of store."""

    @pytest.fixture
    def store(self, shelf):
        """The first store of its kind."""
        return shelf.store

    @pytest.fixture
    def another(self, shelf):
        """Another on the same records."""
        return shelf.another


class TestMemory(Shelved):
    """In memory: gone with the process, safe in threads."""

    durable = False

    @pytest.fixture
    def shelf(self, new_shelf):
        """One place."""
        return new_shelf("memory")


class TestOfItsOwn(Shelved):
    """A file or a schema of its own."""

    chained = True

    @pytest.fixture(params=["sqlite", "postgres"])
    def shelf(self, request, new_shelf):
        """Either database."""
        return new_shelf(request.param)


class TestOfAHost(Shelved):
    """On the host's connection, and in its transaction."""

    chained = True

    @pytest.fixture(params=["host", "postgres-host"])
    def shelf(self, request, new_shelf):
        """Either database."""
        return new_shelf(request.param)

    @pytest.fixture
    def transaction(self, shelf):
        """On a connection of its own."""
        return shelf.transaction


class TestAwaitedPostgres(AsyncStoreContract):
    """PostgreSQL, awaited natively."""

    chained = True

    @pytest.fixture
    def url(self, postgres):
        """An empty schema."""
        return postgres()

    @pytest.fixture
    def store(self, url):
        """What opens it."""
        return AsyncPostgresStore.open(url)

    @pytest.fixture
    def another(self, url):
        """What opens another on the same schema."""
        return lambda: AsyncPostgresStore.open(url)


class TestAwaitedSqlite(AsyncStoreContract):
    """A file, in threads."""

    chained = True

    @pytest.fixture
    def store(self, file):
        """What opens it."""
        return open_async(file)

    @pytest.fixture
    def another(self, file):
        """What opens another on the same file."""
        return lambda: open_async(file)


# --- beyond the contract ---


def test_the_words_of_a_settled_message_are_let_go(shelf, write):
    """Promise 7: once it is done or failed nobody keeps them, while what waits keeps its own."""
    sent = [write.message(key, body=f"words of {key}", ready=n) for n, key in enumerate("abc")]
    shelf.store.commit(write.changes(messages=sent))
    seen = [weakref.ref(message) for message in sent]
    for outcome in ("done", "failed", "retry"):
        claims = shelf.store.claim("message", write.at(9), 1, write.MINUTE, "w")
        shelf.store.settle([Settlement(token=c.token, outcome=outcome) for c in claims], write.at(9))
    del sent, claims
    gc.collect()
    assert [ref() for ref in seen] == [None] * 3
    words = ("words of a", "words of b", "words of c")
    assert [word in shelf.stored() for word in words] == [False, False, True]
    (left,) = shelf.store.claim("message", write.at(9), 10, write.MINUTE, "w")
    assert left.item.body == "words of c"


@pytest.mark.parametrize("token", ["x", "-1", "²", "1; DROP TABLE itsm_events"])
def test_a_position_of_another_store_is_refused(store, token):
    """Promise 6: a position that this store never gave is no place in its log."""
    with pytest.raises(InvalidValue, match="was not given by this store"):
        store.read(Position(token=token), 1)


def test_an_id_that_is_taken_says_by_whom(store, write):
    """Promise 3: the message names the record and the event."""
    first = write.changes()
    store.commit(first)
    store.commit(write.changes("R2"))
    with pytest.raises(InvalidValue, match=r"some are taken \(#1 of R2\)"):
        store.commit(write.changes(history=first.events, new=2, ids=["new", "R2/1"]))


def test_a_record_that_begins_with_nothing_says_what_is_missing(store, write):
    """Promise 1: the message says how a record begins."""
    nothing = write.changes()
    with pytest.raises(InvalidValue, match="begins with an `opened` event"):
        store.commit(type(nothing)(record="R1", expected=0, events=(), snapshot=nothing.snapshot))
