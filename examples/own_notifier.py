"""Write a notifier: any function from `Message` to an outcome.

`Delivered`, `Retry`, `Rejected` and `Unknown` are the four answers. A message is sent at least
once, always with the same key; the receiver (here: `Pager`) drops what it has already taken.
"""

import datetime as dt

from itsm_core import Actor, ServiceDesk, stores
from itsm_core.ports import Delivered, Message, Outcome, Rejected, Retry


class Pager:
    """A paging service that is busy at first, and knows only some people."""

    def __init__(self, known: set[str], busy: int) -> None:
        self.known, self.busy = known, busy
        self.taken: dict[str, str] = {}

    def post(self, to: str, text: str, idempotency_key: str) -> int:
        """The HTTP status it would answer with."""
        if self.busy:
            self.busy -= 1
            return 503
        if to not in self.known:
            return 404
        self.taken[idempotency_key] = f"{to}: {text}"
        return 202


pager = Pager(known={"bob"}, busy=2)


def by_pager(message: Message) -> Outcome:
    """The notifier. An exception in here would count as `Unknown`: sent again, same key."""
    status = pager.post(message.to, message.body, idempotency_key=message.key)
    print(f"try {message.attempt + 1}: {message.subject} to {message.to}: {status}")
    if status == 503:
        return Retry(after=dt.timedelta(seconds=20), reason="the pager is busy")
    if status == 404:
        return Rejected(f"the pager does not know {message.to}")
    return Delivered(reference=message.key)


START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
ana, bob, eve = Actor.person("ana", "agent"), Actor.person("bob"), Actor.person("eve")

desk = ServiceDesk(stores.open("memory://"), notifiers=by_pager)
for number, requester in (("INC-1", bob), ("INC-2", eve)):
    desk.open("No network", actor=requester, at=START, record_id=number)
    desk.communicate(number, "We are on it.", actor=ana, at=START, command_id=f"hello-{number}")

while (due := desk.next_due()) is not None:
    tick = desk.tick(due)
    print(f"{due:%H:%M:%S} delivered {tick.delivered}, again later {tick.retried}, failed {tick.failures}")
print(*pager.taken.values())
