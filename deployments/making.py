"""What a hub is made of in Azure, as ARM is asked for it and as policies are asked about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud.azure.clusters import ClusterRequest, cluster_body
from cloud.azure.policies import Wanted
from deployments.naming import Names
from deployments.pools import wanted_pools
from deployments.spec import HubSpec

#: Azure Policy's own name for the size of a node pool's machines.
SIZE = "Microsoft.Compute/virtualMachineScaleSets/sku.name"
MACHINES = "Microsoft.Compute/virtualMachineScaleSets"
CLUSTER, REGISTRY = "Microsoft.ContainerService/managedClusters", "Microsoft.ContainerRegistry/registries"
#: Type → what a person calls it, and the version of the description. The last ones AKS makes by itself.
KINDS = {
    "Microsoft.Resources/subscriptions/resourceGroups": ("a resource group", "2022-09-01"),
    CLUSTER: ("a Kubernetes cluster", "2024-09-01"),
    REGISTRY: ("a container registry", "2023-07-01"),
    MACHINES: ("virtual machines", "2024-03-01"),
    "Microsoft.Compute/disks": ("a disk", "2023-10-02"),
    "Microsoft.Network/publicIPAddresses": ("a public address", "2024-05-01"),
    "Microsoft.Network/loadBalancers": ("a load balancer", "2024-05-01"),
}
#: What bears a name that we give it.
NAMED = ("Microsoft.Resources/subscriptions/resourceGroups", CLUSTER, REGISTRY)
STANDARD = {"sku": {"name": "Standard"}}
PLAIN: dict[str, dict[str, Any]] = {
    REGISTRY: {"sku": {"name": "Basic"}, "properties": {"adminUserEnabled": False}},
    "Microsoft.Network/publicIPAddresses": STANDARD | {"properties": {"publicIPAllocationMethod": "Static"}},
    "Microsoft.Network/loadBalancers": STANDARD,
}


def cluster_request(spec: HubSpec, names: Names) -> ClusterRequest:
    """The cluster of such a hub."""
    return ClusterRequest(
        subscription=spec.subscription_id,
        group=names.group,
        name=names.cluster,
        region=spec.region,
        dns_prefix=names.dns_label,
        kubernetes_version=spec.kubernetes_version,
        tier=spec.tier,
        pools=wanted_pools(spec),
        tags=names.tags,
    )


def named(spec: HubSpec, names: Names) -> list[Wanted]:
    """What we have made for such a hub, under names of its own, described as fully as we know it."""
    own = {
        "Microsoft.Resources/subscriptions/resourceGroups": {"name": names.group},
        CLUSTER: {"name": names.cluster} | cluster_body(cluster_request(spec, names)),
        REGISTRY: {"name": names.registry},
    }
    place = {"location": spec.region, "tags": names.tags}
    return [_wanted(kind, place | more) for kind, more in own.items() if kind != REGISTRY or spec.registry == "acr"]


def unnamed(spec: HubSpec, names: Names) -> list[Wanted]:
    """What AKS makes by itself for such a hub; it is the same for every hub with machines of these sizes there."""
    place = {"location": spec.region, "tags": names.tags}
    kinds = [kind for kind in KINDS if kind not in NAMED and kind != MACHINES]
    return [*(_wanted(kind, place) for kind in kinds), of_sizes(names.tags, spec.region, pool_sizes(spec))]


def pool_sizes(spec: HubSpec) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pool.vm_size for pool in wanted_pools(spec)))


def anywhere(tags: Mapping[str, str], regions: tuple[str, ...]) -> list[Wanted]:
    """What any hub is made of, while its region is undecided."""
    return [_wanted(kind, {"tags": dict(tags)}, {"location": regions}) for kind in KINDS]


def of_sizes(tags: Mapping[str, str], region: str, sizes: tuple[str, ...]) -> Wanted:
    """The machines of a hub, while their size is undecided."""
    return _wanted(MACHINES, {"location": region, "tags": dict(tags)}, {SIZE: sizes})


def _wanted(kind: str, more: Mapping[str, Any], undecided: Mapping[str, tuple[str, ...]] | None = None) -> Wanted:
    what, version = KINDS[kind]
    return Wanted(what, {"type": kind} | PLAIN.get(kind, {}) | dict(more), version, undecided or {})
