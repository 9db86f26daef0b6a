"""What `upgradeProfiles/default` says: where a cluster or an agent pool may go from here."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.azure import agent_pools, clusters
from sandbox.azure.call import Call, ok
from sandbox.azure.cluster_shape import IMAGE
from sandbox.azure.cluster_upgrades import available, parts
from sandbox.azure.regions import KUBERNETES


def _entries(versions: list[str]) -> list[dict[str, Any]]:
    previews = {patch for patches, _, preview in KUBERNETES.values() if preview for patch in patches}
    return [{"kubernetesVersion": version, "isPreview": version in previews} for version in versions]


def of_cluster(call: Call) -> Response:
    body = clusters.require(call)["body"]
    properties = body["properties"]
    current, pools = properties["currentKubernetesVersion"], properties["agentPoolProfiles"]
    plane = {"kubernetesVersion": current, "osType": "Linux", "upgrades": _entries(available(current))}
    shown = [plane | {"name": pool["name"], "kubernetesVersion": pool["currentOrchestratorVersion"]} for pool in pools]
    kind = "Microsoft.ContainerService/managedClusters/upgradeprofiles"
    return _default(body["id"], kind, {"controlPlaneProfile": plane, "agentPoolProfiles": shown})


def of_pool(call: Call) -> Response:
    """As far as the control plane is."""
    record, pool = agent_pools.require(call)
    limit, current = record["body"]["properties"]["currentKubernetesVersion"], pool["currentOrchestratorVersion"]
    upgrades = [version for version in available(current) if parts(version) <= parts(limit)]
    properties: dict[str, Any] = {"kubernetesVersion": current, "osType": "Linux", "latestNodeImageVersion": IMAGE}
    if upgrades:
        properties["upgrades"] = _entries(upgrades)
    kind = "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles"
    return _default(f"{record['body']['id']}/agentPools/{pool['name']}", kind, properties)


def _default(parent: str, kind: str, properties: dict[str, Any]) -> Response:
    return ok({"id": f"{parent}/upgradeprofiles/default", "name": "default", "type": kind, "properties": properties})
