"""What a test can set of registries with a host of their own: `/_sandbox/registries…`, plain JSON, no sign-in."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Core
from sandbox.registries import addresses, other_host
from sandbox.registries.service import Registries

#: A registry as it is when a test says nothing but its name.
PLAIN = {"kind": "token", "projects": {"research": {"public": True}}, "users": []}


def routes(core: Core) -> list[BaseRoute]:
    base, registries = "/_sandbox/registries", core.services["registries"]

    async def listed(_request: Request) -> Response:
        return JSONResponse([_summary(core, entry) for entry in other_host.entries(core).values()])

    async def put(request: Request) -> Response:
        """{"name", "kind": "token"|"basic", "projects": {name: {"public"}}, "users": [{…}], "realm"}"""
        body = await request.json()
        if not body.get("name"):
            return JSONResponse({"error": "name is missing"}, 400)
        old = other_host.entries(core).get(body["name"], PLAIN)
        return _kept(core, registries, old | body)

    async def user(request: Request) -> Response:
        """{"username", "password", "projects": […], "read_only"}: added, or put in the place of its namesake."""
        entry, body = other_host.entries(core).get(request.path_params["name"]), await request.json()
        if entry is None:
            return JSONResponse({"error": "there is no such registry"}, 404)
        others = [each for each in entry["users"] if each["username"] != body["username"]]
        return _kept(core, registries, entry | {"users": [*others, {"projects": []} | body]})

    async def images(request: Request) -> Response:
        name = request.path_params["name"]
        known = other_host.place(name) if name in other_host.entries(core) else name
        return JSONResponse(addresses.shelf(core, known).images())

    return [
        Route(base, listed),
        Route(base, put, methods=["POST"]),
        Route(f"{base}/{{name}}/users", user, methods=["POST"]),
        Route(f"{base}/{{name}}/images", images),
    ]


def _kept(core: Core, registries: Registries, entry: dict[str, Any]) -> Response:
    core.state.bucket(other_host.BUCKET).put(entry["name"], entry)
    registries.opened(other_host.place(entry["name"]))
    return JSONResponse(_summary(core, entry), 201)


def _summary(core: Core, entry: dict[str, Any]) -> dict[str, Any]:
    shown = {key: entry[key] for key in ("name", "kind", "projects")}
    return shown | {
        "address": other_host.address(core.config, entry["name"]),
        "users": [user["username"] for user in entry["users"]],
    }
