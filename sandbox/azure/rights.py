"""Who may do what: RBAC actions per application and subscription."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from sandbox import seeds
from sandbox.azure import role_definitions
from sandbox.azure.call import Call, ok
from sandbox.azure.conditions import Asked, parse
from sandbox.azure.errors import AzureError
from sandbox.azure.tokens import Principal
from sandbox.core import Core

Role = dict[str, Any]


def _built_in(name: str) -> Role:
    _number, actions, excluded, _data = role_definitions.BUILT_IN[name]
    return {"actions": actions, "not_actions": excluded}


#: Lets its holder do everything but give rights; and lets its holder give others roles, and nothing else.
CONTRIBUTOR, ROLE_GIVER = _built_in("Contributor"), _built_in("Role Based Access Control Administrator")


def of(core: Core, principal: Principal, subscription: str, scope: str = "") -> list[Role]:
    """The roles held at a scope of the subscription, each with actions granted and excepted, and its condition.

    Unless a test says otherwise the worker is Contributor everywhere, and may give roles in the demo's subscriptions.
    """
    assigned = _assigned(core, principal, scope or f"/subscriptions/{subscription}")
    stored = core.state.bucket("azure.rights").get(f"{principal.client_id}|{subscription.lower()}")
    if stored is not None:
        return [*stored["roles"], *assigned]
    if principal.client_id != seeds.WORKER_CLIENT_ID:
        return assigned
    demo = any(entry["id"].lower() == subscription.lower() for entry in seeds.SUBSCRIPTIONS)
    return [CONTRIBUTOR, ROLE_GIVER, *assigned] if demo else [CONTRIBUTOR, *assigned]


def _assigned(core: Core, principal: Principal, scope: str) -> list[Role]:
    """What role assignments at the scope or above it give."""
    found: list[Role] = []
    for key, entry in core.state.bucket("azure.role_assignments").items():
        properties = entry["body"]["properties"]
        above = f"{scope.lower()}/".startswith(key.split("/providers/microsoft.authorization/")[0] + "/")
        if not above or properties["principalId"].lower() != principal.object_id:
            continue
        definition = role_definitions.find(core, properties["roleDefinitionId"]) or {"properties": {"permissions": []}}
        for permission in definition["properties"]["permissions"]:
            role = {"actions": permission["actions"], "not_actions": permission["notActions"]}
            found.append(role | {"condition": properties.get("condition")})
    return found


def allows(roles: list[Role], action: str, attributes: Mapping[str, str] | None = None) -> bool:
    """Whether any role grants the action; what a role excepts, and its condition, bind only itself."""
    asked = Asked(action, attributes or {})

    def fits(patterns: list[str]) -> bool:
        return any(_pattern(pattern).fullmatch(action) for pattern in patterns)

    def holds(condition: str | None) -> bool:
        return condition is None or parse(condition)(asked)

    return any(
        fits(role["actions"]) and not fits(role["not_actions"]) and holds(role.get("condition")) for role in roles
    )


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.IGNORECASE)


def require(
    core: Core, principal: Principal, subscription: str, action: str, scope: str, attributes: Mapping[str, str]
) -> None:
    """Refuses with AuthorizationFailed what the caller may not do."""
    if allows(of(core, principal, subscription, scope), action, attributes):
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
        for role in of(call.core, call.principal, call.subscription, call.path)
        if role["actions"]
    ]
    return ok({"value": entries})
