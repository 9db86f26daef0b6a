"""A whole stack for what happens to it: nearly as fast as its programs can go."""

from __future__ import annotations

import os
from pathlib import Path

from bootstrap.stack import Stack

QUICK = {
    "SLIPWAY_POLL_SECONDS": "0.05",
    "SLIPWAY_LEASE_SECONDS": "1",
    "SLIPWAY_LIST_LAG_SECONDS": "0.3",
    "SLIPWAY_HELM_STUCK_SECONDS": "0.5",
    "SLIPWAY_CATALOGUE_SECONDS": "86400",
}


def stack_of(home: Path, *, speed: float = 1000, workers: int = 1, **settings: str) -> Stack:
    """Not started yet; `speed` is that of the simulated cloud, `settings` go to every process."""
    helm = os.environ.get("HELM_BINARY")
    return Stack(home, speed=speed, workers=workers, helm=Path(helm) if helm else None, extra_env=QUICK | settings)
