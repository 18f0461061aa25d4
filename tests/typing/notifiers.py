"""The shipped notifiers as a host sets them up; read by mypy --strict, never run."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

from itsm_core import ServiceDesk, stores
from itsm_core.notifiers import (
    AppriseNotifier,
    LoggingNotifier,
    SmtpNotifier,
    Templates,
    WebhookNotifier,
    Words,
    verify_webhook,
)
from itsm_core.ports import Message, Outcome


def clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def address(message: Message) -> str | None:
    return f"{message.to}@example.org" if message.to else None


def shouted(message: Message) -> Words:
    return Words(message.subject.upper(), message.body, html=None)


templates = Templates(
    {"said.en.txt": "Subject: x\n"}, language=lambda message: message.to, zone="Asia/Shanghai"
)
folder = Templates(Path("texts"), zone=ZoneInfo("UTC"), kind=lambda message: "said")
mail = SmtpNotifier("mail.example.org", "Desk <desk@example.org>", address=address, wording=templates)
relay = SmtpNotifier("localhost", "desk@example.org", security="none", address={"ana": "ana@example.org"})
hook = WebhookNotifier(
    "https://hooks.example.org/", ["whsec_a", "whsec_b"], clock=clock, timeout=dt.timedelta(0, 5)
)
chat = AppriseNotifier({"ana": "slack://"}, wording=shouted)
pager = AppriseNotifier(lambda message: None, timeout=dt.timedelta(seconds=5))
desk = ServiceDesk(
    stores.open("memory://"), notifiers={"email": mail, "chat": chat, "hook": hook, "*": LoggingNotifier()}
)
seen: str = verify_webhook(b"{}", {"webhook-id": "1"}, secrets="whsec_a", now=clock())


def sent(message: Message) -> list[Outcome]:
    return [mail(message), hook(message), chat(message)]
