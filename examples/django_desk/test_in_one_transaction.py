"""The host's transaction is ours: what it rolls back was never there, what it commits is there."""

# ruff: noqa: ANN001, ANN201 - tests are not typed

import datetime as dt
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from django.db import connection, transaction
from host import Person, Ticket
from in_one_transaction import desk, report, start

from itsm_core import TransitionRefused

FRIDAY = dt.datetime(2026, 3, 6, 16, tzinfo=dt.UTC)
OURS = ("itsm_records", "itsm_events", "itsm_refs")


class Undone(Exception):
    """What the host raises to roll back."""


def rows():
    """How many rows the host and the desk have: tickets, changes, records, events, references."""
    with connection.cursor() as cursor:
        counted = []
        for table in ("shop_ticket", "shop_change", *OURS):
            cursor.execute(f"SELECT count(*) FROM {table}")
            counted += cursor.fetchone()
    return counted


@transaction.atomic
def reported_too_early(ticket):
    """A part of the host that fails after it has reported."""
    report(ticket, FRIDAY)
    assert rows() == [1, 0, 1, 1, 1]
    raise Undone


@pytest.fixture
def people():
    """Ana works at the desk, Bob asked; all of it is gone after the test."""
    names = {"ana": True, "bob": False}
    with transaction.atomic():
        desk()  # makes our tables, if they are missing
        yield [Person.objects.create(name=name, is_agent=agent) for name, agent in names.items()]
        transaction.set_rollback(True)


@pytest.fixture
def ticket(people):
    """A ticket of Bob's that nobody has saved yet."""
    return Ticket(title="No network", requester=people[1], opened_at=FRIDAY)


def test_both_are_there_when_the_host_commits(ticket):
    """One ticket, one incident, its opening and its reference; told twice, nothing more."""
    first = report(ticket, FRIDAY)
    assert rows() == [1, 0, 1, 1, 1]
    assert report(ticket, FRIDAY).id == first.id
    assert rows() == [1, 0, 1, 1, 1]


def test_neither_is_there_when_the_host_rolls_back(ticket):
    """An error of the host's own, after both have written, leaves no row of either."""
    with pytest.raises(Undone):
        reported_too_early(ticket)
    assert rows() == [0, 0, 0, 0, 0]
    assert desk().find() == ()


def test_a_refusal_takes_the_hosts_change_back_too(ticket, people):
    """Bob may not start work: the status is as it was, and the change row is gone."""
    ana, bob = people
    incident = report(ticket, FRIDAY)
    with pytest.raises(TransitionRefused):
        start(ticket, bob, FRIDAY)
    ticket.refresh_from_db()
    assert (ticket.status, desk().get(incident.id).state) == ("Open", "new")
    assert rows() == [1, 0, 1, 1, 1]
    start(ticket, ana, FRIDAY)
    assert (ticket.status, desk().get(incident.id).state) == ("In work", "in_progress")
    assert rows() == [1, 1, 1, 2, 1]
