"""What Azure allows: the subscription, rights, services, policies, machines, cores, versions."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.naming import Names
from deployments.preflight.facts import Check, Facts, Finding, SizeFact, error, warning
from deployments.spec import HubSpec

#: What the plan does in Azure, as rights of the identity that does it.
BASE_ACTIONS = {
    "Microsoft.Resources/subscriptions/resourceGroups/write": "make a resource group",
    "Microsoft.Resources/subscriptions/resourceGroups/delete": "delete a resource group",
    "Microsoft.ContainerService/managedClusters/write": "make a cluster",
    "Microsoft.ContainerService/managedClusters/delete": "delete a cluster",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action": "sign in to the cluster",
}
REGISTRY_ACTIONS = {
    "Microsoft.ContainerRegistry/registries/write": "make a container registry",
    "Microsoft.ContainerRegistry/registries/delete": "delete a container registry",
    "Microsoft.Authorization/roleAssignments/write": "let the cluster read the registry",
}
REGISTER_ACTION = "/register/action"
NEEDED_PROVIDERS = (
    "Microsoft.ContainerService",
    "Microsoft.Compute",
    "Microsoft.Network",
    "Microsoft.Storage",
    "Microsoft.ManagedIdentity",
)
REGISTRY_PROVIDER = "Microsoft.ContainerRegistry"
#: Azure's advice for the machines that a cluster's own parts run on.
ADVISED_CPUS = 4
FREE_TIER_NODES = 10


def needed_actions(spec: HubSpec) -> dict[str, str]:
    return BASE_ACTIONS | (REGISTRY_ACTIONS if spec.registry == "acr" else {})


def needed_providers(spec: HubSpec) -> tuple[str, ...]:
    return (*NEEDED_PROVIDERS, REGISTRY_PROVIDER) if spec.registry == "acr" else NEEDED_PROVIDERS


def _subscription(facts: Facts, _spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.subscription_state not in (None, "Enabled", "Warned"):
        yield error(
            "subscription-disabled",
            f"The subscription {facts.subscription_name} is {str(facts.subscription_state).lower()}:"
            " Azure makes nothing there.",
            "Choose another subscription, or ask its owner to enable it in the Azure portal.",
            "subscription_id",
        )


def _rights(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.allows is None:
        return
    missing = {action: what for action, what in needed_actions(spec).items() if not facts.allows(action)}
    if not missing:
        return
    roles = ["Contributor"] if set(missing) - {"Microsoft.Authorization/roleAssignments/write"} else []
    if "Microsoft.Authorization/roleAssignments/write" in missing:
        roles.append("Role Based Access Control Administrator")
    yield error(
        "rights-missing",
        f"Slipway may not {_list(list(missing.values()))} in {facts.subscription_name}.",
        f"Send the text below to whoever owns the subscription: Slipway needs the role {_list(roles)} there."
        f" It lacks: {', '.join(missing)}.",
        "subscription_id",
        _letter(facts, spec, roles, list(missing)),
    )


def _letter(facts: Facts, spec: HubSpec, roles: list[str], actions: list[str]) -> str:
    return (
        f"Please give {facts.identity} the role {_list(roles)} on the subscription {facts.subscription_name}"
        f" ({spec.subscription_id}). Slipway, our portal for BinderHubs, makes and removes one resource group with a"
        f" Kubernetes cluster there for each approved request. The actions it lacks now: {', '.join(actions)}."
    )


def _providers(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.providers is None:
        return
    wanted = needed_providers(spec)
    missing = [name for name in wanted if facts.providers.get(name) not in ("Registered", "Registering")]
    if not missing:
        return
    if facts.allows is not None and all(facts.allows(f"{name}{REGISTER_ACTION}") for name in missing):
        yield warning(
            "provider-registers",
            f"The subscription {facts.subscription_name} has not switched on {_list(missing)} yet.",
            "Nothing to do: Slipway switches this on first, which takes some minutes.",
            "subscription_id",
        )
        return
    yield error(
        "provider-not-registered",
        f"The subscription {facts.subscription_name} has not switched on {_list(missing)}, and Slipway may not do it.",
        "Its owner can do that in the Azure portal under Resource providers; it takes some minutes.",
        "subscription_id",
        f"Please register these resource providers in the subscription {facts.subscription_name}"
        f" ({spec.subscription_id}): {', '.join(missing)}. In the Azure portal: Subscriptions, Resource providers,"
        " Register.",
    )


def _policies(facts: Facts, _spec: HubSpec, _names: Names) -> Iterator[Finding]:
    for denial in facts.denials:
        yield error(
            "policy-denies",
            f"The policy “{denial.policy}” of {facts.subscription_name} does not allow {denial.refuses} like this.",
            "Choose what the policy allows (often the region or the size), or ask the subscription's owner for an"
            " exemption.",
            "region",
        )


def _pools(spec: HubSpec) -> list[tuple[str, str, int, str]]:
    """(size, its field, how many at the most, the count's field) of every pool."""
    pools = [(spec.node_size, "node_size", spec.node_count, "node_count")]
    if spec.has_user_pool:
        pools.append((spec.user_node_size, "user_node_size", spec.user_nodes_max, "user_nodes_max"))
    return pools


def _size(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.sizes is None:
        return
    for name, field, _count, _count_field in _pools(spec):
        size = facts.sizes.get(name)
        if size is None:
            yield error(
                "size-not-offered",
                f"Azure does not offer {name} to this subscription in {spec.region}.",
                "Choose another node size or region.",
                field,
            )
        elif size.restricted:
            yield error(
                "size-restricted",
                f"Azure has closed {name} in {spec.region} for this subscription.",
                "Choose another node size or region, or ask Azure to open it.",
                field,
            )


def _advice(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    size = (facts.sizes or {}).get(spec.node_size)
    if size is None:
        return
    if spec.node_size.startswith("Standard_B"):
        yield warning(
            "size-burstable",
            f"{spec.node_size} slows down after some time of full use; Azure advises against it for clusters.",
            "Choose a size of the D series if you can.",
            "node_size",
        )
    elif size.vcpus < ADVISED_CPUS and _has_room(facts, size, spec):
        yield warning(
            "size-small",
            f"Azure advises at least {ADVISED_CPUS} CPUs for the nodes that a cluster's own parts run on.",
            "Two CPUs are enough to try things out; for a workshop choose a size with four.",
            "node_size",
        )


def _has_room(facts: Facts, size: SizeFact, spec: HubSpec) -> bool:
    cores = (facts.quotas or {}).get("cores")
    return cores is not None and cores.limit - cores.used >= ADVISED_CPUS * spec.node_count


def _quota(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.sizes is None or facts.quotas is None or facts.own_cluster_exists:
        return
    needs: dict[str, int] = {}
    surge = 0
    for name, _field, count, _count_field in _pools(spec):
        if size := facts.sizes.get(name):
            surge = max(surge, size.vcpus)
            for key in ("cores", size.family.lower()):
                needs[key] = needs.get(key, 0) + size.vcpus * count
    for key, needed in needs.items():
        yield from _quota_of(facts, spec, key, needed, surge)


def _quota_of(facts: Facts, spec: HubSpec, key: str, needed: int, surge: int) -> Iterator[Finding]:
    quota = (facts.quotas or {}).get(key)
    left = quota.limit - quota.used if quota else 0
    label = quota.label if quota else key
    if left < needed:
        yield error(
            "quota" if key == "cores" else "quota-family",
            f"This hub needs {needed} cores; of “{label}” only {max(left, 0)} are left in {spec.region}.",
            "Choose fewer or smaller nodes or another region, or ask Azure for more quota.",
            "node_count",
        )
    elif left < needed + surge:
        yield warning(
            "quota-surge",
            f"Of “{label}” {left - needed} cores stay free: an upgrade needs {surge} for a spare node.",
            "Ask Azure for more quota before you upgrade.",
            "node_count",
        )


def _version(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.versions is None or spec.kubernetes_version in facts.versions or facts.own_cluster_exists:
        return
    if spec.kubernetes_version in facts.previews:
        yield error(
            "version-preview",
            f"Kubernetes {spec.kubernetes_version} is only a preview in {spec.region}.",
            f"Choose one of {', '.join(facts.versions)}.",
            "kubernetes_version",
        )
        return
    yield error(
        "version-not-offered",
        f"Azure does not offer Kubernetes {spec.kubernetes_version} in {spec.region} any more.",
        f"Choose one of {', '.join(facts.versions)}.",
        "kubernetes_version",
    )


def _tier(_facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    nodes = spec.node_count + (spec.user_nodes_max if spec.has_user_pool else 0)
    if spec.tier == "Free" and nodes >= FREE_TIER_NODES:
        yield warning(
            "tier-free",
            f"The Free tier is meant for clusters of fewer than {FREE_TIER_NODES} nodes; this hub may have {nodes}.",
            "Choose the Standard tier for a hub that people rely on.",
            "tier",
        )


def _list(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


CHECKS: tuple[Check, ...] = (_subscription, _rights, _providers, _policies, _size, _advice, _quota, _version, _tier)
