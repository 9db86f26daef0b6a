"""Facts and a hub's description → what stands in the way. Pure, so every sentence has a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from deployments.naming import OWNER_TAG, Names
from deployments.spec import HubSpec

#: What the plan does in Azure, as rights of the identity that does it.
NEEDED_ACTIONS = {
    "Microsoft.Resources/subscriptions/resourceGroups/write": "make a resource group",
    "Microsoft.Resources/subscriptions/resourceGroups/delete": "delete a resource group",
    "Microsoft.ContainerService/managedClusters/write": "make a cluster",
    "Microsoft.ContainerService/managedClusters/delete": "delete a cluster",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action": "sign in to the cluster",
}
NEEDED_PROVIDERS = (
    "Microsoft.ContainerService",
    "Microsoft.Compute",
    "Microsoft.Network",
    "Microsoft.Storage",
    "Microsoft.ManagedIdentity",
)


@dataclass(frozen=True)
class Finding:
    """What, why, what to do, and at which field of the form. Errors block, warnings do not."""

    severity: Literal["error", "warning"]
    code: str
    what: str
    remedy: str
    field: str = ""


@dataclass(frozen=True)
class SizeFact:
    family: str
    vcpus: int
    restricted: bool


@dataclass(frozen=True)
class CoresFact:
    label: str
    used: int
    limit: int


@dataclass(frozen=True)
class Facts:
    """What a fresh look at the cloud told. `taken_group_owner` is None where the group's name is free."""

    subscription_name: str
    subscription_state: str
    allows: Callable[[str], bool]
    providers: Mapping[str, str]
    sizes: Mapping[str, SizeFact]
    quotas: Mapping[str, CoresFact]
    versions: tuple[str, ...]
    taken_group_owner: str | None = None
    #: True once our own cluster exists: then its cores are in use already and count no second time.
    own_cluster_exists: bool = False
    chart_versions: tuple[str, ...] = field(default=())


def findings(facts: Facts, spec: HubSpec, names: Names) -> list[Finding]:
    """Everything that stands in the way, in the order in which a person would mend it."""
    checks = (_subscription, _rights, _providers, _size, _quota, _version, _names)
    return [finding for check in checks for finding in check(facts, spec, names)]


def _subscription(facts: Facts, _spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.subscription_state not in ("Enabled", "Warned"):
        yield Finding(
            "error",
            "subscription-disabled",
            f"The subscription {facts.subscription_name} is {facts.subscription_state.lower()}: Azure makes nothing.",
            "Choose another subscription, or ask its owner to enable it in the Azure portal.",
            "subscription",
        )


def _rights(facts: Facts, _spec: HubSpec, _names: Names) -> Iterator[Finding]:
    missing = {action: what for action, what in NEEDED_ACTIONS.items() if not facts.allows(action)}
    if missing:
        yield Finding(
            "error",
            "rights-missing",
            f"Slipway may not {', '.join(missing.values())} in {facts.subscription_name}.",
            "Ask the subscription's owner to give Slipway's identity the role Contributor there. It lacks: "
            + ", ".join(missing),
            "subscription",
        )


def _providers(facts: Facts, _spec: HubSpec, _names: Names) -> Iterator[Finding]:
    missing = [name for name in NEEDED_PROVIDERS if facts.providers.get(name) not in ("Registered", "Registering")]
    if missing:
        yield Finding(
            "error",
            "provider-not-registered",
            f"The subscription {facts.subscription_name} has not switched on {', '.join(missing)}.",
            "Its owner can do that in the Azure portal under Resource providers; it takes some minutes.",
            "subscription",
        )


def _size(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    size = facts.sizes.get(spec.node_size)
    if size is None or size.restricted:
        yield Finding(
            "error",
            "size-not-offered",
            f"Azure does not offer {spec.node_size} to this subscription in {spec.region}.",
            "Choose another node size or region.",
            "node_size",
        )


def _quota(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    size = facts.sizes.get(spec.node_size)
    if size is None or facts.own_cluster_exists:
        return
    needed = size.vcpus * spec.node_count
    for key in ("cores", size.family.lower()):
        quota = facts.quotas.get(key)
        left = quota.limit - quota.used if quota else 0
        if quota is None or left < needed:
            label = quota.label if quota else size.family
            yield Finding(
                "error",
                "quota",
                f"This hub needs {needed} cores; of “{label}” only {max(left, 0)} are left in {spec.region}.",
                "Choose fewer or smaller nodes or another region, or ask Azure for more quota.",
                "node_count",
            )
        elif left < needed + size.vcpus:
            yield Finding(
                "warning",
                "quota-surge",
                f"Of “{quota.label}” {left - needed} cores stay free: an upgrade needs {size.vcpus} for a spare node.",
                "Ask Azure for more quota before you upgrade.",
                "node_count",
            )


def _version(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if spec.kubernetes_version not in facts.versions:
        yield Finding(
            "error",
            "version-not-offered",
            f"Azure does not offer Kubernetes {spec.kubernetes_version} in {spec.region} any more.",
            f"Choose one of {', '.join(facts.versions)}.",
            "kubernetes_version",
        )


def _names(facts: Facts, _spec: HubSpec, names: Names) -> Iterator[Finding]:
    if facts.taken_group_owner is not None and facts.taken_group_owner != names.owner:
        yield Finding(
            "error",
            "group-taken",
            f"A resource group called {names.group} exists already and is not ours (no tag {OWNER_TAG}).",
            "Choose another hub name.",
            "name",
        )
