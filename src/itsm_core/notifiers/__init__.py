"""Notifiers: where messages go. One technology a file.

    SmtpNotifier, WebhookNotifier       the standard library only
    AppriseNotifier                     chats, pagers and phones (extra `notify`)
    ConsoleNotifier, LoggingNotifier, FunctionNotifier
    Templates                           what messages say, in English and Chinese (extra `templates`)
    verify_webhook                      for those who receive our webhooks

Importing this package loads neither smtplib nor http.client, nor an extra: they are loaded when
asked for. An async desk runs these notifiers in threads.

Order: words, addressing, console, log, function, signing, connecting, webhook, letters, smtp, apprise,
templates.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from itsm_core.notifiers.console import ConsoleNotifier
from itsm_core.notifiers.function import FunctionNotifier
from itsm_core.notifiers.log import LoggingNotifier

if TYPE_CHECKING:
    from itsm_core.notifiers.apprise import AppriseNotifier
    from itsm_core.notifiers.signing import verify_webhook
    from itsm_core.notifiers.smtp import SmtpNotifier
    from itsm_core.notifiers.templates import Templates
    from itsm_core.notifiers.webhook import WebhookNotifier
    from itsm_core.notifiers.words import Words

__all__ = [
    "AppriseNotifier",
    "ConsoleNotifier",
    "FunctionNotifier",
    "LoggingNotifier",
    "SmtpNotifier",
    "Templates",
    "WebhookNotifier",
    "Words",
    "verify_webhook",
]

_NAMES = {
    "AppriseNotifier": "itsm_core.notifiers.apprise",
    "SmtpNotifier": "itsm_core.notifiers.smtp",
    "Templates": "itsm_core.notifiers.templates",
    "WebhookNotifier": "itsm_core.notifiers.webhook",
    "Words": "itsm_core.notifiers.words",
    "verify_webhook": "itsm_core.notifiers.signing",
}


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_NAMES[name]), name)
