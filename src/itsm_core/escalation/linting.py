"""Whether a policy can work, before anybody is paged by it: coded rules.

    lint(policy, agreement=..., lifecycle=..., resolver=...) -> findings, each with code, message, remedy

Going back without a bound and unknown step ids are no findings: the policy itself refuses them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Literal

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Budget
from itsm_core.business_time.instants import in_utc
from itsm_core.escalation.answering import Resolver, Unresolved, instead, people_of, unknown_to
from itsm_core.escalation.policies import Chain, EscalationPolicy
from itsm_core.escalation.steps import END, Condition, EscalationStep, StepKind
from itsm_core.escalation.triggers import TriggerKind, Unit, Wait
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.rewriting import near
from itsm_core.priority import Priority
from itsm_core.records import Record
from itsm_core.responders import SURELY
from itsm_core.sla import Agreement, Finding
from itsm_core.values import only


@attrs.frozen(kw_only=True)
class Asked:
    """What is looked at: the policy, and what is known of the desk that will run it."""

    policy: EscalationPolicy
    agreement: Agreement | None
    lifecycle: Definition | None
    known: Collection[str] | None
    resolver: Resolver | None
    record: Record | None
    at: dt.datetime | None
    calendar: BusinessCalendar | None
    most: int
    contacts: Mapping[str, tuple[Wait, ...]]
    custom_fields: tuple[CustomField, ...]


Found = Iterator[tuple[str, str, str]]
"""What is wrong, at which step (or the policy), and what to do."""


@attrs.frozen
class PolicyRule:
    """A rule: its code, what it finds, and whether that may be meant so."""

    code: str
    title: str
    find: Callable[[Asked], Found] = attrs.field(repr=False)
    severity: Literal["error", "warning"] = "error"


def lint(
    policy: EscalationPolicy,
    *,
    agreement: Agreement | None = None,
    lifecycle: Definition | None = None,
    known: Collection[str] | None = None,
    resolver: Resolver | None = None,
    record: Record | None = None,
    at: dt.datetime | None = None,
    calendar: BusinessCalendar | None = None,
    most: int = 5,
    contacts: Mapping[str, Iterable[Wait]] | None = None,
    custom_fields: Iterable[CustomField] = (),
) -> tuple[Finding, ...]:
    """Everything that is wrong with a policy, by code; empty if nothing is.

    What is given is looked into: metrics and priorities of the `agreement`, states and fields of the
    `lifecycle` and the host's `custom_fields`, names that are `known`, or else that the `resolver` itself
    says it does not know, as `OnCall` does; with `resolver`, `record` and `at`, who answers then, and
    whether a step pages more than `most` people; the desk's `calendar`; `contacts`, how long after a first
    message the further attempts to reach the person of a name come.
    """
    only(EscalationPolicy, policy, "policy", "make one: EscalationPolicy(id, version, steps=[...])")
    asked = Asked(
        policy=policy,
        agreement=agreement,
        lifecycle=lifecycle,
        known=known,
        resolver=resolver,
        record=record,
        at=None if at is None else in_utc(at),
        calendar=policy.calendar or calendar,
        most=most,
        contacts={name: tuple(waits) for name, waits in (contacts or {}).items()},
        custom_fields=tuple(custom_fields),
    )
    return tuple(
        Finding(rule.code, message, where=where, remedy=remedy, severity=rule.severity)
        for rule in POLICY_RULES.values()
        for message, where, remedy in rule.find(asked)
    )


# --- what it names --------------------------------------------------------------------------------


def _unknown_names(asked: Asked) -> Found:
    known = asked.known or ()
    for step in asked.policy.steps:
        for name in step.names:
            if name in known or name.startswith(SURELY):
                continue
            if asked.known is not None:
                remedy = near(name, sorted(known), "name somebody who is known")
                yield f"{_does(step)} {name!r}, whom nobody knows", step.id, remedy
            elif unknown_to(asked.resolver, name):
                remedy = instead(asked.resolver, name, "name somebody who is known")
                yield f"{_does(step)} {name!r}, whom the resolver does not know", step.id, remedy


def _unknown_states(asked: Asked) -> Found:
    if asked.lifecycle is None:
        return
    states = [state.id for state in asked.lifecycle.states]
    for chain in asked.policy.chains:
        state = chain.trigger.state
        if state is not None and state not in states:
            yield f"waits in {state!r}, which is no state", chain.steps[0].id, near(state, states)


def _unmeasured(asked: Asked) -> Found:
    if asked.agreement is None:
        return
    metrics = [str(metric) for metric in asked.agreement.metrics]
    for chain in asked.policy.chains:
        metric = str(chain.trigger.metric)
        if chain.trigger.kind is TriggerKind.SHARE and metric not in metrics:
            yield f"waits for {metric}, which nothing measures", chain.steps[0].id, near(metric, metrics)


def _unknown_fields(asked: Asked) -> Found:
    if asked.lifecycle is None:
        return
    kinds = {**asked.lifecycle.kinds, **{field.name: field.type for field in asked.custom_fields}}
    for step in asked.policy.steps:
        for reason in step.unset(kinds):
            yield f"sets what is refused: {reason.message}", step.id, "set a field that the records hold"


def _unpromised(asked: Asked) -> Found:
    if asked.agreement is None:
        return
    for step in asked.policy.steps:
        priority = step.sets.get("priority")
        if priority is not None and not any(
            not target.priorities or priority in target.priorities for target in asked.agreement.targets
        ):
            remedy = "set one that has a target, or promise something for it"
            yield f"sets {priority}, for which {asked.agreement.id} promises nothing", step.id, remedy


# --- who answers ----------------------------------------------------------------------------------


def _answers(asked: Asked, step: EscalationStep) -> tuple[str, ...] | None:
    """Who answers to the names of a step at the instant asked about; None where nobody can tell."""
    if asked.resolver is None or asked.record is None or asked.at is None:
        return None
    resolver, record, at = asked.resolver, asked.record, asked.at
    found = (person for name in step.names for person in people_of(name, resolver, record, at))
    try:
        return tuple(dict.fromkeys(found))
    except Unresolved:
        return None


def _does(step: EscalationStep) -> str:
    return "tells" if step.assignee is None else "gives the work to"


def _nobody(asked: Asked) -> Found:
    for step in asked.policy.steps:
        asks = step.kind is StepKind.HIERARCHIC or (step.assignee is not None and step.group is None)
        if asks and _answers(asked, step) == ():
            yield (
                f"{_does(step)} {step.assignee or ', '.join(step.to)}, and nobody answers",
                step.id,
                "fill the role, or say a fallback",
            )


def _everybody(asked: Asked) -> Found:
    for step in asked.policy.steps:
        people = (_answers(asked, step) or ()) if step.kind is StepKind.HIERARCHIC else ()
        if len(people) > asked.most:
            remedy = "tell who is on call, and the team by a channel of its own"
            yield f"tells {len(people)} people at once", step.id, remedy


# --- what never comes -----------------------------------------------------------------------------


def _unreachable(asked: Asked) -> Found:
    for chain in asked.policy.chains:
        reached = _reached(chain)
        for place, step in enumerate(chain.steps):
            if place not in reached:
                yield "is never come to", step.id, "let a branch lead to it, or leave it out"


def _reached(chain: Chain) -> set[int]:
    """The places of a chain that some way leads to."""
    reached: set[int] = set()
    coming = [0]
    while coming:
        place = coming.pop()
        if place in reached:
            continue
        reached.add(place)
        step = chain.steps[place]
        further = chain.next_of(place)
        coming += [chain.places[branch.to] for branch in step.branches if branch.to != END]
        coming += [] if further is None else [further]
    return reached


def _no_priority(asked: Asked) -> Found:
    covered = asked.policy.priorities
    for step in asked.policy.steps:
        if covered and step.priorities and not covered & step.priorities:
            yield "is for priorities that the policy does not cover", step.id, "name one that it covers"


def _never_open(asked: Asked) -> Found:
    calendar, at = asked.calendar, asked.at
    if calendar is None or at is None:
        return
    policy, inside, outside = asked.policy, calendar.next_open(at), calendar.next_close(at)
    waits = [(step.wait, step.id) for step in policy.steps]
    for wait, where in (*waits, (policy.ack_timeout, policy.id)):
        if wait is not None and wait.after(at, calendar) is None:
            yield f"waits {wait}, for which the calendar never opens again", where, "give the calendar hours"
    for step in policy.steps:
        for condition in _conditions(step):
            if condition.hours == "inside" and inside is None:
                yield "asks for hours that never come", step.id, "give the calendar hours"
            if condition.hours == "outside" and calendar.is_open(at) and outside is None:
                yield "asks for a closed desk, and it never closes", step.id, "give the calendar hours"


def _conditions(step: EscalationStep) -> Iterator[Condition]:
    if step.when is not None:
        yield step.when
    yield from (branch.when for branch in step.branches)


# --- what goes on for ever ------------------------------------------------------------------------

Deed = tuple[int, Priority | None]
"""A chain by its place, and a priority that one of its steps sets; None: one that the matrix gives."""


def _round(asked: Asked) -> Found:
    chains = asked.policy.chains
    deeds = [(order, priority) for order, chain in enumerate(chains) for priority in _priorities_of(chain)]
    leads = {deed: [other for other in deeds if _sets_off(deed, other, chains)] for deed in deeds}
    told: set[int] = set()
    for deed in deeds:
        way = _way_back(deed, leads)
        if not told.intersection(order for order, _ in way):
            told.update(order for order, _ in way)
            names = [repr(chains[order].steps[0].id) for order, _ in way]
            if way:
                yield (
                    f"is set off by the priority that it leads to ({' to '.join([*names, names[0]])})",
                    chains[way[0][0]].steps[0].id,
                    "name the priorities that set a chain off (to=...), none that it leads to",
                )


def _priorities_of(chain: Chain) -> list[Priority | None]:
    if chain.trigger.kind is not TriggerKind.PRIORITY:
        return []
    found = [
        Priority.of(step.sets["priority"]) if step.sets.get("priority") is not None else None
        for step in chain.steps
        if step.grades
    ]
    return list(dict.fromkeys(found))


def _sets_off(one: Deed, other: Deed, chains: tuple[Chain, ...]) -> bool:
    """Whether the chain of the other begins with what the one sets, and then sets something else."""
    (_, priority), chain = one, chains[other[0]]
    if one == other or (priority is not None and priority is other[1]):
        return False
    wanted = [some for some in (chain.trigger.to, chain.steps[0].priorities) if some]
    return priority is None or all(priority in some for some in wanted)


def _way_back(deed: Deed, leads: Mapping[Deed, list[Deed]]) -> list[Deed]:
    """The shortest way from a deed to itself; empty if there is none."""
    ways, seen = [[deed]], {deed}
    for way in ways:
        for further in leads[way[-1]]:
            if further == deed:
                return way
            if further not in seen:
                seen.add(further)
                ways.append([*way, further])
    return []


# --- what overtakes what --------------------------------------------------------------------------


def _lapses(asked: Asked) -> Found:
    timeout = _wall(asked.policy.ack_timeout)
    if timeout is None:
        return
    for step in asked.policy.steps:
        wait = _wall(step.wait)
        if wait is not None and step.stops_on == "acknowledged" and timeout < wait:
            told = f"waits {step.wait}, longer than an acknowledgement lasts"
            yield told, step.id, f"let it last longer than {asked.policy.ack_timeout}"


def _overtaken(asked: Asked) -> Found:
    for chain in asked.policy.chains:
        for place, step in enumerate(chain.steps):
            further = chain.next_of(place)
            moves_on = None if further is None else _wall(chain.steps[further].after)
            if moves_on is None:
                continue
            for name in step.to:
                for wait in asked.contacts.get(name, ()):
                    comes = _wall(wait)
                    if comes is not None and comes >= moves_on:
                        told = f"{name} is tried again after {wait}, when the chain has gone on"
                        yield (
                            told,
                            step.id,
                            f"try within {chain.steps[further or 0].after}, or let it wait longer",
                        )


def _wall(wait: Wait | None) -> int | None:
    """The microseconds of a wait in wall time; None for others, which depend on the calendar."""
    if wait is None or wait.unit is not Unit.WALL or not isinstance(wait.duration, Budget):
        return None
    return wait.duration.us


# fmt: off
POLICY_RULES: dict[str, PolicyRule] = {rule.code: rule for rule in (
    PolicyRule("E001", "Everybody whom it tells is known", _unknown_names),
    PolicyRule("E002", "Every state that it waits in exists", _unknown_states),
    PolicyRule("E003", "Every metric that it waits for is measured", _unmeasured),
    PolicyRule("E004", "Somebody answers to each step", _nobody),
    PolicyRule("E005", "Every step is come to", _unreachable),
    PolicyRule("E006", "Every step is for a priority that the policy covers", _no_priority),
    PolicyRule("E007", "Every window opens", _never_open),
    PolicyRule("E008", "No step pages a whole team", _everybody, "warning"),
    PolicyRule("E009", "An acknowledgement lasts longer than a step waits", _lapses, "warning"),
    PolicyRule("E010", "The chain leaves people the time to be reached", _overtaken, "warning"),
    PolicyRule("E011", "No chain is set off by the priority that it leads to", _round),
    PolicyRule("E012", "Every field that it sets is one that the records hold", _unknown_fields),
    PolicyRule("E013", "Every priority that it sets is promised something", _unpromised, "warning"),
)}
"""The rules by code."""
# fmt: on
