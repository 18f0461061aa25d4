"""A generator of the road, run to its end: each question is answered, and told of what the answer raised."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

Q = TypeVar("Q")
T = TypeVar("T")


def run(steps: Generator[Q, Any, T], answer: Callable[[Q], Any]) -> T:
    """What the generator returns; `AsyncServiceDesk` does the same with await."""
    step: Callable[[Any], Q] = steps.send
    told: Any = None
    while True:
        try:
            wanted = step(told)
        except StopIteration as done:
            result: T = done.value
            return result
        try:
            told, step = answer(wanted), steps.send
        except Exception as error:
            told, step = error, steps.throw
