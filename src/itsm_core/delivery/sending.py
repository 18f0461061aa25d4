"""Who sends a message, and what an answer of a notifier means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from itsm_core.errors import InvalidValue
from itsm_core.escalation.policies import EscalationPolicy
from itsm_core.escalation.steps import StepKind
from itsm_core.ports import Delivered, Message, Notifier, Outcome, Rejected, Retry, Unknown
from itsm_core.responders import CALLBACK


def answered(answer: Any) -> Outcome:
    """The outcome a notifier gave; anything else it returned is `Unknown`, None is delivered.

    Its words are such as any store can keep: what could not be settled would be sent again for ever.
    """
    if answer is None:
        return Delivered()
    if isinstance(answer, Delivered):
        return Delivered(_kept(answer.reference))
    if isinstance(answer, Retry):
        return _later(answer)
    if isinstance(answer, Rejected):
        return Rejected(_kept(answer.reason))
    if isinstance(answer, Unknown):
        return Unknown(_kept(answer.reason))
    return Unknown(
        f"the notifier answered {_kept(answer, repr)}; it should answer Delivered, Retry, Rejected or Unknown"
    )


def _later(answer: Retry) -> Retry:
    """When to try again; an `after` that is no length of time is told, and the schedule decides alone."""
    after: object = answer.after
    if after is None or isinstance(after, dt.timedelta):
        return Retry(after, _kept(answer.reason))
    told = f"it asked to wait {_kept(after, repr)}, which is no timedelta"
    return Retry(reason=": ".join(filter(None, (_kept(answer.reason), told))))


def _kept(value: object, words: Callable[[object], str] = str) -> str:
    """What a store can keep of these words: no half of a surrogate pair."""
    try:
        told = words(value)
    except Exception:  # an object of the host whose words fail
        told = type(value).__name__
    return told.encode("utf-8", "backslashreplace").decode()


N = TypeVar("N")


def by_channel(
    notifiers: Mapping[str, N] | N | None,
    policies: Sequence[EscalationPolicy] = (),
    *,
    has_directory: bool = False,
) -> dict[str, N]:
    """The notifiers by channel; a single one takes every channel ("*").

    Where there are any they know each callback of the `policies`, and each channel by which a step tells
    somebody, unless a directory says by which channels people are told; without any, another desk sends.
    """
    held: dict[str, Any]
    try:
        held = {"*": notifiers} if callable(notifiers) else dict(notifiers or {})  # type: ignore[arg-type]
    except (TypeError, ValueError):
        held = {"*": notifiers}
    for channel, notifier in held.items():
        if not callable(notifier):
            raise InvalidValue(
                "notifiers",
                notifier,
                f"cannot be called (channel {channel!r})",
                'give a function of a Message, or {"email": function, "*": function}',
            )
    if held:
        _know_callbacks(held, policies)
    if held and "*" not in held and not has_directory:
        _know_channels(held, policies)
    return held


def _know_callbacks(notifiers: Mapping[str, object], policies: Iterable[EscalationPolicy]) -> None:
    for policy in policies:
        for name in policy.callbacks:
            if name not in notifiers:
                remedy = f'register it: notifiers={{"{name}": function, ...}}'
                reason = f"is called by {policy.label}, and no notifier bears its name"
                raise InvalidValue("notifiers", name, reason, remedy)


def _know_channels(notifiers: Mapping[str, object], policies: Iterable[EscalationPolicy]) -> None:
    """Refuses a step whose messages could only fail, when nobody looks."""
    for policy in policies:
        for step in policy.steps:
            tells = any(not name.startswith(CALLBACK) for name in step.to)
            if tells and step.kind is StepKind.HIERARCHIC and step.channel not in notifiers:
                known = ", ".join(sorted(notifiers))
                reason = f"is the channel of step {step.id!r} of {policy.label}, and has no notifier"
                remedy = f'register it: notifiers={{"{step.channel}": function, ...}}, or say one of {known}'
                raise InvalidValue("notifiers", step.channel, reason, remedy)


def chosen(notifiers: Mapping[str, N], message: Message) -> N | Rejected:
    """The notifier of the message's channel, or else that of "*"; a rejection where there is none.

    A callback has that of its own name alone: what was meant for a machine is no message to anybody.
    """
    own = message.channel.startswith(CALLBACK)
    notifier = notifiers.get(message.channel) or (None if own else notifiers.get("*"))
    if notifier is None:
        known = ", ".join(sorted(notifiers))
        return Rejected(f"no notifier for the channel {message.channel!r}, only for {known}")
    return notifier


def failed(error: Exception) -> Unknown:
    """What is known of a message whose notifier raised."""
    return Unknown(f"{type(error).__name__}: {_kept(error)}")


def send(notifiers: Mapping[str, Notifier], message: Message) -> Outcome:
    """What the notifier of the message's channel, or else that of "*", makes of it."""
    notifier = chosen(notifiers, message)
    if isinstance(notifier, Rejected):
        return notifier
    try:
        return answered(notifier(message))
    except Exception as error:
        return failed(error)
