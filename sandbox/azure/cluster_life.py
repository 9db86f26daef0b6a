"""How a cluster comes up: the node group at once, the control plane half-way, then Succeeded or Failed."""

from __future__ import annotations

from typing import Any

from sandbox.azure import network
from sandbox.azure.cluster_shape import set_state
from sandbox.azure.due import transition
from sandbox.azure.store import GROUP_TYPE, Record, Store, group_id

CONTROL_PLANE = 0.45  # of the whole time: the API answers, nodes begin to come
WATCHER_DELAY = 20  # seconds


def begin_creation(store: Store, record: Record, seconds: float) -> str:
    """Starts a cluster's life; returns the operation."""
    body = record["body"]
    operation = store.begin(body["id"].split("/")[2], "Microsoft.ContainerService", body["location"])
    outcome = take_outcome(store, "", body["name"]) or _no_address_left(store, body)
    record["private"] |= {"operation": operation, "outcome": outcome}
    store.put(record)
    _make_node_group(store, record)
    cluster = body["id"].lower()
    if not outcome or outcome.get("control_plane"):
        store.schedule("cluster.control_plane", seconds * CONTROL_PLANE, cluster=cluster, operation=operation)
    if not (outcome and outcome.get("stuck")):
        share = float(outcome.get("after", 1.0)) if outcome else 1.0
        store.schedule("cluster.ready", seconds * share, cluster=cluster, operation=operation)
    _expect_network_watcher(store, body)
    return operation


def _no_address_left(store: Store, body: dict[str, Any]) -> dict[str, Any] | None:
    """A cluster needs a public address to speak to the world from; without one it fails after it was accepted."""
    why = network.no_address_left(store, body["id"].split("/")[2], body["location"])
    return {"code": "PublicIPCountLimitReached", "message": why} if why else None


def begin_change(store: Store, record: Record, seconds: float) -> str:
    """Starts an update of an existing cluster; returns the operation."""
    body = record["body"]
    operation = store.begin(body["id"].split("/")[2], "Microsoft.ContainerService", body["location"])
    record["private"] |= {"operation": operation, "outcome": take_outcome(store, "", body["name"])}
    store.put(record)
    outcome = record["private"]["outcome"]
    cluster = body["id"].lower()
    if not outcome:
        store.schedule("cluster.control_plane", seconds * CONTROL_PLANE, cluster=cluster, operation=operation)
    if not (outcome and outcome.get("stuck")):
        store.schedule("cluster.ready", seconds, cluster=cluster, operation=operation)
    return operation


def take_outcome(store: Store, *names: str) -> dict[str, Any] | None:
    """The fate a test has laid down for what bears one of these names; "" stands for any cluster."""
    bucket = store.core.state.bucket("azure.outcomes")
    for key, outcome in bucket.items():
        if (outcome.get("name") or "") in names:
            bucket.delete(key)
            return outcome
    return None


def _make_node_group(store: Store, record: Record) -> None:
    body = record["body"]
    subscription, name = body["id"].split("/")[2], body["properties"]["nodeResourceGroup"]
    group = {
        "id": group_id(subscription, name),
        "name": name,
        "type": GROUP_TYPE,
        "location": body["location"],
        "managedBy": body["id"],
        "tags": body["tags"],
        "properties": {"provisioningState": "Succeeded"},
    }
    store.put({"body": group, "private": {"cluster": body["id"].lower()}})


def _expect_network_watcher(store: Store, body: dict[str, Any]) -> None:
    subscription = body["id"].split("/")[2]
    watcher = watcher_id(subscription, body["location"])
    if store.get(watcher) is None:
        store.schedule("network.watcher", WATCHER_DELAY, subscription=subscription, region=body["location"])


def watcher_id(subscription: str, region: str) -> str:
    group = group_id(subscription, "NetworkWatcherRG")
    return f"{group}/providers/Microsoft.Network/networkWatchers/NetworkWatcher_{region}"


@transition("network.watcher")
def _watcher(store: Store, item: dict[str, Any]) -> None:
    """Azure makes it by itself, once per region, in one group of the whole subscription."""
    subscription, region = item["subscription"], item["region"]
    group = group_id(subscription, "NetworkWatcherRG")
    if store.get(group) is None:
        body = {"name": "NetworkWatcherRG", "type": GROUP_TYPE, "location": region, "tags": {}}
        store.put({"body": body | {"id": group, "properties": {"provisioningState": "Succeeded"}}, "private": {}})
    watcher = {
        "id": watcher_id(subscription, region),
        "name": f"NetworkWatcher_{region}",
        "type": "Microsoft.Network/networkWatchers",
        "location": region,
        "tags": {},
        "properties": {"provisioningState": "Succeeded", "runningOperationIds": []},
    }
    store.put({"body": watcher, "private": {}})


def _current(store: Store, item: dict[str, Any]) -> Record | None:
    """The cluster, while the operation that scheduled this is still its own."""
    record = store.get(item["cluster"])
    return record if record and record["private"].get("operation") == item["operation"] else None


@transition("cluster.control_plane")
def _control_plane(store: Store, item: dict[str, Any]) -> None:
    record = _current(store, item)
    if record is None:
        return
    record["private"]["control_plane"] = True
    store.put(record)
    put_node_resources(store, record)
    ensure_kubernetes(store, record)


def ensure_kubernetes(store: Store, record: Record) -> None:
    """Tells the simulated Kubernetes of the cluster and its pools."""
    kubernetes = store.core.services.get("kubernetes")
    if kubernetes is None:
        return
    properties = record["body"]["properties"]
    pools = [
        {
            "name": pool["name"],
            "count": pool["count"],
            "vmSize": pool["vmSize"],
            "labels": pool.get("nodeLabels") or {},
            "taints": pool.get("nodeTaints") or [],
            "mode": pool["mode"],
            "version": pool["currentOrchestratorVersion"],
        }
        for pool in properties["agentPoolProfiles"]
    ]
    kubernetes.ensure(
        record["private"]["key"],
        name=record["body"]["name"],
        region=record["body"]["location"],
        version=properties["currentKubernetesVersion"],
        pools=pools,
    )


def put_node_resources(store: Store, record: Record) -> None:
    """Scale sets, load balancer, network: what AKS puts into the node group, with the cluster's tags."""
    body, suffix = record["body"], record["private"]["key"][-8:]
    group = group_id(body["id"].split("/")[2], body["properties"]["nodeResourceGroup"])
    wanted = [
        ("Microsoft.Network/loadBalancers", "kubernetes"),
        ("Microsoft.Network/virtualNetworks", f"aks-vnet-{suffix}"),
    ]
    wanted += [("Microsoft.Network/networkSecurityGroups", f"aks-agentpool-{suffix}-nsg")]
    wanted += [
        ("Microsoft.Compute/virtualMachineScaleSets", f"aks-{pool['name']}-{suffix}-vmss")
        for pool in body["properties"]["agentPoolProfiles"]
    ]
    for kind, name in wanted:
        resource = {
            "id": f"{group}/providers/{kind}/{name}",
            "name": name,
            "type": kind,
            "location": body["location"],
            "tags": body["tags"],
            "properties": {"provisioningState": "Succeeded"},
        }
        store.put({"body": resource, "private": {"cluster": body["id"].lower()}})


@transition("cluster.ready")
def _ready(store: Store, item: dict[str, Any]) -> None:
    record = _current(store, item)
    if record is None:
        return
    outcome = record["private"].get("outcome")
    if outcome:
        fail(store, record, item["operation"], outcome)
        return
    set_state(record, "Succeeded")
    store.put(record)
    store.finish(item["operation"], "Succeeded")


def fail(store: Store, record: Record, operation: str, outcome: dict[str, Any]) -> None:
    """Ends what was accepted as a failure, as a test has laid down."""
    set_state(record, "Failed")
    error = {"code": outcome.get("code", "InternalOperationError"), "message": outcome.get("message", "It failed.")}
    if outcome.get("details"):
        error["details"] = outcome["details"]
    record["body"]["properties"]["status"] = {"provisioningError": error}
    store.put(record)
    store.finish(operation, "Failed", error)
