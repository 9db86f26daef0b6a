"""Agent pools as resources of their own."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.azure import cluster_fields, cluster_life, cluster_rules, clusters, groups, operations, providers
from sandbox.azure.call import Call, empty, ok, page
from sandbox.azure.cluster_shape import full_pool
from sandbox.azure.due import transition
from sandbox.azure.errors import AzureError, aks_error
from sandbox.azure.store import Record, Store, group_id

MAKING, REMOVING = 120, 90  # seconds
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


def get(call: Call) -> Response:
    record = clusters.require(call)
    pool = _find(record, call.params["pool"])
    if pool is None:
        raise _not_found(call)
    return ok(_body(record, pool))


def _not_found(call: Call) -> AzureError:
    return aks_error(404, "NotFound", f"Could not find the agentpool: {call.params['pool']}.")


def put(call: Call) -> Response:
    groups.require_writable(call)
    providers.require(call, "Microsoft.ContainerService")
    record = clusters.require(call)
    clusters.require_idle(record)
    cluster_fields.check_pool(call.json())
    name = call.params["pool"]
    asked = {**(call.json().get("properties") or {}), "name": name}
    cluster_rules.check_pool(asked)
    region, properties = record["body"]["location"], record["body"]["properties"]
    old = _find(record, name)
    if old and old["vmSize"].lower() != str(asked["vmSize"]).lower():
        message = "Changing property 'properties.vmSize' is not allowed."
        raise aks_error(400, "PropertyChangeNotAllowed", message, "properties.vmSize")
    cluster_rules.check_sizes(call, [asked], region)
    cluster_rules.check_quota(call, [old] if old else [], [asked], region)
    pool = full_pool(asked, properties["currentKubernetesVersion"], old)
    pool["provisioningState"] = "Updating" if old else "Creating"
    others = [entry for entry in properties["agentPoolProfiles"] if entry["name"] != name]
    properties["agentPoolProfiles"] = [*others, pool]
    operation = _begin(call.store, record, name, "pool.ready", MAKING)
    return ok(_body(record, pool), 200 if old else 201, operations.headers(call.store, operation))


def _begin(store: Store, record: Record, name: str, kind: str, seconds: int) -> str:
    body = record["body"]
    operation = store.begin(body["id"].split("/")[2], "Microsoft.ContainerService", body["location"])
    store.put(record)
    store.schedule(kind, seconds, cluster=body["id"].lower(), pool=name, operation=operation)
    return operation


@transition("pool.ready")
def _ready(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["cluster"])
    pool = _find(record, item["pool"]) if record else None
    if record is None or pool is None or pool["provisioningState"] == "Deleting":
        return store.finish(item["operation"], "Canceled")
    pool["provisioningState"] = "Succeeded"
    store.put(record)
    cluster_life.put_node_resources(store, record)
    cluster_life.ensure_kubernetes(store, record)
    return store.finish(item["operation"], "Succeeded")


def delete(call: Call) -> Response:
    record = clusters.require(call)
    clusters.require_idle(record)
    pool = _find(record, call.params["pool"])
    if pool is None:
        return empty(204)
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
