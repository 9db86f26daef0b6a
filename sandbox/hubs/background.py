"""The hubs' own loop: sockets follow the load balancers, idle servers are culled, dead hubs are forgotten."""

from __future__ import annotations

import asyncio
import contextlib

from sandbox.core import Core
from sandbox.faults import FaultMiddleware
from sandbox.hubs.certificates import Certificates
from sandbox.hubs.listeners import Listeners
from sandbox.hubs.site import Site
from sandbox.hubs.world import World

LOOK_EVERY_SECONDS = 0.5
#: JupyterHub's culler looks every ten minutes of simulated time, but not more often than this.
CULL_EVERY_SECONDS = 600
CULL_AT_MOST_EVERY_SECONDS = 0.5


async def run(core: Core) -> None:
    """Serves every installed hub until cancelled; nothing at all when hubs are off."""
    if not core.config.hubs:
        return
    world = World(core)
    site, certificates = Site(world), Certificates(world)
    core.services["certificates"] = certificates
    listeners = Listeners(world, certificates, FaultMiddleware(site, core, door="hub"))
    next_cull = 0.0
    try:
        while True:
            await listeners.follow()
            if world.clock.now() >= next_cull:
                site.spawner.cull()
                _forget_the_gone(world, certificates)
                next_cull = world.clock.now() + max(CULL_AT_MOST_EVERY_SECONDS, world.clock.scaled(CULL_EVERY_SECONDS))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(listeners.news.wait(), LOOK_EVERY_SECONDS)
            listeners.news.clear()
    finally:
        listeners.close()
        await world.close()


def _forget_the_gone(world: World, certificates: Certificates) -> None:
    """A hub whose database volume or Secret is gone has no users any more, and no certificate."""
    for key in {*world.ledger.known_hubs(), *certificates.known()}:
        cluster, namespace = key.rstrip("/").split("/", 1)
        hub = world.hub(cluster, namespace)
        if hub is None or hub.get("secrets", "hub") is None:
            world.ledger.forget(key)
            certificates.forget(key)
