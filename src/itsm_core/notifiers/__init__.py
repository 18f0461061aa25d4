"""Notifiers: where messages go. One technology a file.

Order: console, log, function.
"""

from itsm_core.notifiers.console import ConsoleNotifier
from itsm_core.notifiers.function import FunctionNotifier
from itsm_core.notifiers.log import LoggingNotifier

__all__ = ["ConsoleNotifier", "FunctionNotifier", "LoggingNotifier"]
