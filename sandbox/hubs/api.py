"""JupyterHub's REST API: who may do what to users, tokens and servers.

Every call is one synchronous function, so that the binder's pod and an HTTP request come through the same door.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.hubs import scopes
from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.ledger import Caller
from sandbox.hubs.spawner import Spawner
from sandbox.hubs.world import World
from sandbox.kubernetes.errors import ApiError

Answer = tuple[int, Any]
NOT_FOUND = "No access to resources or resources not found"


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Api:
    def __init__(self, world: World, spawner: Spawner) -> None:
        self.world, self.spawner, self.ledger = world, spawner, world.ledger

    def call(self, hub: Installed, method: str, path: str, token: str, body: bytes = b"") -> Answer:
        """(status, JSON or None) of a request to `path` below hub/api. Never raises for a bad request."""
        try:
            return self._call(hub, method, path, self.ledger.caller(hub, token) if token else None, body)
        except Refused as refusal:
            return refusal.status, {"status": refusal.status, "message": refusal.message}

    def _call(self, hub: Installed, method: str, path: str, caller: Caller | None, body: bytes) -> Answer:
        parts = [part for part in path.split("/") if part]
        if not parts and method == "GET":
            return 200, {"version": version(hub)}
        if parts == ["health"]:
            return 200, None
        if caller is None:
            raise Refused(403, "Missing or invalid credentials.")
        match parts:
            case ["info"]:
                return self._info(hub, caller)
            case ["user"]:
                return 200, self._self_model(hub, caller)
            case ["users"]:
                return self._list(hub, caller)
            case ["users", name, *rest]:
                return self._of_user(hub, method, caller, [name, *rest], _read(body))
        raise Refused(404, "Not Found")

    def _of_user(self, hub: Installed, method: str, caller: Caller, parts: list[str], body: Body) -> Answer:
        match parts:
            case [name]:
                return self._user(hub, method, caller, name)
            case [name, "tokens"]:
                return self._tokens(hub, method, caller, name, body)
            case [name, "tokens", token_id] if method == "DELETE":
                return self._revoke(hub, caller, name, token_id)
            case [name, "server"] | [name, "servers"]:
                return self._server(hub, method, caller, (name, ""), body)
            case [name, "servers", server]:
                return self._server(hub, method, caller, (name, server), body)
        raise Refused(404, "Not Found")

    def _need(self, caller: Caller, scope: str, user: str | None = None) -> None:
        if caller.may(scope, user):
            return
        if user is not None and scopes.holds_any(caller.scopes, scope):
            raise Refused(404, NOT_FOUND)
        raise Refused(403, f"Action is not authorized with current scopes; requires any of [{scope}]")

    def _info(self, hub: Installed, caller: Caller) -> Answer:
        self._need(caller, "read:hub")
        kind = str((hub.hub_config.get("JupyterHub") or {}).get("authenticator_class"))
        return 200, {
            "version": version(hub),
            "python": "3.12.11",
            "sys_executable": "/usr/local/bin/python3",
            "authenticator": {"class": kind, "version": version(hub)},
            "spawner": {"class": "builtins.BinderSpawner", "version": "7.0.0"},
        }

    def _self_model(self, hub: Installed, caller: Caller) -> Body:
        found = self.ledger.user(hub, caller.name) if caller.kind == "user" else None
        model = self._model(found) if found else {"kind": caller.kind, "name": caller.name}
        return model | {"scopes": sorted(caller.scopes), "token_id": caller.token_id}

    def _list(self, hub: Installed, caller: Caller) -> Answer:
        if not scopes.holds_any(caller.scopes, "list:users"):
            self._need(caller, "list:users")
        return 200, [self._model(user) for user in self.ledger.users(hub) if caller.may("list:users", user["name"])]

    def _user(self, hub: Installed, method: str, caller: Caller, name: str) -> Answer:
        found = self.ledger.user(hub, name)
        if method == "GET":
            self._need(caller, "read:users:name", name)
            return 200, self._model(self._existing(found))
        if method == "POST":
            self._need(caller, "admin:users")
            if found is not None:
                raise Refused(409, f"User {name} already exists")
            return 201, self._model(self.ledger.add_user(hub, name))
        if method != "DELETE":
            raise Refused(405, "Method Not Allowed")
        self._need(caller, "delete:users")
        for server in self._existing(found).get("servers") or {}:
            self.spawner.stop(hub, name, server)
        self.spawner.delete_claim(hub, name)
        self.ledger.delete_user(hub, name)
        return 204, None

    def _existing(self, found: Body | None) -> Body:
        if found is None:
            raise Refused(404, NOT_FOUND)
        return found

    def _model(self, user: Body) -> Body:
        clock = self.world.clock
        servers = {
            name: {
                "name": name,
                "ready": server["ready"],
                "stopped": False,
                "pending": None if server["ready"] else "spawn",
                "started": clock.iso(server["started"]),
                "last_activity": clock.iso(server["last_activity"]),
                "user_options": {key: server[key] for key in ("image", "repo_url", "token")},
                "url": f"/user/{user['name']}/" + (f"{name}/" if name else ""),
            }
            for name, server in (user.get("servers") or {}).items()
        }
        default = servers.get("", {})
        return {
            "kind": "user",
            "name": user["name"],
            "admin": user["admin"],
            "groups": [],
            "created": clock.iso(user["created"]),
            "last_activity": clock.iso(user["last_activity"]),
            "server": default.get("url") if default.get("ready") else None,
            "pending": default.get("pending"),
            "servers": servers,
        }

    def _tokens(self, hub: Installed, method: str, caller: Caller, name: str, body: Body) -> Answer:
        self._need(caller, "read:tokens" if method == "GET" else "tokens", name)
        self._existing(self.ledger.user(hub, name))
        if method == "GET":
            return 200, {"api_tokens": [_token_model(token) for _, token in self.ledger.tokens_of(hub, name)]}
        if method != "POST":
            raise Refused(405, "Method Not Allowed")
        granted = self._granted(hub, name, body.get("scopes") or ["inherit"])
        record = self.ledger.new_token(hub, name, granted, body.get("expires_in"), str(body.get("note") or ""))
        return 201, _token_model(record) | {"token": record["token"]}

    def _granted(self, hub: Installed, owner: str, asked: list[str]) -> list[str]:
        """A token can do no more than its owner. Raises 400."""
        roles = hub.values.get("hub", {}).get("loadRoles") or {}
        held = scopes.expand(scopes.of_user(roles, owner), owner)
        beyond = [s for s in asked if s != "inherit" and not scopes.expand([s], owner) <= held]
        if beyond:
            raise Refused(400, f"Not assigning requested scopes {','.join(beyond)} beyond {owner}'s scopes")
        return asked

    def _revoke(self, hub: Installed, caller: Caller, name: str, token_id: str) -> Answer:
        self._need(caller, "tokens", name)
        for key, token in self.ledger.tokens_of(hub, name):
            if token["id"] == token_id:
                self.ledger.revoke(key)
                return 204, None
        raise Refused(404, f"Token not found {token_id}")

    def _server(self, hub: Installed, method: str, caller: Caller, which: tuple[str, str], body: Body) -> Answer:
        user, name = which
        self._need(caller, {"POST": "servers", "DELETE": "delete:servers"}.get(method, "read:servers"), user)
        self._existing(self.ledger.user(hub, user))
        server = self.spawner.server(hub, user, name)
        if method == "DELETE":
            self.spawner.stop(hub, user, name)
            return 204, None
        if method != "POST":
            raise Refused(405, "Method Not Allowed")
        if name and not hub.values.get("hub", {}).get("allowNamedServers"):
            raise Refused(400, "Named servers are not enabled.")
        if server is not None:
            raise Refused(400, f"{user} is already running" if server["ready"] else f"{user} is pending spawn")
        self._check_options(hub, body)
        try:
            self.spawner.start(hub, user, name, body)
        except ApiError as error:
            raise Refused(500, f"Error in Authenticator.pre_spawn_start: {error}") from error
        return 202, None

    def _check_options(self, hub: Installed, options: Body) -> None:
        """The binder's spawner starts nothing without an image and a token, unless people sign in."""
        if (hub.hub_config.get("BinderSpawner") or {}).get("auth_enabled"):
            return
        for wanted in ("token", "image"):
            if wanted not in options:
                raise Refused(400, f"{wanted} required")


def version(hub: Installed) -> str:
    """JupyterHub's version, from the chart that was installed."""
    return str((hub.values.get("Chart") or {}).get("AppVersion") or "5.3.0")


def _token_model(token: Body) -> Body:
    return {
        "kind": "api_token",
        "id": token["id"],
        "user": token["user"],
        "scopes": token["scopes"],
        "note": token["note"],
        "expires_at": token["expires_at"],
    }


def _read(body: bytes) -> Body:
    if not body:
        return {}
    try:
        read = json.loads(body)
    except ValueError as error:
        raise Refused(400, "Invalid JSON in body of request") from error
    return read if isinstance(read, dict) else {}
