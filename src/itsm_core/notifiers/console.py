"""Messages as lines on a terminal or any text stream."""

from __future__ import annotations

import sys
from typing import TextIO

import attrs

from itsm_core.ports import Delivered, Message, Outcome, Unknown


def printable(text: str) -> str:
    """The text on one line, with control characters shown instead of obeyed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@attrs.frozen
class ConsoleNotifier:
    """Prints one line per message to `stream` (standard output by default).

    Control characters are shown, not obeyed: hostile text cannot steer the terminal.
    """

    stream: TextIO | None = None

    def __call__(self, message: Message) -> Outcome:
        """Prints the message."""
        line = f"[{message.channel}] to {message.to}: {message.subject} | {message.body}"
        try:
            print(printable(line), file=self.stream or sys.stdout)
        except (OSError, ValueError) as error:
            return Unknown(f"the stream failed: {error}")
        return Delivered()
