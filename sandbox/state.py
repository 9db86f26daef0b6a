"""State that survives a killed process: dictionaries written through to one SQLite file.

`synchronous=OFF` is enough: a killed process loses nothing, only a killed machine could.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, insort
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Bucket:
    """One named dictionary of JSON objects. What `get` returns is read-only: put a new one instead."""

    def __init__(self, name: str, connection: sqlite3.Connection) -> None:
        self.name = name
        self._connection = connection
        rows = connection.execute("SELECT key, value FROM objects WHERE bucket = ? ORDER BY key", (name,))
        self._values: dict[str, dict[str, Any]] = {key: json.loads(value) for key, value in rows}
        self._order: list[str] = sorted(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> dict[str, Any] | None:
        return self._values.get(key)

    def put(self, key: str, value: dict[str, Any]) -> None:
        if key not in self._values:
            insort(self._order, key)
        self._values[key] = value
        self._connection.execute(
            "INSERT INTO objects (bucket, key, value) VALUES (?, ?, ?)"
            " ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value",
            (self.name, key, json.dumps(value, separators=(",", ":"))),
        )

    def delete(self, key: str) -> bool:
        """Removes the key; False when it was not there."""
        if self._values.pop(key, None) is None:
            return False
        del self._order[bisect_left(self._order, key)]
        self._connection.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (self.name, key))
        return True

    def keys(self, prefix: str = "") -> list[str]:
        return [key for key, _ in self._walk(prefix)]

    def items(self, prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
        return list(self._walk(prefix))

    def _walk(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for index in range(bisect_left(self._order, prefix), len(self._order)):
            key = self._order[index]
            if not key.startswith(prefix):
                return
            yield key, self._values[key]


class State:
    """The buckets of one sandbox, in `state.sqlite3` under its home (":memory:" for none)."""

    def __init__(self, path: Path | str) -> None:
        self.connection = sqlite3.connect(str(path), isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute("PRAGMA cache_size = -1000")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS objects"
            " (bucket TEXT, key TEXT, value TEXT, PRIMARY KEY (bucket, key)) WITHOUT ROWID"
        )
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            self._buckets[name] = Bucket(name, self.connection)
        return self._buckets[name]
