"""What can be done to a cluster: delete, stop, start, abort, hand out credentials."""

from __future__ import annotations

import base64
from typing import Any

from starlette.responses import Response

from sandbox.azure import cluster_end, cluster_life, clusters, groups, operations
from sandbox.azure.call import Call, empty, ok
from sandbox.azure.cluster_shape import set_state
from sandbox.azure.due import transition
from sandbox.azure.errors import aks_error
from sandbox.azure.store import Record, Store

STOPPING, STARTING, ABORTING = 90, 120, 20  # seconds


def delete(call: Call) -> Response:
    """202 and some minutes of Deleting; 204 when there is nothing (left) to delete."""
    groups.require(call)
    try:
        record = clusters.require(call)
    except Exception as error:
        if getattr(error, "code", "") == "ResourceNotFound":
            return empty(204)
        raise
    if record["body"]["properties"]["provisioningState"] != "Deleting":
        clusters.require_idle(record)
        cluster_end.start(call.store, record["body"]["id"])
    operation = (call.store.get(record["body"]["id"]) or record)["private"]["operation"]
    return empty(202, operations.headers(call.store, operation, location=True))


def stop(call: Call) -> Response:
    return _power(call, "Stopping", STOPPING, "Stopped")


def start(call: Call) -> Response:
    return _power(call, "Starting", STARTING, "Running")


def _power(call: Call, state: str, seconds: int, goal: str) -> Response:
    groups.require_writable(call)
    record = clusters.require(call)
    clusters.require_idle(record)
    if record["body"]["properties"]["powerState"]["code"] == goal:
        return empty(204)
    operation = _begin(call.store, record, state)
    outcome = cluster_life.take_outcome(call.store, "", record["body"]["name"]) or {}
    if not outcome.get("stuck"):
        cluster = record["body"]["id"].lower()
        more = {"cluster": cluster, "operation": operation, "goal": goal, "outcome": outcome}
        call.store.schedule("cluster.power", seconds, **more)
    return empty(202, operations.headers(call.store, operation, location=True))


def _begin(store: Store, record: Record, state: str) -> str:
    body = record["body"]
    operation = store.begin(body["id"].split("/")[2], "Microsoft.ContainerService", body["location"])
    set_state(record, state)
    record["private"]["operation"] = operation
    store.put(record)
    return operation


@transition("cluster.power")
def _powered(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["cluster"])
    if record is None or record["private"]["operation"] != item["operation"]:
        return
    if outcome := item.get("outcome"):
        cluster_life.fail(store, record, item["operation"], outcome)
        return
    set_state(record, "Succeeded")
    properties = record["body"]["properties"]
    properties["powerState"] = {"code": item["goal"]}
    for pool in properties["agentPoolProfiles"]:
        pool["powerState"] = {"code": item["goal"]}
    store.put(record)
    kubernetes = store.core.services.get("kubernetes")
    if kubernetes is not None and record["private"]["control_plane"]:
        kubernetes.set_power(record["private"]["key"], item["goal"] == "Running")
    store.finish(item["operation"], "Succeeded")


def abort(call: Call) -> Response:
    """Cancels what is running; the cluster ends as Canceled."""
    record = clusters.require(call)
    state = record["body"]["properties"]["provisioningState"]
    if state not in clusters.BUSY or state == "Deleting":
        raise aks_error(
            400, "OperationNotAllowed", f"There is no operation to abort on managed cluster in state {state}."
        )
    call.store.finish(record["private"]["operation"], "Canceled", {"code": "Canceled", "message": "Operation aborted."})
    operation = _begin(call.store, record, "Canceling")
    cluster = record["body"]["id"].lower()
    call.store.schedule("cluster.aborted", ABORTING, cluster=cluster, operation=operation)
    return empty(202, operations.headers(call.store, operation, location=True))


@transition("cluster.aborted")
def _aborted(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["cluster"])
    if record is None or record["private"]["operation"] != item["operation"]:
        return
    set_state(record, "Canceled")
    store.put(record)
    store.finish(item["operation"], "Succeeded")


def credentials(call: Call) -> Response:
    """A kubeconfig, base64 as on the wire: the simulated cluster's, or the real one the sandbox was given."""
    record = clusters.require(call)
    admin = call.path.lower().endswith("admincredential")
    name = "clusterAdmin" if admin else "clusterUser"
    if admin and record["body"]["properties"].get("disableLocalAccounts"):
        raise aks_error(
            400,
            "BadRequest",
            "Getting static credential is not allowed because this cluster is set to disable local accounts.",
        )
    content = _kubeconfig(call, record)
    encoded = base64.b64encode(content).decode()
    return ok({"kubeconfigs": [{"name": name, "value": encoded}]})


def _kubeconfig(call: Call, record: Record) -> bytes:
    if not record["private"]["control_plane"]:
        number = record["body"]["properties"]["resourceUID"]
        raise aks_error(404, "ControlPlaneNotFound", f"Could not find control plane with ID {number}.")
    if call.core.config.kubeconfig is not None:
        return call.core.config.kubeconfig.read_bytes()
    kubernetes = call.core.services.get("kubernetes")
    if kubernetes is None:
        raise aks_error(404, "ControlPlaneNotFound", "This sandbox runs no Kubernetes.")
    content: bytes = kubernetes.kubeconfig(record["private"]["key"])
    return content
