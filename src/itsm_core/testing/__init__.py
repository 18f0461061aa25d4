"""The kit by which a product proves its own lifecycles, stores and notifiers, as this one proves its own.

Order: edges, mutants, sound, paths, steps, laws, cast, filling, walking, strategies, machine, edition,
contract, __main__.

Of lifecycles, only `lifecycle_machine` needs Hypothesis (pip install hypothesis), and nothing needs pytest:
what is wrong is an `AssertionError`, in any runner. `StoreContract`, `AsyncStoreContract` and
`NotifierContract` are classes for pytest and need both.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from itsm_core.testing.cast import cast
from itsm_core.testing.edges import Edge, EdgeTable, assert_edges, differences, edges_of
from itsm_core.testing.edition import CONTRACT
from itsm_core.testing.laws import LAWS, LawBroken
from itsm_core.testing.mutants import Mutant, condition_mutants, edge_mutants, survivors
from itsm_core.testing.paths import paths
from itsm_core.testing.sound import assert_sound
from itsm_core.testing.steps import Step
from itsm_core.testing.walking import walk

if TYPE_CHECKING:  # loaded on first use: they need Hypothesis and pytest
    from itsm_core.testing.contract.awaited import AsyncStoreContract as AsyncStoreContract
    from itsm_core.testing.contract.notifier import NotifierContract as NotifierContract
    from itsm_core.testing.contract.store import StoreContract as StoreContract
    from itsm_core.testing.machine import lifecycle_machine as lifecycle_machine

INSTALL = "{} needs {}: pip install {}"

__all__ = [
    "CONTRACT",
    "LAWS",
    "AsyncStoreContract",
    "Edge",
    "EdgeTable",
    "LawBroken",
    "Mutant",
    "NotifierContract",
    "Step",
    "StoreContract",
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


_LOADED_ON_USE = {
    "AsyncStoreContract": "itsm_core.testing.contract.awaited",
    "NotifierContract": "itsm_core.testing.contract.notifier",
    "StoreContract": "itsm_core.testing.contract.store",
    "lifecycle_machine": "itsm_core.testing.machine",
}
_NEEDED = {"hypothesis": "Hypothesis", "pytest": "pytest"}


def __getattr__(name: str) -> object:
    if name not in _LOADED_ON_USE:
        msg = f"module 'itsm_core.testing' has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        return getattr(import_module(_LOADED_ON_USE[name]), name)
    except ModuleNotFoundError as lacking:
        if lacking.name not in _NEEDED:
            raise
        raise ImportError(INSTALL.format(name, _NEEDED[lacking.name], lacking.name)) from lacking
