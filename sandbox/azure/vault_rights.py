"""Who may do what with a vault's secrets: roles, access policies, and the portal's two identities."""

from __future__ import annotations

import re
from typing import Any

from sandbox import seeds
from sandbox.azure import role_assignments, role_definitions
from sandbox.azure.errors import AzureError
from sandbox.azure.store import Record, Store
from sandbox.azure.tokens import Principal

ALL = ("get", "list", "set", "delete", "recover", "purge")
#: The portal's vault: the web process may only set; the worker reads, removes, and sets what Azure made for a hub.
PORTAL = {seeds.WEB_CLIENT_ID: ("set",), seeds.WORKER_CLIENT_ID: ("get", "list", "set", "delete", "purge")}
SPREADING = 120  # seconds until a new role assignment is known to a vault
ACTIONS = {
    "get": "getSecret/action",
    "list": "readMetadata/action",
    "set": "setSecret/action",
    "delete": "delete",
    "recover": "recover/action",
    "purge": "purge/action",
}


def granted(store: Store, vault: Record, principal: Principal) -> set[str]:
    """The verbs this principal may use on the vault's secrets."""
    body = vault["body"]
    name = body["name"].lower()
    stored = store.core.state.bucket("azure.vault_rights").get(f"{name}|{principal.client_id}")
    if stored is not None:
        return set(stored["verbs"])
    found = set(PORTAL.get(principal.client_id, ())) if name == seeds.PORTAL_VAULT else set()
    if not body["properties"].get("enableRbacAuthorization"):
        return found | _by_policy(body, principal)
    return found | _by_role(store, body, principal)


def _by_policy(body: dict[str, Any], principal: Principal) -> set[str]:
    found: set[str] = set()
    for policy in body["properties"].get("accessPolicies") or []:
        if policy["objectId"].lower() == principal.object_id:
            secrets = {verb.lower() for verb in (policy.get("permissions") or {}).get("secrets") or []}
            found |= set(ALL) if "all" in secrets else secrets
    return found


def _by_role(store: Store, body: dict[str, Any], principal: Principal) -> set[str]:
    roles = role_assignments.roles_of(store, principal.object_id, body["id"], SPREADING)
    found: set[str] = set()
    for role in (role_definitions.find(store.core, number) for number in roles):
        for permission in role["properties"]["permissions"] if role else []:
            granted, excluded = permission["dataActions"], permission["notDataActions"]
            found |= {verb for verb in ALL if _names(granted, verb) and not _names(excluded, verb)}
    return found


def _names(patterns: list[str], verb: str) -> bool:
    action = f"Microsoft.KeyVault/vaults/secrets/{ACTIONS[verb]}"
    return any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), action, re.IGNORECASE) for each in patterns)


def require(store: Store, vault: Record, principal: Principal, verb: str, name: str) -> None:
    """Refuses with 403 Forbidden, innererror ForbiddenByRbac or ForbiddenByPolicy."""
    if verb in granted(store, vault, principal):
        return
    body = vault["body"]
    rbac = bool(body["properties"].get("enableRbacAuthorization"))
    who = f"appid={principal.client_id};oid={principal.object_id};iss=https://sts.windows.net/{seeds.TENANT_ID}/"
    message = (
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        "definitions were changed recently, please observe propagation time.\r\n"
        f"Caller: {who}\r\nAction: 'Microsoft.KeyVault/vaults/secrets/{ACTIONS[verb]}'\r\n"
        f"Resource: '{body['id'].lower()}/secrets/{name}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\n"
        f"DecisionReason: null \r\nVault: {body['name']};location={body['location']}\r\n"
    )
    if not rbac:
        message = f"The user, group or application '{who}' does not have secrets {verb} permission on key vault."
    raise AzureError(403, "Forbidden", message, inner="ForbiddenByRbac" if rbac else "ForbiddenByPolicy")
