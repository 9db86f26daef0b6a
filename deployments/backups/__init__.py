"""The whole database in one file, and back.

The file is what the database's own programs make: SQLite's is a database, PostgreSQL's the custom format of pg_dump.
Who is signed in is left out: a file that gets about opens no session, and after a restore everybody signs in anew.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from deployments.backups import postgres, sqlite
from deployments.backups.refusal import BackupRefused

#: Not kept: who is signed in.
LEFT_OUT = "django_session"
PATIENCE = 20.0
Migrations = set[tuple[str, str]]
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class Keeper(Protocol):
    """How one kind of database is written to a file and read back."""

    MAGIC: bytes

    def write(self, path: Path, left_out: str) -> None: ...

    def migrations(self, path: Path) -> Migrations: ...

    def read(self, path: Path, patience: float) -> None: ...


KEEPERS: dict[str, Keeper] = {"sqlite": sqlite, "postgresql": postgres}


@dataclass(frozen=True)
class Contents:
    """What a backup holds, beside this program: migrations that only one of them knows."""

    newer: list[str]
    older: list[str]


def keeper() -> Keeper:
    return KEEPERS[connection.vendor]


def back_up(path: Path) -> int:
    """Writes the backup, which its owner alone may read, and looks into it; returns its size in bytes.

    The file appears whole or not at all. The portal may go on meanwhile.

    :raises BackupRefused: the file exists already, or the database could not be read.
    """
    if path.exists():
        raise BackupRefused(f"{path} exists already. Backups are not overwritten: choose another name.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.touch(mode=0o600, exist_ok=False)
        keeper().write(partial, LEFT_OUT)
        contents(partial)
        partial.rename(path)
    except OSError as error:
        raise BackupRefused(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return path.stat().st_size


def contents(path: Path) -> Contents:
    """Looks into a backup without touching the database.

    :raises BackupRefused: it is no backup, one of another kind of database, or damaged.
    """
    _require_kind(path)
    held = keeper().migrations(path)
    known: Migrations = set(MigrationLoader(None).disk_migrations)
    return Contents(_named(held - known), _named(known - held))


def restore(path: Path, patience: float = PATIENCE) -> None:
    """Puts the backup in the database's place, whole or not at all, and brings it to this program's version.

    Whoever holds the database is waited for, so many seconds.

    :raises BackupRefused: as `contents`; it was made by a newer program; or somebody uses the database.
    """
    if newer := contents(path).newer:
        raise BackupRefused(
            f"{path} was made by a newer Slipway: it has {', '.join(newer)}, which this one does not know. "
            "Restore it with the version that made it, or a later one."
        )
    connection.close()
    keeper().read(path, patience)
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # a restored database knows nothing of its own sizes


def _require_kind(path: Path) -> None:
    try:
        with path.open("rb") as file:
            begins = file.read(20)
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read: {error.strerror}.") from error
    found = next((vendor for vendor, each in KEEPERS.items() if begins.startswith(each.MAGIC)), None)
    if found is None:
        raise BackupRefused(f"{path} is no backup that Slipway has made.")
    if found != connection.vendor:
        raise BackupRefused(
            f"{path} is a backup of {NAMES[found]}, and this portal's database is {NAMES[connection.vendor]}."
        )


def _named(migrations: Migrations) -> list[str]:
    return sorted(f"{app}.{name}" for app, name in migrations)
