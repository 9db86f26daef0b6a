"""Bad times for the database and the disk, each as a context: over when it ends."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from bootstrap import families


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
    """These processes, and all that they start, can write to no file: the kernel says so at every try."""
    roots = list(pids)
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in roots}
    try:
        for pid in roots:
            _limit(pid, (0, before[pid][1]))
        yield
    finally:
        for pid in roots:
            _limit(pid, before[pid])


def _limit(root: int, limits: tuple[int, int]) -> None:
    for pid in {root, *families.descendants(root)}:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
