"""Messages as signed webhooks (standardwebhooks.com), posted as JSON."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import attrs

from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.notifiers.connecting import (
    AddressForbidden,
    Deadline,
    Timed,
    anywhere,
    connect,
    is_public,
    trouble,
)
from itsm_core.notifiers.signing import keys_of, secrets_of, signed_headers, webhook_id
from itsm_core.notifiers.words import whole
from itsm_core.ports import Delivered, Message, Outcome, Rejected, Retry, Unknown
from itsm_core.values import Json, canonical, flag, only

_URL = re.compile("[!-~]+")  # what a request line can hold
_LONGEST = dt.timedelta(days=365)
_MAY_PASS = frozenset({408, 425, 429})  # of the 4xx, those that say: later


def as_event(message: Message) -> dict[str, Json]:
    """The JSON object of a message: type, timestamp, and data; the same for every try.

    So the fact `delay_us`, which each try has of its own, is left out: the headers have the time.
    """
    data: dict[str, Json] = {
        name: whole(getattr(message, name))
        for name in ("key", "record", "to", "channel", "audience", "subject", "body")
    }
    return {
        "type": "itsm.message",
        "timestamp": message.created_at.isoformat(),
        "data": {**data, "facts": {name: fact for name, fact in message.facts.items() if name != "delay_us"}},
    }


def _url(value: str) -> str:
    """The URL itself; a refusal shows no more than its host, for the path may hold a token."""
    remedy, shown = 'give one such as "https://hooks.example.org/itsm"', "..."
    if isinstance(value, str) and _URL.fullmatch(value):
        with contextlib.suppress(ValueError):  # a port that is no number, a bracket, a label too long
            parts = urlsplit(value)
            shown = f"{parts.scheme}://{parts.hostname or ''}/..."
            if _is_sound(parts):
                return value
    raise InvalidValue("webhook url", shown, "is no http(s) URL of plain ASCII without user", remedy)


def _is_sound(parts: SplitResult) -> bool:
    (parts.hostname or "").encode("idna")  # raises for what no name server could be asked
    leads = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    return bool(leads) and "@" not in parts.netloc and not parts.fragment


def _secrets(value: Iterable[str] | str) -> tuple[str, ...]:
    given = secrets_of(value)
    keys_of(given)  # raises for what is no key
    return given


def _timeout(value: dt.timedelta) -> dt.timedelta:
    remedy = "give a timedelta, such as timedelta(seconds=15)"
    if only(dt.timedelta, value, "timeout", remedy) <= dt.timedelta(0):
        raise InvalidValue("timeout", value, "leaves no time", remedy)
    return value


@attrs.frozen(repr=False)
class WebhookNotifier:
    """Posts each message to one URL, signed with every secret; `verify_webhook` checks it there.

    The id is the message's key and stays the same when it is sent again; the timestamp is that of
    the try, as `clock` tells it. No redirect is followed and no proxy asked. Private, loopback and
    link-local addresses are refused, and so is http://, unless `allow_private`. `timeout` is for the
    whole exchange.
    """

    url: str = attrs.field(converter=_url)
    secrets: tuple[str, ...] = attrs.field(converter=_secrets)
    clock: Callable[[], dt.datetime] = attrs.field(kw_only=True)
    payload: Callable[[Message], Mapping[str, Any]] = attrs.field(default=as_event, kw_only=True)
    timeout: dt.timedelta = attrs.field(default=dt.timedelta(seconds=15), converter=_timeout, kw_only=True)
    allow_private: bool = attrs.field(default=False, validator=flag, kw_only=True)
    context: ssl.SSLContext = attrs.field(factory=ssl.create_default_context, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not callable(self.clock):
            remedy = "give one that says the time: clock=lambda: dt.datetime.now(dt.UTC)"
            raise InvalidValue("clock", self.clock, "is no function", remedy)
        if self._place.scheme == "http" and not self.allow_private:
            raise InvalidValue(
                "webhook url",
                f"http://{self._place.hostname}/...",
                "would send words in the clear",
                "say https://, or allow_private=True for a receiver in your own network",
            )

    def __repr__(self) -> str:
        return f"<webhook to {self._place.hostname}>"

    @property
    def _place(self) -> SplitResult:
        return urlsplit(self.url)

    def __call__(self, message: Message) -> Outcome:
        """Posts the message, and says what the receiver made of it."""
        sent_at, host = in_utc(self.clock(), "clock"), str(self._place.hostname)
        body = canonical(self.payload(message))
        try:
            connection = self._connected(Deadline(self.timeout.total_seconds()))
        except AddressForbidden as error:
            return Rejected(f"{host} is at {error}, inside a private network; allow_private=True permits it")
        except OSError as error:
            return Retry(reason=trouble(error, host))
        try:
            connection.request("POST", self._target(), body, self._headers(message, sent_at, body))
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            return Unknown(f"no answer from {host}: {type(error).__name__}")
        finally:
            connection.close()
        return outcome_of(answer.status, answer.getheader("Retry-After"), sent_at)

    def _connected(self, deadline: Deadline) -> http.client.HTTPConnection:
        place = self._place
        host, port = str(place.hostname), place.port or (443 if place.scheme == "https" else 80)
        timed = connect(host, port, deadline, anywhere if self.allow_private else is_public)
        connection: Any = http.client.HTTPConnection(host, port)
        connection.sock = timed if place.scheme == "http" else _secured(timed, self.context, host)
        return connection  # type: ignore[no-any-return]

    def _target(self) -> str:
        place = self._place
        return (place.path or "/") + (f"?{place.query}" if place.query else "")

    def _headers(self, message: Message, sent_at: dt.datetime, body: bytes) -> dict[str, str]:
        return {
            "Host": self._place.netloc,
            "Content-Type": "application/json",
            "User-Agent": "itsm-core",
            **signed_headers(keys_of(self.secrets), webhook_id(message.key), sent_at, body),
        }


def _secured(timed: Timed, context: ssl.SSLContext, host: str) -> Timed:
    try:
        return timed.secured(context, host)
    except OSError:
        timed.close()
        raise


def outcome_of(status: int, retry_after: str | None, now: dt.datetime) -> Outcome:
    """What an HTTP status says: 2xx arrived, 5xx, 408, 425 and 429 later, everything else never."""
    if 200 <= status < 300:
        return Delivered(f"HTTP {status}")
    if status < 200:
        return Unknown(f"the receiver answered HTTP {status} and no more")
    if status >= 500 or status in _MAY_PASS:
        return Retry(waiting_time(retry_after, now), f"the receiver answered HTTP {status}")
    if status == 410:
        return Rejected("the receiver answered HTTP 410: it wants no more; remove it")
    if status < 400:
        return Rejected(f"the receiver answered HTTP {status}: redirects are not followed; give the new URL")
    return Rejected(f"the receiver answered HTTP {status}")


def waiting_time(retry_after: str | None, now: dt.datetime) -> dt.timedelta | None:
    """How long a `Retry-After` asks to wait, in seconds or until a date; None if it says neither."""
    text = (retry_after or "").strip()
    if re.fullmatch("[0-9]+", text):
        return _LONGEST if len(text) > 9 else min(dt.timedelta(seconds=int(text)), _LONGEST)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)  # "-0000": UTC (RFC 5322 3.3)
    return min(max(at - now, dt.timedelta(0)), _LONGEST)
