"""Loaded by pytest before Django (`-p tests.environment`): settings for a test process, in a folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="slipway-test-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

os.environ |= {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "SLIPWAY_HOME": str(HOME),
    "DATABASE_URL": f"sqlite:///{HOME}/slipway.sqlite3",
    "REDIS_URL": f"unix://{HOME}/valkey.sock",
    "SLIPWAY_INSECURE_HTTP": "1",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
}
os.environ.setdefault("LOG_LEVEL", "WARNING")
