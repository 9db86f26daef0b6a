"""Bad times for the database and the disk, each as a context: over when it ends."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg.sql import SQL, Identifier

from bootstrap import families
from bootstrap.postgres import database_url

#: What a run writes.
TABLES = "deployments_operation, deployments_steprun, deployments_event"


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


class PostgresHeld:
    """Somebody else holds the tables of runs. Writers wait, readers do not."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with psycopg.connect(self.url) as holder:
            holder.execute(f"LOCK TABLE {TABLES} IN EXCLUSIVE MODE")
            yield
            holder.rollback()


class PostgresAway:
    """The server cuts everybody off and lets nobody in, as one that is started anew does."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def __call__(self) -> Iterator[None]:
        name = self.url.rpartition("/")[2]
        allowed = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(database_url(self.url, "postgres"), autocommit=True) as server:
            server.execute(allowed.format(Identifier(name), SQL("false")))
            try:
                while _cut_off(server, name):
                    time.sleep(0.01)
                yield
            finally:
                server.execute(allowed.format(Identifier(name), SQL("true")))


def _cut_off(server: psycopg.Connection, name: str) -> int:
    """How many were still there."""
    told = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    return len(server.execute(told, [name]).fetchall())


def held(url: str) -> DatabaseOutage:
    """Writers wait for as long as it lasts, or give up."""
    return PostgresHeld(url) if url.startswith("postgres") else SqliteLocked(url.removeprefix("sqlite:///"))


def away(url: str) -> DatabaseOutage:
    """Whoever does not wait is refused at once."""
    return PostgresAway(url) if url.startswith("postgres") else SqliteLocked(url.removeprefix("sqlite:///"))


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
