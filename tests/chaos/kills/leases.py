"""Watches leases from outside: how long does a run stay with a holder that does not renew it?"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

LOOK_EVERY = 0.1
QUERY = "SELECT id, fence, lease_until FROM deployments_operation WHERE status = 'running'"


@dataclass
class Leases:
    """Samples all leases until it is stopped.

    A living holder renews three times in a lease's time. So the longest time without any change is at least as long
    as any run was held by a dead one: from its last renewal to the moment somebody else took the run.
    """

    database: str
    longest: float = 0.0
    takeovers: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _seen: dict[Any, tuple[tuple[int, Any], float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            with suppress(sqlite3.OperationalError, psycopg.OperationalError):
                self._look()

    def _connected(self) -> Any:
        if self.database.startswith("postgres"):
            return psycopg.connect(self.database)
        return sqlite3.connect(f"file:{self.database.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=1)

    def _look(self) -> None:
        with closing(self._connected()) as connection:
            rows = connection.execute(QUERY).fetchall()
        now, held = time.monotonic(), {}
        for operation, fence, until in rows:
            if until is None:
                continue
            before = self._seen.get(operation)
            same = before is not None and before[0] == (fence, until)
            since = before[1] if same and before else now
            self.takeovers += bool(before and not same and before[0][0] != fence)
            self.longest = max(self.longest, now - since)
            held[operation] = ((fence, until), since)
        self._seen = held
