"""Who may do what: RBAC actions per application and subscription."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from sandbox import seeds
from sandbox.azure.call import Call, ok
from sandbox.azure.errors import AzureError
from sandbox.azure.tokens import Principal
from sandbox.core import Core

CONTRIBUTOR = {
    "actions": ["*"],
    "not_actions": [
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
        "Microsoft.Blueprint/blueprintAssignments/write",
        "Microsoft.Blueprint/blueprintAssignments/delete",
        "Microsoft.Compute/galleries/share/action",
        "Microsoft.Purview/consents/write",
        "Microsoft.Purview/consents/delete",
    ],
}
NOTHING: dict[str, list[str]] = {"actions": [], "not_actions": []}


def of(core: Core, principal: Principal, subscription: str) -> dict[str, Any]:
    """The actions granted and excepted; the worker is Contributor everywhere unless a test says otherwise."""
    stored = core.state.bucket("azure.rights").get(f"{principal.client_id}|{subscription.lower()}")
    if stored is not None:
        return stored
    return CONTRIBUTOR if principal.client_id == seeds.WORKER_CLIENT_ID else NOTHING


def allows(granted: dict[str, Any], action: str) -> bool:
    def fits(patterns: list[str]) -> bool:
        return any(_pattern(pattern).fullmatch(action) for pattern in patterns)

    return fits(granted["actions"]) and not fits(granted["not_actions"])


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.IGNORECASE)


def require(core: Core, principal: Principal, subscription: str, action: str, scope: str) -> None:
    """Refuses with AuthorizationFailed what the caller may not do."""
    if allows(of(core, principal, subscription), action):
        return
    raise AzureError(
        403,
        "AuthorizationFailed",
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have authorization to "
        f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
    )


def permissions(call: Call) -> Response:
    """What the caller itself may do here; every principal may ask."""
    granted = of(call.core, call.principal, call.subscription)
    entry = {
        "actions": granted["actions"],
        "notActions": granted["not_actions"],
        "dataActions": [],
        "notDataActions": [],
    }
    return ok({"value": [entry] if granted["actions"] else []})
