"""The web process keeps its connections to PostgreSQL; nobody else does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import ConnectionHandler
from pytest_django import DjangoDbBlocker

from bootstrap.postgres import Server
from portal import environment
from tests.portal.production import production, run

TOLD = "from django.conf import settings; print(settings.DATABASES['default'].get('OPTIONS', {}).get('pool'))"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def connections(server: Server, django_db_blocker: DjangoDbBlocker) -> Iterator[ConnectionHandler]:
    """As a request of the web process has them: given back with `close_all`."""
    handler = ConnectionHandler({"default": environment.database(server.url, pool=3)})
    with django_db_blocker.unblock():
        yield handler
    handler.close_all()
    handler["default"].close_pool()  # type: ignore[attr-defined]


def served_by(connections: ConnectionHandler) -> int:
    """The process of the server that answers a request."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: int = cursor.fetchone()[0]
    connections.close_all()
    return found


def test_requests_one_after_the_other_share_their_connections(connections: ConnectionHandler) -> None:
    """The one that is always kept, and one that the first request did not wait for."""
    assert len({served_by(connections) for _ in range(10)}) <= 2


def test_rows_that_a_stopped_process_has_locked_are_given_free_before_long(connections: ConnectionHandler) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("10s",)


def test_a_connection_that_broke_meanwhile_is_replaced(connections: ConnectionHandler, server: Server) -> None:
    before = served_by(connections)
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [before])
    assert served_by(connections) != before


def test_a_server_that_was_started_anew_is_found_again(connections: ConnectionHandler, server: Server) -> None:
    served_by(connections)
    server.stop(signal.SIGQUIT)
    server.start()
    assert served_by(connections)


@pytest.mark.parametrize(
    ("program", "pool"),
    [
        ("import portal.asgi; ", "'max_size': 20"),
        ("import django; django.setup(); import worker.jobs; ", "None"),
    ],
)
def test_only_the_web_process_has_a_pool(program: str, pool: str, tmp_path: Path) -> None:
    told = run(["-c", program + TOLD], production(tmp_path, DATABASE_URL="postgres://slipway@db/slipway"))
    assert pool in told.stdout, told.stderr


def test_an_operator_may_do_without_a_pool(tmp_path: Path) -> None:
    environ = production(tmp_path, DATABASE_URL="postgres://slipway@db/slipway", DATABASE_POOL="0")
    assert run(["-c", "import portal.asgi; " + TOLD], environ).stdout.strip() == "None"


def test_sqlite_has_no_pool(tmp_path: Path) -> None:
    assert "pool" not in environment.database(f"sqlite:///{tmp_path}/it", pool=3)["OPTIONS"]
