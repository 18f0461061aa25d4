"""A ticket of the host and an incident of the desk in one transaction: both, or neither."""

# mypy: disable-error-code="no-untyped-call"
# Django brings no types of its own.

import datetime as dt
from typing import Any

from buttons_and_clocks import AGREEMENT
from django.db import connection, transaction

import itsm_core as itsm
from itsm_core.stores import SqliteStore


def desk() -> itsm.ServiceDesk:
    """A desk on the connection that Django has open in this thread; it costs next to nothing."""
    connection.ensure_connection()
    return itsm.ServiceDesk(SqliteStore.on(connection.connection), agreement=AGREEMENT)


def report(ticket: Any, at: dt.datetime) -> itsm.Record:
    """Saves the ticket and opens an incident for it; reported twice, it is one incident."""
    with transaction.atomic():
        ticket.save()
        asker = itsm.Actor.person(ticket.requester.name)
        return desk().open(ticket.title, actor=asker, at=at, external_ref=f"ticket {ticket.pk}")


def start(ticket: Any, person: Any, at: dt.datetime) -> itsm.Record:
    """Begins work in both; a refusal of the desk undoes the host's part as well."""
    actor = itsm.Actor.person(person.name, *(["agent"] if person.is_agent else []))
    with transaction.atomic():
        ticket.change(person, at, status="In work")
        (incident,) = desk().find(external_ref=f"ticket {ticket.pk}")
        return desk().fire(incident.id, "start", actor=actor, at=at)
