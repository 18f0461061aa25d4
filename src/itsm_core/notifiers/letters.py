"""A message as a mail (RFC 5322), in which no word can begin a header."""

from __future__ import annotations

import hashlib
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses, parseaddr

from itsm_core.errors import InvalidValue
from itsm_core.notifiers.words import Words, lines, one_line, whole
from itsm_core.ports import Message

_LOCAL = r"[^\s<>()\[\],;:\\\"@]{1,64}"
_LONGEST = 1_000  # characters of a subject; folding more takes seconds
_MAILBOX = re.compile(rf"({_LOCAL})@([^\s<>()\[\],;:\\\"@]{{1,253}})")


def mailbox(text: object, name: str = "") -> Address | None:
    """The mail address that a text is, domain in ASCII; None if it is none, or more than one."""
    sound = isinstance(text, str) and text.isprintable() and text == _literal(text)
    found = _MAILBOX.fullmatch(str(text)) if sound else None
    try:
        return (
            Address(_literal(one_line(name)), found[1], found[2].encode("idna").decode()) if found else None
        )
    except UnicodeError:  # an empty label, or one of more than 63 characters
        return None


def sender(value: str | Address) -> Address:
    """The address of "desk@example.org" or "Service Desk <desk@example.org>"."""
    if isinstance(value, Address):
        return value
    several = not isinstance(value, str) or not value.isprintable() or len(getaddresses([value])) != 1
    name, address = ("", "") if several else parseaddr(value)
    found = mailbox(address, name)
    if found is None:
        raise InvalidValue("sender", value, "is no mail address", 'give "Service Desk <desk@example.org>"')
    return found


def letter(message: Message, words: Words, by: Address, to: Address) -> EmailMessage:
    """The mail of a message: the same key gives the same Message-ID, one record one thread."""
    wide = not (by.addr_spec.isascii() and to.addr_spec.isascii())
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit", utf8=wide))
    mail["From"], mail["To"] = by, to
    mail["Subject"] = _subject(words.subject)
    mail["Date"] = message.created_at
    mail["Message-ID"] = _id(message.key, by)
    mail["In-Reply-To"] = mail["References"] = _id(f"record:{message.record}", by)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: vacation notices do not answer it
    mail.set_content(lines(words.text))
    if words.html is not None:
        mail.add_alternative(lines(words.html), subtype="html")
    return mail


def _literal(text: str) -> str:
    """The text in which nothing reads as an encoded word: `email` would undo one, line breaks and all."""
    return text.replace("=?", "= ?")


def _subject(text: str) -> str:
    """The subject on one line, cut where nobody reads on."""
    return _literal(one_line(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."))


def _id(of: str, by: Address) -> str:
    """An id made of a digest; a domain too long for one line would be folded, and the thread lost."""
    domain = by.domain if len(by.domain) <= 40 else "itsm-core.invalid"
    return f"<{hashlib.sha256(whole(of).encode()).hexdigest()[:32]}@{domain}>"
