"""One demo at a time on one database: a lock beside it that ends with the process.

The store itself is safe in several processes. But the demo lets time pass as it plays, and two
of them would each keep a time of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from itsm_core.errors import StoreBusy

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def turn(database: Path) -> Iterator[None]:
    """Holds the one turn on a database; raises `StoreBusy` while another process has it."""
    path = database.with_name(f".{database.name}.lock")
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # no such folder, or not ours to write: the store says so better
        yield
        return
    try:
        _take(file)
        if not path.exists() or not os.path.samestat(path.stat(), os.fstat(file)):
            raise BlockingIOError  # the one before removed it between our two looks
    except OSError:
        os.close(file)
        raise StoreBusy(
            f"{database}: another process runs the demo on it; wait until it ends, or name another database"
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(file)
