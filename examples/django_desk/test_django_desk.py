"""The host product with buttons and clocks, as its own developers would test it."""

# ruff: noqa: ANN001, ANN201 - tests are not typed

import datetime as dt
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from buttons_and_clocks import buttons, clocks, history
from django.db import transaction
from django.test import Client
from host import Person, Ticket

FRIDAY = dt.datetime(2026, 3, 6, 16, tzinfo=dt.UTC)
MONDAY, TUESDAY = (dt.datetime(2026, 3, day, 9, tzinfo=dt.UTC) for day in (9, 10))

ELSEWHERE = ["mark_duplicate", "merge", "retype"]  # where the matter goes on in another record


def minutes(n):
    return dt.timedelta(minutes=n)


@pytest.fixture
def people():
    """Ana works at the desk, Bob asked, Eve has nothing to do with it."""
    names = {"ana": True, "bob": False, "eve": False}
    with transaction.atomic():
        yield [Person.objects.create(name=name, is_agent=agent) for name, agent in names.items()]
        transaction.set_rollback(True)


@pytest.fixture
def ticket(people):
    """Opened on Friday at 16:00, answered at 16:30, asked back for two hours on Monday."""
    ana, bob, _ = people
    ticket = Ticket.objects.create(title="No network", requester=bob, opened_at=FRIDAY)
    ticket.change(ana, FRIDAY + minutes(20), status="In work")
    ticket.change(ana, FRIDAY + minutes(30), reply="We are looking at it.")
    ticket.change(ana, MONDAY, status="Waiting for customer", reply="Which room?")
    ticket.change(bob, MONDAY + minutes(120), comment="Room 12.", status="In work")
    return ticket


def enabled(ticket, person):
    return [button.trigger for button in buttons(ticket, person) if button.enabled]


def test_a_ticket_without_a_change_is_new(people):
    """It has been opened and nothing more; its clocks run from then."""
    ana, bob, _ = people
    ticket = Ticket.objects.create(title="No light", requester=bob, opened_at=FRIDAY)
    assert enabled(ticket, ana) == [
        "start", "hold", "resolve", "resolve_and_close", "cancel", *ELSEWHERE,
    ]  # fmt: skip
    assert [clock.started_at for clock in clocks(ticket, MONDAY)] == [FRIDAY, FRIDAY]


def test_an_agent_sees_what_leads_out_of_the_status(ticket, people):
    """In work, the desk may hold, give back, resolve or cancel."""
    ana, _, _ = people
    assert enabled(ticket, ana) == [
        "hold", "requeue", "resolve", "resolve_and_close", "cancel", *ELSEWHERE,
    ]  # fmt: skip


def test_the_requester_may_cancel_and_nothing_else(ticket, people):
    """Bob asked, so he may take it back; resolving takes an agent, and the button says so."""
    _, bob, _ = people
    assert enabled(ticket, bob) == ["cancel"]
    (resolve,) = (b for b in buttons(ticket, bob) if b.trigger == "resolve")
    assert [reason.code for reason in resolve.reasons] == ["role"]


def test_the_requester_of_a_solved_ticket_may_close_or_reopen_it(ticket, people):
    """The status column in the host's words decides, through the map of states."""
    ana, bob, eve = people
    ticket.change(ana, TUESDAY, status="Solved")
    assert enabled(ticket, bob) == ["close", "reopen", "reopen_to_queue"]
    assert enabled(ticket, eve) == []


def test_a_grey_button_says_all_its_reasons(ticket, people):
    """Bob may not start work, and it has started already: both are said at once."""
    _, bob, _ = people
    start = buttons(ticket, bob)[0]
    assert start.trigger == "start"
    assert [reason.code for reason in start.reasons] == ["wrong_state", "role"]


def test_both_clocks_are_those_worked_out_by_hand(ticket):
    """P3 on mon-fri 09:00-17:30: an answer within 4 hours, a solution within 3 business days.

    Response: Friday 16:00 to 16:30 is 30 minutes, met. Resolution by Tuesday 10:00: Friday
    1 h 30; Monday 11:00 to 17:30 is 6 h 30, as the two hours before were the customer's; Tuesday
    1 h; together 9 h. Due: Friday 16:00 and three business days is Wednesday 16:00; the two hours
    take 1 h 30 of Wednesday and 30 minutes of Thursday: 09:30.
    """
    response, resolution = clocks(ticket, TUESDAY + minutes(60))
    assert (response.verdict, response.elapsed) == ("met", minutes(30))
    assert (resolution.verdict, resolution.elapsed) == ("running", minutes(9 * 60))
    assert resolution.due_at == dt.datetime(2026, 3, 12, 9, 30, tzinfo=dt.UTC)


def test_a_priority_raised_later_rewrites_no_answer(ticket, people):
    """The answer came in time for a P3; that of a P1, due in 15 minutes, was never promised then."""
    ana, _, _ = people
    ticket.change(ana, TUESDAY, priority="P1")
    response, resolution = clocks(ticket, TUESDAY + minutes(60))
    assert (response.target.id, response.verdict) == ("p3-response", "met")
    assert (resolution.target.id, resolution.verdict) == ("p1-resolution", "breached")


def test_a_clock_goes_over_when_its_time_is_used_up(ticket):
    """At the due instant it is used up, a minute later it is breached."""
    due = dt.datetime(2026, 3, 12, 9, 30, tzinfo=dt.UTC)
    assert [clocks(ticket, at)[1].breached for at in (due, due + minutes(1))] == [False, True]


def test_every_row_of_the_change_table_fits(ticket):
    """The importer reports what it could not read; here it read everything."""
    assert history(ticket).findings == ()


def test_the_page_shows_buttons_and_clocks(ticket):
    """What the browser gets: one button that works for Bob, the others grey with a title."""
    query = {"as": "bob", "at": "2026-03-10T10:00:00+00:00"}
    shown = Client().get(f"/tickets/{ticket.pk}/", query).content.decode()
    assert '<button value="cancel">Cancel</button>' in shown
    assert shown.count(" disabled title=") == len(buttons(ticket, ticket.requester)) - 1
    assert "p3-response (response within 4h): met" in shown
