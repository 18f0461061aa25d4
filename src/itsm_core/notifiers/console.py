"""Messages as lines on a terminal or any text stream."""

from __future__ import annotations

import sys
from typing import TextIO

import attrs

from itsm_core.notifiers.words import printable
from itsm_core.ports import Delivered, Message, Outcome, Unknown


def _print(line: str, stream: TextIO) -> None:
    try:
        print(line, file=stream)
    except UnicodeEncodeError:  # a terminal that has not all letters; nothing was written
        print(line.encode("ascii", "backslashreplace").decode(), file=stream)


@attrs.frozen
class ConsoleNotifier:
    """Prints one line per message to `stream` (standard output by default).

    Control characters are shown, not obeyed: hostile text cannot steer the terminal. Letters that the
    stream cannot write are shown by their numbers.
    """

    stream: TextIO | None = None

    def __call__(self, message: Message) -> Outcome:
        """Prints the message."""
        line = f"[{message.channel}] to {message.to}: {message.subject} | {message.body}"
        stream = self.stream or sys.stdout
        try:
            _print(printable(line), stream)
        except (OSError, ValueError) as error:
            return Unknown(f"the stream failed: {error}")
        return Delivered()
