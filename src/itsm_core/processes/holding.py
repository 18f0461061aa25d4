"""Where a record goes when its hold ends: back to the state it was put on hold in.

A hold is one state that several states lead to. Which one it was follows from who fired what, last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from itsm_core.errors import Reason
from itsm_core.lifecycle.guards import Guard, Situation
from itsm_core.lifecycle.parts import Transition
from itsm_core.records import Record
from itsm_core.values import as_fields

HOLDING = frozenset({"hold", "resume"})
"""The triggers that lead into a hold and out of it again."""


def leads(transitions: Iterable[Transition]) -> dict[str, str]:
    """Where each trigger leads, those of holds left out."""
    return {t.trigger: t.dest for t in transitions if t.trigger not in HOLDING}


def held_in(record: Record, leads: Mapping[str, str]) -> str | None:
    """The state in which a record was before its hold; None if its history does not say."""
    earlier = (leads[trigger] for trigger, _ in reversed(record.acted) if trigger in leads)
    return next(earlier, None)


def was_in(state: str, leads: Mapping[str, str]) -> Guard:
    """The guard of the way back to a state: the record was put on hold there."""
    return WasIn(state, as_fields(leads))


@attrs.frozen
class WasIn:
    """The guard of the way back, with where each trigger leads; a value, as closures are not pickled."""

    state: str
    leads: Mapping[str, str]

    def __call__(self, situation: Situation) -> Reason | None:
        """A reason if it was put on hold somewhere else."""
        if held_in(situation.record, self.leads) == self.state:
            return None
        said = f"it was not put on hold in {self.state}"
        return Reason("held_elsewhere", said, facts={"state": self.state})
