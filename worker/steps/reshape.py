"""A cluster that stands is brought to what its description says now: control plane, node pools, power."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from cloud.azure import clusters, node_pools
from cloud.azure.clusters import Cluster as AksCluster
from cloud.azure.clusters import NodePool
from cloud.azure.node_pools import PoolFound
from cloud.errors import Conflict, PermanentError
from deployments.pools import wanted_pools
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps.cluster import BROKEN, KIND
from worker.steps.group import not_ours

BUSY = ("Creating", "Updating", "Upgrading", "Scaling", "Starting", "Stopping", "Deleting", "Migrating", "Canceling")
#: What somebody's wish to cancel leaves: a pool that is half changed, whatever its figures say.
HALF_CHANGED = "Canceled"
SYSTEM = "System"


class OnCluster(Step[HubContext]):
    """A step about a cluster that is there and ours. One that Azure is busy with is waited for."""

    def check(self, ctx: HubContext) -> Found:
        cluster = ctx.cluster()
        if cluster is None:
            return Found.failed(
                PermanentError("The hub's cluster is not there any more.", "Take the hub down and request it anew.")
            )
        if not ctx.is_ours(cluster.tags):
            return Found.failed(not_ours(KIND, cluster.name))
        if cluster.state in BUSY:
            told = f"Azure is at work on the cluster ({cluster.state.lower()})"
            return Found.changing(told, watch=ctx.watch_cluster(cluster.state))
        return self.look(ctx, cluster)

    @abstractmethod
    def look(self, ctx: HubContext, cluster: AksCluster) -> Found:
        """Tells how things stand on a cluster that is at rest."""

    def broken(self, ctx: HubContext, cluster: AksCluster) -> Found | None:
        """The failure of the change that this very step began; an older one is simply tried again."""
        if cluster.state not in BROKEN or not ctx.run.token:
            return None
        change = clusters.poll_change(ctx.az, ctx.subscription, ctx.run.token)
        return Found.failed(change.error) if change.error else None


def place(ctx: HubContext) -> tuple[str, str, str]:
    return ctx.subscription, ctx.names.group, ctx.names.cluster


class ControlPlane(OnCluster):
    """Kubernetes' own version, one minor at a time, and the cluster's tier. Azure cannot go back."""

    name, title, expected, deadline = "control-plane", "Kubernetes version", 300, 60 * 60
    after: tuple[str, ...] = ("preflight", "start")

    def look(self, ctx: HubContext, cluster: AksCluster) -> Found:
        if failed := self.broken(ctx, cluster):
            return failed
        wanted = ctx.spec
        # Azure applies patches by itself: a newer patch of the wanted minor version is what we want too.
        current = _number(cluster.kubernetes_version) >= _number(wanted.kubernetes_version)
        if cluster.state in BROKEN:
            return Found.drifted("the last change of the cluster was not finished")
        if current and cluster.tier in ("", wanted.tier):
            return Found.ready(f"Kubernetes {cluster.kubernetes_version}, {wanted.tier} tier")
        return Found.drifted(f"Kubernetes {cluster.kubernetes_version}, {cluster.tier} tier")

    def apply(self, ctx: HubContext) -> None:
        cluster = ctx.cluster()
        if cluster is None:
            return
        newest = max((cluster.kubernetes_version, ctx.spec.kubernetes_version), key=_number)
        ctx.log(f"Asking Azure for Kubernetes {newest} in the {ctx.spec.tier} tier.")
        ctx.hold()
        token = clusters.update_cluster(ctx.az, *place(ctx), kubernetes_version=newest, tier=ctx.spec.tier)
        ctx.keep_token(token)

    def abort(self, ctx: HubContext) -> None:
        cluster = ctx.cluster()
        if ctx.run.token and cluster is not None and ctx.is_ours(cluster.tags) and cluster.state in BUSY:
            ctx.log("Asking Azure to stop changing the cluster.")
            clusters.abort_cluster(ctx.az, *place(ctx))


class NodePools(OnCluster):
    """Each pool in turn: made, resized, moved to the control plane's version, removed."""

    name, title, after, expected, deadline = "pools", "Node pools", ("control-plane",), 240, 90 * 60

    def look(self, ctx: HubContext, cluster: AksCluster) -> Found:
        found = node_pools.list_pools(ctx.az, *place(ctx))
        busy = [pool for pool in found if pool.state in BUSY]
        if busy:
            return Found.changing(f"Azure is at work on the nodes “{busy[0].name}” ({busy[0].state.lower()})")
        work = _next_work(found, wanted_pools(ctx.spec), cluster.kubernetes_version)
        if work is None:
            return Found.ready(", ".join(f"{pool.name}: {size(pool)}" for pool in found))
        return Found.drifted(work.told)

    def apply(self, ctx: HubContext) -> None:
        cluster = ctx.cluster()
        found = node_pools.list_pools(ctx.az, *place(ctx))
        work = _next_work(found, wanted_pools(ctx.spec), cluster.kubernetes_version) if cluster else None
        if work is None or cluster is None:
            return
        ctx.log(f"{work.told[0].upper()}{work.told[1:]}.")
        ctx.hold()
        try:
            if work.pool is None:
                node_pools.delete_pool(ctx.az, *place(ctx), work.name)
            else:
                node_pools.put_pool(ctx.az, *place(ctx), work.pool, work.version)
                ctx.keep_token(work.name)
        except Conflict:
            ctx.log("Azure is still busy with the cluster; trying again.")

    def abort(self, ctx: HubContext) -> None:
        """Stops the change of the pool that this very step began; what Azure does by itself goes on."""
        cluster = ctx.cluster()
        if not ctx.run.token or cluster is None or not ctx.is_ours(cluster.tags):
            return
        mine = (pool for pool in node_pools.list_pools(ctx.az, *place(ctx)) if pool.name == ctx.run.token)
        for pool in mine:
            if pool.state in BUSY:
                ctx.log(f"Asking Azure to stop changing the nodes “{pool.name}”.")
                node_pools.abort_pool(ctx.az, *place(ctx), pool.name)


class _Work:
    """One thing to do to one pool: `pool` None removes it."""

    def __init__(self, name: str, told: str, pool: NodePool | None = None, version: str = "") -> None:
        self.name, self.told, self.pool, self.version = name, told, pool, version


def _next_work(found: list[PoolFound], wanted: tuple[NodePool, ...], version: str) -> _Work | None:
    present = {pool.name: pool for pool in found}
    for pool in wanted:
        there = present.get(pool.name)
        if there is None:
            return _Work(pool.name, f"adding the nodes “{pool.name}”", pool)
        if there.vm_size.lower() != pool.vm_size.lower() and pool.mode != SYSTEM:
            # Azure cannot change the size of machines that are there, nor do without those of the cluster's own parts.
            return _Work(pool.name, f"removing the nodes “{pool.name}” of size {there.vm_size}")
        if there.state == HALF_CHANGED or differs(there, pool) or _number(there.version) < _number(version):
            return _Work(pool.name, f"changing the nodes “{pool.name}”", _keeping_count(there, pool), version)
    unwanted = sorted(set(present) - {pool.name for pool in wanted})
    return _Work(unwanted[0], f"removing the nodes “{unwanted[0]}”") if unwanted else None


def differs(there: PoolFound, pool: NodePool) -> bool:
    """Whether a pool has another number of nodes than asked for; where nodes come and go by need, another range."""
    if pool.max_count is None:
        return there.autoscales or there.count != pool.count
    return (there.min_count, there.max_count) != (pool.min_count, pool.max_count)


def _keeping_count(there: PoolFound, pool: NodePool) -> NodePool:
    """Sessions are running on the nodes that the autoscaler has added: they stay."""
    if pool.min_count is None or pool.max_count is None:
        return pool
    return replace(pool, count=min(max(there.count, pool.min_count), pool.max_count))


def size(pool: PoolFound) -> str:
    """How many nodes a pool has, in words."""
    return f"{pool.min_count} to {pool.max_count} nodes" if pool.autoscales else nodes(pool.count)


def nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


class Stopped(OnCluster):
    """All nodes switched off; disks, addresses and settings stay."""

    name, title, expected, deadline = "stop", "Switch the nodes off", 120, 45 * 60

    def look(self, ctx: HubContext, cluster: AksCluster) -> Found:
        if cluster.power == "Stopped":
            return Found.ready("the nodes are off and cost nothing")
        return self.broken(ctx, cluster) or Found.drifted("the nodes are on")

    def apply(self, ctx: HubContext) -> None:
        ctx.hold()
        ctx.keep_token(clusters.stop_cluster(ctx.az, *place(ctx)))


class Started(OnCluster):
    """All nodes switched on again. The cluster may have another address for us then."""

    name, title, expected, deadline = "start", "Switch the nodes on", 180, 45 * 60

    def look(self, ctx: HubContext, cluster: AksCluster) -> Found:
        if cluster.power == "Running":
            ctx.forget_credentials()
            return Found.ready("the nodes are on")
        return self.broken(ctx, cluster) or Found.drifted("the nodes are off")

    def apply(self, ctx: HubContext) -> None:
        ctx.hold()
        ctx.keep_token(clusters.start_cluster(ctx.az, *place(ctx)))


class Awake(Started):
    """Somebody may have switched the nodes off in the Azure portal: nothing else can be put back before they are on."""

    after = ("preflight",)
