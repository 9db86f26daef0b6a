"""How a cluster ends: Deleting for some minutes, then it, its node group and its Kubernetes are gone."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.azure.cluster_shape import set_state
from sandbox.azure.due import transition
from sandbox.azure.store import Store, group_id


def duration(resource_id: str) -> int:
    """Seconds a deletion takes: 150 to 270."""
    return 150 + int(hashlib.sha256(resource_id.lower().encode()).hexdigest(), 16) % 121


def start(store: Store, resource_id: str) -> int:
    """Marks the cluster Deleting, whatever it was doing; returns the seconds that it will take."""
    record = store.get(resource_id)
    seconds = duration(resource_id)
    if record is None or record["body"]["properties"]["provisioningState"] == "Deleting":
        return seconds
    body = record["body"]
    store.finish(record["private"].get("operation", ""), "Canceled")
    operation = store.begin(body["id"].split("/")[2], "Microsoft.ContainerService", body["location"])
    set_state(record, "Deleting")
    record["private"]["operation"] = operation
    store.put(record)
    node_group = store.get(group_id(body["id"].split("/")[2], body["properties"]["nodeResourceGroup"]))
    if node_group:
        node_group["body"]["properties"]["provisioningState"] = "Deleting"
        store.put(node_group)
    store.schedule("cluster.deleted", seconds, cluster=body["id"].lower(), operation=operation)
    return seconds


@transition("cluster.deleted")
def _deleted(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["cluster"])
    if record and record["private"].get("operation") == item["operation"]:
        finish(store, item["cluster"])


def finish(store: Store, resource_id: str) -> None:
    """Removes the cluster with everything AKS had made for it."""
    record = store.get(resource_id)
    if record is None:
        return
    body = record["body"]
    node_group = group_id(body["id"].split("/")[2], body["properties"]["nodeResourceGroup"])
    for resource in store.under(node_group + "/"):
        store.delete(resource["body"]["id"])
    store.delete(node_group)
    store.delete(resource_id)
    kubernetes = store.core.services.get("kubernetes")
    if kubernetes is not None and record["private"]["key"] in list(kubernetes.keys()):
        kubernetes.remove(record["private"]["key"])
    store.finish(record["private"]["operation"], "Succeeded")
