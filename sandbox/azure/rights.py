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
#: Role Based Access Control Administrator: lets its holder give others roles, and nothing else.
ROLE_GIVER = {
    "actions": [
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Authorization/roleAssignments/delete",
        "*/read",
        "Microsoft.Support/*",
    ],
    "not_actions": [],
}
Role = dict[str, list[str]]


def of(core: Core, principal: Principal, subscription: str) -> list[Role]:
    """The roles held, each with actions granted and excepted.

    Unless a test says otherwise the worker is Contributor everywhere, and may give roles in the demo's subscriptions.
    """
    stored = core.state.bucket("azure.rights").get(f"{principal.client_id}|{subscription.lower()}")
    if stored is not None:
        return list(stored["roles"])
    if principal.client_id != seeds.WORKER_CLIENT_ID:
        return []
    demo = any(entry["id"].lower() == subscription.lower() for entry in seeds.SUBSCRIPTIONS)
    return [CONTRIBUTOR, ROLE_GIVER] if demo else [CONTRIBUTOR]


def allows(roles: list[Role], action: str) -> bool:
    """Whether any role grants the action; what a role excepts binds only itself."""

    def fits(patterns: list[str]) -> bool:
        return any(_pattern(pattern).fullmatch(action) for pattern in patterns)

    return any(fits(role["actions"]) and not fits(role["not_actions"]) for role in roles)


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
    entries: list[dict[str, Any]] = [
        {"actions": role["actions"], "notActions": role["not_actions"], "dataActions": [], "notDataActions": []}
        for role in of(call.core, call.principal, call.subscription)
        if role["actions"]
    ]
    return ok({"value": entries})
