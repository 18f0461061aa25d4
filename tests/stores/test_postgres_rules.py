"""What goes over the wire to PostgreSQL, and what its errors mean."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors

from itsm_core.errors import InvalidValue, StoreBusy, StoreError, StoreUnreadable
from itsm_core.stores import postgres_rules

texts = st.text(st.sampled_from("\0\1\2a"), max_size=8) | st.text()


@given(text=texts)
def test_any_text_is_told_without_a_zero_and_heard_as_it_was(text):
    """Also in lists, which claims are told as."""
    (told, (listed,)) = postgres_rules.told([text, [text]])
    assert "\0" not in told
    assert told == listed
    assert postgres_rules.heard([(told, 7, None)]) == [(text, 7, None)]


@given(one=texts, other=texts)
def test_what_is_told_is_ordered_as_before(one, other):
    """What is sorted in the database comes back sorted."""
    assert (one < other) is (postgres_rules.told([one]) < postgres_rules.told([other]))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_of_over_64_bits_is_not_told(number):
    """It is refused before it is sent: an error of the server would end the host's transaction."""
    with pytest.raises(InvalidValue, match="over 64 bits"), postgres_rules.translated("it"):
        postgres_rules.told([number])
    assert postgres_rules.told([2**63 - 1, -(2**63), True, None]) == [2**63 - 1, -(2**63), 1, None]


def test_question_marks_become_numbers():
    """In order, and nothing else changes."""
    assert (
        postgres_rules.numbered("SELECT ? WHERE a = ? AND b = '%s'") == "SELECT $1 WHERE a = $2 AND b = '%s'"
    )
    assert postgres_rules.numbered("COMMIT") == "COMMIT"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (errors.DiskFull, StoreError, "make room"),
        (errors.TooManyConnections, StoreError, "takes no more connections"),
        (errors.DataCorrupted, StoreUnreadable, "is damaged; restore a backup"),
        (errors.InternalError_, StoreError, "failed inside"),
        (errors.AdminShutdown, StoreError, "the connection was lost"),
        (errors.IdleInTransactionSessionTimeout, StoreError, "the connection was lost"),
        (errors.QueryCanceled, StoreBusy, "did not let go in time"),
        (errors.SerializationFailure, StoreBusy, "in a new transaction"),
        (errors.CharacterNotInRepertoire, InvalidValue, "valid Unicode"),
        (errors.ProgramLimitExceeded, InvalidValue, "is too long"),
        (errors.TriggeredActionException, StoreError, "it refused a statement"),
        (psycopg.OperationalError, StoreError, "the connection was lost"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_error_of_the_server_becomes_one_of_ours(error, kind, words):
    """By its state (PostgreSQL, appendix A); the name of the store and its own words are kept."""
    with pytest.raises(kind, match=words) as told, postgres_rules.translated("the store"):
        raise error("their words\nand more")
    assert type(told.value) is kind
    assert "their words" in str(told.value)
    assert isinstance(told.value.__cause__, error)


def test_a_server_without_xid8_is_too_old():
    """Which version it is, and which will do."""

    class Info:
        server_version = 120022

    with pytest.raises(StoreError, match="is PostgreSQL 12; use 13 or newer"):
        postgres_rules.fit("it", Info)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://ana:geheim@db.example:5433/desk", "PostgreSQL database desk at db.example"),
        ("postgresql:///desk?host=/run/pg", "PostgreSQL database desk at /run/pg"),
        ("postgresql://", "PostgreSQL database the default database at the default host"),
    ],
)
def test_a_store_is_named_by_database_and_host(url, named):
    """Never by its password."""
    assert postgres_rules.name(url) == named
