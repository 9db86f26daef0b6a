"""What containers print. Kept in memory only: a restarted machine has lost its pods' logs as well."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from sandbox.clock import Clock

KEPT_LINES = 500


@dataclass
class _Log:
    lines: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    previous: list[tuple[float, str]] = field(default_factory=list)
    readers: list[asyncio.Queue[tuple[float, str] | None]] = field(default_factory=list)


class PodLogs:
    """Lines by the pod's uid; all containers of a pod share them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logs: dict[str, _Log] = {}

    def append(self, uid: str, line: str) -> None:
        log = self._logs.setdefault(uid, _Log())
        entry = (self._clock.now(), line)
        log.lines.append(entry)
        for reader in log.readers:
            reader.put_nowait(entry)

    def restarted(self, uid: str) -> None:
        """What was printed so far becomes the previous container's log."""
        log = self._logs.setdefault(uid, _Log())
        log.previous = list(log.lines)
        log.lines.clear()

    def forget(self, uid: str) -> None:
        log = self._logs.pop(uid, None)
        for reader in log.readers if log else ():
            reader.put_nowait(None)

    def read(self, uid: str, *, previous: bool, tail: int | None, since: float | None) -> list[tuple[float, str]]:
        log = self._logs.get(uid, _Log())
        lines = log.previous if previous else list(log.lines)
        if since is not None:
            lines = [line for line in lines if line[0] >= self._clock.now() - since]
        return lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]

    async def follow(
        self, uid: str, first: list[bytes], show: Callable[[tuple[float, str]], bytes]
    ) -> AsyncIterator[bytes]:
        """`first`, then each line as it is printed, until the pod is gone."""
        log = self._logs.setdefault(uid, _Log())
        reader: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
        log.readers.append(reader)
        try:
            for line in first:
                yield line
            while (entry := await reader.get()) is not None:
                yield show(entry)
        finally:
            log.readers.remove(reader)
