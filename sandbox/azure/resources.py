"""Resources of any type: listed by tag, and by id where nothing more is known of them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.azure import groups, network, policies, providers
from sandbox.azure.call import Call, empty, ok, page
from sandbox.azure.errors import AzureError, resource_not_found
from sandbox.azure.filters import by_tag, clauses
from sandbox.azure.regions import REGIONS, normalise
from sandbox.azure.store import GROUP_TYPE

#: What a listing shows of a resource: everything but its properties.
SHOWN = ("id", "name", "type", "location", "tags", "kind", "managedBy", "sku", "identity")


def listing(call: Call) -> Response:
    """Everything in the subscription or the group; resource groups are not resources."""
    scope = groups.scope(call)
    records = call.store.under(scope)
    bodies = [record["body"] for record in records] + _addresses(call, scope.lower())
    shown = [
        {key: body[key] for key in SHOWN if key in body}
        for body in bodies
        if body["type"] != GROUP_TYPE and "/" not in body["type"].split("/", 2)[-1]
    ]
    found = by_tag(shown, wanted := call.query.get("$filter", ""))
    if "tagvalue" in clauses(wanted):
        # Azure leaves the tags out of what was asked for by a tag's value.
        found = [{key: value for key, value in body.items() if key != "tags"} for body in found]
    return page(call, found, 1000)


def _addresses(call: Call, scope: str) -> list[dict[str, Any]]:
    """Public addresses are not kept but read from the clusters: those within the scope."""
    clusters = call.store.under(f"/subscriptions/{call.subscription}/", network.CLUSTERS)
    wanted = call.query.get("$filter", "")
    if "tagname" in clauses(wanted) and "k8s-azure" not in wanted:  # an address bears its cluster's tags
        fitting = {body["id"] for body in by_tag([record["body"] for record in clusters], wanted)}
        clusters = [record for record in clusters if record["body"]["id"] in fitting]
    found = [address for record in clusters for address in network.addresses_of(call.store, record)]
    return [address for address in found if address["id"].lower().startswith(scope)]


def _type(call: Call) -> str:
    """The proper name of the type in the path; refuses unknown ones as ARM words it."""
    asked, kind = call.params["namespace"], call.params["type"]
    if asked.lower() not in providers.NAMES:
        raise AzureError(404, "InvalidResourceNamespace", f"The resource namespace '{asked}' is invalid.")
    namespace = providers.NAMES[asked.lower()]
    for known in providers.TYPES[namespace]:
        if known.lower() == kind.lower():
            return f"{namespace}/{known}"
    raise AzureError(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api version "
        f"'{call.api_version}'.",
    )


def get(call: Call) -> Response:
    kind = _type(call)
    groups.require(call)
    record = call.store.get(call.path)
    if record is None:
        raise resource_not_found(kind, call.params["name"], call.params["group"])
    return ok(record["body"])


def put(call: Call) -> Response:
    """Keeps a simple resource as it was given: Succeeded at once."""
    kind, group, body = _type(call), groups.require_writable(call), dict(call.json())
    providers.require(call, kind.split("/")[0])
    location = normalise(body.get("location") or "")
    if location not in REGIONS and location != "global":
        raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
    policies.require(call, kind, call.params["name"], location, body.get("tags") or {})
    existing = call.store.get(call.path)
    properties: dict[str, Any] = dict(body.get("properties") or {})
    full = body | {
        "id": f"{group['body']['id']}/providers/{kind}/{call.params['name']}",
        "name": call.params["name"],
        "type": kind,
        "location": location,
        "properties": properties | {"provisioningState": "Succeeded"},
    }
    call.store.put({"body": full, "private": {}})
    return ok(full, 200 if existing else 201)


def delete(call: Call) -> Response:
    _type(call)
    return empty(200 if call.store.delete(call.path) else 204)
