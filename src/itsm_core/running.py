"""A generator of the road, run to its end: each question is answered, and told of what the answer raised.

Whoever lost a race rests here before the road decides anew; the floors below know no time to wait for.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from itsm_core.errors import VersionConflict

Q = TypeVar("Q")
T = TypeVar("T")


def run(steps: Generator[Q, Any, T], answer: Callable[[Q], Any]) -> T:
    """What the generator returns; `AsyncServiceDesk` does the same with await."""
    step: Callable[[Any], Q] = steps.send
    told: Any = None
    losses: Losses | None = None
    while True:
        try:
            wanted = step(told)
        except StopIteration as done:
            result: T = done.value
            return result
        try:
            told, step = answer(wanted), steps.send
        except Exception as error:
            if isinstance(error, VersionConflict):
                losses = losses or Losses()
                time.sleep(losses.rest(error))
            told, step = error, steps.throw


class Losses:
    """The races that one run has lost: how long it rests before it decides anew.

    Not at all after the first; then some part, drawn at random, of a span that doubles with each loss
    on the same record up to 64 ms. Those who meet again and again so fall out of step, and whoever
    writes without a pause is through before the twentieth attempt. The field's rule: exponential
    backoff with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def rest(self, lost: VersionConflict) -> float:
        """The seconds to rest after one more loss."""
        before = self._of[lost.record]
        self._of[lost.record] += 1
        return _DRAWN.uniform(0, min(_SHORTEST * 2 ** min(before - 1, 9), _LONGEST)) if before else 0.0


_SHORTEST, _LONGEST = 0.001, 0.064
_DRAWN = random.SystemRandom()
"""Neither seeded by the host nor drawn from its sequence, and not the same on both sides of a fork."""
