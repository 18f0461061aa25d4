"""Messages handed to a function of the host that only says whether it worked."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from itsm_core.ports import Delivered, Message, Outcome, Retry


@attrs.frozen
class FunctionNotifier:
    """Calls `function(to, subject, body)`; returning means delivered, raising means try again.

    Any callable that takes a `Message` is a notifier already; this one is for functions that
    exist, such as a host's `send_mail`.
    """

    function: Callable[[str, str, str], object]

    def __call__(self, message: Message) -> Outcome:
        """Calls the function."""
        try:
            self.function(message.to, message.subject, message.body)
        except Exception as error:
            return Retry(reason=f"{type(error).__name__}: {error}")
        return Delivered()
