"""Resource groups: made at once, gone after everything in them is."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from sandbox.azure import cluster_end, field_types, operations, policies, vault_end
from sandbox.azure.call import Call, empty, ok, page
from sandbox.azure.due import transition
from sandbox.azure.errors import AzureError, group_being_deleted, group_not_found
from sandbox.azure.filters import by_tag
from sandbox.azure.regions import REGIONS, normalise
from sandbox.azure.store import GROUP_TYPE, Record, Store, group_id

NAME = re.compile(r"[-\w.()]{1,90}")
EMPTYING = 20  # seconds for a group without clusters


def require(call: Call) -> Record:
    """The group in the path; refuses an unknown one."""
    group = call.store.group(call.subscription, call.params["group"])
    if group is None:
        raise group_not_found(call.params["group"])
    return group


def require_writable(call: Call) -> Record:
    """The group in the path, when something may be put into it."""
    group = require(call)
    if group["body"]["properties"]["provisioningState"] == "Deleting":
        raise group_being_deleted(call.params["group"])
    return group


def scope(call: Call) -> str:
    """How the ids begin of what a listing is asked for: what is in the group in the path, or in any group."""
    everywhere = f"/subscriptions/{call.subscription}/resourcegroups/"
    if "group" not in call.params:
        return everywhere
    require(call)
    return f"{everywhere}{call.params['group']}/"


def contents(call: Call, resource_type: str) -> Response:
    """A listing of the resources of one type."""
    return page(call, [record["body"] for record in call.store.under(scope(call), resource_type)], 100)


def make(
    store: Store, subscription: str, name: str, location: str, tags: dict[str, str], managed_by: str = ""
) -> Record:
    """Puts a group; used also for those that Azure makes by itself."""
    body: dict[str, Any] = {
        "id": group_id(subscription, name),
        "name": name,
        "type": GROUP_TYPE,
        "location": location,
        "tags": tags,
        "properties": {"provisioningState": "Succeeded"},
    }
    if managed_by:
        body["managedBy"] = managed_by
    record = {"body": body, "private": {}}
    store.put(record)
    return record


def put(call: Call) -> Response:
    name, body = call.params["group"], call.json()
    if not NAME.fullmatch(name) or name.endswith("."):
        raise AzureError(
            400,
            "InvalidResourceGroup",
            f"The provided resource group name '{name}' is invalid: at most 90 letters, digits, '-', '.', '(', ')' or "
            "'_', and no '.' at its end.",
        )
    location = _location(body)
    tags = checked_tags(body)
    policies.require(call, GROUP_TYPE, name, location, tags)
    existing = call.store.group(call.subscription, name)
    if existing is None:
        record = make(call.store, call.params["subscription"], name, location, tags, body.get("managedBy", ""))
        return ok(record["body"], 201)
    if existing["body"]["properties"]["provisioningState"] == "Deleting":
        raise group_being_deleted(name)
    if existing["body"]["location"] != location:
        raise AzureError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{existing['body']['location']}'.",
        )
    existing["body"]["tags"] = tags
    call.store.put(existing)
    return ok(existing["body"])


def _check_fields(body: dict[str, Any]) -> None:
    unknown = set(body) - {"id", "name", "type", "location", "tags", "managedBy", "properties"}
    if unknown:
        message = f"Could not find member '{min(unknown)}' on object of type 'ResourceGroupDefinition'."
        raise AzureError(400, "InvalidRequestContent", f"The request content was invalid: '{message}'.")


def _location(body: dict[str, Any]) -> str:
    _check_fields(body)
    if not body.get("location"):
        raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
    location = normalise(body["location"])
    if location not in REGIONS:
        raise AzureError(
            400,
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{body['location']}' is not available for resource group. List of available "
            f"regions is '{','.join(REGIONS)}'.",
        )
    return location


def checked_tags(body: dict[str, Any]) -> dict[str, str]:
    tags = field_types.tags(body)
    if len(tags) > 50:
        raise AzureError(400, "InvalidTagCount", "The number of tags may not exceed the maximum of 50.")
    for name, value in tags.items():
        if len(name) > 512 or len(str(value)) > 256 or re.search(r"[<>%&\\?/]", name):
            raise AzureError(400, "InvalidTagNameOrValue", f"The tag '{name[:60]}' has an invalid name or value.")
    return tags


def patch(call: Call) -> Response:
    group = require_writable(call)
    _check_fields(call.json())
    if "tags" in call.json():
        group["body"]["tags"] = checked_tags(call.json())
    call.store.put(group)
    return ok(group["body"])


def get(call: Call) -> Response:
    return ok(require(call)["body"])


def head(call: Call) -> Response:
    return empty(204 if call.store.group(call.subscription, call.params["group"]) else 404)


def listing(call: Call) -> Response:
    found = call.store.under(f"/subscriptions/{call.subscription}/resourcegroups/", GROUP_TYPE)
    bodies = [record["body"] for record in found]
    return page(call, by_tag(bodies, call.query.get("$filter", "")), 1000)


def delete(call: Call) -> Response:
    """Starts the group's end: what is in it counts as Deleting from now on."""
    group = require(call)
    operation = group["private"].get("deletion")
    if operation is None:
        operation = _begin_deletion(call, group)
    return empty(202, {"location": operations.result_address(call.store, operation, call.api_version)})


def _begin_deletion(call: Call, group: Record) -> str:
    operation = call.store.begin(call.params["subscription"], "Microsoft.Resources", group["body"]["location"])
    group["body"]["properties"]["provisioningState"] = "Deleting"
    group["private"]["deletion"] = operation
    call.store.put(group)
    seconds = EMPTYING
    for record in call.store.under(group["body"]["id"] + "/", "Microsoft.ContainerService/managedClusters"):
        seconds = max(seconds, cluster_end.start(call.store, record["body"]["id"]))
    call.store.schedule("group.deleted", seconds + 5, group=group["body"]["id"], operation=operation)
    return operation


@transition("group.deleted")
def _deleted(store: Store, item: dict[str, Any]) -> None:
    for record in store.under(item["group"] + "/"):
        kind, resource = record["body"]["type"].lower(), record["body"]["id"]
        if kind == "microsoft.containerservice/managedclusters":
            cluster_end.finish(store, resource)
        elif kind == "microsoft.keyvault/vaults":
            vault_end.soft_delete(store, resource)
        else:
            store.delete(resource)
    store.delete(item["group"])
    store.finish(item["operation"], "Succeeded")
