"""What a test lets other processes do with one store, and kills if need be.

worker.py load FILE COUNT PAUSE    opens records that want something at once, and puts words in the outbox
worker.py loop FILE LOG            runs the loop; the receiver writes down each key; SIGTERM stops it
"""

import datetime as dt
import os
import signal
import sys
import time

from itsm_core import (
    Actor,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    ServiceDesk,
    default_agreement,
    stores,
)
from itsm_core.loop import Waiting, run_forever
from itsm_core.ports import ChangeSet, Message, Rejected

HOUR = dt.timedelta(hours=1)
POLICY = EscalationPolicy(
    "line", 1, steps=[EscalationStep("answer", "50 %", metric="response", to="grace", channel="page")]
)


def now():
    """What time it is."""
    return dt.datetime.now(dt.UTC)


def desk_on(store, notifiers=None):
    """The desk of every process here: a P1 wants its first step after seven and a half minutes."""
    agreement = default_agreement(BusinessCalendar.always("UTC"))
    return ServiceDesk(store, agreement=agreement, policy=POLICY, notifiers=notifiers)


def load(file, count, pause):
    """Records an hour old, each with words that go by mail and, where mail is refused, by sms."""
    with desk_on(stores.open(file)) as desk:
        for n in range(int(count)):
            time.sleep(float(pause))
            enter(desk, f"R-{n}")


def enter(desk, name):
    """One record and its words."""
    urgent, at = {"impact": "high", "urgency": "high"}, now() - HOUR
    desk.open("Mail is down", actor=Actor.person("bob"), at=at, fields=urgent, record_id=name)
    while not _said(desk, name, at):
        pass


def _said(desk, name, at):
    from itsm_core.errors import VersionConflict

    snapshot, _ = desk.store.load(name)
    words = Message(
        key=f"{name}/words", record=name, to="bob", channel="mail", subject=name, body="We are on it.",
        created_at=at, failover=[("bob", "sms")],
    )  # fmt: skip
    version = snapshot.record.version
    try:
        desk.store.commit(
            ChangeSet(record=name, expected=version, events=(), snapshot=snapshot, messages=[words])
        )
    except VersionConflict:  # the loop was faster with its step
        return False
    return True


def receiver(log):
    """Writes down each key; mail is refused."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def receive(message):
        time.sleep(0.001)  # a network is not faster, and a kill is to hit a send
        os.write(file, f"{message.key} {message.attempt}\n".encode())
        time.sleep(0.001)
        return Rejected("mailbox full") if message.channel == "mail" else None

    return receive


def loop(file, log):
    """Runs the loop until it is stopped."""
    wait = Waiting()
    signal.signal(signal.SIGTERM, lambda *_: wait.stop())
    with desk_on(stores.open(file), receiver(log)) as desk:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        run_forever(desk, clock=now, wait=wait)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
