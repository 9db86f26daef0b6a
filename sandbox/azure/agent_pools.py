"""Agent pools as resources of their own."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.azure import (
    cluster_fields,
    cluster_life,
    cluster_rules,
    cluster_upgrades,
    clusters,
    groups,
    operations,
    policies,
    providers,
)
from sandbox.azure.call import Call, empty, ok, page
from sandbox.azure.cluster_shape import full_pool
from sandbox.azure.due import transition
from sandbox.azure.errors import aks_error
from sandbox.azure.store import Record, Store, group_id

MAKING, REMOVING, ABORTING = 120, 90, 20  # seconds
TYPE = "Microsoft.ContainerService/managedClusters/agentPools"


def _body(record: Record, pool: dict[str, Any]) -> dict[str, Any]:
    properties = {key: value for key, value in pool.items() if key != "name"}
    return {
        "id": f"{record['body']['id']}/agentPools/{pool['name']}",
        "name": pool["name"],
        "type": TYPE,
        "properties": properties,
    }


def _find(record: Record, name: str) -> dict[str, Any] | None:
    pools: list[dict[str, Any]] = record["body"]["properties"]["agentPoolProfiles"]
    return next((pool for pool in pools if pool["name"] == name.lower()), None)


def listing(call: Call) -> Response:
    record = clusters.require(call)
    return page(call, [_body(record, pool) for pool in record["body"]["properties"]["agentPoolProfiles"]], 100)


def require(call: Call) -> tuple[Record, dict[str, Any]]:
    """The cluster and the pool in the path; refuses an unknown one."""
    record = clusters.require(call)
    pool = _find(record, call.params["pool"])
    if pool is None:
        raise aks_error(404, "NotFound", f"Could not find the agentpool: {call.params['pool']}.")
    return record, pool


def get(call: Call) -> Response:
    return ok(_body(*require(call)))


def put(call: Call) -> Response:
    """Makes, scales or upgrades a pool."""
    groups.require_writable(call)
    providers.require(call, "Microsoft.ContainerService")
    record, name = clusters.require(call), call.params["pool"]
    clusters.require_free(record)
    _require_running(record)
    cluster_fields.check_pool(call.json())
    asked = {**(call.json().get("properties") or {}), "name": name}
    old = _find(record, name)
    _check(call, record, asked, old)
    properties = record["body"]["properties"]
    pool = full_pool(asked, properties["currentKubernetesVersion"], old)
    pool["provisioningState"] = "Updating" if old else "Creating"
    others = [entry for entry in properties["agentPoolProfiles"] if entry["name"] != name]
    properties["agentPoolProfiles"] = [*others, pool]
    operation = _begin(call.store, record, name, "pool.ready", MAKING)
    return ok(_body(record, pool), 200 if old else 201, operations.headers(call.store, operation))


def _check(call: Call, record: Record, asked: dict[str, Any], old: dict[str, Any] | None) -> None:
    """Refuses what the pool, its cluster, the region or the quota does not allow."""
    cluster_rules.check_pool(asked)
    if old:
        clusters.require_pool_idle(old)
    plane = record["body"]["properties"]["currentKubernetesVersion"]
    was = (old or {}).get("currentOrchestratorVersion", "")
    cluster_upgrades.check_pool(plane, was, str(asked.get("orchestratorVersion") or ""))
    if old and old["vmSize"].lower() != str(asked["vmSize"]).lower():
        message = "Changing property 'properties.vmSize' is not allowed."
        raise aks_error(400, "PropertyChangeNotAllowed", message, "properties.vmSize")
    region, tags = record["body"]["location"], record["body"].get("tags") or {}
    policies.require(call, TYPE, str(asked["name"]), region, tags, (str(asked["vmSize"]),))
    cluster_rules.check_sizes(call, [asked], region)
    cluster_rules.check_quota(call, [old] if old else [], [asked], region)


def _require_running(record: Record) -> None:
    if record["body"]["properties"]["powerState"]["code"] != "Running":
        message = "Managed cluster is in stopped state; start it before any other operation."
        raise aks_error(400, "OperationNotAllowed", message)


def _begin(store: Store, record: Record, name: str, kind: str, seconds: int) -> str:
    body = record["body"]
    operation = store.begin(body["id"].split("/")[2], "Microsoft.ContainerService", body["location"])
    record["private"].setdefault("pool_operations", {})[name] = operation
    store.put(record)
    outcome = cluster_life.take_outcome(store, name) or {}
    if not outcome.get("stuck"):
        cluster = body["id"].lower()
        store.schedule(kind, seconds, cluster=cluster, pool=name, operation=operation, outcome=outcome)
    return operation


def abort(call: Call) -> Response:
    """Cancels what is being done to a pool; it ends as Canceled. One that is at rest is a conflict."""
    record, pool = require(call)
    if pool["provisioningState"] not in ("Creating", "Updating"):
        message = f"There is no operation to abort on agent pool in state {pool['provisioningState']}."
        raise aks_error(409, "OperationNotAllowed", message)
    call.store.unschedule(kind="pool.ready", cluster=record["body"]["id"].lower(), pool=pool["name"])
    running = record["private"].get("pool_operations", {}).get(pool["name"], "")
    call.store.finish(running, "Canceled", {"code": "Canceled", "message": "Operation aborted."})
    pool["provisioningState"] = "Canceling"
    operation = _begin(call.store, record, pool["name"], "pool.aborted", ABORTING)
    return empty(202, operations.headers(call.store, operation, location=True))


@transition("pool.aborted")
def _aborted(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["cluster"])
    pool = _find(record, item["pool"]) if record else None
    if record is not None and pool is not None and pool["provisioningState"] == "Canceling":
        pool["provisioningState"] = "Canceled"
        store.put(record)
    store.finish(item["operation"], "Succeeded")


@transition("pool.ready")
def _ready(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["cluster"])
    pool = _find(record, item["pool"]) if record else None
    if record is None or pool is None or pool["provisioningState"] == "Deleting":
        return store.finish(item["operation"], "Canceled")
    if outcome := item.get("outcome"):
        pool["provisioningState"] = "Failed"
        store.put(record)
        error = {key: outcome[key] for key in ("code", "message", "details") if key in outcome}
        return store.finish(item["operation"], "Failed", error)
    pool["provisioningState"] = "Succeeded"
    store.put(record)
    cluster_life.put_node_resources(store, record)
    cluster_life.ensure_kubernetes(store, record)
    return store.finish(item["operation"], "Succeeded")


def delete(call: Call) -> Response:
    record = clusters.require(call)
    clusters.require_free(record)
    pool = _find(record, call.params["pool"])
    if pool is None:
        return empty(204)
    clusters.require_pool_idle(pool)
    others = [entry for entry in record["body"]["properties"]["agentPoolProfiles"] if entry is not pool]
    if not any(entry["mode"] == "System" for entry in others):
        message = f"There has to be at least one system agent pool. Deleting {pool['name']} is not allowed."
        raise aks_error(400, "OperationNotAllowed", message)
    pool["provisioningState"] = "Deleting"
    operation = _begin(call.store, record, pool["name"], "pool.deleted", REMOVING)
    return empty(202, operations.headers(call.store, operation, location=True))


@transition("pool.deleted")
def _deleted(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["cluster"])
    if record is not None:
        properties, suffix = record["body"]["properties"], record["private"]["key"][-8:]
        properties["agentPoolProfiles"] = [
            pool for pool in properties["agentPoolProfiles"] if pool["name"] != item["pool"]
        ]
        store.put(record)
        group = group_id(record["body"]["id"].split("/")[2], properties["nodeResourceGroup"])
        store.delete(f"{group}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-{item['pool']}-{suffix}-vmss")
        cluster_life.ensure_kubernetes(store, record)
    store.finish(item["operation"], "Succeeded")
