"""The demo: real and invented histories, from a CSV file to a table and a page.

Order: published, script, setting, turn, run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itsm_core.demo.run import run_demo

__all__ = ["run_demo"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module("itsm_core.demo.run"), name)
