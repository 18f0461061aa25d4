"""The service as its own developers would test it: over HTTP, on a file, at an hour of their choice."""

# ruff: noqa: ANN001, ANN201, ANN202 - tests are not typed

import asyncio
import datetime as dt
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from service import app, lifespan, now

MONDAY = dt.datetime(2026, 3, 9, 9, tzinfo=dt.UTC)
URGENT = {"title": "Mail is down", "impact": "high", "urgency": "high"}
ANA, UMA, EVE = ({"X-User": name} for name in ("ana", "uma", "eve"))


@pytest.fixture
def time():
    """The hour that the service takes it to be, from Monday 09:00 on."""
    told = {"now": MONDAY}
    app.dependency_overrides[now] = lambda: told["now"]
    yield told
    app.dependency_overrides.clear()


@pytest.fixture
def served(time, tmp_path, monkeypatch):
    """`async with served() as http`: the service, started and stopped; its file stays."""
    monkeypatch.setenv("DESK", str(tmp_path / "desk.db"))
    monkeypatch.setattr("service.now", lambda: time["now"])

    @asynccontextmanager
    async def start():
        transport = httpx.ASGITransport(app)
        async with lifespan(app), httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
            yield http

    return start


def test_a_ticket_is_opened_worked_on_and_still_there_after_a_restart(served):
    """The store is opened and closed by the service; the file keeps what was said."""

    async def story():
        async with served() as http:
            opened = await http.post("/tickets", json=URGENT, headers=UMA)
            ticket = opened.json()
            started = await http.post(f"/tickets/{ticket['id']}/start", json={}, headers=ANA)
        async with served() as http:
            buttons = await http.get(f"/tickets/{ticket['id']}/buttons", headers=ANA)
        return opened, ticket, started.json(), buttons.json()

    opened, ticket, started, buttons = asyncio.run(story())
    assert (opened.status_code, ticket["state"], ticket["priority"]) == (201, "new", "P1")
    assert (started["state"], started["version"]) == ("in_progress", 2)
    enabled = {button["trigger"] for button in buttons if button["enabled"]}
    assert "resolve" in enabled
    assert "start" not in enabled


def test_a_refusal_is_409_with_all_its_reasons(served):
    """Eve may not resolve, and has not said how it was: both are told at once, and by the grey button."""

    async def story():
        async with served() as http:
            number = (await http.post("/tickets", json=URGENT, headers=UMA)).json()["id"]
            await http.post(f"/tickets/{number}/start", json={}, headers=ANA)
            pressed = await http.post(f"/tickets/{number}/resolve", json={}, headers=EVE)
            buttons = await http.get(f"/tickets/{number}/buttons", headers=EVE)
            return pressed, next(one for one in buttons.json() if one["trigger"] == "resolve")

    pressed, button = asyncio.run(story())
    assert pressed.status_code == 409
    codes = [reason["code"] for reason in pressed.json()["reasons"]]
    assert codes[0] == "role"
    assert set(codes[1:]) == {"missing_field"}
    assert button["enabled"] is False
    assert button["why_not"][0] == pressed.json()["reasons"][0]


def test_the_clocks_are_read_at_the_hour_of_the_request(served, time):
    """P1 is answered within 15 minutes: opened at 9:00, it may still be at 9:15, and is late at 9:16."""

    async def story():
        async with served() as http:
            number = (await http.post("/tickets", json=URGENT, headers=UMA)).json()["id"]
            seen = []
            for minutes in (15, 16):
                time["now"] = MONDAY + dt.timedelta(minutes=minutes)
                seen.append((await http.get(f"/tickets/{number}/clocks")).json()["response"])
            return seen

    at_quarter_past, a_minute_later = asyncio.run(story())
    assert (at_quarter_past["verdict"], a_minute_later["verdict"]) == ("running", "breached")
    assert at_quarter_past["due"] == "2026-03-09T09:15:00Z"
    assert "over by 1 minute" in a_minute_later["explained"]


def test_the_same_key_twice_opens_one_ticket(served):
    """A browser that asks again after a time-out gets the first answer."""

    async def story():
        async with served() as http:
            ask = {"json": URGENT, "headers": {**UMA, "Idempotency-Key": "form-8812"}}
            return await asyncio.gather(*(http.post("/tickets", **ask) for _ in range(5)))

    answers = asyncio.run(story())
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_what_is_not_there_is_404_and_what_cannot_be_is_422(served):
    """Each says what to do; neither is an error of the server."""

    async def story():
        async with served() as http:
            key = {**UMA, "Idempotency-Key": "form#1"}
            missing = await http.get("/tickets/INC-9/clocks")
            return missing, await http.post("/tickets", json=URGENT, headers=key)

    missing, marked = asyncio.run(story())
    assert (missing.status_code, marked.status_code) == (404, 422)
    assert "INC-9" in missing.json()["detail"]
    assert "marks the ids of consequences" in marked.json()["detail"]
