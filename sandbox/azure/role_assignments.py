"""Role assignments: kept at any scope below the subscription."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.responses import Response

from sandbox.azure.call import Call, empty, ok
from sandbox.azure.errors import AzureError

TYPE = "Microsoft.Authorization/roleAssignments"


def _scope(call: Call) -> str:
    return f"/subscriptions/{call.params['subscription']}{call.params.get('scope', '')}"


def _bucket(call: Call) -> Any:
    return call.core.state.bucket("azure.role_assignments")


def listing(call: Call) -> Response:
    prefix = _scope(call).lower()
    found = [entry["body"] for key, entry in _bucket(call).items() if key.startswith(prefix)]
    return ok({"value": found})


def put(call: Call) -> Response:
    properties = call.json().get("properties") or {}
    for field in ("roleDefinitionId", "principalId"):
        if not properties.get(field):
            raise AzureError(400, "BadRequest", f"The request body is missing the required property '{field}'.")
    try:
        uuid.UUID(call.params["name"])
    except ValueError as error:
        message = f"The role assignment ID '{call.params['name']}' is not valid. The role assignment ID must be a GUID."
        raise AzureError(400, "InvalidRoleAssignmentId", message) from error
    scope, number = _scope(call), f"{_scope(call)}/providers/{TYPE}/{call.params['name']}"
    for key, entry in _bucket(call).items(scope.lower() + "/providers/microsoft.authorization/"):
        same = all(
            entry["body"]["properties"][field].lower() == properties[field].lower()
            for field in ("roleDefinitionId", "principalId")
        )
        if same and key != number.lower():
            raise AzureError(409, "RoleAssignmentExists", "The role assignment already exists.")
    body = {
        "id": number,
        "name": call.params["name"],
        "type": TYPE,
        "properties": properties | {"scope": scope, "createdOn": call.core.clock.iso()},
    }
    _bucket(call).put(number.lower(), {"body": body, "created": call.core.clock.now()})
    return ok(body, 201)


def get(call: Call) -> Response:
    entry = _bucket(call).get(call.path.lower())
    if entry is None:
        message = f"The role assignment '{call.params['name']}' is not found."
        raise AzureError(404, "RoleAssignmentNotFound", message)
    return ok(entry["body"])


def delete(call: Call) -> Response:
    entry = _bucket(call).get(call.path.lower())
    if entry is None:
        return empty(204)
    _bucket(call).delete(call.path.lower())
    return ok(entry["body"])
