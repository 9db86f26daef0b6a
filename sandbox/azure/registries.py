"""Container registries as ARM resources. Their names are unique in the whole world and become a host's."""

from __future__ import annotations

import re
import secrets
from typing import Any

from starlette.responses import Response

from sandbox.azure import groups, operations, policies, providers
from sandbox.azure.call import Call, empty, ok
from sandbox.azure.due import transition
from sandbox.azure.errors import AzureError, resource_not_found
from sandbox.azure.regions import REGIONS, normalise
from sandbox.azure.store import REGISTRY_TYPE, Record, Store, group_id
from sandbox.registries import addresses

TYPE = REGISTRY_TYPE
NAMESPACE = "Microsoft.ContainerRegistry"
NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
SKUS = ("Basic", "Standard", "Premium")
GIB = 1024**3
SIZES = {"Basic": 10 * GIB, "Standard": 100 * GIB, "Premium": 500 * GIB}
CREATING, DELETING = 12, 8  # seconds
BAD_NAME = "Resource names may contain alpha numeric characters only and must be between 5 and 50 characters."


def names_of_strangers(store: Store) -> Any:
    """Names that somebody elsewhere in Azure has taken."""
    return store.core.state.bucket("azure.registry_strangers")


def _taken(store: Store, name: str) -> bool:
    key = name.lower()
    return store.registries.get(key) is not None or names_of_strangers(store).get(key) is not None


def check_name(call: Call) -> Response:
    name = str(call.json().get("name") or "")
    if str(call.json().get("type") or "").lower() != TYPE.lower():
        raise AzureError(400, "InvalidParameter", f"The parameter type must be '{TYPE}'.")
    if not NAME.fullmatch(name):
        return ok({"nameAvailable": False, "reason": "Invalid", "message": BAD_NAME})
    if _taken(call.store, name):
        message = f"The registry {name} is already in use."
        return ok({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return ok({"availableLoginServerName": addresses.login_server(call.core.config, name), "nameAvailable": True})


def id_of(call: Call) -> str:
    return f"{group_id(call.params['subscription'], call.params['group'])}/providers/{TYPE}/{call.params['name']}"


def require(call: Call) -> Record:
    """The registry in the path; refuses an unknown one."""
    groups.require(call)
    record = call.store.get(id_of(call))
    if record is None:
        raise resource_not_found(TYPE, call.params["name"], call.params["group"])
    return record


def put(call: Call) -> Response:
    groups.require_writable(call)
    providers.require(call, NAMESPACE)
    body, name = call.json(), call.params["name"]
    region = _checked(call, name, body)
    policies.require(call, TYPE, name, region, body.get("tags") or {})
    existing = call.store.get(id_of(call))
    if existing is not None:
        return ok(_changed(call, existing, body))
    if _taken(call.store, name):
        raise _in_use(call, name)
    _forget_namesake(call.store, name)
    record = {"body": _body(call, region, body), "private": {"admin": [secrets.token_urlsafe(24) for _ in range(2)]}}
    call.store.put(record)
    operation = call.store.begin(call.params["subscription"], NAMESPACE, region)
    call.store.schedule("registry.ready", CREATING, registry=record["body"]["id"].lower(), operation=operation)
    if (doors := call.core.services.get("registries")) is not None:
        doors.opened(name)
    return ok(record["body"], 201, operations.headers(call.store, operation))


def _checked(call: Call, name: str, body: dict[str, Any]) -> str:
    """The region asked for. Refuses what the registry's own checks would."""
    region = normalise(str(body.get("location") or ""))
    if region not in REGIONS:
        raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
    if not NAME.fullmatch(name):
        raise AzureError(400, "InvalidResourceName", BAD_NAME, target=name)
    sku = str((body.get("sku") or {}).get("name") or "")
    if sku not in SKUS:
        raise AzureError(400, "InvalidSku", f"The SKU '{sku}' is not valid. It must be one of {', '.join(SKUS)}.")
    return region


def _in_use(call: Call, name: str) -> AzureError:
    return AzureError(
        409,
        "AlreadyInUse",
        f"The registry DNS name {addresses.login_server(call.core.config, name)} is already in use. You can check if "
        "the name is already claimed using following API: https://docs.microsoft.com/en-us/rest/api/"
        "containerregistry/registries/checknameavailability",
    )


def _forget_namesake(store: Store, name: str) -> None:
    """Images and tokens of a deleted registry do not come back with its name."""
    addresses.shelf(store.core, name).clear()
    tokens = store.core.state.bucket("azure.registry_tokens")
    for key in tokens.keys(f"{name.lower()}|"):
        tokens.delete(key)


def _body(call: Call, region: str, asked: dict[str, Any]) -> dict[str, Any]:
    given, now = asked.get("properties") or {}, call.core.clock.iso()
    disabled: dict[str, Any] = {"status": "disabled"}
    sku = asked["sku"]["name"]
    return {
        "id": id_of(call),
        "name": call.params["name"],
        "type": TYPE,
        "location": region,
        "tags": asked.get("tags") or {},
        "sku": {"name": sku, "tier": sku},
        "systemData": {"createdBy": call.principal.client_id, "createdByType": "Application", "createdAt": now},
        "properties": {
            "loginServer": addresses.login_server(call.core.config, call.params["name"]),
            "creationDate": now,
            "provisioningState": "Creating",
            "adminUserEnabled": bool(given.get("adminUserEnabled", False)),
            "anonymousPullEnabled": bool(given.get("anonymousPullEnabled", False)),
            "policies": {"retentionPolicy": {"days": 7} | disabled, "exportPolicy": {"status": "enabled"}},
            "encryption": disabled,
            "dataEndpointEnabled": False,
            "dataEndpointHostNames": [],
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled",
            "networkRuleBypassOptions": "AzureServices",
            "zoneRedundancy": "Disabled",
        },
    }


def _changed(call: Call, record: Record, asked: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = record["body"]
    body["tags"] = asked.get("tags") or {}
    body["sku"] = {"name": asked["sku"]["name"], "tier": asked["sku"]["name"]}
    for field in ("adminUserEnabled", "anonymousPullEnabled"):
        if field in (asked.get("properties") or {}):
            body["properties"][field] = bool(asked["properties"][field])
    call.store.put(record)
    return body


@transition("registry.ready")
def _ready(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["registry"])
    if record is None or record["body"]["properties"]["provisioningState"] != "Creating":
        store.finish(item["operation"], "Canceled")
        return
    record["body"]["properties"]["provisioningState"] = "Succeeded"
    store.put(record)
    store.finish(item["operation"], "Succeeded")


def get(call: Call) -> Response:
    return ok(require(call)["body"])


def listing(call: Call) -> Response:
    return groups.contents(call, TYPE)


def delete(call: Call) -> Response:
    groups.require(call)
    record = call.store.get(id_of(call))
    if record is None:
        return empty(204)
    operation = record["private"].get("deletion")
    if operation is None:
        operation = call.store.begin(call.params["subscription"], NAMESPACE, record["body"]["location"])
        record["private"]["deletion"] = operation
        record["body"]["properties"]["provisioningState"] = "Deleting"
        call.store.put(record)
        call.store.schedule("registry.deleted", DELETING, registry=id_of(call).lower(), operation=operation)
    return empty(202, operations.headers(call.store, operation, location=True))


@transition("registry.deleted")
def _deleted(store: Store, item: dict[str, Any]) -> None:
    store.delete(item["registry"])
    store.finish(item["operation"], "Succeeded")


def credentials(call: Call) -> Response:
    """The admin user's, where there is one."""
    record = require(call)
    if not record["body"]["properties"]["adminUserEnabled"]:
        raise AzureError(
            400,
            "UnAuthorizedForCredentialOperations",
            f"Cannot perform credential operations for {record['body']['id']} as admin user is disabled. Kindly enable "
            "the admin user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/"
            "container-registry-authentication#admin-account",
        )
    passwords = [
        {"name": name, "value": value}
        for name, value in zip(("password", "password2"), record["private"]["admin"], strict=True)
    ]
    return ok({"username": record["body"]["name"], "passwords": passwords})


def usages(call: Call) -> Response:
    most = SIZES[require(call)["body"]["sku"]["name"]]
    used = addresses.shelf(call.core, call.params["name"]).size()
    return ok({"value": [{"name": "Size", "limit": most, "currentValue": used, "unit": "Bytes"}]})
