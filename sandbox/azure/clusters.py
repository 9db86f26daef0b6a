"""Managed clusters: create, change, read. Creating takes 4 to 6 simulated minutes."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

from starlette.responses import Response

from sandbox.azure import (
    cluster_fields,
    cluster_life,
    cluster_rules,
    cluster_upgrades,
    groups,
    operations,
    policies,
    providers,
)
from sandbox.azure.call import Call, ok
from sandbox.azure.cluster_shape import TYPE, apply, new_record, set_state
from sandbox.azure.errors import AzureError, aks_error, resource_not_found
from sandbox.azure.regions import REGIONS, exact_version, normalise
from sandbox.azure.store import Record

UPDATING = 60  # seconds
BUSY = {
    "Creating": "create managed cluster",
    "Updating": "update managed cluster",
    "Deleting": "delete managed cluster",
    "Stopping": "stop managed cluster",
    "Starting": "start managed cluster",
    "Canceling": "abort managed cluster",
}


def duration(name: str) -> int:
    """Seconds a cluster of this name takes to come up: 240 to 360, always the same."""
    return 240 + int(hashlib.sha256(name.lower().encode()).hexdigest(), 16) % 121


def require(call: Call) -> Record:
    """The cluster in the path; refuses an unknown group or cluster."""
    groups.require(call)
    record = call.store.get(_id(call))
    if record is None:
        raise resource_not_found(
            "Microsoft.ContainerService/managedClusters", call.params["name"], call.params["group"]
        )
    return record


def require_idle(record: Record) -> None:
    """Refuses while another operation on the cluster or on one of its pools is running."""
    require_free(record)
    for pool in record["body"]["properties"]["agentPoolProfiles"]:
        require_pool_idle(pool)


def require_free(record: Record) -> None:
    """Refuses while another operation on the cluster itself is running."""
    state = record["body"]["properties"]["provisioningState"]
    if state in BUSY:
        raise _busy(BUSY[state], f"managed cluster {record['body']['name']}")


def require_pool_idle(pool: dict[str, Any]) -> None:
    state = pool["provisioningState"]
    if state in BUSY:
        raise _busy(BUSY[state].replace("managed cluster", "agent pool"), f"agent pool {pool['name']}")


def _busy(operation: str, what: str) -> AzureError:
    return aks_error(
        409,
        "OperationNotAllowed",
        f"Operation is not allowed because there's an in progress {operation} operation on the {what} started. Please "
        "wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for more "
        "details",
    )


def _id(call: Call) -> str:
    group, name = call.params["group"], call.params["name"]
    return (
        f"/subscriptions/{call.params['subscription']}/resourceGroups/{group}"
        f"/providers/Microsoft.ContainerService/managedClusters/{name}"
    )


def get(call: Call) -> Response:
    record = require(call)
    return ok(record["body"], headers={"etag": f'"{record["body"]["eTag"]}"'})


def listing(call: Call) -> Response:
    return groups.contents(call, TYPE)


def put(call: Call) -> Response:
    groups.require_writable(call)
    providers.require(call, "Microsoft.ContainerService")
    body, name = call.json(), call.params["name"]
    existing = call.store.get(_id(call))
    region = _region(call, body, existing)
    _check_preconditions(call, existing)
    tags = groups.checked_tags(body)
    policies.require(call, TYPE, name, region, tags, policies.sizes(body))
    cluster_fields.check(body)
    cluster_rules.check_cluster(call, name, body)
    if existing is None:
        return _create(call, body, region)
    return _update(call, existing, body)


def _region(call: Call, body: dict[str, Any], existing: Record | None) -> str:
    if not body.get("location"):
        raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
    region = normalise(str(body["location"]))
    if region not in REGIONS:
        raise AzureError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{body['location']}' is not available for resource type "
            f"'Microsoft.ContainerService/managedClusters'. List of available regions for the resource type is "
            f"'{','.join(REGIONS)}'.",
        )
    if existing and existing["body"]["location"] != region:
        raise AzureError(
            409,
            "InvalidResourceLocation",
            f"The resource '{call.params['name']}' already exists in location '{existing['body']['location']}' in "
            f"resource group '{call.params['group']}'. A resource with the same name cannot be created in location "
            f"'{region}'. Please select a new resource name.",
        )
    return region


def _check_preconditions(call: Call, existing: Record | None) -> None:
    wanted, unwanted = call.headers.get("if-match"), call.headers.get("if-none-match")
    tag = existing["body"]["eTag"] if existing else None
    held = (not wanted or (tag is not None and wanted.strip('"') in (tag, "*"))) and not (unwanted == "*" and existing)
    if not held:
        raise aks_error(
            412,
            "PreconditionFailed",
            "The request was rejected because its If-Match or If-None-Match condition does not hold for the managed "
            f"cluster {call.params['name']}.",
        )


def _create(call: Call, body: dict[str, Any], region: str) -> Response:
    pools = body["properties"]["agentPoolProfiles"]
    record = new_record(_id(call), region, body)
    node_group = record["body"]["properties"]["nodeResourceGroup"]
    if len(node_group) > cluster_rules.NODE_GROUP_LENGTH or not re.fullmatch(r"[-\w.()]+", node_group):
        raise cluster_rules.invalid(
            "nodeResourceGroup",
            f"'{node_group}' has {len(node_group)} characters; at most {cluster_rules.NODE_GROUP_LENGTH} are allowed",
        )
    if call.store.group(call.subscription, node_group):
        raise cluster_rules.invalid("nodeResourceGroup", f"the resource group '{node_group}' exists already")
    cluster_rules.check_sizes(call, pools, region)
    cluster_rules.check_quota(call, [], pools, region)
    operation = cluster_life.begin_creation(call.store, record, duration(record["body"]["name"]))
    return ok(record["body"], 201, operations.headers(call.store, operation))


def _update(call: Call, record: Record, body: dict[str, Any]) -> Response:
    require_idle(record)
    properties = record["body"]["properties"]
    if properties["powerState"]["code"] != "Running":
        raise aks_error(
            400, "OperationNotAllowed", "Managed cluster is in stopped state; start it before any other operation."
        )
    wanted = body["properties"].get("dnsPrefix")
    if wanted and wanted != properties["dnsPrefix"]:
        message = "Changing property 'dnsPrefix' is not allowed."
        raise aks_error(400, "PropertyChangeNotAllowed", message, "dnsPrefix")
    current = properties["currentKubernetesVersion"]
    cluster_upgrades.check(current, str(body["properties"].get("kubernetesVersion") or ""))
    plane = exact_version(str(body["properties"].get("kubernetesVersion") or current)) or current
    before = [dict(pool) for pool in properties["agentPoolProfiles"]]
    _check_pool_versions(plane, before, body["properties"]["agentPoolProfiles"])
    failed = properties["provisioningState"] in ("Failed", "Canceled")
    apply(record, body)
    after = record["body"]["properties"]["agentPoolProfiles"]
    cluster_rules.check_sizes(call, after, record["body"]["location"])
    cluster_rules.check_quota(call, before, after, record["body"]["location"])
    set_state(record, "Updating")
    seconds = duration(record["body"]["name"]) if failed else UPDATING
    operation = cluster_life.begin_change(call.store, record, seconds)
    return ok(record["body"], 200, operations.headers(call.store, operation))


def _check_pool_versions(plane: str, before: list[dict[str, Any]], asked: list[dict[str, Any]]) -> None:
    known = {pool["name"]: pool["currentOrchestratorVersion"] for pool in before}
    for pool in asked:
        cluster_upgrades.check_pool(plane, known.get(pool["name"], ""), str(pool.get("orchestratorVersion") or ""))


def patch(call: Call) -> Response:
    """Changes tags, and nothing else."""
    groups.require_writable(call)
    record = require(call)
    require_idle(record)
    if set(call.json()) - {"tags"}:
        raise cluster_fields.unmarshalling(f'json: unknown field "{min(set(call.json()) - {"tags"})}"')
    record["body"]["tags"] = groups.checked_tags(call.json())
    record["body"]["eTag"] = str(uuid.uuid4())
    call.store.put(record)
    return ok(record["body"])
