"""The journal: every write the sandbox served, in order. Bodies are never kept: they may hold secrets."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

COLUMNS = ("number", "at", "area", "method", "path", "status", "note")


class Journal:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(
            "CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL,"
            " area TEXT, method TEXT, path TEXT, status INTEGER, note TEXT)"
        )

    def record(self, area: str, method: str, path: str, status: int, note: str = "") -> None:
        self._connection.execute(
            "INSERT INTO journal (at, area, method, path, status, note) VALUES (?, ?, ?, ?, ?, ?)",
            (time.time(), area, method, path, status, note),
        )

    def since(self, number: int = 0) -> list[dict[str, Any]]:
        rows = self._connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM journal WHERE number > ? ORDER BY number",
            (number,),
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]
