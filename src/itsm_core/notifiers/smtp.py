"""Messages as mails through an SMTP server, with the standard library."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any, Literal, cast

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.notifiers.addressing import Addressing, addressing
from itsm_core.notifiers.connecting import Deadline, Timed, connect, trouble
from itsm_core.notifiers.letters import letter, mailbox, sender
from itsm_core.notifiers.words import Wording, as_said, printable
from itsm_core.ports import Delivered, Message, Outcome, Rejected, Retry, Unknown
from itsm_core.values import only, word

Security = Literal["starttls", "tls", "none"]
PORTS: dict[str, int] = {"starttls": 587, "tls": 465, "none": 25}
STARTTLS, LOGIN = "STARTTLS", "the login"
_SHOWN = 1_000  # bytes of a reply that are looked at for words
_ADDRESS = re.compile(r"\S+@\S+")
_HOST = 'name the mail server, such as "mail.example.org"'
_DOT = re.compile(rb"^\.", re.MULTILINE)


def _check_host(host: str) -> None:
    try:
        host.encode("idna")
    except UnicodeError:  # an empty label, one of more than 63 characters, half a surrogate pair
        raise InvalidValue("host", host, "is no name of a host", _HOST) from None


def _itself(message: Message) -> str | None:
    return message.to


def _addresses(value: Addressing | Mapping[str, str]) -> Addressing:
    return addressing(value)


class _Refused(Exception):
    """The server answered a command with something else than what goes on.

    Of 5xx to STARTTLS and to the login not the mail is to blame: they can be mended while it waits.
    """

    def __init__(self, step: str, code: int, reply: bytes) -> None:
        words = _ADDRESS.sub("...", printable(reply[:_SHOWN].decode("utf-8", "replace")))[:200]
        reason = f"the mail server answered {code} to {step}: {words}".removesuffix(": ")
        final = 500 <= code < 600 and step not in (STARTTLS, LOGIN)
        self.outcome: Outcome = Rejected(reason) if final else Retry(reason=reason)


@attrs.frozen
class SmtpNotifier:
    """Mails each message; by default the connection turns to TLS before anything is said (STARTTLS).

    `address` says where a receiver has mail: a mapping from `Message.to`, or a function of the
    message; without it `to` itself has to be an address. `sender` is "desk@example.org" or "Service
    Desk <desk@example.org>". A refusal by 5xx is final, 4xx and whatever fails before the mail is
    handed over is tried again, and a connection that is lost after that is `Unknown`. `timeout` is
    for the whole exchange. Each mail has a connection of its own, so any number of threads may send.
    """

    host: str
    sender: Address = attrs.field(converter=sender)
    security: Security = attrs.field(default="starttls", kw_only=True)
    port: int = attrs.field(kw_only=True)
    user: str | None = attrs.field(default=None, kw_only=True, repr=False)
    password: str | None = attrs.field(default=None, kw_only=True, repr=False)
    address: Addressing = attrs.field(default=_itself, converter=_addresses, kw_only=True, repr=False)
    wording: Wording = attrs.field(default=as_said, kw_only=True)
    timeout: dt.timedelta = attrs.field(default=dt.timedelta(seconds=30), kw_only=True)
    context: ssl.SSLContext = attrs.field(factory=ssl.create_default_context, kw_only=True, repr=False)

    @port.default
    def _usual(self) -> int:
        return PORTS.get(self.security, 0)

    def __attrs_post_init__(self) -> None:
        _check_host(word(self.host, "host", _HOST))
        wait = only(dt.timedelta, self.timeout, "timeout", "give a timedelta, such as timedelta(seconds=30)")
        if wait <= dt.timedelta(0):
            raise InvalidValue("timeout", wait, "leaves no time", "give one, such as timedelta(seconds=30)")
        if self.security not in PORTS:
            raise InvalidValue("security", self.security, "is unknown", f"use one of {', '.join(PORTS)}")
        if type(self.port) is not int or not 0 < self.port < 65_536:
            raise InvalidValue("port", self.port, "is no port", "give a number, such as 587, or leave it out")
        if (self.user is None) != (self.password is None):
            raise InvalidValue("user", self.user, "comes with a password, and it with a user", "give both")
        if self.user is not None and self.security == "none":
            raise InvalidValue(
                "security", "none", "would send the password in the clear", 'say "starttls" or "tls"'
            )
        if not f"{self.user}{self.password}".isascii():  # `smtplib` sends no other; neither is shown
            raise InvalidValue("user", "...", "or the password is not ASCII", "choose others for the server")

    def __call__(self, message: Message) -> Outcome:
        """Mails the message, and says what the server made of it."""
        to = mailbox(self.address(message))
        if to is None:
            return Rejected("the receiver has no mail address")
        mail = letter(message, self.wording(message), self.sender, to)
        policy, session = cast("EmailPolicy", mail.policy), None
        try:
            session = self._session(Deadline(self.timeout.total_seconds()))
            self._envelope(session, to, wide=policy.utf8)
            return _handed_over(session, mail)
        except _Refused as refusal:
            return refusal.outcome
        except OSError as error:  # also smtplib's own
            return Retry(reason=trouble(error, self.host))
        finally:
            _ended(session)

    def _session(self, deadline: Deadline) -> Any:
        """An SMTP session that may send: secured as told, and logged in."""
        timed = connect(self.host, self.port, deadline)
        try:
            if self.security == "tls":
                timed = timed.secured(self.context, self.host)
            session = _greeted(timed)
            if self.security == "starttls":
                _expect(220, STARTTLS, *session.docmd("STARTTLS"))
                timed = timed.secured(self.context, self.host)
                session = _said_hello(_on(timed))  # what was said in the clear is forgotten
            if self.user is not None:
                _logged_in(session, self.user, self.password)
        except BaseException:
            timed.close()
            raise
        return session

    def _envelope(self, session: Any, to: Address, *, wide: bool) -> None:
        """Says from whom and to whom."""
        if wide and not session.has_extn("smtputf8"):
            raise _Refused("the address", 550, b"it is not ASCII, and the server lacks SMTPUTF8")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if wide else []
        _expect(250, "MAIL FROM", *session.mail(self.sender.addr_spec, options))
        code, reply = session.rcpt(to.addr_spec)
        _expect(code if code in (250, 251) else 250, "RCPT TO", code, reply)


def _on(timed: Timed) -> Any:
    session: Any = smtplib.SMTP(local_hostname=_literal(timed))
    session.sock = timed
    return session


def _literal(timed: Timed) -> str:
    """Our own address, as a host without a name says hello (RFC 5321 4.1.3); nobody is asked for it."""
    own = timed.held.getsockname()[0]
    return f"[IPv6:{own}]" if ":" in own else f"[{own}]"


def _greeted(timed: Timed) -> Any:
    session = _on(timed)
    _expect(220, "the connection", *session.getreply())
    return _said_hello(session)


def _said_hello(session: Any) -> Any:
    code, reply = session.ehlo()
    if code != 250:
        code, reply = session.helo()
    _expect(250, "HELO", code, reply)
    return session


def _logged_in(session: Any, user: str, password: str | None) -> None:
    try:
        session.login(user, password)
    except smtplib.SMTPAuthenticationError as error:
        raise _Refused(LOGIN, error.smtp_code, b"") from None  # its words may repeat the user
    except ValueError:
        raise _Refused(LOGIN, 334, b"what it asked is no base64") from None


def _expect(wanted: int, step: str, code: int, reply: bytes) -> None:
    if code != wanted:
        raise _Refused(step, code, reply)


def _handed_over(session: Any, mail: EmailMessage) -> Outcome:
    """Sends the mail itself; from then on a silent server may have it."""
    _expect(354, "DATA", *session.docmd("DATA"))
    try:
        session.send(_DOT.sub(b"..", mail.as_bytes()) + b".\r\n")
        code, reply = session.getreply()
    except OSError as error:
        return Unknown(f"the mail server fell silent after the mail: {type(error).__name__}")
    _expect(250, "the mail", code, reply)
    return Delivered(str(mail["Message-ID"]))


def _ended(session: Any) -> None:
    if session is None:
        return
    try:
        with suppress(OSError):  # what was said is said; a server that is gone hears no farewell
            session.docmd("QUIT")
    finally:
        session.close()
