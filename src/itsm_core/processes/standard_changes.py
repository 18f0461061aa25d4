"""Standard changes: authorised beforehand by a template, until it expires or goes wrong too often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from itsm_core.business_time.durations import Duration
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue, Reason
from itsm_core.lifecycle.guards import Guard, Situation
from itsm_core.processes.change_kinds import OUTCOMES, UNSUCCESSFUL
from itsm_core.values import NO_FIELDS, Fields, as_fields, counted, named

FAILURES, AMONG = 2, 10
"""How many of how many latest changes may go wrong before a template is suspended."""


def _instant(value: dt.datetime) -> dt.datetime:
    return in_utc(value, "template")


@attrs.frozen
class ChangeTemplate:
    """A change that is authorised beforehand, for a year at most.

    `fields` are what every change of it carries and may not differ in: a list gives the items that it
    may choose from. It holds from `valid_from` on, before `valid_until`, and before `suspended_at`.
    """

    id: str
    version: int
    valid_from: dt.datetime = attrs.field(converter=_instant, kw_only=True)
    valid_until: dt.datetime = attrs.field(converter=_instant, kw_only=True)
    fields: Fields = attrs.field(default=NO_FIELDS, converter=as_fields, kw_only=True)
    lead_time: Duration | None = attrs.field(default=None, kw_only=True)
    suspended_at: dt.datetime | None = attrs.field(
        default=None, converter=attrs.converters.optional(_instant), kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        named(self.id, "template", 'name it, such as "reboot"')
        counted(self.version, "template")
        if not self.valid_from < self.valid_until <= _a_year_after(self.valid_from):
            span = f"{self.valid_from.isoformat()} to {self.valid_until.isoformat()}"
            raise InvalidValue("template", span, "is no span of up to a year", "authorise it again each year")

    def objection(self, at: dt.datetime | None, values: Mapping[str, Any]) -> str | None:
        """Why no change with these values may run under it at an instant; None if it may."""
        name = f"{self.id} {self.version}"
        if at is not None and not self.valid_from <= at < self.valid_until:
            span = f"from {self.valid_from.isoformat()} until {self.valid_until.isoformat()}"
            return f"template {name} is valid {span}; use one that is, or make it a normal change"
        if self.suspended_at is not None and (at is None or self.suspended_at <= at):
            since = self.suspended_at.isoformat()
            return f"template {name} is suspended since {since}; make it a normal change"
        beyond = [field for field, limit in self.fields.items() if not _within(values.get(field), limit)]
        if beyond:
            return f"{', '.join(beyond)} goes beyond template {name}; make it a normal change"
        return None


def _within(value: Any, limit: Any) -> bool:
    if isinstance(limit, tuple):
        return isinstance(value, tuple) and bool(value) and set(value) <= set(limit)
    return bool(value == limit)


def _a_year_after(at: dt.datetime) -> dt.datetime:
    try:
        return at.replace(year=at.year + 1)
    except ValueError:  # 29 February, or the last year there is
        return at + dt.timedelta(days=366) if at.year < dt.MAXYEAR else dt.datetime.max.replace(tzinfo=dt.UTC)


def suspension(
    outcomes: Iterable[tuple[dt.datetime, str]],
    *,
    since: dt.datetime | None = None,
    failures: int = FAILURES,
    among: int = AMONG,
) -> dt.datetime | None:
    """When a template is suspended: the instant at which so many of its latest changes had gone wrong.

    `outcomes` are those of its changes in any order, each with its instant; cancelled changes are
    none. Once suspended it stays so; `since` is when it was last authorised, and earlier ones are past.
    """
    counted(failures, "number of failures")
    counted(among, "number of changes")
    latest: list[bool] = []
    for at, outcome in sorted((in_utc(at, "outcome"), _known(outcome)) for at, outcome in outcomes):
        if since is not None and at < in_utc(since, "since"):
            continue
        latest = [*latest, outcome in UNSUCCESSFUL][-among:]
        if sum(latest) >= failures:
            return at
    return None


def _known(outcome: str) -> str:
    if outcome not in OUTCOMES:
        raise InvalidValue("outcome", outcome, "is none of a change", f"use one of {', '.join(OUTCOMES)}")
    return outcome


def template_guard(templates: Iterable[ChangeTemplate]) -> Guard:
    """The guard of standard changes: they run under a template that holds (CHG-20)."""
    return _TemplateIsValid(tuple(templates))


@attrs.frozen
class _TemplateIsValid:
    """The guard with the templates that it knows; a value, as a closure could not be pickled."""

    templates: tuple[ChangeTemplate, ...]

    def __call__(self, situation: Situation) -> Reason | None:
        """A reason if no template authorises a standard change; others need none."""
        if situation.get("change_kind") != "standard":
            return None
        values = {**situation.record.values, **situation.fields}
        name, version = values.get("template"), values.get("template_version")
        if name is None or version is None:
            return None  # a missing field is refused as one
        template = next((one for one in self.templates if (one.id, one.version) == (name, version)), None)
        if template is None:
            said: str | None = f"no template {name} {version} is known; name one of the change policy"
        else:
            said = template.objection(situation.at, values)
        facts = {"template": name, "version": version}
        return None if said is None else Reason("template", said, facts=facts)
