"""What recurs gets a lasting fix: incidents that repeat propose a problem, once for each cluster.

A cluster is what repeats: incidents of one service, item or category (or whatever key the host gives) of
which enough were opened within a window (ISO/IEC 20000-1, 8.6.3: incident data and trends are analysed to
identify problems). What was reported twice, and the children of one incident, happened once.

Once per cluster: while a problem opened of its proposal is open, or its risk is accepted, the cluster is
not proposed again. Recurs after the fix: from the instant at which that problem was resolved, closed,
cancelled, or its acceptance came to its end, incidents count anew, those before it no more. Enough of
them propose it again: to reopen the problem while it is only resolved (`recurs`), and a new problem once
it is closed, under a reference of its own, so that opening it does not give back the old one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from itsm_core.business_time.instants import EARLIEST, in_utc, micros, utc
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase
from itsm_core.lifecycle.parts import sequence
from itsm_core.processes.problem import risk_review_due
from itsm_core.records import Record
from itsm_core.values import Fields, as_fields, canonical, each, frozen_json, only, sha256, word

Key = Callable[[Record], "Iterable[Hashable] | Hashable | None"]
"""What a record may repeat: one key (a text or a tuple), several (a list), or None: nothing to compare."""

_MICROSECOND = dt.timedelta(microseconds=1)
_NOTHING = (None, "", ())
_NOT_ONE = frozenset({"cancelled", "retyped"})
"""Outcomes of what was no incident after all."""
_SAME = frozenset({"child_of", "duplicates", "merged_into"})
"""Relations to the record that stands for the same happening."""


def by_service_item_and_category(record: Record) -> Iterator[tuple[str, ...]]:
    """The keys if the host gives none: each item, the category within the service, the service."""
    service = (record.service,) if record.service else ()
    for item in record.configuration_items:
        yield "item", item
    if record.category:
        yield "category", *service, record.category
    if service:
        yield "service", *service


# --- the rule, and the answers to a proposal ----------------------------------------------------


@attrs.frozen(kw_only=True)
class Recurring:
    """When incidents count as recurring: `count` with one key, opened within a `window` of wall time.

    A key that is None, empty, or a tuple with such a part is no key: nothing shared is nothing repeated.
    """

    count: int = 3
    window: dt.timedelta = dt.timedelta(days=30)
    key: Key = by_service_item_and_category

    def __attrs_post_init__(self) -> None:
        if type(self.count) is not int or self.count < 2:
            raise InvalidValue("count", self.count, "is no repetition", "say how many: 2 or more")
        only(dt.timedelta, self.window, "window", "give a timedelta, such as timedelta(days=30)")
        if self.window <= dt.timedelta(0):
            raise InvalidValue("window", self.window, "is no time", "give a positive timedelta")
        if not callable(self.key):
            remedy = "give a function of a record, such as lambda record: record.service"
            raise InvalidValue("key", self.key, "is no function", remedy)


@attrs.frozen(kw_only=True)
class Declined:
    """Clusters that somebody wants to hear nothing of: who, why, and until when; then they may come again."""

    clusters: tuple[str, ...] = attrs.field(converter=sequence)
    by: str
    reason: str = attrs.field(repr=False)
    at: dt.datetime = attrs.field(converter=in_utc)
    until: dt.datetime = attrs.field(converter=in_utc)

    def __attrs_post_init__(self) -> None:
        if not self.clusters:
            raise InvalidValue("clusters", self.clusters, "name nothing", "use proposal.decline(...)")
        word(self.by, "by", "say who declines")
        word(self.reason, "reason", "say why no problem is wanted")
        if self.until <= self.at:
            raise InvalidValue("until", self.until.isoformat(), "is over already", "give a later instant")


def _names(fields: Fields) -> str:
    return "{" + ", ".join(fields) + "}"  # names only: values may be personal


@attrs.frozen(kw_only=True)
class ProblemProposal:
    """A problem that somebody may open: the `keys` that repeat, and the incidents that do, oldest first.

    Keys with the very same incidents are one proposal. `clusters` are their ids, for ever the same; a key
    that tells of a person makes them personal, too. `fields` are what the incidents have in common, and
    with `external_ref` they open the problem. `recurs` is the resolved problem to reopen in its place.
    """

    keys: tuple[tuple[Any, ...], ...] = attrs.field(repr=False)
    clusters: tuple[str, ...]
    incidents: tuple[str, ...]
    first: dt.datetime
    last: dt.datetime
    external_ref: str
    fields: Fields = attrs.field(repr=_names)
    recurs: str | None = None

    def say(self, lang: str = "en") -> str:
        """What the problem may be called, in English or Chinese ("zh"); days are those of UTC."""
        shared = (" ".join(str(part) for part in key) for key in self.keys)
        days = {"first": f"{self.first:%Y-%m-%d}", "last": f"{self.last:%Y-%m-%d}"}
        text = _CALLED.get(lang, _CALLED["en"])
        return text.format(shared=", ".join(shared), count=len(self.incidents), **days)

    def decline(self, by: str, reason: str, *, at: dt.datetime, until: dt.datetime) -> Declined:
        """The answer of somebody who wants no problem, and wants to hear of it no more until an instant."""
        return Declined(clusters=self.clusters, by=by, reason=reason, at=at, until=until)


_CALLED = {
    "en": "{shared}: {count} incidents from {first} to {last}",
    "zh": "{shared}：{first} 至 {last} 共 {count} 起事件",
}


# --- what recurs ------------------------------------------------------------------------------


def recurring(
    incidents: Iterable[Record],
    rule: Recurring | None = None,
    *,
    at: dt.datetime,
    known: Iterable[Record] = (),
    declined: Iterable[Declined] = (),
) -> tuple[ProblemProposal, ...]:
    """The problems that these incidents propose at an instant, each cluster once, the largest first.

    The window is half-open: what was opened at the instant counts, what was opened a whole window before
    it does not. Only incidents of one tenant make a cluster. An incident whose cause is named (a link
    "caused_by") repeats nothing new, unless it was opened after that problem had come to its end.
    `known` are the problems opened of proposals, closed ones included, and those that they repeat;
    `declined` are the answers to earlier proposals.
    """
    rule = only(Recurring, Recurring() if rule is None else rule, "rule", "make one: Recurring(count=3)")
    problems = _Problems(each(Record, known, "known", "give the problems"), in_utc(at))
    silent = {
        cluster
        for one in each(Declined, declined, "declined", "give what proposal.decline(...) gave")
        if one.at <= problems.now < one.until
        for cluster in one.clusters
    }
    found: dict[tuple[str, ...], list[_Cluster]] = defaultdict(list)
    for cluster in _clusters(each(Record, incidents, "incidents", "give records"), rule, problems):
        if cluster.id not in silent:
            found[tuple(record.id for record in cluster.records)].append(cluster)
    alike = (sorted(same, key=_by_name) for same in found.values())
    return tuple(_proposal(same, problems) for same in sorted(alike, key=_largest_first))


@attrs.frozen
class _Cluster:
    """A key, and the records that repeat it, oldest first."""

    name: bytes
    key: tuple[Any, ...]
    records: list[Record]

    @property
    def id(self) -> str:
        return sha256(self.name)[:16]


def _by_name(cluster: _Cluster) -> bytes:
    return cluster.name


def _largest_first(same: list[_Cluster]) -> tuple[int, bytes]:
    return -len(same[0].records), same[0].name


def _clusters(incidents: Iterable[Record], rule: Recurring, problems: _Problems) -> Iterator[_Cluster]:
    """The clusters of the window that are large enough and that no problem answers for."""
    grouped: dict[bytes, _Cluster] = {}
    for record in sorted(_recent(incidents, rule, problems), key=lambda one: (_opened(one), one.id)):
        for key in _keys(rule.key(record)):
            name = canonical([record.tenant, *key])
            records = grouped.setdefault(name, _Cluster(name, key, [])).records
            if not records or records[-1] is not record:  # it may give one key twice
                records.append(record)
    for cluster in grouped.values():
        if len(cluster.records) >= rule.count:
            anew = problems.left_by(cluster)
            if len({_happening(record) for record in anew}) >= rule.count:
                yield attrs.evolve(cluster, records=anew)


def _recent(incidents: Iterable[Record], rule: Recurring, problems: _Problems) -> list[Record]:
    """The incidents of the window whose cause nobody named; of two versions of one the newer counts."""
    newest = {one.id: one for one in sorted(incidents, key=lambda one: one.version)}
    end = micros(problems.now)
    start = end - rule.window // _MICROSECOND
    return [
        one
        for one in newest.values()
        if one.opened_at is not None and start < _opened(one) <= end
        if one.outcome not in _NOT_ONE and not problems.explain(one)
    ]


def _opened(record: Record) -> int:
    return micros(record.opened_at or EARLIEST)


def _happening(record: Record) -> str:
    """What a record reports, by the record that stands for it: its parent, or what it repeats, or itself."""
    same = [other for relation, other in record.links if relation in _SAME]
    same += [other for name in ("duplicate_of", "merged_into") if (other := record.values.get(name))]
    return str(same[0]) if same else record.id


def _keys(given: Any) -> Iterator[tuple[Any, ...]]:
    """The keys that were given, as tuples of JSON values."""
    one = given is None or isinstance(given, (str, bytes, tuple, Mapping)) or not isinstance(given, Iterable)
    for key in (given,) if one else given:
        parts = tuple(frozen_json(part, "key") for part in (key if isinstance(key, tuple) else (key,)))
        if parts and not any(part in _NOTHING for part in parts):
            yield parts


def _proposal(same: list[_Cluster], problems: _Problems) -> ProblemProposal:
    """The proposal of clusters with the same records."""
    records, ids = same[0].records, tuple(cluster.id for cluster in same)
    first, *others = (problems.next_ref(cluster) for cluster in ids)
    return ProblemProposal(
        keys=tuple(cluster.key for cluster in same),
        clusters=ids,
        incidents=tuple(record.id for record in records),
        first=utc(_opened(records[0])),
        last=utc(_opened(records[-1])),
        external_ref=first,
        fields=as_fields({**_in_common(records), **({"external_refs": others} if others else {})}),
        recurs=problems.to_reopen(ids),
    )


def _in_common(records: list[Record]) -> dict[str, Any]:
    """What a problem of these records may be opened with; restricted if one of them is."""
    held = records[0].values
    items = [
        one for one in records[0].configuration_items if all(one in r.configuration_items for r in records)
    ]
    found = {
        "tenant": records[0].tenant,
        **{
            n: held.get(n)
            for n in ("service", "category")
            if all(r.values.get(n) == held.get(n) for r in records)
        },
        "configuration_items": items,
        "restricted": True if any(record.restricted for record in records) else None,
    }
    return {name: value for name, value in found.items() if value not in (*_NOTHING, [])}


# --- the problems that were opened --------------------------------------------------------------

_REF = re.compile(r"recurrence/([0-9a-f]{16})/([1-9][0-9]{0,8})")


class _Problems:
    """What the problems opened of proposals answer for, as things stood at an instant."""

    def __init__(self, known: Iterable[Record], now: dt.datetime) -> None:
        self.now = now
        there = (one for one in known if one.opened_at is None or one.opened_at <= now)
        self._by_id = {one.id: one for one in sorted(there, key=lambda one: one.version)}
        self._of_cluster: dict[str, dict[int, Record]] = defaultdict(dict)
        for problem in self._by_id.values():
            for ref in problem.external_refs:
                if match := _REF.fullmatch(str(ref)):
                    self._of_cluster[match[1]][int(match[2])] = self._going_on(problem)

    def explain(self, incident: Record) -> bool:
        """Whether the cause of an incident is named, and was not found and mended before it was opened."""
        causes = [self._by_id.get(other) for relation, other in incident.links if relation == "caused_by"]
        ends = [None if one is None else self._ended(self._going_on(one)) for one in causes]
        return any(end is None or _opened(incident) <= micros(end) for end in ends)

    def left_by(self, cluster: _Cluster) -> list[Record]:
        """The records of a cluster that its problems leave over: those since the last of them ended."""
        ends = [self._ended(problem) for problem in self._of_cluster[cluster.id].values()]
        if None in ends:
            return []
        since = max((micros(end) for end in ends if end is not None), default=micros(EARLIEST) - 1)
        return [record for record in cluster.records if _opened(record) > since]

    def next_ref(self, cluster: str) -> str:
        """The reference of the next problem of a cluster."""
        return f"recurrence/{cluster}/{max(self._of_cluster[cluster], default=0) + 1}"

    def to_reopen(self, clusters: Iterable[str]) -> str | None:
        """The problem of these clusters that is resolved and not closed yet; the latest of several."""
        opened = [one for cluster in clusters for one in self._of_cluster[cluster].values()]
        resolved = [one for one in opened if one.phase is Phase.RESOLVED]
        return max(resolved, key=lambda one: (_since(one), one.id)).id if resolved else None

    def _going_on(self, problem: Record) -> Record:
        """The problem itself, or the one at hand that it repeats."""
        seen = {problem.id}
        while problem.outcome == "duplicate":
            original = self._by_id.get(str(problem.values.get("duplicate_of")))
            if original is None or original.id in seen:
                break
            seen.add(original.id)
            problem = original
        return problem

    def _ended(self, problem: Record) -> dt.datetime | None:
        """When a problem ceased to answer for what happens; None while it does."""
        if problem.phase.is_open:
            return None
        end = risk_review_due(problem) or _since(problem)
        return end if end <= self.now else None


def _since(problem: Record) -> dt.datetime:
    return problem.entered_at or problem.changed_at or problem.opened_at or EARLIEST
