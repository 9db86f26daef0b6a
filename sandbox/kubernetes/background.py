"""The controllers' loop: looks where something changed or is due, and sleeps otherwise."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable

from sandbox.core import Core
from sandbox.kubernetes import external
from sandbox.kubernetes.clusters import Cluster, Clusters
from sandbox.kubernetes.controllers import balancers, deployments, kubelet, nodes, placing, sets, upkeep, volumes
from sandbox.kubernetes.controllers.look import Look

#: Changes that come together are looked at together.
PAUSE_SECONDS = 0.02
#: A look is repeated while it changes something, at most so often.
ROUNDS = 8
CONTROLLERS: tuple[Callable[[Look], None], ...] = (
    upkeep.accounts,
    deployments.reconcile,
    sets.reconcile,
    volumes.reconcile,
    placing.reconcile,
    kubelet.reconcile,
    upkeep.endpoints,
    balancers.reconcile,
    upkeep.budgets,
    upkeep.garbage,
)
#: What goes on in a namespace that is being deleted.
CLOSING = (volumes.reconcile, kubelet.reconcile, balancers.reconcile, upkeep.garbage)


async def run(core: Core) -> None:
    """Runs until cancelled. `SANDBOX_CONTROLLERS=off` leaves an API server without controllers."""
    if not core.config.controllers:
        return
    clusters: Clusters = core.services["kubernetes"]
    if clusters.api is not None:
        await external.run(clusters, clusters.api)
    while True:
        clusters.wake.clear()
        _look_around(clusters)
        await asyncio.sleep(PAUSE_SECONDS)
        await _until_something(clusters)


async def _until_something(clusters: Clusters) -> None:
    due = [moment for cluster in clusters.live.values() if (moment := cluster.timers.next()) is not None]
    left = max(0.0, min(due) - clusters.core.clock.now()) if due else None
    try:
        await asyncio.wait_for(clusters.wake.wait(), left)
    except TimeoutError:
        return


def _look_around(clusters: Clusters) -> None:
    for key, cluster in list(clusters.live.items()):
        dirty = cluster.dirty | cluster.timers.ring()
        cluster.dirty = set()
        if clusters.about(key)["running"]:
            for namespace in sorted(dirty):
                _safely(clusters, cluster, namespace)


def _safely(clusters: Clusters, cluster: Cluster, namespace: str) -> None:
    """One broken object must not stop the other clusters."""
    try:
        _look_at(Look(clusters, cluster, namespace))
    except Exception:
        traceback.print_exc(file=sys.stderr)


def _look_at(look: Look) -> None:
    if look.namespace == "":
        nodes.reconcile(look)
        return
    for _ in range(ROUNDS):
        before = look.store.version
        for controller in CLOSING if upkeep.ending(look) else CONTROLLERS:
            controller(look)
        if look.store.version == before or look.store.get("namespaces", "", look.namespace) is None:
            return
