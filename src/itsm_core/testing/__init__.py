"""The kit by which a product proves its own lifecycles, as this one proves those that it ships.

Order: edges, mutants, sound, paths, steps, laws, cast, filling, walking, strategies, machine.

`lifecycle_machine` needs Hypothesis (pip install hypothesis); nothing else here does, and no part of
it needs pytest: what is wrong is an `AssertionError`, in any runner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from itsm_core.testing.cast import cast
from itsm_core.testing.edges import Edge, EdgeTable, assert_edges, differences, edges_of
from itsm_core.testing.laws import LAWS, LawBroken
from itsm_core.testing.mutants import Mutant, condition_mutants, edge_mutants, survivors
from itsm_core.testing.paths import paths
from itsm_core.testing.sound import assert_sound
from itsm_core.testing.steps import Step
from itsm_core.testing.walking import walk

if TYPE_CHECKING:  # loaded on first use: it needs Hypothesis
    from itsm_core.testing.machine import lifecycle_machine as lifecycle_machine

INSTALL = "lifecycle_machine needs Hypothesis: pip install hypothesis"

__all__ = [
    "LAWS",
    "Edge",
    "EdgeTable",
    "LawBroken",
    "Mutant",
    "Step",
    "assert_edges",
    "assert_sound",
    "cast",
    "condition_mutants",
    "differences",
    "edge_mutants",
    "edges_of",
    "lifecycle_machine",
    "paths",
    "survivors",
    "walk",
]


def __getattr__(name: str) -> object:
    if name != "lifecycle_machine":
        msg = f"module 'itsm_core.testing' has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        return import_module("itsm_core.testing.machine").lifecycle_machine
    except ModuleNotFoundError as lacking:
        if lacking.name != "hypothesis":
            raise
        raise ImportError(INSTALL) from lacking
