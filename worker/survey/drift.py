"""What somebody has changed by hand, outside of Slipway: as Azure's lists show it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cloud.azure.clusters import Cluster, NodePool
from cloud.azure.groups import ResourceGroup
from cloud.azure.node_pools import ClusterWithPools, PoolFound
from deployments.models import Deployment
from deployments.naming import OWNER_TAG
from deployments.pools import wanted_pools
from deployments.spec import HubSpec
from deployments.states import Lifecycle
from worker.steps.reshape import BUSY, SYSTEM, differs, nodes, size
from worker.survey.seen import Seen

RETAG = (
    "Set the tag {tag}={id} on it again in the Azure portal. Until then Slipway cannot know that it is this hub's, and"
    " touches nothing there."
)
#: Purpose of the secret that a registry made anew has to be given.
REGISTRY = "registry-token"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as described: what, what to do about it, and whether putting it back does that.

    `renews` names the secret that has to be made anew with it.
    """

    what: str
    remedy: str = ""
    mends: bool = True
    renews: str = ""

    def as_detail(self) -> dict[str, Any]:
        return asdict(self)


def is_busy(found: ClusterWithPools) -> bool:
    """Azure is at work on it: what it shows now is neither the one nor the other."""
    return found.cluster.state in BUSY or any(pool.state in BUSY for pool in found.pools)


def in_azure(hub: Deployment, seen: Seen, found: ClusterWithPools, registry_id: str) -> list[Difference]:
    """What differs in Azure, of a hub whose things bear its tag."""
    running = found.cluster.power == "Running"
    if hub.lifecycle == Lifecycle.STOPPED:
        return [Difference("Its machines run, although the hub was stopped here. They cost money.")] if running else []
    if not running:
        return [Difference("Its machines were switched off outside of Slipway, so nobody can use the hub.")]
    spec = hub.revision.spec
    return [
        *_control_plane(spec, found.cluster),
        *_pools(found.pools, wanted_pools(spec)),
        *_registry(hub, spec, seen, registry_id),
    ]


def untagged(hub: Deployment, group: ResourceGroup, cluster: Cluster) -> Iterator[Difference]:
    """What lost the hub's tag. Nothing else counts then: nothing may be touched."""
    for kind, thing in (("resource group", group), ("cluster", cluster)):
        if thing.tags.get(OWNER_TAG) != hub.names.owner:
            what = f"The {kind} {thing.name} no longer carries this hub's tag."
            yield Difference(what, RETAG.format(tag=OWNER_TAG, id=hub.id), mends=False)


def _control_plane(spec: HubSpec, cluster: Cluster) -> Iterator[Difference]:
    if cluster.tier and cluster.tier != spec.tier:
        yield Difference(f"The cluster is in the {cluster.tier} tier instead of {spec.tier}.")
    # Azure brings newer patches by itself: only the minor version is somebody's doing.
    there, described = _minor(cluster.kubernetes_version), _minor(spec.kubernetes_version)
    if there != described:
        what = f"Kubernetes {cluster.kubernetes_version} runs instead of {spec.kubernetes_version}."
        remedy = "Azure cannot go back. Choose the same version on the hub's page, so that both agree."
        yield Difference(what, remedy if there > described else "", mends=there < described)


def _pools(found: tuple[PoolFound, ...], wanted: tuple[NodePool, ...]) -> Iterator[Difference]:
    present = {pool.name: pool for pool in found}
    for pool in wanted:
        there = present.pop(pool.name, None)
        if there is None:
            yield Difference(f"The nodes “{pool.name}” were removed.")
        elif there.vm_size.lower() != pool.vm_size.lower():
            remedy = "Azure cannot exchange these while the hub stands." if there.mode == SYSTEM else ""
            what = f"The nodes “{pool.name}” are {there.vm_size} instead of {pool.vm_size}."
            yield Difference(what, remedy, mends=not remedy)
        elif differs(there, pool):
            yield Difference(f"The nodes “{pool.name}”: {size(there)} instead of {_wanted(pool)}.")
    for name, extra in present.items():
        what = f"There are nodes “{name}” ({size(extra)}, {extra.vm_size}) that nobody asked for here."
        yield Difference(what, "Putting it back removes them.")


def _wanted(pool: NodePool) -> str:
    return f"{pool.min_count} to {pool.max_count} nodes" if pool.max_count is not None else nodes(pool.count)


def _registry(hub: Deployment, spec: HubSpec, seen: Seen, registry_id: str) -> Iterator[Difference]:
    if spec.registry == "acr" and not seen.has(registry_id):
        what = f"The container registry {hub.names.registry} is gone, with all images in it."
        yield Difference(
            what, "Putting it back makes an empty one; images are built again when they are asked for.", renews=REGISTRY
        )


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
