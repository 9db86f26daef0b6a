"""Which handler serves which ARM path, and the right it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.azure import (
    agent_pools,
    cluster_actions,
    clusters,
    compute,
    groups,
    network,
    operations,
    policies,
    providers,
    registries,
    registries_tokens,
    resources,
    rights,
    role_assignments,
    role_definitions,
    subscriptions,
    upgrade_profiles,
    vaults,
)
from sandbox.azure.call import Handler

SUB = "/subscriptions/{subscription}"
GROUP = SUB + "/resourcegroups/{group}"
AKS = GROUP + "/providers/Microsoft.ContainerService/managedClusters"
CLUSTER = AKS + "/{name}"
POOL = CLUSTER + "/agentPools/{pool}"
VAULTS = GROUP + "/providers/Microsoft.KeyVault/vaults"
REGISTRIES = GROUP + "/providers/Microsoft.ContainerRegistry/registries"
REGISTRY = REGISTRIES + "/{name}"
ROLES = "{scope}/providers/Microsoft.Authorization/roleAssignments"
DEFINITIONS = "{scope}/providers/Microsoft.Authorization/roleDefinitions"
DEFINE = "Microsoft.Authorization/roleDefinitions"


@dataclass(frozen=True)
class Row:
    method: str
    pattern: re.Pattern[str]
    action: str
    handler: Handler

    def action_for(self, params: dict[str, str]) -> str:
        """The action needed, for the type in the path where the pattern leaves it open."""
        kind = params.get("type", "").split("/")[0]
        return self.action.replace("{namespace}", params.get("namespace", "")).replace("{type}", kind)


def _row(line: str, action: str, handler: Handler) -> Row:
    method, _, path = line.partition(" ")
    text = path.replace("{scope}", "(?P<scope>.*)")
    return Row(method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text), re.IGNORECASE), action, handler)


READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
WRITE_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/write"
CLUSTERS = "Microsoft.ContainerService/managedClusters"
KEY_VAULT = "Microsoft.KeyVault/vaults"
ACR = "Microsoft.ContainerRegistry/registries"

#: The first row that fits wins; the last three take whatever no other row knows.
ROWS: list[Row] = [
    _row("GET /tenants", "", subscriptions.tenants),
    _row("GET /subscriptions", "", subscriptions.listing),
    _row(f"GET {SUB}", "Microsoft.Resources/subscriptions/read", subscriptions.get),
    _row(f"GET {SUB}/locations", "Microsoft.Resources/subscriptions/locations/read", subscriptions.locations),
    _row(f"GET {SUB}/operationresults/{{operation}}", "Microsoft.Resources/subscriptions/read", operations.result),
    _row(f"GET {SUB}/providers", "Microsoft.Resources/subscriptions/providers/read", providers.listing),
    _row(f"GET {SUB}/providers/{{namespace}}", "Microsoft.Resources/subscriptions/providers/read", providers.get),
    _row(f"POST {SUB}/providers/{{namespace}}/register", "{namespace}/register/action", providers.register),
    _row(f"GET {SUB}/resourcegroups", READ_GROUP, groups.listing),
    _row(f"PUT {GROUP}", WRITE_GROUP, groups.put),
    _row(f"PATCH {GROUP}", WRITE_GROUP, groups.patch),
    _row(f"GET {GROUP}", READ_GROUP, groups.get),
    _row(f"HEAD {GROUP}", READ_GROUP, groups.head),
    _row(f"DELETE {GROUP}", "Microsoft.Resources/subscriptions/resourceGroups/delete", groups.delete),
    _row(f"GET {SUB}/resources", "Microsoft.Resources/subscriptions/resources/read", resources.listing),
    _row(
        f"GET {GROUP}/resources", "Microsoft.Resources/subscriptions/resourceGroups/resources/read", resources.listing
    ),
    # compute
    _row(f"GET {SUB}/providers/Microsoft.Compute/skus", "Microsoft.Compute/skus/read", compute.skus),
    _row(
        f"GET {SUB}/providers/Microsoft.Compute/locations/{{location}}/usages",
        "Microsoft.Compute/locations/usages/read",
        compute.usages,
    ),
    # clusters
    _row(
        f"GET {SUB}/providers/Microsoft.ContainerService/locations/{{location}}/kubernetesVersions",
        "Microsoft.ContainerService/locations/kubernetesVersions/read",
        compute.kubernetes_versions,
    ),
    _row(
        f"GET {SUB}/providers/{{namespace}}/locations/{{location}}/operations/{{operation}}",
        "{namespace}/locations/operations/read",
        operations.status,
    ),
    _row(
        f"GET {SUB}/providers/{{namespace}}/locations/{{location}}/operationresults/{{operation}}",
        "{namespace}/locations/operationresults/read",
        operations.result,
    ),
    _row(f"GET {SUB}/providers/Microsoft.ContainerService/managedClusters", f"{CLUSTERS}/read", clusters.listing),
    _row(f"GET {AKS}", f"{CLUSTERS}/read", clusters.listing),
    _row(f"PUT {CLUSTER}", f"{CLUSTERS}/write", clusters.put),
    _row(f"PATCH {CLUSTER}", f"{CLUSTERS}/write", clusters.patch),
    _row(f"GET {CLUSTER}", f"{CLUSTERS}/read", clusters.get),
    _row(f"DELETE {CLUSTER}", f"{CLUSTERS}/delete", cluster_actions.delete),
    _row(f"POST {CLUSTER}/stop", f"{CLUSTERS}/stop/action", cluster_actions.stop),
    _row(f"POST {CLUSTER}/start", f"{CLUSTERS}/start/action", cluster_actions.start),
    _row(f"POST {CLUSTER}/abort", f"{CLUSTERS}/abort/action", cluster_actions.abort),
    _row(
        f"POST {CLUSTER}/listClusterAdminCredential",
        f"{CLUSTERS}/listClusterAdminCredential/action",
        cluster_actions.credentials,
    ),
    _row(
        f"POST {CLUSTER}/listClusterUserCredential",
        f"{CLUSTERS}/listClusterUserCredential/action",
        cluster_actions.credentials,
    ),
    _row(f"GET {CLUSTER}/agentPools", f"{CLUSTERS}/agentPools/read", agent_pools.listing),
    _row(f"GET {POOL}", f"{CLUSTERS}/agentPools/read", agent_pools.get),
    _row(f"PUT {POOL}", f"{CLUSTERS}/agentPools/write", agent_pools.put),
    _row(f"DELETE {POOL}", f"{CLUSTERS}/agentPools/delete", agent_pools.delete),
    _row(f"POST {POOL}/abort", f"{CLUSTERS}/agentPools/abort/action", agent_pools.abort),
    _row(f"GET {CLUSTER}/upgradeProfiles/default", f"{CLUSTERS}/upgradeProfiles/read", upgrade_profiles.of_cluster),
    _row(
        f"GET {POOL}/upgradeProfiles/default", f"{CLUSTERS}/agentPools/upgradeProfiles/read", upgrade_profiles.of_pool
    ),
    # vaults
    _row(
        f"POST {SUB}/providers/Microsoft.KeyVault/checkNameAvailability",
        "Microsoft.KeyVault/checkNameAvailability/read",
        vaults.check_name,
    ),
    _row(f"GET {SUB}/providers/Microsoft.KeyVault/vaults", f"{KEY_VAULT}/read", vaults.listing),
    _row(
        f"GET {SUB}/providers/Microsoft.KeyVault/deletedVaults", "Microsoft.KeyVault/deletedVaults/read", vaults.deleted
    ),
    _row(
        f"GET {SUB}/providers/Microsoft.KeyVault/locations/{{location}}/deletedVaults/{{name}}",
        "Microsoft.KeyVault/locations/deletedVaults/read",
        vaults.get_deleted,
    ),
    _row(
        f"POST {SUB}/providers/Microsoft.KeyVault/locations/{{location}}/deletedVaults/{{name}}/purge",
        "Microsoft.KeyVault/locations/deletedVaults/purge/action",
        vaults.purge,
    ),
    _row(f"GET {VAULTS}", f"{KEY_VAULT}/read", vaults.listing),
    _row(f"PUT {VAULTS}/{{name}}", f"{KEY_VAULT}/write", vaults.put),
    _row(f"GET {VAULTS}/{{name}}", f"{KEY_VAULT}/read", vaults.get),
    _row(f"DELETE {VAULTS}/{{name}}", f"{KEY_VAULT}/delete", vaults.delete),
    # registries
    _row(
        f"POST {SUB}/providers/Microsoft.ContainerRegistry/checkNameAvailability",
        "Microsoft.ContainerRegistry/checkNameAvailability/read",
        registries.check_name,
    ),
    _row(f"GET {SUB}/providers/Microsoft.ContainerRegistry/registries", f"{ACR}/read", registries.listing),
    _row(f"GET {REGISTRIES}", f"{ACR}/read", registries.listing),
    _row(f"PUT {REGISTRY}", f"{ACR}/write", registries.put),
    _row(f"GET {REGISTRY}", f"{ACR}/read", registries.get),
    _row(f"DELETE {REGISTRY}", f"{ACR}/delete", registries.delete),
    _row(f"POST {REGISTRY}/listCredentials", f"{ACR}/listCredentials/action", registries.credentials),
    _row(f"GET {REGISTRY}/listUsages", f"{ACR}/listUsages/read", registries.usages),
    _row(f"GET {REGISTRY}/scopeMaps", f"{ACR}/scopeMaps/read", registries_tokens.maps),
    _row(f"GET {REGISTRY}/scopeMaps/{{child}}", f"{ACR}/scopeMaps/read", registries_tokens.get_map),
    _row(f"GET {REGISTRY}/tokens", f"{ACR}/tokens/read", registries_tokens.listing),
    _row(f"PUT {REGISTRY}/tokens/{{child}}", f"{ACR}/tokens/write", registries_tokens.put),
    _row(f"GET {REGISTRY}/tokens/{{child}}", f"{ACR}/tokens/read", registries_tokens.get),
    _row(f"DELETE {REGISTRY}/tokens/{{child}}", f"{ACR}/tokens/delete", registries_tokens.delete),
    _row(f"POST {REGISTRY}/generateCredentials", f"{ACR}/generateCredentials/action", registries_tokens.generate),
    # rights
    _row(f"GET {SUB}/providers/Microsoft.Authorization/permissions", "", rights.permissions),
    _row(f"GET {GROUP}/providers/Microsoft.Authorization/permissions", "", rights.permissions),
    _row(f"GET {SUB}{ROLES}", "Microsoft.Authorization/roleAssignments/read", role_assignments.listing),
    _row(f"PUT {SUB}{ROLES}/{{name}}", "Microsoft.Authorization/roleAssignments/write", role_assignments.put),
    _row(f"GET {SUB}{ROLES}/{{name}}", "Microsoft.Authorization/roleAssignments/read", role_assignments.get),
    _row(f"DELETE {SUB}{ROLES}/{{name}}", "Microsoft.Authorization/roleAssignments/delete", role_assignments.delete),
    _row(f"GET {SUB}{DEFINITIONS}", f"{DEFINE}/read", role_definitions.listing),
    _row(f"PUT {SUB}{DEFINITIONS}/{{name}}", f"{DEFINE}/write", role_definitions.put),
    _row(f"GET {SUB}{DEFINITIONS}/{{name}}", f"{DEFINE}/read", role_definitions.get),
    _row(f"DELETE {SUB}{DEFINITIONS}/{{name}}", f"{DEFINE}/delete", role_definitions.delete),
    # policy
    _row(
        f"POST {SUB}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions",
        "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
        policies.check,
    ),
    _row("GET /providers/Microsoft.Authorization/policyDefinitions/{name}", "", policies.definition),
    # network
    _row(
        f"GET {SUB}/providers/Microsoft.Network/locations/{{location}}/usages",
        "Microsoft.Network/locations/usages/read",
        network.usages,
    ),
    _row(
        f"GET {SUB}/providers/Microsoft.Network/locations/{{location}}/CheckDnsNameAvailability",
        "Microsoft.Network/locations/checkDnsNameAvailability/read",
        network.check_dns_name,
    ),
    _row(
        f"GET {GROUP}/providers/Microsoft.Network/publicIPAddresses",
        "Microsoft.Network/publicIPAddresses/read",
        network.public_addresses,
    ),
    # anything else by its id
    _row(f"GET {GROUP}/providers/{{namespace}}/{{type}}/{{name}}", "{namespace}/{type}/read", resources.get),
    _row(f"PUT {GROUP}/providers/{{namespace}}/{{type}}/{{name}}", "{namespace}/{type}/write", resources.put),
    _row(f"DELETE {GROUP}/providers/{{namespace}}/{{type}}/{{name}}", "{namespace}/{type}/delete", resources.delete),
]


def find(method: str, path: str) -> tuple[Row | None, dict[str, str] | None]:
    """The first row that fits, and the names in the path."""
    for row in ROWS:
        if row.method == method and (found := row.pattern.fullmatch(path)):
            return row, {key: value for key, value in found.groupdict().items() if value is not None}
    return None, None


def knows(path: str) -> bool:
    return any(row.pattern.fullmatch(path) for row in ROWS[:-3])
