"""PostgreSQL: a backup is what pg_dump writes in its custom format. The password goes by the environment only."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import IO

from django.db import connection

from deployments.backups.refusal import BackupRefused

MAGIC = b"PGDMP"
#: What is the same for everybody who restores it.
PLAIN = ("--no-owner", "--no-privileges")
#: libpq's name for each of Django's.
ENVIRONMENT = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}


def write(path: Path, left_out: str) -> None:
    """The database as it is in one moment; whoever writes meanwhile is not held up."""
    _run("pg_dump", "--format=custom", *PLAIN, f"--exclude-table-data={left_out}", f"--file={path}")


def migrations(path: Path) -> set[tuple[str, str]]:
    """The rows of Django's table, from the text that would restore it."""
    _run("pg_restore", "--list", str(path))
    text = _run("pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(path))
    lines = iter(text.splitlines())
    heading = next((line for line in lines if line.startswith("COPY ")), "")
    columns = heading.partition("(")[2].partition(")")[0].split(", ")
    if not {"app", "name"} <= set(columns):
        raise BackupRefused(f"{path} is no backup that Slipway has made.")
    found = set()
    for line in lines:
        if line == "\\.":
            break
        row = dict(zip(columns, line.split("\t"), strict=True))
        found.add((row["app"], row["name"]))
    return found


def read(path: Path, patience: float) -> None:
    """Everything in one transaction: a failure on the way, our own death included, leaves the database as it was."""
    client = _begin(
        "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", stdin=subprocess.PIPE
    )
    source = _begin("pg_restore", *PLAIN, "--file=-", str(path), stdout=subprocess.PIPE)
    assert client.stdin and source.stdout
    try:
        client.stdin.write(_clearing(patience).encode())
        shutil.copyfileobj(source.stdout, client.stdin)
        # Without this last word psql's end is the transaction's end too, and undoes it.
        if source.wait() == 0:
            client.stdin.write(b"\nCOMMIT;\n")
    except BrokenPipeError:
        pass  # psql has given up, and says why
    source.stdout.close()
    _require_done(source, _words(source))
    _require_done(client, client.communicate()[1].decode())


def _clearing(patience: float) -> str:
    """Away with every table that is there now, also such as the backup does not know."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    connection.close()
    names = ", ".join(connection.ops.quote_name(table) for table in tables)
    drop = f"DROP TABLE IF EXISTS {names} CASCADE;\n" if names else ""
    return f"BEGIN;\nSET LOCAL lock_timeout = {int(patience * 1000)};\nSET client_min_messages = warning;\n{drop}"


def _words(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr
    return process.stderr.read().decode(errors="replace")


def _run(program: str, *arguments: str) -> str:
    process = _begin(program, *arguments, stdout=subprocess.PIPE)
    told, complaint = process.communicate()
    _require_done(process, complaint.decode(errors="replace"))
    return told.decode(errors="replace")


def _begin(
    program: str, *arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL, stdout: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    found = shutil.which(program)
    if found is None:
        raise BackupRefused(f"{program} is not installed. On Debian: sudo apt-get install postgresql-client")
    return subprocess.Popen([found, *arguments], env=_environment(), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)


def _environment() -> dict[str, str]:
    """Only what the database's settings say: no file of passwords, no variables of another server."""
    settings = connection.settings_dict
    told = {name: str(settings[key]) for key, name in ENVIRONMENT.items() if settings.get(key)}
    passed = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**passed, **told, "PGCONNECT_TIMEOUT": "20"}


def _require_done(process: subprocess.Popen[bytes], complaint: str) -> None:
    if process.wait() == 0:
        return
    if "lock timeout" in complaint:
        raise BackupRefused("The database is in use: stop web, workers and scheduler, then try again.")
    lines = complaint.strip().splitlines() or ["it said nothing"]
    raise BackupRefused(f"{Path(str(process.args[0])).name} failed: {lines[0]}")  # type: ignore[index]
