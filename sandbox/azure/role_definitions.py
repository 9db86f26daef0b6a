"""Role definitions: Azure's own, as far as anybody here needs them, and custom ones of the tenant."""

from __future__ import annotations

import re
import uuid
from typing import Any

from starlette.responses import Response

from sandbox.azure import providers
from sandbox.azure.call import Call, empty, ok
from sandbox.azure.errors import AzureError
from sandbox.core import Core

TYPE = "Microsoft.Authorization/roleDefinitions"
Json = dict[str, Any]
#: name → (id, actions, notActions, dataActions)
BUILT_IN: dict[str, tuple[str, list[str], list[str], list[str]]] = {
    "Owner": ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ["*"], [], []),
    "Contributor": (
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ["*"],
        [
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
        ],
        [],
    ),
    "Reader": ("acdd72a7-3385-48ef-bd42-f606fba81ae7", ["*/read"], [], []),
    "Role Based Access Control Administrator": (
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        [
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ],
        [],
        [],
    ),
    "AcrPull": ("7f951dda-4ed3-4680-a7ca-43fe172d538d", ["Microsoft.ContainerRegistry/registries/pull/read"], [], []),
    "AcrPush": (
        "8311e382-0749-4cb8-b61a-304f252e45ec",
        ["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"],
        [],
        [],
    ),
    "Key Vault Administrator": (
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        ["Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/*/read"],
        [],
        ["Microsoft.KeyVault/vaults/*"],
    ),
    "Key Vault Secrets Officer": (
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        ["Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/*/read"],
        [],
        ["Microsoft.KeyVault/vaults/secrets/*"],
    ),
    "Key Vault Secrets User": (
        "4633458b-17de-408a-b874-0445c86b69e6",
        [],
        [],
        [
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    ),
}
#: Providers whose operations a role may name, though nothing of theirs is simulated.
FURTHER = {"microsoft.support", "microsoft.policyinsights", "microsoft.insights", "microsoft.blueprint"}
MOST_SCOPES = 2000
ACTION = re.compile(r"[\w.*-]+(/[\w.*-]+)*")


def find(core: Core, number: str) -> Json | None:
    """The definition with this id (its last part), built in or custom."""
    number = number.rsplit("/", 1)[-1].lower()
    for name, (own, actions, excluded, data) in BUILT_IN.items():
        if own == number:
            permissions = [{"actions": actions, "notActions": excluded, "dataActions": data, "notDataActions": []}]
            return _body("", own, {"roleName": name, "type": "BuiltInRole", "permissions": permissions})
    stored = _bucket(core).get(number)
    return None if stored is None else dict(stored["body"])


def _bucket(core: Core) -> Any:
    return core.state.bucket("azure.role_definitions")


def _body(scope: str, number: str, properties: Json) -> Json:
    defaults = {"description": "", "assignableScopes": ["/"]}
    path = f"{scope}/providers/{TYPE}/{number}"
    return {"id": path, "name": number, "type": TYPE, "properties": defaults | properties}


def _scope(call: Call) -> str:
    return f"/subscriptions/{call.params['subscription']}{call.params.get('scope', '')}"


def require(core: Core, number: str) -> Json:
    found = find(core, number)
    if found is None:
        name = number.rsplit("/", 1)[-1]
        message = f"The specified role definition with ID '{name.replace('-', '')}' does not exist."
        raise AzureError(404, "RoleDefinitionDoesNotExist", message)
    return found


def get(call: Call) -> Response:
    return ok(require(call.core, call.params["name"]) | {"id": call.path})


def listing(call: Call) -> Response:
    """Custom roles that may be assigned here; `roleName eq '…'` and `type eq '…'` choose."""
    chosen = dict(re.findall(r"(\w+) eq '([^']*)'", call.query.get("$filter", "")))
    built_in = [require(call.core, own) for own, *_ in BUILT_IN.values()]
    custom = [entry["body"] for _, entry in _bucket(call.core).items()]
    found = [
        role
        for role in [*built_in, *custom]
        if assignable(role, _scope(call))
        and chosen.get("roleName", role["properties"]["roleName"]) == role["properties"]["roleName"]
        and chosen.get("type", role["properties"]["type"]) == role["properties"]["type"]
    ]
    return ok({"value": found})


def assignable(role: Json, scope: str) -> bool:
    scopes = [each.lower().rstrip("/") for each in role["properties"]["assignableScopes"]]
    return any(f"{scope.lower()}/".startswith(f"{each}/") for each in scopes)


def put(call: Call) -> Response:
    number = call.params["name"].lower()
    properties: Json = call.json().get("properties") or {}
    _check(call, number, properties)
    old = _bucket(call.core).get(number)
    now = call.core.clock.iso()
    made = {"createdOn": now, "createdBy": call.principal.object_id}
    made |= {key: old["body"]["properties"][key] for key in made} if old else {}
    full = {**properties, "type": "CustomRole", **made, "updatedOn": now, "updatedBy": call.principal.object_id}
    full["permissions"] = [_permission(each) for each in properties["permissions"]]
    body = _body(_scope(call), number, full)
    _bucket(call.core).put(number, {"body": body})
    return ok(body, 201)


def _permission(given: Json) -> Json:
    return {key: list(given.get(key) or []) for key in ("actions", "notActions", "dataActions", "notDataActions")}


def _check(call: Call, number: str, properties: Json) -> None:
    try:
        uuid.UUID(number)
    except ValueError as error:
        message = f"The role definition ID '{number}' is not valid. The role definition ID must be a GUID."
        raise AzureError(400, "InvalidRoleDefinitionId", message) from error
    if not (properties.get("roleName") and properties.get("permissions") and properties.get("assignableScopes")):
        raise AzureError(400, "MissingRoleDefinitionProperty", "The role definition is missing a required property.")
    for permission in properties["permissions"]:
        for action in [each for group in _permission(permission).values() for each in group]:
            _check_action(action)
    _check_scopes(call, properties["assignableScopes"])
    for key, entry in _bucket(call.core).items():
        if key != number and entry["body"]["properties"]["roleName"].lower() == properties["roleName"].lower():
            message = "A custom role with the same name already exists in this directory. Use a different name."
            raise AzureError(409, "RoleDefinitionWithSameNameExists", message)


def _check_action(action: str) -> None:
    namespace = action.partition("/")[0].lower()
    known = namespace in providers.NAMES or namespace in FURTHER or namespace == "*"
    if not known or not ACTION.fullmatch(action):
        message = f"'{action}' does not match any of the actions supported by the providers."
        raise AzureError(400, "InvalidActionOrNotAction", message)


def _check_scopes(call: Call, scopes: list[str]) -> None:
    """Whoever makes a role must have the right to at every place where it may be assigned."""
    from sandbox.azure import rights

    for scope in scopes:
        subscription = scope.lower().removeprefix("/subscriptions/").split("/")[0]
        known = subscription in call.store.subscriptions()
        roles = rights.of(call.core, call.principal, subscription, scope) if known else []
        if not rights.allows(roles, f"{TYPE}/write"):
            raise AzureError(
                403,
                "LinkedAuthorizationFailed",
                f"The client '{call.principal.client_id}' with object id '{call.principal.object_id}' has permission "
                f"to perform action '{TYPE}/write' on scope '{call.path}'; however, it does not have permission to "
                f"perform action '{TYPE}/write' on the linked scope(s) '{scope}' or the linked scope(s) are invalid.",
            )


def delete(call: Call) -> Response:
    number = call.params["name"].lower()
    stored = _bucket(call.core).get(number)
    if stored is None:
        return empty(204)
    for _, entry in call.core.state.bucket("azure.role_assignments").items():
        if entry["body"]["properties"]["roleDefinitionId"].lower().endswith(f"/{number}"):
            message = "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)"
            raise AzureError(400, "RoleDefinitionHasAssignments", message)
    _bucket(call.core).delete(number)
    return ok(stored["body"])
