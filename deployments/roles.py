"""The least that the portal's identities may do in Azure, each right with its reason: the one list of them. Pure.

Preflight asks whether the worker has them, letters ask others for them, `connect_azure` makes roles of them, the doctor
looks for them; docs/azure.md has the same table.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from cloud.azure.role_assignments import ACR_PULL
from cloud.azure.role_definitions import RoleDefinition

Rights = dict[str, str]

REGISTER_ACTION = "/register/action"
NEEDED_PROVIDERS = (
    "Microsoft.ContainerService",
    "Microsoft.Compute",
    "Microsoft.Network",
    "Microsoft.Storage",
    "Microsoft.ManagedIdentity",
)
REGISTRY_PROVIDER = "Microsoft.ContainerRegistry"
PROVIDERS = (*NEEDED_PROVIDERS, REGISTRY_PROVIDER)
VAULT_PROVIDER = "Microsoft.KeyVault"
SECRETS = "Microsoft.KeyVault/vaults/secrets"
GIVING = "Microsoft.Authorization/roleAssignments"

#: What the plan does in Azure, as rights of the identity that does it.
BASE_ACTIONS: Rights = {
    "Microsoft.Resources/subscriptions/resourceGroups/write": "make a resource group",
    "Microsoft.Resources/subscriptions/resourceGroups/delete": "delete a resource group",
    "Microsoft.ContainerService/managedClusters/read": "look at a cluster",
    "Microsoft.ContainerService/managedClusters/write": "make a cluster",
    "Microsoft.ContainerService/managedClusters/delete": "delete a cluster",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action": "sign in to the cluster",
    "Microsoft.ContainerService/managedClusters/agentPools/write": "change a cluster's machines",
    "Microsoft.ContainerService/managedClusters/agentPools/delete": "remove a cluster's machines",
    "Microsoft.ContainerService/managedClusters/stop/action": "stop a cluster",
    "Microsoft.ContainerService/managedClusters/start/action": "start a cluster",
}
REGISTRY_ACTIONS: Rights = {
    "Microsoft.ContainerRegistry/registries/write": "make a container registry",
    "Microsoft.ContainerRegistry/registries/delete": "delete a container registry",
    "Microsoft.ContainerRegistry/registries/tokens/write": "make a token for the registry",
    "Microsoft.ContainerRegistry/registries/generateCredentials/action": "make a password for the registry",
    "Microsoft.Authorization/roleAssignments/write": "let the cluster read the registry",
    "Microsoft.Authorization/roleAssignments/delete": "take that right away again",
}
#: Rights of the steps beyond those that a hub is refused without before anything is made (preflight).
STEPS: Rights = {
    "*/read": "see what it made, what is left, quotas, prices, policies; keys and passwords are not among it",
    "Microsoft.ContainerService/managedClusters/abort/action": "cancel what a cluster is doing",
    "Microsoft.ContainerService/managedClusters/agentPools/abort/action": "cancel a change of its machines",
    "Microsoft.Network/publicIPAddresses/delete": "remove an address that was left over under a hub's tag",
    "Microsoft.Compute/disks/delete": "remove a disk that was left over under a hub's tag",
}
GIVER: Rights = {
    f"{GIVING}/write": REGISTRY_ACTIONS[f"{GIVING}/write"],
    f"{GIVING}/delete": REGISTRY_ACTIONS[f"{GIVING}/delete"],
    f"{GIVING}/read": "see whether it is given",
}
WEB_SECRETS: Rights = {f"{SECRETS}/setSecret/action": "store what people type; it can never read it again"}
WORKER_SECRETS: Rights = {
    f"{SECRETS}/getSecret/action": "hand a hub its secrets when it is built",
    f"{SECRETS}/readMetadata/action": "see which secrets there are, and until when deleted ones are kept",
    f"{SECRETS}/setSecret/action": "keep the passwords that Azure makes for a hub's own registry",
    f"{SECRETS}/delete": "remove a hub's secrets with the hub",
    f"{SECRETS}/purge/action": "destroy what was removed, so that nobody brings it back",
}


def worker_rights() -> Rights:
    """What the worker may do in each subscription, but for giving roles."""
    preflight = {
        action: what for action, what in {**BASE_ACTIONS, **REGISTRY_ACTIONS}.items() if not action.startswith(GIVING)
    }
    switching_on = {f"{name}{REGISTER_ACTION}": f"switch {name} on where it is not" for name in PROVIDERS}
    return {**preflight, **STEPS, **switching_on}


#: Its holder gives and takes one role only, AcrPull, and to identities of programs only.
ONLY_ACR_PULL = (
    f"((!(ActionMatches{{'{GIVING}/write'}})) OR "
    f"(@Request[{GIVING}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{ACR_PULL}}} AND "
    f"@Request[{GIVING}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}})) AND "
    f"((!(ActionMatches{{'{GIVING}/delete'}})) OR "
    f"(@Resource[{GIVING}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{ACR_PULL}}} AND "
    f"@Resource[{GIVING}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}))"
)


@dataclass(frozen=True)
class Role:
    """One custom role: a short name, what it is for, its rights with their reasons, and what binds its holder."""

    key: str
    description: str
    actions: Rights = field(default_factory=dict)
    data_actions: Rights = field(default_factory=dict)
    condition: str = ""

    def name(self, portal: str) -> str:
        """Unique in a tenant, which may have several portals: each has a vault of its own."""
        return f"Slipway {self.key} ({portal})"

    def definition(self, tenant: str, portal: str, scopes: tuple[str, ...]) -> RoleDefinition:
        name = self.name(portal)
        number = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{tenant}|{name}".lower()))
        actions, data_actions = tuple(sorted(self.actions)), tuple(sorted(self.data_actions))
        return RoleDefinition(number, name, self.description, scopes, actions, data_actions)


ROLES = {
    role.key: role
    for role in (
        Role("worker", "Builds, changes and takes down BinderHubs", actions=worker_rights()),
        Role("registry access", "Lets a hub's cluster read its registry", actions=GIVER, condition=ONLY_ACR_PULL),
        Role("worker secrets", "Reads and removes the hubs' secrets", data_actions=WORKER_SECRETS),
        Role("web secrets", "Stores the hubs' secrets, reads none", data_actions=WEB_SECRETS),
    )
}
