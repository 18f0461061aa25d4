"""Clocks: what has become of a target at an instant."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.instants import utc
from itsm_core.business_time.windows import printable
from itsm_core.errors import BeyondHorizon, NeverOpens
from itsm_core.sla.agreements.exceptions import Adjusted
from itsm_core.sla.agreements.targets import UNLIMITED, Target, share_of
from itsm_core.sla.explaining.explanation import Explanation
from itsm_core.sla.explaining.segments import segments
from itsm_core.sla.spans import BREACHES, ClockState, Flag, Piece, Run, Span, Verdict, Walk, spans_of
from itsm_core.sla.timeline import Justified


@attrs.frozen(repr=False)
class Clock:
    """A target at an instant: what was counted, what it means, and when the next thing is due.

    `at_us` is the instant asked for; instants are microseconds UTC, the properties without `_us`
    give them as datetimes in the zone of the calendar and durations as timedeltas of open time.
    `settled` says that the record is closed and the result final; until then it is provisional.
    A clock is one cycle of its metric, `number` counts them from 1, and `earlier` are those before it.

    What exceptions of the agreement make of it is `adjusted` (None where none applies), and `justified`
    tells of a breach that was care. Neither changes the verdict.
    """

    target: Target
    at_us: int
    state: ClockState = attrs.field(kw_only=True)
    verdict: Verdict = attrs.field(kw_only=True)
    settled: bool = attrs.field(default=False, kw_only=True)
    started_us: int | None = attrs.field(default=None, kw_only=True)
    stopped_us: int | None = attrs.field(default=None, kw_only=True)
    stop_reason: str | None = attrs.field(default=None, kw_only=True)
    budget_us: int = attrs.field(default=0, kw_only=True)
    elapsed_us: int = attrs.field(default=0, kw_only=True)
    rule_due_us: int | None = attrs.field(default=None, kw_only=True)
    pieces: tuple[Piece, ...] = attrs.field(default=(), kw_only=True, repr=False)
    runs: tuple[Run, ...] = attrs.field(default=(), kw_only=True, repr=False)
    number: int = attrs.field(default=1, kw_only=True)
    earlier: tuple[Clock, ...] = attrs.field(default=(), kw_only=True, repr=False)
    flags: tuple[Flag, ...] = attrs.field(default=(), kw_only=True)
    adjusted: Adjusted | None = attrs.field(default=None, kw_only=True)
    justified: tuple[Justified, ...] = attrs.field(default=(), kw_only=True)

    def __repr__(self) -> str:
        target = self.target
        said = self.state if self.verdict is Verdict.RUNNING else self.verdict
        head = printable(f"<{target.metric} {target.id}: {said.replace('_', ' ')}")
        if self.started_us is None:
            return f"{head}>"
        promised = "no limit" if self.unlimited else _hours(self.budget_us)
        used = f"{_hours(self.elapsed_us)} of {promised}"
        told = ("stopped", self.stopped_at) if self.stopped_us is not None else ("due", self.due_at)
        at = "" if told[1] is None else f", {told[0]} {told[1]:%Y-%m-%d %H:%M} {target.calendar.zone.key}"
        return f"{head}, {used}{at}>"

    @property
    def cycles(self) -> tuple[Clock, ...]:
        """All cycles of the metric so far, this one last."""
        return (*self.earlier, self)

    @property
    def provisional(self) -> bool:
        """Whether the result may still change: the record is not closed."""
        return not self.settled

    @property
    def breached(self) -> bool:
        """Whether more open time than the budget has passed; a breach is kept when voided later."""
        return self.verdict in BREACHES

    @property
    def at(self) -> dt.datetime:
        """The instant asked for."""
        return self._when(self.at_us)

    @property
    def started_at(self) -> dt.datetime | None:
        """When the clock started; None if it had not."""
        return None if self.started_us is None else self._when(self.started_us)

    @property
    def stopped_at(self) -> dt.datetime | None:
        """When the clock stopped; None while it goes on."""
        return None if self.stopped_us is None else self._when(self.stopped_us)

    @property
    def unlimited(self) -> bool:
        """Whether the calendar has no instant for the due rule, so that it never falls due."""
        return self.budget_us >= UNLIMITED

    @property
    def budget(self) -> dt.timedelta:
        """The open time that was promised; `timedelta.max` if `unlimited`."""
        return dt.timedelta(microseconds=self.budget_us)

    @property
    def elapsed(self) -> dt.timedelta:
        """The open time that was used."""
        return dt.timedelta(microseconds=self.elapsed_us)

    @property
    def remaining(self) -> dt.timedelta:
        """The open time that is left, never negative."""
        return dt.timedelta(microseconds=max(self.budget_us - self.elapsed_us, 0))

    @property
    def overrun(self) -> dt.timedelta:
        """The open time used beyond the budget, never negative."""
        return dt.timedelta(microseconds=max(self.elapsed_us - self.budget_us, 0))

    @property
    def share(self) -> Fraction:
        """The exact share of the budget that was used: 1 is used up, more is breached.

        A due rule may leave no open time at all; its share is 1, and more once open time passes.
        """
        if self.started_us is None or self.unlimited:
            return Fraction(0)
        if self.budget_us == 0:
            return Fraction(1 + self.elapsed_us)
        return Fraction(self.elapsed_us, self.budget_us)

    @property
    def due_at(self) -> dt.datetime | None:
        """When the budget is used up if nothing changes; for a breached clock, when it was.

        None while paused with time left, or if the calendar never opens long enough. For a clock
        that stopped in time: when it would have been due had it gone on.
        """
        us = self.due_us
        return None if us is None else self._when(us)

    @property
    def due_us(self) -> int | None:
        """`due_at` in microseconds UTC."""
        if self.state is ClockState.PAUSED and self.elapsed_us < self.budget_us:
            return None
        return self._reach(self.budget_us)

    def instant_at(self, share: Fraction | int | str) -> dt.datetime | None:
        """When this share of the budget is or was used up: a Fraction, whole percent, or "75 %".

        None if it is not going to be: paused or stopped before it, or the calendar stays shut.
        """
        wanted = share_of(share)
        needed = -(-wanted.numerator * self.budget_us // wanted.denominator)
        if self.elapsed_us < needed and self.state is not ClockState.RUNNING:
            return None
        us = self._reach(needed)
        return None if us is None else self._when(us)

    @property
    def spans(self) -> tuple[Span, ...]:
        """What the clock did from its start to its stop, or to the instant asked for."""
        return spans_of(self.pieces, self._end_us)

    @property
    def _end_us(self) -> int:
        return self.at_us if self.stopped_us is None else self.stopped_us

    def explain(self) -> Explanation:
        """Where the time went and by what it was judged: segments, words, a table, data."""
        target, calendar = self.target, self.target.calendar
        return Explanation(
            target=target.id,
            metric=str(target.metric),
            promised=str(target.duration),
            agreement=target.agreement,
            calendar=label_of(calendar),
            zone=calendar.zone.key,
            state=self.state,
            verdict=self.verdict,
            settled=self.settled,
            at_us=self.at_us,
            started_us=self.started_us,
            stopped_us=self.stopped_us,
            stop_reason=self.stop_reason,
            due_us=self.due_us,
            budget_us=None if self.unlimited else self.budget_us,
            elapsed_us=self.elapsed_us,
            share=self.share,
            segments=segments(self.spans, calendar.zone.key),
            flags=self.flags,
            adjusted=self.adjusted,
            justified=self.justified,
        )

    def _reach(self, needed: int) -> int | None:
        """When so much was used; beyond what was used, as if the clock ran on from its end."""
        if self.started_us is None or (self.unlimited and needed):
            return None
        walk = Walk(self.started_us, self.budget_us, self.rule_due_us)
        walk.runs, walk.used = list(self.runs), self.elapsed_us
        try:
            return walk.reach(needed, self._end_us, self.target.calendar)
        except (NeverOpens, BeyondHorizon):
            return None

    def _when(self, us: int) -> dt.datetime:
        return utc(us).astimezone(self.target.calendar.zone)


def _hours(us: int) -> str:
    """Open time in hours, never in days: 30:00:00 is thirty open hours."""
    seconds, part = divmod(us, 1_000_000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{part:06}" if part else text


def label_of(calendar: BusinessCalendar) -> str:
    """Name and version of a calendar in one word, as clocks name it: `desk@3`; else its fingerprint."""
    return f"{calendar.name or calendar.fingerprint[:12]}@{calendar.version}"
