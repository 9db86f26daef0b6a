"""Threads that move operations, in the order in which they came."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Container
from typing import Self
from uuid import UUID

from django.db import connection


class Lane:
    """So many threads with one line before them; each keeps its connection to the database as long as the lane lasts.

    `move` gets an operation's id and fence and raises nothing.
    """

    def __init__(self, name: str, width: int, move: Callable[[UUID, int], None]) -> None:
        self.width, self._move = width, move
        self._line: OrderedDict[UUID, int] = OrderedDict()
        self._moving = 0
        self._closed = False
        self._news = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(width)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Waits for what is being moved; what still stands in line is left to whoever claims it next."""
        with self._news:
            self._closed = True
            self._line.clear()
            self._news.notify_all()
        for thread in self._threads:
            thread.join()

    def put(self, operation_id: UUID, fence: int) -> None:
        with self._news:
            self._line[operation_id] = fence
            self._news.notify()

    def waiting(self) -> dict[UUID, int]:
        """Those in line, with their fences."""
        with self._news:
            return dict(self._line)

    def load(self) -> int:
        """How many stand in line or are being moved."""
        with self._news:
            return len(self._line) + self._moving

    def withdraw(self, ids: Container[UUID] | None = None) -> dict[UUID, int]:
        """Takes back those of `ids`, or all, that nobody has begun to move."""
        with self._news:
            taken = {each: fence for each, fence in self._line.items() if ids is None or each in ids}
            for each in taken:
                del self._line[each]
            return taken

    def _work(self) -> None:
        try:
            while (taken := self._next()) is not None:
                try:
                    self._move(*taken)
                finally:
                    with self._news:
                        self._moving -= 1
        finally:
            connection.close()

    def _next(self) -> tuple[UUID, int] | None:
        with self._news:
            while not self._line and not self._closed:
                self._news.wait()
            if not self._line:
                return None
            self._moving += 1
            return self._line.popitem(last=False)
