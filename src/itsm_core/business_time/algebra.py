"""Combinations of calendars: what is open in both, in either, in one but not in the other.

The zone of the left one counts the days. There are two kinds, each in normal form: a calendar
restricted to others and without others, and several united. Windows belong to the dates on which
they belong in the left calendar; those that only another one has, to the date in the left zone on
which they start.

    a & b & c     Restricted(a, within={b, c})
    a - b - c     Restricted(a, without={b, c}), as is a - (b | c)
    a | b | c     United(zone of a, {a, b, c})
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.intervals import Span, difference, intersection, union
from itsm_core.business_time.local_hours import LocalHours, Pattern, Source, date_of
from itsm_core.business_time.offsets import local
from itsm_core.business_time.schedule import Schedule
from itsm_core.business_time.weeks import full
from itsm_core.errors import InvalidValue

# Nobody combines so many, or nests them so deep.
MOST_MEMBERS, DEEPEST = 100, 20


def _key(kind: str, *parts: Iterable[str]) -> str:
    text = kind + ";".join(",".join(keys) for keys in parts)
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Each once, in an order that does not depend on how they were combined."""
    found = {source.key: source for source in sources}
    if len(found) > MOST_MEMBERS:
        raise InvalidValue("calendars", len(found), f"are more than {MOST_MEMBERS}", "combine fewer")
    return tuple(found[key] for key in sorted(found))


@attrs.frozen(eq=False)
class Restricted:
    """A calendar while all of `within` are open and none of `without` is."""

    base: Source
    within: tuple[Source, ...] = attrs.field(default=(), converter=_ordered)
    without: tuple[Source, ...] = attrs.field(default=(), converter=_ordered)
    name: str | None = attrs.field(default=None, kw_only=True)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the base."""
        return self.base.zone

    @property
    def members(self) -> tuple[Source, ...]:
        """The base and whatever restricts it."""
        return (self.base, *self.within, *self.without)

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the keys of its members."""
        return _key("&-", [self.base.key], (s.key for s in self.within), (s.key for s in self.without))

    def spans(self, start: int, end: int) -> list[Span]:
        """The open periods between two instants."""
        return self._restrict(self.base.spans(start, end), start, end)

    def pieces(self, day: int) -> list[Span]:
        """What is left of the base's windows that start on a date."""
        found = self.base.pieces(day)
        return self._restrict(found, found[0][0], found[-1][1]) if found else found

    def _restrict(self, spans: list[Span], start: int, end: int) -> list[Span]:
        for other in self.within:
            spans = intersection(spans, other.spans(start, end))
        for other in self.without:
            spans = difference(spans, other.spans(start, end))
        return spans

    def plain_day(self, day: int) -> bool | None:  # noqa: ARG002 - the instants must be asked
        """Nothing can be said without looking at instants."""
        return None

    @cached_property
    def depth(self) -> int:
        """How deep combinations are nested in it."""
        return 1 + max(member.depth for member in self.members)

    def pattern(self, offsets: Mapping[ZoneInfo, int], at: int, *, after: bool) -> Pattern:
        """The week that repeats: at most what the base has and the others leave."""
        least, most = self.base.pattern(offsets, at, after=after)
        for other in self.within:
            pattern = other.pattern(offsets, at, after=after)
            least, most = intersection(least, pattern.least), intersection(most, pattern.most)
        for other in self.without:
            pattern = other.pattern(offsets, at, after=after)
            least, most = difference(least, pattern.most), difference(most, pattern.least)
        return Pattern(least, most)


@attrs.frozen(eq=False)
class United:
    """Several calendars, open while any of them is; `zone` counts the days."""

    zone: ZoneInfo
    members: tuple[Source, ...] = attrs.field(converter=_ordered)
    name: str | None = attrs.field(default=None, kw_only=True)

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the zone and the keys of its members."""
        return _key("|", [self.zone.key], (member.key for member in self.members))

    def spans(self, start: int, end: int) -> list[Span]:
        """The open periods between two instants."""
        return union(span for member in self.members for span in member.spans(start, end))

    def pieces(self, day: int) -> list[Span]:
        """The windows that start on a date: by their own calendar, or by the clock of the zone."""
        return union(span for member in self.members for span in self._pieces(member, day))

    def _pieces(self, member: Source, day: int) -> list[Span]:
        if member.zone == self.zone:
            return member.pieces(day)
        # Two zones are a day and a bit apart at most.
        near = [span for other in range(day - 2, day + 3) for span in member.pieces(other)]
        return [span for span in near if date_of(local(self.zone, span[0])) == day]

    def plain_day(self, day: int) -> bool | None:  # noqa: ARG002 - the instants must be asked
        """Nothing can be said without looking at instants."""
        return None

    @cached_property
    def depth(self) -> int:
        """How deep combinations are nested in it."""
        return 1 + max(member.depth for member in self.members)

    def pattern(self, offsets: Mapping[ZoneInfo, int], at: int, *, after: bool) -> Pattern:
        """The week that repeats: what any member has."""
        patterns = [member.pattern(offsets, at, after=after) for member in self.members]
        least, most = (
            union(span for spans in kind for span in spans) for kind in zip(*patterns, strict=True)
        )
        return Pattern(least, most)


# -- the operators, which bring every combination into normal form ---------------------------------


def never(zone: ZoneInfo) -> LocalHours:
    """The hours that are never open."""
    return LocalHours(zone, Schedule())


def _is_never(source: Source) -> bool:
    return isinstance(source, LocalHours) and source.schedule.is_empty


def _is_always(source: Source) -> bool:
    """Whether a schedule is open around the clock on every date."""
    schedule = source.schedule if isinstance(source, LocalHours) else None
    dated = schedule and (schedule.holidays or schedule.shifts or schedule.breaks)
    return schedule is not None and not dated and len(schedule.eras) == 1 and full(schedule.eras[0].week)


def _taken_apart(source: Source) -> Restricted:
    return source if isinstance(source, Restricted) else Restricted(source)


def _restricted(base: Source, within: Iterable[Source], without: Iterable[Source]) -> Source:
    """The normal form: what changes nothing is left out, what leaves nothing is never."""
    kept = [s for s in within if s.key != base.key and not _is_always(s)]
    taken = [s for s in without if not _is_never(s)]
    keys = {base.key, *(s.key for s in kept)}
    if any(map(_is_never, (base, *kept))) or any(s.key in keys or _is_always(s) for s in taken):
        return never(base.zone)
    return _not_too_deep(Restricted(base, kept, taken)) if kept or taken else base


def _not_too_deep(source: Source) -> Source:
    if source.depth > DEEPEST:
        raise InvalidValue("calendars", source.depth, f"are nested over {DEEPEST} deep", "combine fewer")
    return source


def both(left: Source, right: Source) -> Source:
    """What is open in both."""
    a, b = _taken_apart(left), _taken_apart(right)
    return _restricted(a.base, (*a.within, b.base, *b.within), (*a.without, *b.without))


def minus(left: Source, right: Source) -> Source:
    """What is open in the left one while the right one is not."""
    if left.key == right.key:
        return never(left.zone)
    a = _taken_apart(left)
    taken = right.members if isinstance(right, United) else (right,)
    return _restricted(a.base, a.within, (*a.without, *taken))


def either(left: Source, right: Source) -> Source:
    """What is open in at least one."""
    apart = [part for s in (left, right) for part in (s.members if isinstance(s, United) else (s,))]
    found = United(left.zone, [part for part in apart if not _is_never(part)])
    if not found.members:
        return never(left.zone)
    only = found.members[0]
    return only if len(found.members) == 1 and only.zone == left.zone else _not_too_deep(found)
