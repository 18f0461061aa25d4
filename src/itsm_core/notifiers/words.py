"""What a message says: its words, and how hostile text is made harmless in them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import attrs

from itsm_core.ports import Message

_VISIBLE = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
_JOINERS = frozenset("\u200c\u200d\u200e\u200f")  # Persian, Hebrew and emoji are spelt with them


@attrs.frozen
class Words:
    """Subject and text of one message, and its HTML if it has one; the repr shows none of them."""

    subject: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    html: str | None = attrs.field(default=None, kw_only=True, repr=False)


Wording = Callable[[Message], Words]
"""Says what a message says: `as_said`, `Templates(...)`, or a function of the host."""


def as_said(message: Message) -> Words:
    """The message's own subject and body."""
    return Words(message.subject, message.body)


def printable(text: str) -> str:
    """The text on one line, with control characters shown instead of obeyed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """The text on one line: line breaks become spaces, other control characters are shown.

    A header made of it cannot begin another one.
    """
    return " ".join(_shown(line) for line in text.splitlines())


def lines(text: str) -> str:
    r"""The text with its line breaks as \n, its tabs, and other control characters shown."""
    return "\n".join(
        _shown(line, "\t") for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )


def _shown(line: str, kept: str = "") -> str:
    return "".join(c if c.isprintable() or c in _JOINERS or c in kept else repr(c)[1:-1] for c in line)


def whole(text: str) -> str:
    """The text with halves of surrogate pairs replaced, so that it can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def visible(text: str) -> str:
    """The text as a header can hold it: visible ASCII as it is, the rest written as in a URL."""
    return quote(text, safe=_VISIBLE, errors="replace")
