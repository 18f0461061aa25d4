"""What a directory says of a person: how they are reached, in which language, and when not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.instants import in_utc, later, zone_like
from itsm_core.errors import InvalidValue
from itsm_core.oncall.windows import DutyWindow
from itsm_core.values import each, named, texts, word


def _channels(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "channels", 'name them in order: channels=("sms", "email")')


def _zone(value: str | ZoneInfo) -> str:
    return zone_like(value).key


def _windows(value: DutyWindow | Iterable[DutyWindow]) -> tuple[DutyWindow, ...]:
    remedy = 'make one: DutyWindow("22:00", "07:00", "daily", "Europe/Berlin")'
    return (value,) if isinstance(value, DutyWindow) else each(DutyWindow, value, "quiet", remedy)


@attrs.frozen
class Person:
    """Somebody who may be told something.

    `channels` stand in the order in which they are tried, as names: addresses are the notifiers' to know.
    In `lang` and on the clocks of `zone` (None: that of the templates) they are told.
    In `quiet` hours only what is urgent arrives at once; the rest waits until they end. From a name such
    as "group:network" nobody is told who is absent; who is named as "user:ana" always is.
    """

    id: str
    channels: tuple[str, ...] = attrs.field(default=(), converter=_channels, kw_only=True)
    lang: str = attrs.field(default="en", kw_only=True)
    zone: str | None = attrs.field(default=None, converter=attrs.converters.optional(_zone), kw_only=True)
    manager: str | None = attrs.field(default=None, kw_only=True)
    absent_until: dt.datetime | None = attrs.field(
        default=None, converter=attrs.converters.optional(in_utc), kw_only=True
    )
    quiet: tuple[DutyWindow, ...] = attrs.field(default=(), converter=_windows, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "person", 'give an id, such as "ana"')
        word(self.lang, "lang", 'name a language, such as "en" or "zh"')
        if self.manager is not None:
            named(self.manager, "manager", 'give an id, such as "bea", or leave it out')
        if self.manager == self.id:
            raise InvalidValue("manager", self.id, "is the person", "name another, or leave it out")

    def is_absent(self, at: dt.datetime) -> bool:
        """Whether they are away at an instant."""
        return self.absent_until is not None and at < self.absent_until

    def quiet_until(self, at: dt.datetime) -> dt.datetime | None:
        """When the quiet hours end in which an instant lies; None outside them, or if they never end."""
        until = at
        for _ in range(_NIGHTS):
            ends = [end for window in self.quiet for end in _ends(window, until)]
            if not ends:
                return until if until > at else None
            until = max(ends)
        return None


_NIGHTS = 14
"""Windows that touch one another for a week are quiet for ever, which nobody means."""


def _ends(window: DutyWindow, at: dt.datetime) -> list[dt.datetime]:
    """The end of a window that is active at an instant."""
    if not window.is_active(at):
        return []
    return [end for start, end in window.periods(at, later(at, dt.timedelta(days=2))) if start <= at < end][
        :1
    ]
