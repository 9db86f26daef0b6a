"""Answers that many hubs share for a short while: whoever asks first asks for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Shared:
    """Answers by key, of this process alone. Thread-safe; those who ask at the same time wait for one answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asking: dict[Hashable, threading.Lock] = {}
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, max_age: float, ask: Callable[[], Answer]) -> Answer:
        """The answer, `max_age` seconds old at the most; what `ask` raises is not kept."""
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            asked_at, answer = self._known.get(key, (float("-inf"), None))
            if self._clock() - asked_at > max_age:
                asked_at, answer = self._clock(), ask()
                self._known[key] = (asked_at, answer)
            kept: Answer = answer
            return kept
