"""Custom roles of the tenant: found by their names, made, changed.

By the generic client, as role assignments are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud.azure.plain import ask
from cloud.azure.role_assignments import API_VERSION
from cloud.azure.session import AzureSession
from cloud.azure.translate import translated

TYPE = "Microsoft.Authorization/roleDefinitions"


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A custom role; `number` is the last part of its id."""

    number: str
    name: str
    description: str
    scopes: tuple[str, ...]
    actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = field(default=())

    def says_the_same(self, other: "RoleDefinition") -> bool:
        """Whether both give the same rights at the same places, in whatever order and case."""
        return all(
            _folded(getattr(self, part)) == _folded(getattr(other, part))
            for part in ("actions", "data_actions", "scopes")
        )


def find_definition(az: AzureSession, subscription: str, name: str) -> RoleDefinition | None:
    """The custom role of this name that may be assigned in the subscription; names are unique in a tenant."""
    path = f"/subscriptions/{subscription}/providers/{TYPE}"
    with translated(f"look for the role {name}"):
        answer = ask(az, subscription, "GET", path, API_VERSION, **{"$filter": f"roleName eq '{name}'"})
        found = [_definition(entry) for entry in answer["value"]]
    return next((role for role in found if role.name == name), None)


def put_definition(az: AzureSession, subscription: str, role: RoleDefinition) -> None:
    """Make the role, or change it to be this."""
    number = f"/subscriptions/{subscription}/providers/{TYPE}/{role.number}"
    permission = {"actions": list(role.actions), "dataActions": list(role.data_actions)}
    properties = {
        "roleName": role.name,
        "type": "CustomRole",
        "description": role.description,
        "permissions": [permission | {"notActions": [], "notDataActions": []}],
        "assignableScopes": list(role.scopes),
    }
    with translated(f"make the role {role.name}"):
        body: Any = {"properties": properties}
        resources = az.resources(subscription).resources
        resources.begin_create_or_update_by_id(number, body, api_version=API_VERSION, polling=False)


def _definition(entry: Mapping[str, Any]) -> RoleDefinition:
    properties = entry.get("properties") or {}
    permissions = properties.get("permissions") or []
    return RoleDefinition(
        number=str(entry.get("name", "")),
        name=str(properties.get("roleName", "")),
        description=str(properties.get("description", "")),
        scopes=tuple(properties.get("assignableScopes") or ()),
        actions=tuple(action for each in permissions for action in each.get("actions") or ()),
        data_actions=tuple(action for each in permissions for action in each.get("dataActions") or ()),
    )


def _folded(texts: tuple[str, ...]) -> set[str]:
    return {text.lower().rstrip("/") for text in texts}
