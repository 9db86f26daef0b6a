"""Roles given to identities at one resource.

By the generic client: azure-mgmt-authorization would be 15 MB for three calls.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from cloud.azure.plain import ask
from cloud.azure.session import AzureSession
from cloud.azure.translate import error_code, translated

API_VERSION = "2022-04-01"
#: Azure's own role definitions, the same in every tenant.
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
CONDITION_VERSION = "2.0"
GONE = {"RoleAssignmentNotFound", "ResourceNotFound", "ResourceGroupNotFound", "NotFound"}


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role that was given: its id, and the condition that binds its holder."""

    id: str
    condition: str


def assignment_id(scope: str, role: str, principal: str) -> str:
    """The id of this assignment. Its name is derived from what it says: assigning twice is assigning once."""
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{role}|{principal}".lower())
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def assign_role(
    az: AzureSession, subscription: str, scope: str, role: str, principal: str, *, condition: str = "", number: str = ""
) -> str:
    """Give the role to the identity (its object id) at the scope; returns the assignment's id.

    One that somebody else made is as good. Azure takes some minutes to spread it. A `condition` binds its holder;
    with `number`, that assignment is changed instead.
    """
    from azure.core.exceptions import HttpResponseError

    number = number or assignment_id(scope, role, principal)
    definition = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    # Naming the type spares Azure the look into its directory, where a new identity may still be unknown.
    properties = {"roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal"}
    properties |= {"condition": condition, "conditionVersion": CONDITION_VERSION} if condition else {}
    with translated("give an identity its role"):
        body: Any = {"properties": properties}
        resources = az.resources(subscription).resources
        try:
            resources.begin_create_or_update_by_id(number, body, api_version=API_VERSION, polling=False)
        except HttpResponseError as exc:
            if error_code(exc) != "RoleAssignmentExists":
                raise
    return number


def has_role(az: AzureSession, subscription: str, scope: str, role: str, principal: str) -> bool:
    """Whether the identity has the role at exactly this scope, whoever gave it."""
    return find_assignment(az, subscription, scope, role, principal) is not None


def find_assignment(az: AzureSession, subscription: str, scope: str, role: str, principal: str) -> Assignment | None:
    """The assignment of the role to the identity at exactly this scope, whoever made it."""
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
    with translated("look at the roles given there"):
        answer = ask(az, subscription, "GET", path, API_VERSION, **{"$filter": "atScope()"})
        for entry in answer["value"]:
            if _says(entry.get("properties") or {}, scope, role, principal):
                return Assignment(str(entry["id"]), str(entry["properties"].get("condition") or ""))
    return None


def get_assignment(az: AzureSession, subscription: str, number: str) -> bool:
    """Whether the assignment with this id is there."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated("look at a role"):
        try:
            az.resources(subscription).resources.get_by_id(number, api_version=API_VERSION)
        except ResourceNotFoundError as exc:
            if error_code(exc) not in GONE:
                raise
            return False
        return True


def remove_assignment(az: AzureSession, subscription: str, number: str) -> None:
    """Take the role away again; already gone is fine."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated("take a role away"):
        try:
            az.resources(subscription).resources.begin_delete_by_id(number, api_version=API_VERSION, polling=False)
        except ResourceNotFoundError as exc:
            if error_code(exc) not in GONE:
                raise


def _says(properties: dict[str, Any], scope: str, role: str, principal: str) -> bool:
    return (
        str(properties.get("scope", "")).lower() == scope.lower()
        and str(properties.get("roleDefinitionId", "")).lower().endswith(f"/{role}")
        and str(properties.get("principalId", "")).lower() == principal.lower()
    )
