"""Messages through Apprise: Slack, Teams, Telegram, Matrix and some 170 others (extra `notify`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.notifiers.addressing import Addressing, addressing
from itsm_core.notifiers.words import Wording, as_said, lines, one_line, visible
from itsm_core.ports import Delivered, Message, Outcome, Rejected, Retry, Unknown
from itsm_core.values import only

INSTALL = "AppriseNotifier needs its extra: pip install 'itsm-core[notify]'"
HEADER = "X-Idempotency-Key"
_PASS_HEADERS = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})


def _targets(value: Addressing | Mapping[str, str] | str) -> Addressing:
    return addressing(value)


@attrs.frozen
class AppriseNotifier:
    """Sends each message to one Apprise URL: that of all, of `Message.to`, or of a function.

    Apprise says only that it failed: `Retry`, whether the cause will pass or not. Its own retries are
    off, ours count. Targets of json://, xml:// and form:// get the key as the header
    X-Idempotency-Key. URLs hold tokens: no reason and no repr shows one, but
    Apprise's own logger `apprise` does, of those it cannot read.
    """

    targets: Addressing = attrs.field(converter=_targets, repr=False)
    wording: Wording = attrs.field(default=as_said, kw_only=True)
    timeout: dt.timedelta = attrs.field(default=dt.timedelta(seconds=30), kw_only=True)

    def __attrs_post_init__(self) -> None:
        remedy = "give a timedelta, such as timedelta(seconds=30)"
        if only(dt.timedelta, self.timeout, "timeout", remedy) <= dt.timedelta(0):
            raise InvalidValue("timeout", self.timeout, "leaves no time", remedy)
        _apprise()  # without it nobody could be told, which is better known now

    def __call__(self, message: Message) -> Outcome:
        """Sends the message, and says what Apprise made of it."""
        url = self.targets(message)
        if not url:
            return Rejected("the receiver has no Apprise URL")
        apprise = _apprise()
        # An instance of its own each time: Apprise sleeps between two mails of one.
        service = apprise.Apprise.instantiate(url)
        if service is None:
            return Rejected("the receiver's Apprise URL is unknown to Apprise")
        service.retry = 0
        if url.partition("://")[0].lower() in _PASS_HEADERS:
            service.headers[HEADER] = visible(message.key)
        if len(service) != 1:
            return Rejected(f"the receiver's Apprise URL names {len(service)} targets; give each one")
        return self._sent(apprise, service, message)

    def _sent(self, apprise: Any, service: Any, message: Message) -> Outcome:
        words, one = self.wording(message), apprise.Apprise()
        one.add(service)
        result = one.notify(
            body=lines(words.text) or one_line(words.subject) or message.record,
            title=one_line(words.subject),
            body_format=apprise.NotifyFormat.TEXT,
            timeout=self.timeout.total_seconds(),
        )
        return outcome_of(result.status.name)


def outcome_of(status: str) -> Outcome:
    """What the name of an Apprise status says: success arrived, failure and timeout later, no match never."""
    if status == "SUCCESS":
        return Delivered()
    if status == "NOMATCH":
        return Rejected("Apprise found no target")
    if status == "PARTIAL":
        return Unknown("Apprise reached some of the target only")
    return Retry(reason=f"Apprise says {status}")


def _apprise() -> Any:
    try:
        import apprise  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError(INSTALL) from None
    return apprise
