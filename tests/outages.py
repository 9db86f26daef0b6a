"""Bad times for the database and the disk, each as a context: over when it ends."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol


class DatabaseOutage(Protocol):
    """Makes a database refuse whoever wants to write (or to read) until the context is left."""

    def __call__(self) -> AbstractContextManager[None]: ...


class SqliteLocked:
    """Somebody else holds the database: a backup that hangs, a program gone wild. Writers wait, then give up."""

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        holder = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            holder.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            with suppress(sqlite3.OperationalError):
                holder.execute("ROLLBACK")
            holder.close()


@contextmanager
def disk_full(pids: Iterable[int]) -> Iterator[None]:
    """These processes, and what they start, can make no file longer: the kernel says so at every write."""
    before = {}
    for pid in pids:
        with suppress(ProcessLookupError):
            before[pid] = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[pid][1]))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
