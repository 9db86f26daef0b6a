"""The sandbox's Azure moves on also while nobody asks."""

from __future__ import annotations

import asyncio

from sandbox.azure.due import settle
from sandbox.core import Core

LONGEST_NAP = 1.0  # seconds: something may become due that was not known when the nap began


async def run(core: Core) -> None:
    while True:
        moment = settle(core)
        nap = LONGEST_NAP if moment is None else max(0.01, min(LONGEST_NAP, moment - core.clock.now()))
        await asyncio.sleep(nap)
