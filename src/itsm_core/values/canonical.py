"""Canonical JSON (RFC 8785, JSON Canonicalization Scheme) of values without floats, and digests of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from itsm_core.errors import InvalidValue
from itsm_core.values.fields import exact, frozen_json


def _ordered(value: Any) -> Any:
    if value is None or value is True or value is False or type(value) is str:
        return value
    if type(value) is int:
        return exact(value, "number")
    if isinstance(value, Mapping):
        names = sorted(value, key=_utf16)
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    return _ordered(frozen_json(value))


def _utf16(name: Any) -> bytes:
    """The key that orders names: by UTF-16 code units (RFC 8785 3.2.3)."""
    if not isinstance(name, str):
        raise InvalidValue("name", name, "is no text", "JSON names are texts")
    return name.encode("utf-16-be", "surrogatepass")


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value without floats."""
    written = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))
    try:
        return written.encode()
    except UnicodeEncodeError:
        raise InvalidValue("text", value, "holds half a surrogate pair", "store valid Unicode") from None


def encoder(**how: Any) -> Callable[[Any], str]:
    """A function that writes JSON in one line; it keeps the encoder that `json.dumps` makes at each call."""
    slow = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), **how)
    made: Any = getattr(json.encoder, "c_make_encoder", None)
    if made is None:
        return slow.encode
    quick = made(None, slow.default, _quoted, None, ":", ",", slow.sort_keys, False, True)
    return lambda value: "".join(quick(value, 0))


_quoted: Callable[[Any], str] = json.encoder.encode_basestring
_encoded = encoder(sort_keys=True)
_odd_number = re.compile(r"[:,\[]-?(?:[0-9]{16}|[0-9]+[.eE](?![0-9]{6}Z)|NaN|Infinity)").search  # Z: a text


def written(value: Any) -> str:
    """The text of `canonical` for a dict or list whose names are texts, made quickly where it is the same.

    It could differ by a number that is no integer or near 2^53, half a surrogate pair, or a name
    beyond U+FFFF.
    """
    quick = _encoded(value)
    return quick if _odd_number(quick) is None and _is_basic(quick) else canonical(value).decode()


def _is_basic(quick: str) -> bool:
    """Whether every character is whole and below U+FFFF."""
    try:
        return quick.isascii() or len(quick.encode("utf-16-le")) == 2 * len(quick)
    except UnicodeEncodeError:
        return False


def digest_of(*texts: Any) -> str:
    """The `digest` of a list, made quickly where all of it is text."""
    try:
        return sha256(f"[{','.join(map(_quoted, texts))}]".encode())
    except (TypeError, UnicodeEncodeError):
        return sha256(written(texts).encode())


def quoted(value: str) -> str:
    """A text as canonical JSON."""
    return _quoted(value) if value.isascii() else canonical(value).decode()


def as_object(parts: Mapping[str, str]) -> str:
    """A JSON object of values that are JSON already; the names are in order, and plain words."""
    return "{" + ",".join([f'"{name}":{part}' for name, part in parts.items()]) + "}"


def sha256(written: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(written).hexdigest()


def digest(value: Any) -> str:
    """The SHA-256 of the canonical JSON, in hexadecimal."""
    return sha256(quoted(value).encode() if type(value) is str else canonical(value))
