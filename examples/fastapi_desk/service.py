"""A service desk over HTTP: open a ticket, see its buttons and clocks, press one.

uvicorn service:app                                      # keeps desk.db beside it
DESK=postgresql://user:password@host/desk uvicorn service:app --workers 4
"""

import datetime as dt
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse

import itsm_core as itsm
from itsm_core import stores

HOURS = itsm.BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London", name="the desk")
AGREEMENT = itsm.default_agreement(HOURS)
TEAM = {"ana", "bo"}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The store is open as long as the service is up."""
    store = await stores.open_async(os.environ.get("DESK", "desk.db"))
    async with itsm.AsyncServiceDesk(store, agreement=AGREEMENT, clock=now) as app.state.desk:
        yield


app = FastAPI(lifespan=lifespan)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def the_desk(request: Request) -> itsm.AsyncServiceDesk:
    desk: itsm.AsyncServiceDesk = request.app.state.desk
    return desk


def who(x_user: Annotated[str, Header()]) -> itsm.Actor:
    """Your own login says who acts, and in what capacity."""
    return itsm.Actor.person(x_user, *(["agent"] if x_user in TEAM else []))


Desk = Annotated[itsm.AsyncServiceDesk, Depends(the_desk)]
Who = Annotated[itsm.Actor, Depends(who)]
Now = Annotated[dt.datetime, Depends(now)]
Once = Annotated[str | None, Header(alias="Idempotency-Key")]
Fields = Annotated[dict[str, Any], Body()]


def shown(record: itsm.Record) -> dict[str, Any]:
    return {"id": record.id, "state": record.state, "priority": record.priority, "version": record.version}


@app.post("/tickets", status_code=201)
async def open_ticket(desk: Desk, who: Who, now: Now, fields: Fields, once: Once = None) -> dict[str, Any]:
    """The same Idempotency-Key twice opens one ticket."""
    title = fields.pop("title", "")
    return shown(await desk.open(title, actor=who, at=now, fields=fields, command_id=once))


@app.get("/tickets/{number}/buttons")
async def buttons(number: str, desk: Desk, who: Who, now: Now) -> list[dict[str, Any]]:
    """Every button, the grey ones with all their reasons."""
    return [
        {"trigger": one.trigger, "label": one.label, "enabled": one.enabled, "why_not": reasons(one.reasons)}
        for one in await desk.options(number, who, at=now)
    ]


@app.get("/tickets/{number}/clocks")
async def clocks(number: str, desk: Desk, now: Now) -> dict[str, Any]:
    """What was promised, and how it stands at this moment."""
    return {
        metric: {"verdict": clock.verdict, "due": clock.due_at, "explained": str(clock.explain())}
        for metric, clock in (await desk.clocks(number, now)).items()
    }


@app.post("/tickets/{number}/{trigger}")
async def press(
    number: str, trigger: str, desk: Desk, who: Who, now: Now, fields: Fields, once: Once = None
) -> dict[str, Any]:
    """The one door: what a grey button would not do is refused here too."""
    return shown(await desk.fire(number, trigger, actor=who, at=now, fields=fields, command_id=once))


def reasons(found: tuple[itsm.Reason, ...]) -> list[dict[str, str]]:
    return [{"code": reason.code, "message": reason.message} for reason in found]


@app.exception_handler(itsm.TransitionRefused)
async def refused(_: Request, error: itsm.TransitionRefused) -> JSONResponse:
    """All reasons at once, each with a code that stays the same."""
    return JSONResponse({"reasons": reasons(error.reasons)}, status_code=409)


@app.exception_handler(itsm.RecordNotFound)
async def not_found(_: Request, error: itsm.RecordNotFound) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=404)


@app.exception_handler(itsm.InvalidValue)
async def invalid(_: Request, error: itsm.InvalidValue) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=422)
