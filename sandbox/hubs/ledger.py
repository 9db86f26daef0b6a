"""What a hub's own database would hold: users, their servers, tokens, rate limits. Kept until the release goes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from sandbox.core import Core
from sandbox.hubs import scopes
from sandbox.hubs.installed import Installed

Body = dict[str, Any]
BUCKETS = ("hubs.users", "hubs.tokens", "hubs.limits")


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Caller:
    """Who sent a request: a user or a service, with expanded scopes."""

    def __init__(self, kind: str, name: str, granted: frozenset[str], token_id: str = "") -> None:
        self.kind, self.name, self.scopes, self.token_id = kind, name, granted, token_id

    def may(self, needed: str, user: str | None = None) -> bool:
        return scopes.allows(self.scopes, needed, user=user)


class Ledger:
    """Users and tokens of all hubs, in buckets keyed by cluster, namespace and name."""

    def __init__(self, core: Core) -> None:
        self.clock = core.clock
        self._buckets = {name: core.state.bucket(name) for name in BUCKETS}
        self._users = self._buckets["hubs.users"]
        self._tokens = self._buckets["hubs.tokens"]
        self._limits = self._buckets["hubs.limits"]
        self._seen = core.state.bucket("hubs.seen")

    def forget(self, hub_key: str) -> None:
        """The hub is gone, and its database with it."""
        self._seen.delete(hub_key)
        for bucket in self._buckets.values():
            for key in bucket.keys(hub_key):
                bucket.delete(key)

    def recognise(self, places: Iterable[Any]) -> None:
        """Forgets hubs that were installed anew under an old name since they were last seen."""
        for place in places:
            key = f"{place.cluster}/{place.namespace}/"
            if (self._seen.get(key) or {}).get("uid") != place.uid:
                self.forget(key)
                self._seen.put(key, {"uid": place.uid})

    def known_hubs(self) -> set[str]:
        keys = (key for bucket in (*self._buckets.values(), self._seen) for key in bucket.keys())
        return {"/".join(key.split("/", 2)[:2]) + "/" for key in keys}

    def user(self, hub: Installed, name: str) -> Body | None:
        return self._users.get(hub.key + name)

    def users(self, hub: Installed) -> list[Body]:
        return [user for _, user in self._users.items(hub.key)]

    def all_users(self) -> list[tuple[str, Body]]:
        return self._users.items()

    def add_user(self, hub: Installed, name: str) -> Body:
        now = self.clock.now()
        return self.put_user(hub, {"name": name, "admin": False, "created": now, "last_activity": now, "server": None})

    def put_user(self, hub: Installed, user: Body) -> Body:
        self._users.put(hub.key + user["name"], user)
        return user

    def delete_user(self, hub: Installed, name: str) -> None:
        self._users.delete(hub.key + name)
        for key, token in self._tokens.items(hub.key):
            if token["user"] == name:
                self._tokens.delete(key)

    def new_token(self, hub: Installed, user: str, granted: list[str], seconds: float | None, note: str) -> Body:
        """The token's record, with the token itself under `token` this once."""
        token = secrets.token_hex(16)
        now = self.clock.now()
        record = {
            "id": f"a{secrets.randbelow(10**6)}",
            "user": user,
            "scopes": granted,
            "note": note,
            "created": now,
            "expires_at": now + seconds if seconds else None,
        }
        self._tokens.put(hub.key + digest(token), record)
        return record | {"token": token}

    def tokens_of(self, hub: Installed, user: str) -> list[tuple[str, Body]]:
        return [(key, token) for key, token in self._tokens.items(hub.key) if token["user"] == user]

    def revoke(self, key: str) -> None:
        self._tokens.delete(key)

    def revoke_token(self, hub: Installed, token: str) -> None:
        self._tokens.delete(hub.key + digest(token))

    def caller(self, hub: Installed, token: str) -> Caller | None:
        """Whose token this is: a service's of the installed values, or one that the hub gave out."""
        roles = hub.values.get("hub", {}).get("loadRoles") or {}
        for name, service in hub.services.items():
            if token and service["api_token"] and secrets.compare_digest(service["api_token"], token):
                return Caller("service", name, scopes.expand(scopes.of_service(roles, name)))
        record = self._tokens.get(hub.key + digest(token))
        if record is None or (record["expires_at"] and record["expires_at"] < self.clock.now()):
            return None
        owner = record["user"]
        granted = [scope for asked in record["scopes"] for scope in self._inherited(roles, owner, asked)]
        return Caller("user", owner, scopes.expand(granted, owner), record["id"])

    def _inherited(self, roles: dict[str, Body], owner: str, scope: str) -> list[str]:
        return scopes.of_user(roles, owner) if scope == "inherit" else [scope]

    def take_turn(self, hub: Installed, address: str, limit: int, period: float) -> Body:
        """Counts one launch of this address. `remaining` is below zero when it was one too many."""
        now = self.clock.now()
        old = self._limits.get(hub.key + address)
        if old is None or old["reset"] < now:
            old = {"remaining": limit, "reset": now + period}
        taken = old | {"remaining": old["remaining"] - 1}
        self._limits.put(hub.key + address, taken)
        return taken
