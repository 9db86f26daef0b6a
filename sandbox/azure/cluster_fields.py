"""Field names AKS knows (from its published API, 2026-08-01). A body with any other is not read at all."""

from __future__ import annotations

from typing import Any

from sandbox.azure import field_types
from sandbox.azure.errors import AzureError, aks_error


def words(text: str) -> frozenset[str]:
    """Names written one after another."""
    return frozenset(text.split())


RESOURCE = words("eTag extendedLocation id identity kind location name properties sku systemData tags type")
PROPERTIES = words(
    "aadProfile addonProfiles agentPoolProfiles aiToolchainOperatorProfile apiServerAccessProfile autoScalerProfile "
    "autoUpgradeProfile azureMonitorProfile azurePortalFQDN bootstrapProfile currentKubernetesVersion "
    "disableLocalAccounts diskEncryptionSetID dnsPrefix enableFIPS enableRBAC fqdn fqdnSubdomain hostedSystemProfile "
    "httpProxyConfig identityProfile ingressProfile kubernetesVersion linuxProfile maxAgentPools metricsProfile "
    "networkProfile nodeProvisioningProfile nodeResourceGroup nodeResourceGroupProfile oidcIssuerProfile "
    "podIdentityProfile powerState privateFQDN privateLinkResources provisioningState publicNetworkAccess resourceUID "
    "schedulerProfile securityProfile serviceMeshProfile servicePrincipalProfile status storageProfile supportPlan "
    "upgradeSettings windowsProfile workloadAutoScalerProfile"
)
POOL = words(
    "artifactStreamingProfile availabilityZones capacityReservationGroupID count creationData "
    "currentOrchestratorVersion eTag enableAutoScaling enableEncryptionAtHost enableFIPS enableNodePublicIP "
    "enableUltraSSD gatewayProfile gpuInstanceProfile gpuProfile hostGroupID kubeletConfig kubeletDiskType "
    "linuxOSConfig localDNSProfile maxCount maxPods messageOfTheDay minCount mode name networkProfile "
    "nodeImageVersion nodeLabels nodePublicIPPrefixID nodeTaints orchestratorVersion osDiskSizeGB osDiskType osSKU "
    "osType podIPAllocationMode podSubnetID powerState provisioningState proximityPlacementGroupID scaleDownMode "
    "scaleSetEvictionPolicy scaleSetPriority securityProfile spotMaxPrice status tags type upgradeSettings "
    "virtualMachineNodesStatus virtualMachinesProfile vmSize vnetSubnetID windowsProfile workloadRuntime"
)
NETWORK = words(
    "advancedNetworking dnsServiceIP ipFamilies loadBalancerProfile loadBalancerSku natGatewayProfile networkDataplane "
    "networkMode networkPlugin networkPluginMode networkPolicy outboundType podCidr podCidrs serviceCidr serviceCidrs "
    "staticEgressGatewayProfile"
)
SMALL: dict[str, frozenset[str]] = {
    "oidcIssuerProfile": frozenset(("enabled", "issuerURL")),
    "autoUpgradeProfile": frozenset(("upgradeChannel", "nodeOSUpgradeChannel")),
    "networkProfile": NETWORK,
    "powerState": frozenset(("code",)),
}


def check(body: dict[str, Any]) -> None:
    """Refuses the first unknown field of a managed cluster, and values of a wrong kind."""
    _readable(body)
    _known(body, RESOURCE, "")
    _known(body.get("sku") or {}, frozenset(("name", "tier")), "sku.")
    properties = body.get("properties") or {}
    _known(properties, PROPERTIES, "properties.")
    for name, fields in SMALL.items():
        _known(properties.get(name) or {}, fields, f"properties.{name}.")
    for pool in properties.get("agentPoolProfiles") or []:
        _known(pool, POOL, "properties.agentPoolProfiles.")


def check_pool(body: dict[str, Any]) -> None:
    """The same for the body of an agent pool."""
    _readable(body)
    _known(body, frozenset(("id", "name", "type", "properties", "systemData")), "")
    _known(body.get("properties") or {}, POOL, "properties.")


def _readable(body: dict[str, Any]) -> None:
    if problem := field_types.misfit(body):
        raise unmarshalling(problem)


def _known(value: Any, fields: frozenset[str], path: str) -> None:
    if not isinstance(value, dict):
        raise unmarshalling(f"json: cannot unmarshal {type(value).__name__} into field {path.rstrip('.') or 'body'}")
    for name in value:
        if name not in fields:
            raise unmarshalling(f'json: unknown field "{name}"', path + name)


def unmarshalling(message: str, target: str = "") -> AzureError:
    text = f"UnmarshalEntity encountered error: {message}."
    return aks_error(400, "UnmarshalError", text, target)
