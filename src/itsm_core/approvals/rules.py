"""Rules of approval: who is asked, how many must agree, and who may speak for whom."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from itsm_core.approvals.given import (
    MOST,
    first_double,
    folded,
    how_many,
    instant,
    instant_of_text,
    listed,
    named_once,
    share_text,
)
from itsm_core.approvals.words import plain
from itsm_core.business_time.given import check_keys
from itsm_core.business_time.instants import in_utc, micros, text
from itsm_core.errors import InvalidValue, Reason
from itsm_core.values import each, frozen_json, member, only, word

T = TypeVar("T")
Needed: TypeAlias = int | Fraction | str
_MOST_PANELS = 100


class OnExpiry(StrEnum):
    """What becomes of a round that is undecided when it falls due; it is never approved by that."""

    REMIND = "remind"
    ESCALATE = "escalate"
    REJECT = "reject"


# --- converters, named and annotated so that type checkers see what may be given ---------------


def _word(value: Any, what: str, remedy: str) -> str:
    found: str = frozen_json(word(value, what, remedy), what)
    return found


def _panel_name(value: str) -> str:
    return _word(value, "panel", 'name it, such as "CAB"')


def _members(value: Iterable[str] | str) -> tuple[str, ...]:
    return named_once(value, "members")


def _mandatory(value: Iterable[str] | str) -> tuple[str, ...]:
    return named_once(value, "mandatory")


def _veto(value: Iterable[str] | str) -> tuple[str, ...]:
    return named_once(value, "veto")


def _needed(value: Needed) -> int | Fraction:
    return how_many(value)


def _voter(value: str) -> str:
    return _word(value, "voter", "name whose voice it is")


def _to(value: str) -> str:
    return _word(value, "to", "name who may speak for the voter")


def _since(value: dt.datetime | None) -> dt.datetime | None:
    return instant(value, "since")


def _until(value: dt.datetime | None) -> dt.datetime | None:
    return instant(value, "until")


def _due(value: dt.datetime | None) -> dt.datetime | None:
    return instant(value, "due")


def _panels(value: Iterable[Panel]) -> tuple[Panel, ...]:
    return each(Panel, value, "panels", 'give a list: [Panel("CAB", ["ana", "bob"], needed=2)]')


def _delegations(value: Iterable[Delegation]) -> tuple[Delegation, ...]:
    return each(Delegation, value, "delegations", 'give a list: [Delegation("ana", "dan")]')


def _excluded(value: Iterable[str] | str) -> tuple[str, ...]:
    return folded(value, "excluded")


def _material(value: Iterable[str] | str) -> tuple[str, ...]:
    return folded(value, "material")


def _on_expiry(value: OnExpiry | str) -> OnExpiry:
    return member(OnExpiry, value, "on_expiry")


def _sequential(value: bool) -> bool:
    return only(bool, value, "sequential", "say True or False")


def _exactly(needed: int | Fraction) -> tuple[bool, int | Fraction]:
    """What tells numbers of votes apart: 1 is one vote, Fraction(1) is everybody's."""
    return isinstance(needed, Fraction), needed


# --- the values ---------------------------------------------------------------------------------


@attrs.frozen
class Delegation:
    """Somebody who may vote `to` speak for a voter, from `since` on and before `until`.

    It is the voter's one voice, whoever uses it; of two votes the later counts. It is not passed on:
    a delegate's delegate has no say.
    """

    voter: str = attrs.field(converter=_voter)
    to: str = attrs.field(converter=_to)
    since: dt.datetime | None = attrs.field(default=None, converter=_since, kw_only=True)
    until: dt.datetime | None = attrs.field(default=None, converter=_until, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.voter == self.to:
            raise InvalidValue("delegation", self.voter, "speaks for itself already", "name somebody else")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidValue(
                "delegation", self.voter, "ends before it begins", "give a since that lies before until"
            )

    def covers(self, at: dt.datetime) -> bool:
        """Whether it holds at an instant."""
        begun = self.since is None or self.since <= at
        return begun and (self.until is None or at < self.until)


@attrs.frozen
class Panel:
    """A group that is asked, and how many of its members must approve.

    `needed` is a number of votes, or a share of the members who neither are excluded nor abstain:
    a `Fraction`, "2/3", "50 %" or "all", exact and rounded up, one at least. A `mandatory` member must
    approve, whatever the others say; the refusal of a member with a `veto` ends it, so nothing is
    certain before each of them has voted.

    >>> Panel("CAB", ["ana", "bob", "cat"], needed="50 %").votes_needed(3)
    2
    """

    name: str = attrs.field(converter=_panel_name)
    members: tuple[str, ...] = attrs.field(converter=_members)
    needed: int | Fraction = attrs.field(default=1, converter=_needed, eq=_exactly, kw_only=True)
    mandatory: tuple[str, ...] = attrs.field(default=(), converter=_mandatory, kw_only=True)
    veto: tuple[str, ...] = attrs.field(default=(), converter=_veto, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.members:
            raise InvalidValue("panel", self.name, "has no members", "name who is asked")
        if isinstance(self.needed, int) and not 1 <= self.needed <= len(self.members):
            raise InvalidValue(
                "needed",
                self.needed,
                f"is no number of votes that {len(self.members)} members of {self.name} can give",
                f"say one from 1 to {len(self.members)}",
            )
        for what, listed_names in (("mandatory", self.mandatory), ("veto", self.veto)):
            if strangers := set(listed_names).difference(self.members):
                raise InvalidValue(
                    what, min(strangers), f"is no member of {self.name}", "name members, or add a panel"
                )

    def votes_needed(self, voices: int) -> int:
        """How many must approve where so many members neither are excluded nor abstain."""
        if isinstance(self.needed, int):
            return self.needed
        return max(1, -(-self.needed.numerator * voices // self.needed.denominator))


@attrs.frozen
class ApprovalRule:
    """Who must approve: all of the `panels`, each by its own count.

    Whoever is `excluded` (who asked for it, who carries it out) has no voice, neither their own nor
    another's. A round undecided at `due` reminds, escalates or is rejected. A change of a field among
    the `material` ones ends it. `sequential` asks one panel after the other; votes given early count.
    """

    panels: tuple[Panel, ...] = attrs.field(converter=_panels)
    delegations: tuple[Delegation, ...] = attrs.field(default=(), converter=_delegations, kw_only=True)
    excluded: tuple[str, ...] = attrs.field(default=(), converter=_excluded, kw_only=True)
    due: dt.datetime | None = attrs.field(default=None, converter=_due, kw_only=True)
    on_expiry: OnExpiry = attrs.field(default=OnExpiry.REMIND, converter=_on_expiry, kw_only=True)
    material: tuple[str, ...] = attrs.field(default=(), converter=_material, kw_only=True)
    sequential: bool = attrs.field(default=False, converter=_sequential, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.panels) <= _MOST_PANELS:
            raise InvalidValue(
                "panels", len(self.panels), f"are none, or more than {_MOST_PANELS}", "ask at least one group"
            )
        double = first_double(panel.name for panel in self.panels)
        if double is not None:
            raise InvalidValue("panel", double, "is there twice", "give each panel a name of its own")
        if sum(len(panel.members) for panel in self.panels) > MOST or len(self.delegations) > MOST:
            raise InvalidValue("approval rule", "it", f"holds more than {MOST:,} names", "ask fewer")
        _refuse_second_voices(self)

    def members_of(self, panel: Panel) -> tuple[str, ...]:
        """The members of a panel who have a voice under this rule."""
        barred = set(self.excluded)
        return tuple(name for name in panel.members if name not in barred)

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain JSON: the field "rule" of the command "request_approval"."""
        plain: dict[str, Any] = {"panels": [_panel_plain(panel) for panel in self.panels]}
        if self.delegations:
            plain["delegations"] = [_delegation_plain(one) for one in self.delegations]
        if self.due is not None:
            plain["due"] = text(micros(self.due))
        if self.on_expiry is not OnExpiry.REMIND:
            plain["on_expiry"] = self.on_expiry.value
        for name in ("excluded", "material"):
            if getattr(self, name):
                plain[name] = list(getattr(self, name))
        return plain | ({"sequential": True} if self.sequential else {})

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ApprovalRule:
        """The rule of plain JSON; what does not fit is refused by name."""
        return _read(cls, plain, "approval rule", _OF_RULE)


def _refuse_second_voices(rule: ApprovalRule) -> None:
    """Refuses delegations that no panel knows, and those that let one person vote twice in a panel."""
    deputies: dict[str, set[str]] = {}
    for one in rule.delegations:
        deputies.setdefault(one.voter, set()).add(one.to)
    unknown = deputies.keys() - {name for panel in rule.panels for name in panel.members}
    if unknown:
        raise InvalidValue(
            "delegation", min(unknown), "has no voice to pass on", "leave out who is in no panel"
        )
    for panel in rule.panels:
        voices = Counter(rule.members_of(panel))
        for name in tuple(voices):
            voices.update(deputies.get(name, ()))
        if double := [name for name, count in voices.items() if count > 1]:
            raise InvalidValue(
                "delegation",
                double[0],
                f"would have two voices in {panel.name}, and one person counts once",
                "name a delegate from outside the panel, a different one for each voter",
            )


# --- plain data ---------------------------------------------------------------------------------


def _panel_plain(panel: Panel) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": panel.name,
        "members": list(panel.members),
        "needed": share_text(panel.needed),
    }
    for name in ("mandatory", "veto"):
        if getattr(panel, name):
            plain[name] = list(getattr(panel, name))
    return plain


def _delegation_plain(one: Delegation) -> dict[str, Any]:
    plain = {"voter": one.voter, "to": one.to}
    for name in ("since", "until"):
        if getattr(one, name) is not None:
            plain[name] = text(micros(getattr(one, name)))
    return plain


def _given(value: Any, _what: str) -> Any:
    return value


def _panels_read(value: Any, what: str) -> list[Panel]:
    return [_read(Panel, one, "panel", _OF_PANEL) for one in listed(value, what)]


def _delegations_read(value: Any, what: str) -> list[Delegation]:
    return [_read(Delegation, one, "delegation", _OF_DELEGATION) for one in listed(value, what)]


_Readers: TypeAlias = Mapping[str, Callable[[Any, str], Any]]
_OF_PANEL: _Readers = {
    "name": _given, "members": listed, "needed": _given, "mandatory": listed, "veto": listed,
}  # fmt: skip
_OF_DELEGATION: _Readers = {
    "voter": _given, "to": _given, "since": instant_of_text, "until": instant_of_text,
}  # fmt: skip
_OF_RULE: _Readers = {
    "panels": _panels_read, "delegations": _delegations_read, "excluded": listed, "due": instant_of_text,
    "on_expiry": _given, "material": listed, "sequential": _given,
}  # fmt: skip


def _read(cls: type[T], plain: Any, what: str, readers: _Readers) -> T:
    """The value of plain data, key by key; unknown and missing keys are named."""
    check_keys(what, plain, tuple(readers))
    required = [one.name for one in attrs.fields(cast("Any", cls)) if one.default is attrs.NOTHING]
    if missing := [name for name in required if name not in plain]:
        raise InvalidValue(what, dict(plain), f"lacks {', '.join(missing)}", f"add {missing[0]!r}")
    return cls(**{name: readers[name](value, name) for name, value in plain.items()})


# --- rules that nobody can fulfil ---------------------------------------------------------------


def dead_end(rule: ApprovalRule, panel: Panel) -> Reason | None:
    """Why a panel of the rule can never approve; None where it can."""
    members = set(rule.members_of(panel))
    missing = [name for name in panel.mandatory if name not in members]
    need = panel.votes_needed(len(members))
    if missing:
        said = f"{plain(panel.name)} needs the approval of {plain(missing[0])}, who is excluded"
    elif need > len(members):
        said = f"{plain(panel.name)} needs {need} yes, and {len(members)} of its members may vote"
    else:
        return None
    return Reason("approval_stuck", said, facts={"panel": panel.name})


def dead_ends(rule: ApprovalRule) -> tuple[Reason, ...]:
    """Why nobody could ever approve under this rule, panel by panel; empty for a sound one."""
    found = (dead_end(rule, panel) for panel in rule.panels)
    return tuple(reason for reason in found if reason is not None)


def checked(rule: ApprovalRule, at: dt.datetime | None = None) -> ApprovalRule:
    """The rule itself, if somebody can fulfil it, and in time where `at` says when it is asked."""
    if stuck := dead_ends(rule):
        said = "; ".join(reason.message for reason in stuck)
        raise InvalidValue("approval rule", [panel.name for panel in rule.panels], said, "ask more people")
    if at is not None and rule.due is not None and rule.due <= in_utc(at):
        raise InvalidValue("due", rule.due.isoformat(), "is past", "give an instant that lies ahead")
    return rule
