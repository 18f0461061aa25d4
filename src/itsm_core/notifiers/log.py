"""Messages as log records of the standard library."""

from __future__ import annotations

import logging

import attrs

from itsm_core.notifiers.words import printable
from itsm_core.ports import Delivered, Message, Outcome


@attrs.frozen
class LoggingNotifier:
    """Logs that a message went out: key, channel and record; the words and the receiver only if asked.

    Subjects and bodies may hold personal words, so `with_text` is off by default.
    Control characters are shown: no text begins another line of the log.
    """

    logger: logging.Logger = attrs.field(factory=lambda: logging.getLogger("itsm_core.messages"))
    level: int = logging.INFO
    with_text: bool = False

    def __call__(self, message: Message) -> Outcome:
        """Logs the message."""
        if self.with_text:
            self.logger.log(
                self.level,
                "message %s by %s to %s: %s | %s",
                *map(printable, (message.key, message.channel, message.to, message.subject, message.body)),
            )
        else:
            about = map(printable, (message.key, message.channel, message.record))
            self.logger.log(self.level, "message %s by %s about %s", *about)
        return Delivered()
