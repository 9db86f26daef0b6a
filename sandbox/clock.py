"""Simulated durations on the real clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Tells when a thing that takes so long in reality is done here."""

    def __init__(self, speed: float) -> None:
        self.speed = speed

    def now(self) -> float:
        """Seconds since the epoch, unscaled."""
        return time.time()

    def scaled(self, seconds: float) -> float:
        return seconds / self.speed

    def after(self, seconds: float) -> float:
        return self.now() + self.scaled(seconds)

    def iso(self, moment: float | None = None) -> str:
        """RFC 3339 to the second, as Azure and Kubernetes write it."""
        at = datetime.fromtimestamp(self.now() if moment is None else moment, UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
