"""Role assignments: who has which role at a scope, from the subscription down to one resource."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.responses import Response

from sandbox import seeds
from sandbox.azure import conditions, role_definitions, tokens
from sandbox.azure.call import Call, empty, ok
from sandbox.azure.errors import AzureError
from sandbox.azure.store import Store

TYPE = "Microsoft.Authorization/roleAssignments"
MARK = "/providers/microsoft.authorization/"
FIXED = ("roleDefinitionId", "principalId")


def _scope(call: Call) -> str:
    return f"/subscriptions/{call.params['subscription']}{call.params.get('scope', '')}"


def _bucket(store: Store) -> Any:
    return store.core.state.bucket("azure.role_assignments")


def roles_of(store: Store, object_id: str, scope: str, known_for: float) -> set[str]:
    """Ids of the roles that an identity holds at a scope or above, known for at least so many simulated seconds."""
    since, found = store.core.clock.now() - store.core.clock.scaled(known_for), set()
    for key, entry in _bucket(store).items():
        properties = entry["body"]["properties"]
        above = f"{scope.lower()}/".startswith(key.split(MARK)[0] + "/")
        if above and entry["created"] <= since and properties["principalId"].lower() == object_id.lower():
            found.add(properties["roleDefinitionId"].rsplit("/", 1)[-1].lower())
    return found


def listing(call: Call) -> Response:
    """Those at the scope and below it; `atScope()` leaves out what is below."""
    prefix = _scope(call).lower()
    exact = "atscope()" in call.query.get("$filter", "").lower()
    found = [
        entry["body"]
        for key, entry in _bucket(call.store).items(prefix)
        if key.startswith(prefix + MARK) or (not exact and key.startswith(prefix + "/"))
    ]
    return ok({"value": found})


def put(call: Call) -> Response:
    properties = _properties(call)
    number = f"{_scope(call)}/providers/{TYPE}/{call.params['name']}"
    old = _bucket(call.store).get(number.lower())
    _check_principal(call, properties)
    _check_role(call, properties)
    _check_condition(properties)
    _check_others(call, number, properties)
    if old and any(old["body"]["properties"][field].lower() != properties[field].lower() for field in FIXED):
        message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        raise AzureError(400, "RoleAssignmentUpdateNotPermitted", message)
    if old:
        changed = {key: properties.get(key) for key in ("condition", "conditionVersion", "description")}
        body = old["body"] | {"properties": old["body"]["properties"] | changed | {"updatedOn": call.core.clock.iso()}}
        _bucket(call.store).put(number.lower(), old | {"body": body})
        return ok(body)
    now = call.core.clock.iso()
    full = properties | {"principalType": properties.get("principalType") or "ServicePrincipal", "scope": _scope(call)}
    full |= {"createdOn": now, "updatedOn": now, "createdBy": call.principal.object_id}
    body = {"id": number, "name": call.params["name"], "type": TYPE, "properties": full}
    _bucket(call.store).put(number.lower(), {"body": body, "created": call.core.clock.now()})
    return ok(body, 201)


def _properties(call: Call) -> dict[str, Any]:
    properties: dict[str, Any] = call.json().get("properties") or {}
    for field in FIXED:
        if not properties.get(field):
            raise AzureError(400, "BadRequest", f"The request body is missing the required property '{field}'.")
    try:
        uuid.UUID(call.params["name"])
    except ValueError as error:
        message = f"The role assignment ID '{call.params['name']}' is not valid. The role assignment ID must be a GUID."
        raise AzureError(400, "InvalidRoleAssignmentId", message) from error
    return properties


def _check_principal(call: Call, properties: dict[str, Any]) -> None:
    """Whoever names the principal's type spares the directory the look: a new identity may not be known everywhere."""
    principal = properties["principalId"].lower()
    if properties.get("principalType") or principal in _principals(call.store):
        return
    raise AzureError(
        400,
        "PrincipalNotFound",
        f"Principal {principal.replace('-', '')} does not exist in the directory {seeds.TENANT_ID}. Check that you "
        "have the correct principal ID. If you are creating this principal and then immediately assigning a role, this "
        "error might be related to a replication delay. In this case, set the role assignment principalType property "
        "to a value, such as ServicePrincipal, User, or Group.",
    )


def _principals(store: Store) -> set[str]:
    applications = {seeds.WEB_CLIENT_ID, seeds.WORKER_CLIENT_ID, *store.core.state.bucket("azure.applications").keys()}
    found = {tokens.object_id(client_id) for client_id in applications}
    for record in store.under("/subscriptions/", "Microsoft.ContainerService/managedClusters"):
        body = record["body"]
        found |= {body["identity"]["principalId"], body["properties"]["identityProfile"]["kubeletidentity"]["objectId"]}
    return found


def _check_role(call: Call, properties: dict[str, Any]) -> None:
    role, scope = role_definitions.require(call.core, properties["roleDefinitionId"]), _scope(call)
    if not role_definitions.assignable(role, scope):
        message = f"The role assignment scope '{scope}' is not assignable to role definition '{role['name']}'."
        raise AzureError(400, "RoleAssignmentScopeNotAssignableToRoleDefinition", message)


def _check_condition(properties: dict[str, Any]) -> None:
    if not properties.get("condition"):
        return
    if properties.get("conditionVersion") != "2.0":
        message = "The condition version is missing or not supported; it must be '2.0'."
        raise AzureError(400, "InvalidConditionVersion", message)
    try:
        conditions.parse(properties["condition"])
    except conditions.ConditionError as error:
        raise AzureError(400, "InvalidCondition", f"The condition is not valid: {error}.") from error


def attributes(call: Call) -> dict[str, str]:
    """What a condition on giving or taking roles may ask about."""
    name = f"/{TYPE.lower()}/"
    if name not in call.path.lower():
        return {}
    entry = _bucket(call.store).get(call.path.lower())
    asked = call.body.get("properties") if isinstance(call.body, dict) else None
    found: dict[str, str] = {}
    for source, properties in (("Request", asked or {}), ("Resource", entry["body"]["properties"] if entry else {})):
        role = str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1]
        values = {"RoleDefinitionId": role, "PrincipalId": properties.get("principalId", "")}
        values["PrincipalType"] = properties.get("principalType") or "ServicePrincipal"
        found |= {f"@{source}[{TYPE}:{key}]": str(value) for key, value in values.items()}
    return found


def _check_others(call: Call, number: str, properties: dict[str, Any]) -> None:
    for key, entry in _bucket(call.store).items(_scope(call).lower() + MARK):
        theirs = entry["body"]["properties"]
        if key != number.lower() and all(theirs[field].lower() == properties[field].lower() for field in FIXED):
            message = (
                "The role assignment already exists. The ID of the existing role assignment is "
                f"{entry['body']['name'].replace('-', '')}."
            )
            raise AzureError(409, "RoleAssignmentExists", message)


def get(call: Call) -> Response:
    entry = _bucket(call.store).get(call.path.lower())
    if entry is None:
        message = f"The role assignment '{call.params['name']}' is not found."
        raise AzureError(404, "RoleAssignmentNotFound", message)
    return ok(entry["body"])


def delete(call: Call) -> Response:
    entry = _bucket(call.store).get(call.path.lower())
    if entry is None:
        return empty(204)
    _bucket(call.store).delete(call.path.lower())
    return ok(entry["body"])
