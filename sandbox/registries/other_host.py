"""Registries that are neither Docker Hub's nor Azure's: projects with members, as Harbor has them."""

from __future__ import annotations

import hmac
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import Response

from sandbox import seeds
from sandbox.config import Config
from sandbox.core import Core
from sandbox.registries import addresses, bearer
from sandbox.registries.distribution import error
from sandbox.registries.hosts import Host, TokenHost

Body = dict[str, Any]
BUCKET = "registries.others"


def entries(core: Core) -> dict[str, Body]:
    """By name: the seeded ones, then what a test made or changed."""
    found = {entry["name"]: dict(entry) for entry in seeds.OTHER_REGISTRIES}
    return found | dict(core.state.bucket(BUCKET).items())


def place(name: str) -> str:
    """What the loopback address is derived from: no registry of Azure's can have such a name."""
    return f"other/{name}"


def address(config: Config, name: str) -> str:
    return addresses.login_server(config, place(name))


def make(core: Core, entry: Body) -> Host:
    return BasicHost(core, entry) if entry.get("kind") == "basic" else ProjectHost(core, entry)


class Members(Host):
    """Who belongs to which project. Repositories without a project do not exist."""

    def __init__(self, core: Core, entry: Body) -> None:
        super().__init__(core, address(core.config, entry["name"]), addresses.shelf(core, place(entry["name"])))
        self.entry = entry
        self.users = {user["username"]: user for user in entry.get("users", [])}

    def knows(self, username: str, password: str) -> bool:
        user = self.users.get(username)
        return user is not None and hmac.compare_digest(user["password"].encode(), password.encode())

    def actions(self, username: str, repository: str) -> set[str]:
        project, slash, _ = repository.partition("/")
        if not slash or project not in self.entry.get("projects", {}):
            return set()
        public = {"pull"} if self.entry["projects"][project].get("public") else set()
        user = self.users.get(username)
        if user is None or project not in user.get("projects", []):
            return public
        return {"pull"} if user.get("read_only") else {"pull", "push", "delete"}


class ProjectHost(Members, TokenHost):
    token_path = "/service/token"
    service, issuer = "harbor-registry", "harbor-token-issuer"

    def __init__(self, core: Core, entry: Body) -> None:
        super().__init__(core, entry)
        self.realm = entry.get("realm") or f"https://{self.address}{self.token_path}"


class BasicHost(Members):
    """Takes name and password with every request."""

    def challenge(self, scope: str, insufficient: bool) -> Response:
        if insufficient:
            return error(403, "DENIED", "requested access to the resource is denied")
        response = error(401, "UNAUTHORIZED", bearer.REQUIRED)
        response.headers["www-authenticate"] = 'Basic realm="Registry"'
        return response

    def token(self, query: QueryParams, header: str) -> Response:
        return error(404, "UNSUPPORTED", "There are no tokens here.")

    def allowed(self, header: str, repository: str) -> set[str] | None:
        found = bearer.basic(header) if header else None
        return self.actions(found[0], repository) if found and self.knows(*found) else None
