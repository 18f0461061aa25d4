"""Names that nobody else has given: numbers of records, ids of commands, salts.

The desks ask the operating system for randomness here; everything below them is given its names.
"""

from __future__ import annotations

import os


def number(process: str) -> str:
    """What a new record of a process is called, if the host has no numbers of its own."""
    return f"{_PREFIXES.get(process) or process[:3].upper()}-{os.urandom(6).hex()}"


_PREFIXES = {"service_request": "REQ", "problem": "PRB", "change": "CHG", "task": "TSK"}


def unique() -> str:
    """Sixteen random bytes as hex: an id, or a salt that nobody guesses."""
    return os.urandom(16).hex()
