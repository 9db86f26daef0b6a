"""What Azure offers this identity: subscriptions, regions, machine sizes, quotas, Kubernetes versions."""

from dataclasses import dataclass
from typing import Any

from cloud.azure.enums import word
from cloud.azure.session import AzureSession
from cloud.azure.translate import translated

#: The support plan that every cluster has; a version without it is for those that pay for a longer one.
OFFICIAL = "KubernetesOfficial"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription; `quota_id` tells a free trial (`FreeTrial_2014-09-01`) from one that pays."""

    id: str
    name: str
    state: str
    tenant_id: str
    quota_id: str


@dataclass(frozen=True, slots=True)
class Region:
    """A physical region."""

    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class NodeSize:
    """A size of virtual machine; `restricted` when this subscription may not use it in this region."""

    name: str
    family: str
    vcpus: int
    memory_gib: float
    restricted: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of something the subscription may use in a region, and does use."""

    name: str
    label: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        """Never below zero, though Azure lets a lowered limit be overdrawn."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class KubernetesVersion:
    """A version that new clusters may have, patch number included.

    One that is `is_long_term` only those may have that pay for long-term support.
    """

    version: str
    is_default: bool
    is_preview: bool
    is_long_term: bool = False

    @property
    def is_for_everybody(self) -> bool:
        return not self.is_preview and not self.is_long_term


def list_subscriptions(az: AzureSession) -> list[Subscription]:
    """The subscriptions the portal's identity has a role on, by name."""
    with translated("list the subscriptions"):
        return sorted((_subscription(found) for found in az.subscriptions().subscriptions.list()), key=lambda s: s.name)


def list_regions(az: AzureSession, subscription: str) -> list[Region]:
    """The regions that are real places, by their English names."""
    with translated("list the regions"):
        found = az.subscriptions().subscriptions.list_locations(subscription)
        places = [place for place in found if _is_physical(place)]
        regions = [Region(place.name or "", place.display_name or place.name or "") for place in places]
        return sorted(regions, key=lambda region: region.display_name)


def list_node_sizes(az: AzureSession, subscription: str, region: str) -> list[NodeSize]:
    """Every machine size known in the region, small ones first; look at `restricted` before offering one."""
    with translated(f"list the machine sizes of {region}"):
        found = az.compute(subscription).resource_skus.list(filter=f"location eq '{region}'")
        sizes = [_node_size(sku, region) for sku in found if sku.resource_type == "virtualMachines"]
        return sorted(sizes, key=lambda size: (size.vcpus, size.memory_gib, size.name))


def list_quotas(az: AzureSession, subscription: str, region: str) -> dict[str, Quota]:
    """CPU quotas by lowercase key; a hub must fit both `cores` and the key of its size's family."""
    with translated(f"read the quotas of {region}"):
        quotas = [_quota(usage) for usage in az.compute(subscription).usage.list(region)]
        return {quota.name.lower(): quota for quota in quotas}


def list_kubernetes_versions(az: AzureSession, subscription: str, region: str) -> list[KubernetesVersion]:
    """Versions new clusters may have here, newest first; the newest patch of the default minor is the default."""
    with translated(f"list the Kubernetes versions of {region}"):
        minors = az.clusters(subscription).managed_clusters.list_kubernetes_versions(region).values_property or []
        found = [version for minor in minors for version in _patches(minor)]
        return sorted(found, key=lambda version: _numbers(version.version), reverse=True)


def _subscription(found: Any) -> Subscription:
    policies = found.subscription_policies
    return Subscription(
        id=found.subscription_id or "",
        name=found.display_name or "",
        state=word(found.state),
        tenant_id=found.tenant_id or "",
        quota_id=(policies.quota_id if policies else "") or "",
    )


def _is_physical(place: Any) -> bool:
    return bool(place.metadata) and word(place.metadata.region_type) == "Physical"


def _node_size(sku: Any, region: str) -> NodeSize:
    able = {capability.name: capability.value for capability in sku.capabilities or []}
    return NodeSize(
        name=sku.name or "",
        family=sku.family or "",
        vcpus=int(float(able.get("vCPUs") or 0)),
        memory_gib=float(able.get("MemoryGB") or 0),
        restricted=any(_closes(restriction, region) for restriction in sku.restrictions or []),
    )


def _closes(restriction: Any, region: str) -> bool:
    """Zone restrictions leave the other zones usable; one of type Location closes the whole region."""
    places = restriction.values_property or []
    return word(restriction.type) == "Location" and (not places or region.lower() in {p.lower() for p in places})


def _quota(usage: Any) -> Quota:
    name = usage.name.value or ""
    return Quota(name=name, label=usage.name.localized_value or name, used=usage.current_value, limit=usage.limit)


def _patches(minor: Any) -> list[KubernetesVersion]:
    patches = sorted(minor.patch_versions or {}, key=_numbers) or [minor.version]
    plans = [word(plan) for plan in (minor.capabilities.support_plan if minor.capabilities else None) or []]
    preview, long_term = bool(minor.is_preview), bool(plans) and OFFICIAL not in plans
    return [
        KubernetesVersion(patch, bool(minor.is_default) and patch == patches[-1], preview, long_term)
        for patch in patches
    ]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
