"""Backup and restore as an operator runs them, on a PostgreSQL that asks for a password."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bootstrap.machine import ROOT
from bootstrap.postgres import Server

PASSWORD = "pg-p4ss:w@rd/ 7"
#: Notes its arguments, then becomes the real program.
WRITTEN_DOWN = '#!/bin/sh\necho "$0 $*" >> {log}\nexec {program} "$@"\n'
RUN_UNDER_WAY = """
from tests.engine.plans import operation_of
from accounts.models import User
operation_of(User.objects.create(username="researcher"))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Its database `slipway` belongs to a user who needs a password."""
    with Server() as running:
        with psycopg.connect(running.url, autocommit=True) as admin:
            admin.execute(f"CREATE ROLE keeper LOGIN PASSWORD '{PASSWORD}'")
            admin.execute("CREATE DATABASE slipway OWNER keeper")
        rules = running.folder / "data" / "pg_hba.conf"
        rules.write_text("local all slipway trust\nlocal all all scram-sha-256\n")
        running.stop(signal.SIGINT)
        running.start()
        yield running


@pytest.fixture
def written_down(tmp_path: Path) -> Path:
    """A folder of programs that note their arguments in `log`."""
    for name in ("pg_dump", "pg_restore", "psql"):
        program = shutil.which(name)
        assert program
        (tmp_path / name).write_text(WRITTEN_DOWN.format(log=tmp_path / "log", program=program))
        (tmp_path / name).chmod(0o755)
    return tmp_path


def manage(server: Server, path: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in the environment of a real portal: the password in a variable of its own, not in the URL."""
    told = {
        "DATABASE_URL": server.url.replace("slipway@", "keeper@").replace("/postgres", "/slipway"),
        "DATABASE_PASSWORD": PASSWORD,
        "PATH": path,
        "PGHOST": "elsewhere.example.org",  # of somebody's own: it must not matter
        **more,
    }
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True)


def test_a_password_reaches_the_programs_and_stands_in_no_argument(server: Server, written_down: Path) -> None:
    path = f"{written_down}{os.pathsep}{os.environ['PATH']}"
    file = str(written_down / "slipway.backup")
    for arguments in (["migrate", "-v", "0"], ["shell", "-v", "0", "-c", RUN_UNDER_WAY], ["backup", file]):
        done = manage(server, path, *arguments)
        assert done.returncode == 0, done.stderr
    done = manage(server, path, "restore", file, "--yes")
    assert done.returncode == 0, done.stderr
    assert "Restored: 1 hubs, 1 runs under way" in done.stdout
    noted = (written_down / "log").read_text()
    assert all(name in noted for name in ("pg_dump", "pg_restore", "psql"))
    assert PASSWORD not in noted + done.stdout + done.stderr


def test_a_wrong_password_is_told_in_one_sentence(server: Server, tmp_path: Path) -> None:
    done = manage(server, os.environ["PATH"], "backup", str(tmp_path / "x"), DATABASE_PASSWORD="wrong")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "CommandError: pg_dump failed: " in done.stderr and "password authentication failed" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_missing_programs_are_told_with_their_package(server: Server, tmp_path: Path) -> None:
    done = manage(server, str(tmp_path), "backup", str(tmp_path / "x"))
    assert done.returncode == 1
    assert "pg_dump is not installed. On Debian: sudo apt-get install postgresql-client" in done.stderr


def test_what_the_portal_says_to_look_at_is_written_down(server: Server) -> None:
    text = (ROOT / "docs" / "backup.md").read_text()
    for word in ("manage.py backup", "manage.py restore", "soft delete", "SECRET_KEY", "lease"):
        assert word in text, word
