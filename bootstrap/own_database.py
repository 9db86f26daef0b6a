"""Where one stack's data are: SQLite in its folder; on PostgreSQL, where SLIPWAY_POSTGRES names a server."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from bootstrap.postgres import database_url


def url_of(home: Path) -> str:
    """The same for the same folder: a stack that starts again finds its data."""
    server = os.environ.get("SLIPWAY_POSTGRES")
    if not server:
        return f"sqlite:///{home}/slipway.sqlite3"
    return database_url(server, f"stack_{hashlib.sha256(str(home).encode()).hexdigest()[:16]}")


def ensure(url: str) -> None:
    """Makes the database, if it is PostgreSQL's and not there yet."""
    if not url.startswith("postgres"):
        return
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = url.rpartition("/")[2]
    with psycopg.connect(database_url(url, "postgres"), autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
