"""SQLite: a backup is a database itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from deployments.backups.refusal import BackupRefused

MAGIC = b"SQLite format 3\0"


def write(path: Path, left_out: str) -> None:
    """A sound copy of the database as it is now; whoever writes meanwhile is not held up."""
    with closing(sqlite3.connect(_present(), timeout=20, isolation_level=None)) as database:
        database.execute("VACUUM INTO ?", [str(path)])
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute(f'DELETE FROM "{left_out}"')
        copy.execute("VACUUM")


def migrations(path: Path) -> set[tuple[str, str]]:
    with _opened(path) as copy:
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise BackupRefused(f"{path} is damaged: SQLite finds it unsound.")
        return set(copy.execute("SELECT app, name FROM django_migrations"))


def read(path: Path, patience: float) -> None:
    """All pages in one transaction of SQLite's own."""
    end = time.monotonic() + patience

    def give_up(status: int, _left: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > end:
            raise BackupRefused("The database is in use: stop web, workers and scheduler, then try again.")

    with _opened(path) as copy, closing(sqlite3.connect(_present(), timeout=0.1)) as database:
        copy.backup(database, progress=give_up)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The backup, for reading only."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            yield copy
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"{path} is damaged: {error}.") from error


def _present() -> str:
    return str(connection.settings_dict["NAME"])
