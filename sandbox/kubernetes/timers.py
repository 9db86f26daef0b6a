"""When simulated things are done: moments by object and phase, kept in memory.

After a restart a phase under way begins anew; that costs its duration once and loses nothing.
"""

from __future__ import annotations

import heapq

from sandbox.clock import Clock


class Timers:
    """Of one cluster."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, dict[str, float]] = {}
        self._alarms: list[tuple[float, str]] = []

    def elapsed(self, uid: str, phase: str, seconds: float, namespace: str, at_least: float = 0.0) -> bool:
        phases = self._due.setdefault(uid, {})
        if phase not in phases:
            phases[phase] = self._clock.now() + max(self._clock.scaled(seconds), at_least)
            heapq.heappush(self._alarms, (phases[phase], namespace))
        return self._clock.now() >= phases[phase]

    def restart(self, uid: str, phase: str) -> None:
        """The next question begins the phase anew."""
        self._due.get(uid, {}).pop(phase, None)

    def forget(self, uid: str) -> None:
        self._due.pop(uid, None)

    def ring(self) -> set[str]:
        """The namespaces where something is due now."""
        rung = set()
        while self._alarms and self._alarms[0][0] <= self._clock.now():
            rung.add(heapq.heappop(self._alarms)[1])
        return rung

    def next(self) -> float | None:
        """The moment of the next alarm."""
        return self._alarms[0][0] if self._alarms else None
