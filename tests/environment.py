"""Loaded by pytest before Django (`-p tests.environment`): settings for a test process, in a folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from bootstrap.postgres import database_url

HOME = Path(tempfile.mkdtemp(prefix="slipway-test-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

#: A PostgreSQL server on which this process makes a database of its own (`make test DB=postgres` starts one).
SERVER = os.environ.get("SLIPWAY_POSTGRES", "")

os.environ |= {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "SLIPWAY_HOME": str(HOME),
    "DATABASE_URL": database_url(SERVER, HOME.name) if SERVER else f"sqlite:///{HOME}/slipway.sqlite3",
    "REDIS_URL": f"unix://{HOME}/valkey.sock",
    "SLIPWAY_INSECURE_HTTP": "1",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
}
os.environ.setdefault("LOG_LEVEL", "WARNING")
# A test makes in a second what hubs make in minutes: those about limits set their own.
for kind in ("READS", "WRITES", "DELETES"):
    os.environ.setdefault(f"SLIPWAY_AZURE_{kind}", "100000/100000")


def database_in_use() -> str:
    """The test database's URL, for processes that are to look into it too."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    return database_url(SERVER, name) if SERVER else f"sqlite:///{name}"
