"""The desk that is awaited, as users call it: what each call gives, and which notifiers it takes. Never run."""

import datetime as dt

from itsm_core import Actor, AsyncServiceDesk, Clock, Option, Record, stores
from itsm_core.notifiers import ConsoleNotifier
from itsm_core.ports import AsyncStore, Delivered, Message, Outcome
from itsm_core.stores import MemoryStore, ThreadedStore


async def send(message: Message) -> Outcome:
    """A notifier that is awaited."""
    return Delivered(message.key)


async def story(at: dt.datetime) -> dict[str, Clock]:
    """Every call is awaited, and gives what that of ServiceDesk gives."""
    store: AsyncStore = await stores.open_async("desk.db")
    async with AsyncServiceDesk(store, notifiers={"email": send, "*": ConsoleNotifier()}) as desk:
        record: Record = await desk.open("Mail is down", actor=Actor.person("uma"), at=at)
        noted: Record = await desk.note(record.id, "hm", actor=Actor.person("ana", "agent"), at=at)
        buttons: tuple[Option, ...] = await desk.options(noted.id, Actor.person("uma"))
        assert buttons
        return await desk.clocks(record.id, at)


memory: AsyncStore = ThreadedStore(MemoryStore())
plain = AsyncServiceDesk(memory, notifiers=ConsoleNotifier())
awaited = AsyncServiceDesk(memory, notifiers=send)
