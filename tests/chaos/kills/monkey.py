"""Kills at random moments, and puts on its feet again what fell, as whoever runs the machine would."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.stack import Stack
from tests.chaos.control import Control

#: What is killed, how often each relative to the others.
SHARES = {"work-horse": 8, "worker": 5, "connections": 5, "web": 3, "redis": 2, "sandbox": 1}
#: Seconds between two blows.
PAUSE = (0.2, 1.4)


@dataclass
class Monkey:
    """`kills` blows at the most within `seconds`; then it rests."""

    stack: Stack
    control: Control
    chance: random.Random
    kills: int
    seconds: float
    tally: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)

    def rage(self) -> None:
        until = time.monotonic() + self.seconds
        while sum(self.tally.values()) < self.kills and time.monotonic() < until and not self._stop.is_set():
            time.sleep(self.chance.uniform(*PAUSE))
            self._revive()
            kind = self.chance.choices([*SHARES], [*SHARES.values()])[0]
            if self._strike(kind):
                self.tally[kind] += 1
        self._revive()

    def stop(self) -> None:
        self._stop.set()

    def _strike(self, kind: str) -> bool:
        """False when there was nothing of that kind to hit."""
        worker = self.chance.choice(self.stack.workers)
        if kind == "work-horse":
            return self._kill_horse(worker)
        if kind == "connections":
            return bool(self.control("cut", {})["cut"])
        name = {"worker": worker, "redis": "valkey"}.get(kind, kind)
        if not self.stack.running(name):
            return False
        self.stack.kill(name)
        self.stack.start(name)
        return True

    def _kill_horse(self, worker: str) -> bool:
        pid = self.stack.pids().get(worker)
        horses = children(pid) if pid else []
        for horse in horses:
            os.kill(horse, signal.SIGKILL)
        return bool(horses)

    def _revive(self) -> None:
        """What died of a blow to something else is started again."""
        for name in list(self.stack.dead()):
            self.stack.start(name)


def children(pid: int) -> list[int]:
    """The processes that this one has started itself: a worker's only one is its work-horse."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
