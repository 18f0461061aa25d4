"""Signatures of webhooks (standardwebhooks.com): made by a sender, checked by a receiver.

HMAC-SHA256 over `id.timestamp.body`. The header `webhook-signature` holds one signature a key, so
that a receiver may change keys while both are in use.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from itsm_core.business_time.instants import SECOND, micros
from itsm_core.errors import InvalidValue
from itsm_core.notifiers.words import visible

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = dt.timedelta(minutes=5)
_KEYS = 'give "whsec_" and 24 to 64 random bytes in base64, or several, the newest first'
_SECONDS = re.compile("[0-9]{1,11}")
# The specification wants no full stop in an id: what is signed could be parted elsewhere. It can only where
# a whole number stands between full stops, which would be taken for the timestamp; others do no harm.
_ANOTHER_STAMP = re.compile(r"\.(?=[0-9]+(?:\.|$))")
_REFUSE = "answer 401 and do nothing with it"


def webhook_id(key: str) -> str:
    """The id of a message: its key, with what an id cannot hold written as in a URL."""
    return _ANOTHER_STAMP.sub("%2E", visible(key))


def secrets_of(value: Iterable[str] | str) -> tuple[str, ...]:
    """The secrets of one or several."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise InvalidValue("webhook secrets", "...", f"are {type(value).__name__}, no texts", _KEYS)
    return tuple(value)


def keys_of(secrets: Iterable[str] | str) -> tuple[bytes, ...]:
    """The keys of secrets such as "whsec_..."; what is refused is not shown."""
    given = secrets_of(secrets)
    if not given:
        raise InvalidValue("webhook secrets", given, "holds none", _KEYS)
    return tuple(_key(secret) for secret in given)


def _key(secret: str) -> bytes:
    if not isinstance(secret, str):
        raise InvalidValue("webhook secret", "...", f"is {type(secret).__name__}, no text", _KEYS)
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValue("webhook secret", "whsec_...", "is no base64", _KEYS) from None
    if not 24 <= len(key) <= 64:
        raise InvalidValue("webhook secret", "whsec_...", f"holds {len(key)} bytes", _KEYS)
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature `v1,<base64>` of one key."""
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(keys: Iterable[bytes], message_id: str, at: dt.datetime, body: bytes) -> dict[str, str]:
    """The three headers of a body sent at an instant, signed with every key."""
    timestamp = micros(at) // SECOND
    signatures = " ".join(signature(key, message_id, timestamp, body) for key in keys)
    return {ID: message_id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    *,
    secrets: Iterable[str] | str,
    now: dt.datetime,
    tolerance: dt.timedelta = TOLERANCE,
) -> str:
    """The id of a webhook that is genuine and was sent within `tolerance` of now; keep it to drop repeats.

    `body` is what came over the wire, before anything parsed it. Any of the secrets will do. Raises
    `InvalidValue` for everything else.
    """
    held = {str(name).lower(): value for name, value in headers.items()}
    missing = [
        name for name in (ID, TIMESTAMP, SIGNATURE) if not isinstance(held.get(name), str) or not held[name]
    ]
    if missing:
        raise InvalidValue("webhook", missing, "lacks these headers as texts", _REFUSE)
    if _ANOTHER_STAMP.search(held[ID]):
        raise InvalidValue("webhook", held[ID], "has an id that could hide another timestamp", _REFUSE)
    if not _SECONDS.fullmatch(held[TIMESTAMP]):
        raise InvalidValue(TIMESTAMP, held[TIMESTAMP], "is no number of seconds", _REFUSE)
    timestamp = int(held[TIMESTAMP])
    age = dt.timedelta(microseconds=micros(now, "now") - timestamp * SECOND)
    if abs(age) > tolerance:
        when = "old" if age > tolerance else "far in the future"
        raise InvalidValue(TIMESTAMP, timestamp, f"is too {when}", f"{_REFUSE}; check both clocks")
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
    expected = [signature(key, held[ID], timestamp, raw).encode() for key in keys_of(secrets)]
    given = [text.encode("utf-8", "replace") for text in held[SIGNATURE].split(" ")]
    # Every pair is compared, so that the time it takes tells nothing.
    if not sum(hmac.compare_digest(ours, theirs) for ours in expected for theirs in given):
        raise InvalidValue("webhook", held[ID], "is signed with none of the keys", _REFUSE)
    return held[ID]
