"""The seed of all that is left to chance here: SLIPWAY_SEED, else a new one each time; printed with every figure."""

from __future__ import annotations

import os
import random

SEED = int(os.environ.get("SLIPWAY_SEED") or random.SystemRandom().randrange(10**6))
#: `make chaos` does all of it; `make test` a little of everything.
FULL = os.environ.get("SLIPWAY_CHAOS") == "full"


def chance(what: str) -> random.Random:
    """Chances of their own for each test: what one draws does not shift another's."""
    return random.Random(f"{SEED} {what}")
