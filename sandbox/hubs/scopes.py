"""JupyterHub's scopes as far as a binder, a portal and a person need them. Pure.

Source: JupyterHub's scope reference (`jupyterhub/scopes.py`): a scope includes its subscopes, and a filter
`!user=name` or `!service=name` narrows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: scope → what it includes at once.
INCLUDES: dict[str, tuple[str, ...]] = {
    "admin:users": ("admin:auth_state", "users", "delete:users", "read:roles:users"),
    "users": ("read:users", "list:users", "users:activity"),
    "list:users": ("read:users:name",),
    "read:users": ("read:users:name", "read:users:groups", "read:users:activity"),
    "users:activity": ("read:users:activity",),
    "admin:servers": ("admin:server_state", "servers"),
    "servers": ("read:servers", "delete:servers"),
    "read:servers": ("read:users:name",),
    "tokens": ("read:tokens",),
    "access:servers": (),
    "access:services": (),
    "read:hub": (),
    "shutdown": (),
}
#: What the scope `self` of a user's token means, each narrowed to that user.
SELF = ("read:users", "users:activity", "servers", "tokens", "access:servers", "list:users")
#: Default roles that loadRoles may replace.
DEFAULT_USER = ("self",)


def expand(scopes: Iterable[str], user: str | None = None) -> frozenset[str]:
    """All scopes that these include; `self` is put into words for the user."""
    todo, done = list(scopes), set()
    while todo:
        scope = todo.pop()
        if scope == "self":
            todo += [f"{inner}!user={user}" for inner in SELF] if user else []
            continue
        if scope in done:
            continue
        done.add(scope)
        base, _, narrowed = scope.partition("!")
        todo += [f"{inner}!{narrowed}" if narrowed else inner for inner in INCLUDES.get(base, ())]
    return frozenset(done)


def allows(scopes: frozenset[str], needed: str, *, user: str | None = None, service: str | None = None) -> bool:
    """Whether the expanded scopes hold `needed`, for this user or service where one is meant."""
    wanted = {needed}
    if user is not None:
        wanted.add(f"{needed}!user={user}")
    if service is not None:
        wanted.add(f"{needed}!service={service}")
    return bool(wanted & scopes)


def holds_any(scopes: frozenset[str], needed: str) -> bool:
    """Whether the scope is held at all, be it narrowed to something else."""
    return any(scope.partition("!")[0] == needed for scope in scopes)


def of_service(roles: dict[str, dict[str, Any]], name: str) -> list[str]:
    """What loadRoles gives to a service. Services have nothing by default."""
    return [scope for role in roles.values() if name in (role.get("services") or []) for scope in role["scopes"]]


def of_user(roles: dict[str, dict[str, Any]], name: str) -> list[str]:
    """What a person may: the role `user` (replaceable by loadRoles), and roles that name them."""
    found = list(DEFAULT_USER)
    for key, role in roles.items():
        if (role.get("name") or key) == "user":
            found = list(role.get("scopes") or [])
    return found + [scope for role in roles.values() if name in (role.get("users") or []) for scope in role["scopes"]]
