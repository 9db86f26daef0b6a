"""Resource providers: which there are, and whether a subscription has registered them."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from sandbox.azure.call import Call, ok, page
from sandbox.azure.due import transition
from sandbox.azure.errors import AzureError, not_registered
from sandbox.azure.regions import REGIONS
from sandbox.azure.store import Store

REGISTERING = 60  # seconds
TYPES: dict[str, list[str]] = {
    "Microsoft.Authorization": ["roleAssignments", "roleDefinitions", "permissions", "policyAssignments"],
    "Microsoft.Compute": ["virtualMachines", "virtualMachineScaleSets", "disks", "locations/usages", "skus"],
    "Microsoft.ContainerRegistry": ["registries"],
    "Microsoft.ContainerService": ["managedClusters", "locations/kubernetesVersions", "locations/operations"],
    "Microsoft.KeyVault": ["vaults", "deletedVaults", "checkNameAvailability"],
    "Microsoft.ManagedIdentity": ["userAssignedIdentities"],
    "Microsoft.Network": ["publicIPAddresses", "loadBalancers", "virtualNetworks", "networkWatchers", "dnszones"],
    "Microsoft.OperationalInsights": ["workspaces"],
    "Microsoft.PolicyInsights": ["checkPolicyRestrictions", "policyStates"],
    "Microsoft.Resources": ["resourceGroups", "subscriptions", "tags"],
    "Microsoft.Storage": ["storageAccounts"],
}
NAMES = {name.lower(): name for name in TYPES}
#: What a fresh Free Trial has not registered yet.
NOT_ON_A_TRIAL = ("Microsoft.ContainerService", "Microsoft.ContainerRegistry", "Microsoft.OperationalInsights")
#: Those that every subscription may use without asking.
ALWAYS_ON = ("microsoft.authorization", "microsoft.resources")
#: What a provider serves, as against how it is looked at and registered itself.
SERVED = re.compile(r"/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?/providers/([^/]+)/(?!register$).+", re.IGNORECASE)


def state(store: Store, subscription: str, namespace: str) -> str:
    stored = store.core.state.bucket("azure.providers").get(f"{subscription.lower()}|{namespace.lower()}")
    if stored is not None:
        return str(stored["state"])
    trial = store.subscriptions().get(subscription.lower(), {}).get("kind") == "FreeTrial"
    return "NotRegistered" if trial and namespace in NOT_ON_A_TRIAL else "Registered"


def set_state(store: Store, subscription: str, namespace: str, value: str) -> None:
    store.core.state.bucket("azure.providers").put(f"{subscription.lower()}|{namespace.lower()}", {"state": value})


def require(call: Call, namespace: str) -> None:
    """Refuses what a provider would do that the subscription has not registered."""
    if state(call.store, call.subscription, namespace) != "Registered":
        raise not_registered(namespace)


def require_for_path(call: Call) -> None:
    """The same for every request that a provider would serve, also one that only reads."""
    found = SERVED.fullmatch(call.path)
    if found and found[1].lower() in NAMES and found[1].lower() not in ALWAYS_ON:
        require(call, NAMES[found[1].lower()])


def _entry(call: Call, namespace: str) -> dict[str, Any]:
    locations = [region.display for region in REGIONS.values()]
    return {
        "id": f"/subscriptions/{call.params['subscription']}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": [
            {"resourceType": kind, "locations": locations, "apiVersions": [call.api_version], "capabilities": "None"}
            for kind in TYPES[namespace]
        ],
        "registrationState": state(call.store, call.subscription, namespace),
        "registrationPolicy": "RegistrationRequired",
    }


def _named(call: Call) -> str:
    asked = call.params["namespace"]
    if asked.lower() not in NAMES:
        raise AzureError(404, "InvalidResourceNamespace", f"The resource namespace '{asked}' is invalid.")
    return NAMES[asked.lower()]


def listing(call: Call) -> Response:
    return page(call, [_entry(call, namespace) for namespace in TYPES], 100)


def get(call: Call) -> Response:
    return ok(_entry(call, _named(call)))


def register(call: Call) -> Response:
    namespace = _named(call)
    if state(call.store, call.subscription, namespace) != "Registered":
        set_state(call.store, call.subscription, namespace, "Registering")
        call.store.unschedule(kind="provider.registered", subscription=call.subscription, namespace=namespace)
        call.store.schedule("provider.registered", REGISTERING, subscription=call.subscription, namespace=namespace)
    return ok(_entry(call, namespace))


@transition("provider.registered")
def _registered(store: Store, item: dict[str, Any]) -> None:
    set_state(store, item["subscription"], item["namespace"], "Registered")
