"""The posts of a status page as events: `history_from_posts`.

A post is a mapping: `at` and `status`, and where they are known `text`, `by` and `id`. Each is a word
to the public; its status may move the record besides:

    Investigating, Identified, Monitoring    incident in progress: a fix that is watched is not yet one
    Resolved                                 incident resolved
    Scheduled                                change scheduled
    In progress, Verifying                   change being implemented
    Completed                                change under review: what was planned is done
    Update, Postmortem                       words alone; the record stays as it was

This is the lenient door: what does not fit stands in `findings`, under the codes that `changes` names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from itsm_core.actors import Actor
from itsm_core.business_time.instants import zone_of
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.importers.book import Book
from itsm_core.importers.change_rows import ChangeRow, Finding, actor, instant
from itsm_core.importers.changes import History, told_history
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes import CHANGE, INCIDENT
from itsm_core.values import as_fields, named, only

_MAINTENANCE = {
    "scheduled": "scheduled", "in_progress": "implement", "verifying": "implement", "completed": "review",
}  # fmt: skip
_OUTAGE = {
    "investigating": "in_progress", "identified": "in_progress", "monitoring": "in_progress",
    "resolved": "resolved",
}  # fmt: skip
_WORDS_ALONE = frozenset({"", "update", "postmortem"})

STATUS_PAGE: Mapping[str, StateMap] = MappingProxyType(
    {"incident": StateMap("status page", _OUTAGE), "change": StateMap("status page", _MAINTENANCE)}
)
"""The states that the words of a status page mean, by process; written small, with "_" for a space."""

_KEYS = ("at", "status", "text", "by", "id")
_SOURCE = "posts"
_SAFE = 2**53  # as in JSON; Python refuses to write numbers of thousands of digits


class _Post(NamedTuple):
    number: int
    at: dt.datetime
    status: str
    text: str
    by: Actor
    id: str | None


def history_from_posts(
    posts: Iterable[Mapping[str, Any]], *, record: str, by: Actor | str,
    lifecycle: Lifecycle | None = None, states: StateMap | None = None,
    zone: str | ZoneInfo | None = None, opened_at: dt.datetime | str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> History:  # fmt: skip
    """The events of one incident or maintenance that a status page tells, with findings.

    Posts stand newest first or newest last (last, where all are of one instant). What was posted twice
    within a minute was said twice; an `id` that came before is the same post, left out and reported. `by`
    is who posts where a post does not say: a name is a person, whose words count for the clocks of response
    and update, unlike those of `Actor.automation(...)`. Whatever opens with a word of a maintenance is a
    change, all else an incident; `lifecycle` says which it is instead, and `states` what a page's own words
    mean. The record opens at `opened_at`, else with its first post. Naive instants take `zone`.

    >>> history = history_from_posts(
    ...     [
    ...         {"at": "2024-02-04T10:30:00Z", "status": "Investigating"},
    ...         {"at": "2024-02-04T10:42:00Z", "status": "Resolved", "text": "Mail is back."},
    ...     ],
    ...     record="INC1",
    ...     by="ana",
    ... )
    >>> print(*(event.to_state or event.kind for event in history))
    new in_progress communicated resolved communicated
    """
    named(record, "record", 'name it, such as "INC-1"')
    known = zone if zone is None or isinstance(zone, dt.tzinfo) else zone_of(zone)
    told, findings = _in_order(_read(posts, _poster(by), known))
    cycle = _lifecycle(told) if lifecycle is None else lifecycle
    words = _states(cycle, states)
    rows = [row for post in told for row in _rows(post, words)]
    began = None if opened_at is None else instant(opened_at, known, "opened_at", None, _SOURCE)
    book = Book(record, cycle, words, None, rows)
    return told_history(rows, findings, book, at=began, by=None, channel=None, extra=dict(as_fields(fields)))


# --- reading ----------------------------------------------------------------------------------


def _poster(value: Any) -> Actor:
    found = actor(value) if isinstance(value, (Actor, str)) else None
    if found is None:
        raise InvalidValue(
            "by", value, "names nobody", 'say who posts: "ana", or Actor.automation("probe") for a machine'
        )
    return found


def _read(posts: Iterable[Mapping[str, Any]], by: Actor, zone: ZoneInfo | None) -> list[_Post]:
    remedy = 'give one mapping for each: [{"at": "2024-02-04T10:30:00Z", "status": "Resolved"}]'
    if isinstance(posts, (str, bytes, Mapping)) or not isinstance(posts, Iterable):
        raise InvalidValue("posts", posts, "are no list of posts", remedy)
    told = [_post(number, post, by, zone) for number, post in enumerate(posts, start=1)]
    if not told:
        raise InvalidValue("posts", [], "hold nothing", remedy)
    return told


def _unreadable(post: Any) -> str:
    """Why this is no post, or an empty text."""
    if not isinstance(post, Mapping):
        return "is no mapping"
    if strange := sorted(map(str, set(post) - set(_KEYS))):
        return f"has {', '.join(strange)}"
    return "" if "at" in post else "does not say when it was posted"


def _post(number: int, post: Any, by: Actor, zone: ZoneInfo | None) -> _Post:
    reason = _unreadable(post)
    if reason:
        raise InvalidInput(
            "post", post, reason, f"name its parts {', '.join(_KEYS)}; at is needed",
            file=_SOURCE, line=number,
        )  # fmt: skip
    at = instant(post["at"], zone, "at", number, _SOURCE)
    status, text, ref = (_text(post.get(key), key, number) for key in ("status", "text", "id"))
    who = post.get("by")
    poster = who if isinstance(who, Actor) else actor(_text(who, "by", number))
    return _Post(number, at, status.strip(), text, poster or by, ref or None)


def _text(value: Any, what: str, number: int) -> str:
    """A part of a post as text, empty if it is not there; a code is its digits."""
    if value is None or isinstance(value, str):
        return value or ""
    if type(value) is int and abs(value) < _SAFE:
        return str(value)
    raise InvalidInput(what, value, "is no text", "give a text, or leave it out", file=_SOURCE, line=number)


def _in_order(posts: list[_Post]) -> tuple[list[_Post], list[Finding]]:
    """The posts by instant, equal instants as they stand, repeats left out; and the findings.

    A page that begins with its newest post is read from its end.
    """
    upwards = posts[::-1] if posts[0].at > posts[-1].at else posts
    kept: list[_Post] = []
    findings: list[Finding] = []
    seen: set[str] = set()
    latest = upwards[0].at
    for post in upwards:
        if post.id in seen:
            findings.append(Finding("duplicate", "the same post again; left out", post.number))
            continue
        if post.id is not None:
            seen.add(post.id)
        if post.at < latest:
            message = f"{post.at.isoformat()} lies before {latest.isoformat()}; put in its place"
            findings.append(Finding("out_of_order", message, post.number))
        latest = max(latest, post.at)
        kept.append(post)
    return sorted(kept, key=lambda post: post.at), findings


# --- meaning ----------------------------------------------------------------------------------


def _word(status: str) -> str:
    """A status as the table writes it: "In progress" is in_progress."""
    return status.lower().replace(" ", "_").replace("-", "_")


def _lifecycle(posts: list[_Post]) -> Lifecycle:
    """The lifecycle of whatever begins with this word: a maintenance is a change."""
    first = next((word for post in posts if (word := _word(post.status)) not in _WORDS_ALONE), "")
    return CHANGE if first in _MAINTENANCE else INCIDENT


def _states(lifecycle: Lifecycle, states: StateMap | None) -> StateMap:
    only(Lifecycle, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT")
    if states is None and lifecycle.id not in STATUS_PAGE:
        raise InvalidValue(
            "lifecycle", lifecycle.id, "has no words on status pages",
            'say what they mean: states=StateMap("our page", {"Resolved": "resolved"})',
        )  # fmt: skip
    found = STATUS_PAGE[lifecycle.id] if states is None else states
    remedy = 'wrap it: StateMap("our page", {"Fixed": "resolved"})'
    return only(StateMap, found, "states", remedy).checked(lifecycle)


def _rows(post: _Post, states: StateMap) -> Iterator[ChangeRow]:
    """What a post changes: the state, if its status is one, and always a word to the public."""
    word = _word(post.status)
    told = next((name for name in (post.status, word) if states.read(name) is not None), None)
    if told is not None or word not in _WORDS_ALONE:
        yield ChangeRow(post.number, post.at, "state", None, told or post.status, post.by)
    yield ChangeRow(post.number, post.at, "announcement", None, post.text, post.by, post.id)
