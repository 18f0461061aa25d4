"""Why a clock says what it says: segments that add up to wall time, in words, as a table, as data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import attrs

from itsm_core.business_time.instants import HOUR, MINUTE, SECOND
from itsm_core.business_time.picture import Drawing
from itsm_core.business_time.windows import printable
from itsm_core.sla.agreements.exceptions import Adjusted
from itsm_core.sla.explaining.breakdowns import Breakdown, breakdown
from itsm_core.sla.explaining.picture import KINDS, Sign, Stretch, stretches, strip
from itsm_core.sla.explaining.segments import Segment, SegmentKind, local
from itsm_core.sla.explaining.tables import Table
from itsm_core.sla.explaining.words import Words, words_of
from itsm_core.sla.spans import ClockState, Flag, Verdict
from itsm_core.sla.timeline import Justified

MOST_ROWS = 200
"""How many segments a table shows one by one; more are added up by kind and reason."""


@attrs.frozen(kw_only=True)
class Explanation:
    """A clock told in full: what was promised, by which versions, and where the time went.

    `segments` cover the time from the start to the stop, or to the instant asked for, without gap
    or overlap. The lengths of the running ones add up to `elapsed_us`. `budget_us` is None where the
    calendar has no instant for the due rule.
    """

    target: str
    metric: str
    promised: str
    agreement: str | None
    calendar: str
    zone: str
    state: ClockState
    verdict: Verdict
    settled: bool
    at_us: int
    started_us: int | None
    stopped_us: int | None
    stop_reason: str | None
    due_us: int | None
    budget_us: int | None
    elapsed_us: int
    share: Fraction
    segments: tuple[Segment, ...]
    flags: tuple[Flag, ...] = ()
    adjusted: Adjusted | None = None
    justified: tuple[Justified, ...] = ()

    def totals(self) -> dict[tuple[SegmentKind, str], dt.timedelta]:
        """Wall time by kind and reason, in the order in which they first came."""
        sums: dict[tuple[SegmentKind, str], dt.timedelta] = {}
        for segment in self.segments:
            key = (segment.kind, segment.reason)
            sums[key] = sums.get(key, dt.timedelta()) + segment.length
        return sums

    def text(self, lang: str = "en") -> str:
        """One paragraph in English ("en") or Chinese ("zh")."""
        words = words_of(lang)
        return printable(words.phrases["end"].join(_sentences(self, words)) + words.phrases["end"].rstrip())

    def breakdown(self, by: str | Iterable[str] = "group") -> Breakdown:
        """The segments grouped: by "owner", "group", "assignee", "state", "phase", "reason", or several."""
        return breakdown(self.segments, by)

    def draw(self, lang: str = "en") -> Drawing:
        """A strip of the segments to scale in real time, as SVG, up to the due instant or the end.

        What is narrower than a pixel is gathered, so that months of nights stay legible.
        """
        words = words_of(lang)
        told = list(stretches(self.segments, self.due_us))
        signs = [Sign(kind, us, text) for kind, us, text in _signs(self, words)]
        head = _head(self, words)
        legend = list(_legend(told, words))
        return strip(told, signs, legend, title=head, desc=self.text(lang), zone=self.zone)

    def html(self, lang: str = "en") -> str:
        """The picture, the paragraph and a table of the segments, to put on a page."""
        return f"<div>{self.draw(lang)}{_table(self, words_of(lang)).html()}</div>"

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values; instants are ISO 8601 in the zone, durations microseconds."""
        held = attrs.asdict(self, recurse=False)
        for name in ("at", "started", "stopped", "due"):
            us = held.pop(f"{name}_us")
            held[name] = None if us is None else local(us, self.zone).isoformat()
        held["state"], held["verdict"], held["share"] = self.state.value, self.verdict.value, str(self.share)
        held["flags"] = [
            {"code": one.code, "at": local(one.us, self.zone).isoformat(), "event": one.event}
            for one in self.flags
        ]
        held["adjusted"] = None if self.adjusted is None else _plain(self.adjusted)
        held["justified"] = [
            {"at": local(one.us, self.zone).isoformat(), "event": one.event, "confirmation": one.confirmation}
            for one in self.justified
        ]
        held["segments"] = [
            {
                "start": s.start.isoformat(),
                "end": s.end.isoformat(),
                "length_us": s.end_us - s.start_us,
                "kind": s.kind.value,
                "reason": s.reason,
                "event": s.event,
            }
            for s in self.segments
        ]
        return held

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def _plain(adjusted: Adjusted) -> dict[str, Any]:
    held = attrs.asdict(adjusted)
    return {**held, "verdict": adjusted.verdict.value, "by": [*adjusted.by], "events": [*adjusted.events]}


def _table(told: Explanation, words: Words) -> Table:
    """The paragraph over the segments, or over their sums where there are too many."""
    text = told.text(words.lang)
    columns: tuple[str, ...] = ("from", "to", "length", "kind", "reason", "event")
    if len(told.segments) <= MOST_ROWS:
        rows = [
            (
                _minute(s.start_us, s.zone),
                _minute(s.end_us, s.zone),
                *_what(s.length, s.kind, s.reason, words),
                s.event,
            )
            for s in told.segments
        ]
    else:
        columns = columns[2:5]
        rows = [_what(length, kind, why, words) for (kind, why), length in told.totals().items()]
    return Table(text, tuple(map(words.of, columns)), rows=tuple(rows), words=len(columns))


def _what(length: dt.timedelta, kind: SegmentKind, reason: str, words: Words) -> tuple[str, ...]:
    return _length(length // dt.timedelta(microseconds=1), words), words.of(kind), words.of(reason)


def _signs(told: Explanation, words: Words) -> Iterator[tuple[str, int | None, str]]:
    """The instants that a picture points at; before the start only the one asked about."""
    if told.started_us is None:
        yield "asked", told.at_us, _not_started(told, words)
        return
    kinds = {"started": "start", "stopped": "stop", "never_due": "due"}
    for key, us, text in _instants(told, words):
        yield kinds.get(key, key), us, text


def _legend(told: Iterable[Stretch], words: Words) -> Iterator[tuple[str, str]]:
    """The kinds that a strip shows, and how long each took."""
    sums = dict.fromkeys(KINDS, 0)
    for one in told:
        sums[one.kind] += one.end - one.start
    for kind, us in sums.items():
        if us:
            length = (
                words.length(dt.timedelta(seconds=us // SECOND)) if us >= SECOND else words.duration("<1s")
            )
            yield kind, f"{words.of(_NAMES[kind])} {length}"


_NAMES = {"run": "running", "over": "past due", "pause": "paused", "closed": "closed", "stop": "stopped"}


# --- words ------------------------------------------------------------------------------------


def _sentences(told: Explanation, words: Words) -> Iterator[str]:
    head = _head(told, words)
    if told.stopped_us is not None:
        head += words.phrases["settled" if told.settled else "provisional"]
    yield head
    if told.started_us is None:
        yield _not_started(told, words)
    else:
        yield words.phrases["and"].join(text for _, _, text in _instants(told, words))
        yield _use(told, words)
        if told.segments:
            spent = words.phrases["and"].join(_spent(told, words))
            yield spent[0].upper() + spent[1:]
    for flag in told.flags:
        when = _minute(flag.us, told.zone)
        yield words.phrases["flagged"].format(what=words.of(flag.code.removesuffix("_late")), when=when)
    yield from _beside(told, words)
    key = "judged" if told.agreement else "judged_by_calendar"
    yield words.phrases[key].format(agreement=told.agreement, calendar=told.calendar)


def _beside(told: Explanation, words: Words) -> Iterator[str]:
    """What stands beside the verdict: what exceptions make of it, and that an overrun was care."""
    if told.adjusted is not None:
        yield words.phrases["adjusted"].format(
            names=words.phrases["also"].join(told.adjusted.by),
            verdict=words.of(told.adjusted.verdict),
            excused=_length(told.adjusted.excused_us, words),
            elapsed=_length(told.adjusted.elapsed_us, words),
        )
    for one in told.justified:
        confirmed = words.phrases["confirmed" if one.confirmed else "unconfirmed"]
        when = _minute(one.us, told.zone)
        yield words.phrases["justified"].format(when=when, confirmed=confirmed)


def _head(told: Explanation, words: Words) -> str:
    return words.phrases["head"].format(
        target=told.target,
        metric=words.of(told.metric),
        promised=words.duration(told.promised),
        verdict=words.of(told.verdict),
    )


def _not_started(told: Explanation, words: Words) -> str:
    return words.phrases["not_started"].format(when=_minute(told.at_us, told.zone), zone=told.zone)


def _instants(told: Explanation, words: Words) -> Iterator[tuple[str, int | None, str]]:
    """What happened when, in words; a clock that never falls due says so."""
    instants = {"started": told.started_us, "due": told.due_us, "stopped": told.stopped_us}
    if told.stopped_us is None:
        instants["asked"] = told.at_us
    reason = words.of(told.stop_reason or "")
    for key, us in instants.items():
        if us is not None:
            text = words.phrases[key].format(when=_minute(us, told.zone), zone=told.zone, reason=reason)
            yield key, us, text
        elif key == "due" and (told.budget_us is None or told.state is not ClockState.PAUSED):
            yield "never_due", None, words.phrases["never_due"]


def _use(told: Explanation, words: Words) -> str:
    """What was used of what; shares are rounded down, so 99.995 % never reads as 100."""
    if told.budget_us is None:
        return words.phrases["used_unlimited"].format(elapsed=_length(told.elapsed_us, words))
    used = words.phrases["used"].format(
        elapsed=_length(told.elapsed_us, words),
        budget=_length(told.budget_us, words),
        percent=int(told.share * 100),
    )
    over = told.elapsed_us - told.budget_us
    return used + (words.phrases["over"].format(overrun=_length(over, words)) if over > 0 else "")


def _spent(told: Explanation, words: Words) -> Iterator[str]:
    for (kind, reason), length in told.totals().items():
        us = length // dt.timedelta(microseconds=1)
        yield words.phrases["spent"].format(
            kind=words.of(kind), length=_length(us, words), reason=words.of(reason)
        )


def _minute(us: int, zone: str) -> str:
    """A local time to the minute, or as fine as it is."""
    when = local(us, zone)
    wall = when.replace(tzinfo=None).isoformat(" ", "minutes" if us % MINUTE == 0 else "auto")
    return wall + when.strftime(" %z")


def _length(us: int, words: Words) -> str:
    """A duration in hours, minutes and seconds, rounded down; never in days, which are ambiguous."""
    if us < SECOND:
        return words.phrases["under"] if us else words.phrases["none"]
    import pendulum  # noqa: PLC0415 - loaded only when words are wanted

    locale = pendulum.locale(words.lang)
    counts = (("hour", us // HOUR), ("minute", us % HOUR // MINUTE), ("second", us % MINUTE // SECOND))
    parts = [locale.translation(f"units.{unit}.{locale.plural(n)}").format(n) for unit, n in counts if n]
    return words.phrases["gap"].join(parts)
