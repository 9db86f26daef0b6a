"""Key vaults as ARM resources. Their names are unique in the whole world, deleted ones included."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from sandbox import seeds
from sandbox.azure import groups, operations, policies, providers, vault_end
from sandbox.azure.call import Call, empty, ok, page
from sandbox.azure.cluster_fields import words
from sandbox.azure.errors import AzureError, resource_not_found
from sandbox.azure.regions import REGIONS, normalise
from sandbox.azure.store import VAULT_TYPE, Record, Store, group_id

TYPE = VAULT_TYPE
NAME = re.compile(r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
FIELDS = words(
    "accessPolicies createMode enablePurgeProtection enableRbacAuthorization enableSoftDelete enabledForDeployment "
    "enabledForDiskEncryption enabledForTemplateDeployment networkAcls provisioningState publicNetworkAccess sku "
    "softDeleteRetentionInDays tenantId vaultUri privateEndpointConnections hsmPoolResourceId"
)
REGISTERING_DNS, PURGING = 20, 30  # seconds
BAD_NAME = (
    "The vault name '{}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin "
    "with a letter, end with a letter or digit, and not contain consecutive hyphens."
)


def seed(store: Store) -> None:
    """The vault that the operator gives the portal is there from the first start, and stays deleted if deleted."""
    subscription = seeds.SUBSCRIPTIONS[0]["id"]
    group = group_id(subscription, seeds.PORTAL_VAULT)
    marks = store.core.state.bucket("azure.seeded")
    if marks.get("portal-vault"):
        return
    marks.put("portal-vault", {"done": True})
    groups.make(store, subscription, seeds.PORTAL_VAULT, "uksouth", {})
    properties = {
        "tenantId": seeds.TENANT_ID,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }
    record = _record(store, f"{group}/providers/{TYPE}/{seeds.PORTAL_VAULT}", "uksouth", {"properties": properties})
    record["body"]["properties"]["provisioningState"] = "Succeeded"
    store.put(record)


def find(store: Store, name: str) -> Record | None:
    """The live vault of this name, wherever it is."""
    known = store.vaults.get(name.lower())
    return store.resources.get(known["id"].lower()) if known else None


def _record(store: Store, resource_id: str, region: str, body: dict[str, Any]) -> Record:
    name = resource_id.rsplit("/", 1)[-1]
    defaults = {
        "accessPolicies": [],
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": True,
        "publicNetworkAccess": "Enabled",
        "vaultUri": f"{store.core.config.origin}/kv/{name}/",
        "provisioningState": "RegisteringDns",
    }
    given = {key: value for key, value in (body.get("properties") or {}).items() if key != "createMode"}
    full = {
        "id": resource_id,
        "name": name,
        "type": TYPE,
        "location": region,
        "tags": body.get("tags") or {},
        "properties": defaults | given,
    }
    return {"body": full, "private": {}}


def check_name(call: Call) -> Response:
    name = str(call.json().get("name") or "")
    if call.json().get("type") != TYPE:
        raise AzureError(400, "BadRequest", f"The type must be '{TYPE}'.")
    if not NAME.fullmatch(name):
        return ok({"nameAvailable": False, "reason": "AccountNameInvalid", "message": BAD_NAME.format(name)})
    if find(call.store, name) or vault_end.deleted(call.store).get(name.lower()):
        message = f"The vault name '{name}' is already in use. Vault names are globally unique."
        return ok({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return ok({"nameAvailable": True})


def _id(call: Call) -> str:
    return f"{group_id(call.params['subscription'], call.params['group'])}/providers/{TYPE}/{call.params['name']}"


def put(call: Call) -> Response:
    groups.require_writable(call)
    providers.require(call, "Microsoft.KeyVault")
    body, name = call.json(), call.params["name"]
    region = normalise(str(body.get("location") or ""))
    if region not in REGIONS:
        raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
    policies.require(call, TYPE, name, region, body.get("tags") or {})
    _check_body(name, body)
    existing = call.store.get(_id(call))
    if existing is None:
        _check_free(call, name, (body["properties"]).get("createMode", "default"))
    record = _record(call.store, _id(call), region, body)
    if existing:
        record["body"]["properties"]["provisioningState"] = existing["body"]["properties"]["provisioningState"]
    else:
        call.store.schedule("vault.ready", REGISTERING_DNS, vault=record["body"]["id"].lower())
    call.store.put(record)
    return ok(record["body"])


def _check_body(name: str, body: dict[str, Any]) -> None:
    if not NAME.fullmatch(name):
        raise AzureError(400, "VaultNameNotValid", BAD_NAME.format(name))
    properties = body.get("properties") or {}
    unknown = set(properties) - FIELDS
    if unknown:
        message = f"Could not find member '{min(unknown)}' on object of type 'VaultProperties'."
        raise AzureError(400, "BadRequest", message)
    if str(properties.get("tenantId") or "").lower() != seeds.TENANT_ID:
        raise AzureError(400, "BadRequest", "An invalid value was provided for 'tenantId'.")
    if (properties.get("sku") or {}).get("name") not in ("standard", "premium"):
        raise AzureError(400, "BadRequest", "The parameter sku is missing or not valid.")
    days = properties.get("softDeleteRetentionInDays", 90)
    if not 7 <= days <= 90:
        raise AzureError(400, "BadRequest", "The property 'softDeleteRetentionInDays' must be from 7 to 90.")
    if properties.get("enableSoftDelete") is False:
        raise AzureError(400, "BadRequest", 'The property "enableSoftDelete" can be set to false no longer.')


def _check_free(call: Call, name: str, mode: str) -> None:
    if find(call.store, name):
        message = f"The vault name '{name}' is already in use. Vault names are globally unique."
        raise AzureError(409, "VaultAlreadyExists", message)
    kept = vault_end.deleted(call.store).get(name.lower())
    if kept and mode == "recover":
        vault_end.deleted(call.store).delete(name.lower())
    elif kept:
        raise AzureError(
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing "
            "key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft "
            "delete.",
        )


def get(call: Call) -> Response:
    groups.require(call)
    record = call.store.get(_id(call))
    if record is None:
        raise resource_not_found(TYPE, call.params["name"], call.params["group"])
    return ok(record["body"])


def listing(call: Call) -> Response:
    return groups.contents(call, TYPE)


def delete(call: Call) -> Response:
    groups.require(call)
    if call.store.get(_id(call)) is None:
        return empty(204)
    vault_end.soft_delete(call.store, _id(call))
    return empty(200)


def _deleted_here(call: Call) -> list[tuple[str, dict[str, Any]]]:
    prefix = f"/subscriptions/{call.subscription}/"
    kept = vault_end.deleted(call.store).items()
    return [(key, entry) for key, entry in kept if entry["body"]["id"].lower().startswith(prefix)]


def deleted(call: Call) -> Response:
    return page(call, [entry["body"] for _, entry in _deleted_here(call)], 100)


def _require_deleted(call: Call) -> dict[str, Any]:
    name = call.params["name"].lower()
    for key, entry in _deleted_here(call):
        if key == name and entry["body"]["properties"]["location"] == normalise(call.params["location"]):
            return entry
    raise AzureError(
        404,
        "DeletedVaultNotFound",
        f"The specified deleted vault '{call.params['name']}' does not exist.",
    )


def get_deleted(call: Call) -> Response:
    return ok(_require_deleted(call)["body"])


def purge(call: Call) -> Response:
    entry = _require_deleted(call)
    if entry["body"]["properties"]["purgeProtectionEnabled"]:
        raise AzureError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
    name, region = entry["body"]["name"].lower(), entry["body"]["properties"]["location"]
    operation = entry.get("purging")
    if operation is None:
        operation = call.store.begin(call.params["subscription"], "Microsoft.KeyVault", region)
        vault_end.deleted(call.store).put(name, entry | {"purging": operation})
        call.store.schedule("vault.purged", PURGING, name=name, operation=operation)
    return empty(202, {"location": operations.result_address(call.store, operation, call.api_version)})
