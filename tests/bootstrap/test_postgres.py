"""A PostgreSQL server of one's own: it answers, each stack has its database there, nothing of it is left."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bootstrap import checks, families, own_database
from bootstrap.machine import ROOT
from bootstrap.postgres import Server, database_url
from bootstrap.refusal import Refusal
from bootstrap.stack import Stack
from portal import environment

#: Holds a server until it is told to stop, as `make test DB=postgres` does while pytest runs.
HOLDER = """
import signal, time
from bootstrap import checks, refusal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it, and so would we
def hold():
    with checks.database("postgres") as where:
        print(where["SLIPWAY_POSTGRES"], flush=True)
        time.sleep(60)
    return 0
raise SystemExit(refusal.speak(hold))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def _pids(folder: Path) -> set[int]:
    """The server's processes: they work in its data folder."""
    return {pid for pid in _all() if _works_in(pid, folder / "data")}


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return (Path("/proc") / str(pid) / "cwd").readlink() == folder
    except OSError:
        return False


def test_a_server_keeps_its_data_over_a_crash_and_leaves_nothing_behind() -> None:
    with Server({}) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (x int)")
        server.stop(signal.SIGQUIT)
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        pids = _pids(server.folder)
        assert pids
    assert not server.folder.exists()
    assert families.wait_gone(list(pids), 5)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_test_run_that_is_stopped_takes_its_server_along(how: signal.Signals) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    folder = Path(environment.database(holder.stdout.readline().strip())["HOST"])
    pids = _pids(folder)
    assert pids
    holder.send_signal(how)
    assert holder.wait(20) == 130
    assert families.wait_gone(list(pids), 5)
    assert not folder.exists()


def test_a_test_run_that_is_killed_leaves_no_server_running() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    folder = Path(environment.database(holder.stdout.readline().strip())["HOST"])
    pids = _pids(folder)
    holder.kill()
    holder.wait()
    assert pids and families.wait_gone(list(pids), 10)
    shutil.rmtree(folder)


def test_another_database_than_the_two_is_refused() -> None:
    with pytest.raises(Refusal, match="DB=oracle is not known; it is sqlite or postgres"), checks.database("oracle"):
        raise AssertionError("it began")


def test_each_folder_has_its_database_and_finds_it_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_POSTGRES", server.url)
    one, other, again = (Stack(tmp_path / name).env("web")["DATABASE_URL"] for name in ("one", "other", "one"))
    assert one == again != other
    for _ in range(2):
        own_database.ensure(one)
    with psycopg.connect(one) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (one.rpartition("/")[2],)


def test_without_a_server_a_folder_holds_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_POSTGRES", raising=False)
    assert own_database.url_of(tmp_path) == f"sqlite:///{tmp_path}/slipway.sqlite3"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgres://me:pw@db.example.org:5433/x", "db.example.org", "5433"),
        ("postgres://me@db.example.org/x", "db.example.org", ""),
        ("postgres://me@%2Fvar%2FRun%2Fpg/x", "/var/Run/pg", ""),
        ("postgres://me@[::1]:5432/x", "::1", "5432"),
        ("postgres:///x", "", ""),
    ],
)
def test_a_database_url_names_a_host_an_address_or_the_folder_of_a_socket(url: str, host: str, port: str) -> None:
    found = environment.database(url)
    assert (found["HOST"], found["PORT"], found["NAME"]) == (host, port, "x")


def test_the_url_of_another_database_differs_in_its_name_only() -> None:
    assert database_url("postgres://me@%2Ftmp%2Fx/postgres", "other") == "postgres://me@%2Ftmp%2Fx/other"
