"""What AKS makes of a request: every property that clients read back."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from sandbox import seeds
from sandbox.azure.cluster_fields import words
from sandbox.azure.cluster_rules import node_count
from sandbox.azure.regions import exact_version
from sandbox.azure.store import Record

TYPE = "Microsoft.ContainerService/ManagedClusters"
IMAGE = "AKSUbuntu-2204gen2containerd-202611.02.0"


def cluster_key(resource_id: str) -> str:
    """The cluster's name in the simulated Kubernetes: lowercase, unique per ARM id."""
    name = "".join(char if char.isalnum() else "-" for char in resource_id.rsplit("/", 1)[-1].lower())
    return f"{name}-{hashlib.sha256(resource_id.lower().encode()).hexdigest()[:8]}"


def node_group_name(group: str, name: str, region: str, wanted: str = "") -> str:
    return wanted or f"MC_{group}_{name}_{region}"


def new_record(resource_id: str, region: str, body: dict[str, Any]) -> Record:
    """The record of a cluster that begins to exist. The id carries lowercase `resourcegroups`, as AKS's do."""
    parts = resource_id.split("/")
    group, name = parts[4], parts[8]
    full = (
        f"/subscriptions/{parts[2]}/resourcegroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}"
    )
    record: Record = {
        "body": {"id": full, "name": name, "type": TYPE, "location": region, "properties": {}},
        "private": {"key": cluster_key(full), "control_plane": False},
    }
    apply(record, body)
    return record


def apply(record: Record, body: dict[str, Any]) -> None:
    """Lays what was asked over what is there, defaults beneath."""
    full, region = record["body"], record["body"]["location"]
    asked = body.get("properties") or {}
    old = full["properties"]
    version = exact_version(str(asked.get("kubernetesVersion") or "")) or ""
    if old and not asked.get("kubernetesVersion"):
        version = old["currentKubernetesVersion"]
    full["tags"] = body.get("tags") or {}
    full["sku"] = {"name": "Base", "tier": "Free"} | (full.get("sku") or {}) | (body.get("sku") or {})
    full["identity"] = full.get("identity") or _identity(full["id"], body.get("identity") or {})
    full["eTag"] = str(uuid.uuid4())
    full["properties"] = _defaults(record, asked, version) | old | _kept(asked)
    full["properties"] |= {
        "kubernetesVersion": asked.get("kubernetesVersion") or old.get("kubernetesVersion") or version,
        "currentKubernetesVersion": version,
        "networkProfile": _network(asked.get("networkProfile") or old.get("networkProfile") or {}),
        "oidcIssuerProfile": _oidc(
            full["id"], region, asked.get("oidcIssuerProfile") or old.get("oidcIssuerProfile") or {}
        ),
        "agentPoolProfiles": _merged_pools(old.get("agentPoolProfiles") or [], asked, version),
    }


#: What a request may carry but never sets, or what `apply` sets by itself.
READ_ONLY = words(
    "provisioningState powerState fqdn azurePortalFQDN currentKubernetesVersion agentPoolProfiles networkProfile "
    "oidcIssuerProfile resourceUID status identityProfile maxAgentPools"
)


def _kept(asked: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asked.items() if key not in READ_ONLY and value is not None}


def _defaults(record: Record, asked: dict[str, Any], version: str) -> dict[str, Any]:
    full = record["body"]
    group, region = full["id"].split("/")[4], full["location"]
    host = f"{asked.get('dnsPrefix')}-{record['private']['key'][-8:]}"
    node_group = node_group_name(group, full["name"], region, asked.get("nodeResourceGroup") or "")
    return {
        "provisioningState": "Creating",
        "powerState": {"code": "Running"},
        "kubernetesVersion": version,
        "fqdn": f"{host}.hcp.{region}.azmk8s.io",
        "azurePortalFQDN": f"{host}.portal.hcp.{region}.azmk8s.io",
        "nodeResourceGroup": node_group,
        "enableRBAC": True,
        "supportPlan": "KubernetesOfficial",
        "maxAgentPools": 100,
        "disableLocalAccounts": False,
        "servicePrincipalProfile": {"clientId": "msi"},
        "resourceUID": uuid.uuid5(uuid.NAMESPACE_URL, full["id"].lower()).hex[:24],
        "identityProfile": {"kubeletidentity": _kubelet(full["id"], full["name"], node_group)},
        "securityProfile": {},
        "storageProfile": {
            "diskCSIDriver": {"enabled": True},
            "fileCSIDriver": {"enabled": True},
            "snapshotController": {"enabled": True},
        },
        "workloadAutoScalerProfile": {},
    }


def _identity(resource_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    principal = str(uuid.uuid5(uuid.NAMESPACE_URL, "identity:" + resource_id.lower()))
    return {"type": "SystemAssigned"} | asked | {"principalId": principal, "tenantId": seeds.TENANT_ID}


def _kubelet(resource_id: str, name: str, node_group: str) -> dict[str, str]:
    subscription = resource_id.split("/")[2]
    seed = "kubelet:" + resource_id.lower()
    return {
        "resourceId": f"/subscriptions/{subscription}/resourcegroups/{node_group}/providers/"
        f"Microsoft.ManagedIdentity/userAssignedIdentities/{name}-agentpool",
        "clientId": str(uuid.uuid5(uuid.NAMESPACE_URL, seed + ":client")),
        "objectId": str(uuid.uuid5(uuid.NAMESPACE_URL, seed + ":object")),
    }


def _oidc(resource_id: str, region: str, asked: dict[str, Any]) -> dict[str, Any]:
    if not asked.get("enabled"):
        return {"enabled": False}
    number = uuid.uuid5(uuid.NAMESPACE_URL, "oidc:" + resource_id.lower())
    return {"enabled": True, "issuerURL": f"https://{region}.oic.prod-aks.azure.com/{seeds.TENANT_ID}/{number}/"}


def _network(asked: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "networkPlugin": "kubenet",
        "networkPolicy": "none",
        "loadBalancerSku": "standard",
        "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}, "backendPoolType": "nodeIPConfiguration"},
        "podCidr": "10.244.0.0/16",
        "serviceCidr": "10.0.0.0/16",
        "dnsServiceIP": "10.0.0.10",
        "outboundType": "loadBalancer",
        "podCidrs": ["10.244.0.0/16"],
        "serviceCidrs": ["10.0.0.0/16"],
        "ipFamilies": ["IPv4"],
    }
    return defaults | {key: value for key, value in asked.items() if value is not None}


def _merged_pools(old: list[dict[str, Any]], asked: dict[str, Any], version: str) -> list[dict[str, Any]]:
    known = {pool["name"]: pool for pool in old}
    wanted = asked.get("agentPoolProfiles") or []
    for pool in wanted:
        known[pool["name"]] = full_pool(pool, version, known.get(pool["name"]) or {})
    return list(known.values())


def full_pool(asked: dict[str, Any], version: str, old: dict[str, Any] | None = None) -> dict[str, Any]:
    """One agent pool with everything AKS adds to it."""
    defaults: dict[str, Any] = {
        "count": node_count(asked),
        "osDiskSizeGB": 128,
        "osDiskType": "Managed",
        "kubeletDiskType": "OS",
        "maxPods": 110,
        "type": "VirtualMachineScaleSets",
        "enableAutoScaling": False,
        "scaleDownMode": "Delete",
        "provisioningState": "Creating",
        "powerState": {"code": "Running"},
        "orchestratorVersion": version,
        "enableNodePublicIP": False,
        "mode": "User",
        "enableEncryptionAtHost": False,
        "enableUltraSSD": False,
        "osType": "Linux",
        "osSKU": "Ubuntu",
        "nodeImageVersion": IMAGE,
        "upgradeSettings": {"maxSurge": "10%"},
        "enableFIPS": False,
    }
    given = {key: value for key, value in asked.items() if value is not None}
    # A pool's nodes stay at their version until the pool itself is asked to move.
    current = exact_version(str(given.get("orchestratorVersion") or "")) if given.get("orchestratorVersion") else None
    current = current or (old or {}).get("currentOrchestratorVersion") or version
    full = defaults | (old or {}) | given | {"currentOrchestratorVersion": current, "eTag": str(uuid.uuid4())}
    if not full["osDiskSizeGB"]:
        full["osDiskSizeGB"] = 128
    return full


def set_state(record: Record, state: str) -> None:
    """Gives cluster and pools one provisioning state."""
    record["body"]["properties"]["provisioningState"] = state
    record["body"]["properties"].pop("status", None)
    for pool in record["body"]["properties"]["agentPoolProfiles"]:
        pool["provisioningState"] = state
    record["body"]["eTag"] = str(uuid.uuid4())
