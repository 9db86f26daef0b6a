"""What containers print. Kept in memory only: a restarted machine has lost its pods' logs as well."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from sandbox.clock import Clock

KEPT_LINES = 500
#: (when, what), by which a line is read and followed.
Line = tuple[float, str]


@dataclass
class _Log:
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    previous: list[Line] = field(default_factory=list)
    readers: list[asyncio.Queue[Line | None]] = field(default_factory=list)


class PodLogs:
    """Lines by the pod's uid and the container's name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logs: dict[str, dict[str, _Log]] = {}

    def append(self, uid: str, container: str, line: str) -> None:
        log = self._log(uid, container)
        entry = (self._clock.now(), line)
        log.lines.append(entry)
        for reader in log.readers:
            reader.put_nowait(entry)

    def restarted(self, uid: str, container: str) -> None:
        """What was printed so far becomes the previous container's log."""
        log = self._log(uid, container)
        log.previous = list(log.lines)
        log.lines.clear()

    def forget(self, uid: str) -> None:
        for log in self._logs.pop(uid, {}).values():
            for reader in log.readers:
                reader.put_nowait(None)

    def read(self, uid: str, container: str, *, previous: bool, tail: int | None, since: float | None) -> list[Line]:
        log = self._logs.get(uid, {}).get(container, _Log())
        lines = log.previous if previous else list(log.lines)
        if since is not None:
            lines = [line for line in lines if line[0] >= self._clock.now() - since]
        return lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]

    async def follow(
        self, uid: str, container: str, first: list[bytes], show: Callable[[Line], bytes]
    ) -> AsyncIterator[bytes]:
        """`first`, then each line as it is printed, until the pod is gone."""
        log = self._log(uid, container)
        reader: asyncio.Queue[Line | None] = asyncio.Queue()
        log.readers.append(reader)
        try:
            for line in first:
                yield line
            while (entry := await reader.get()) is not None:
                yield show(entry)
        finally:
            log.readers.remove(reader)

    def _log(self, uid: str, container: str) -> _Log:
        return self._logs.setdefault(uid, {}).setdefault(container, _Log())
