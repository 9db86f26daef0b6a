"""One ASGI application for all hubs: it finds the hub by the address that the connection came to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from sandbox.hubs import pages
from sandbox.hubs.api import Api
from sandbox.hubs.binder import Binder
from sandbox.hubs.builds import Builds
from sandbox.hubs.health import Health
from sandbox.hubs.installed import Installed
from sandbox.hubs.launch import Launcher
from sandbox.hubs.registry import Registry
from sandbox.hubs.servers import Servers, bearer
from sandbox.hubs.sign_in import SignIn
from sandbox.hubs.spawner import Progress, Spawner
from sandbox.hubs.stream import Stream
from sandbox.hubs.world import World

READS = {"GET", "HEAD", "OPTIONS"}
#: What JupyterHub and BinderHub are written with, and every answer of theirs says.
TORNADO = b"TornadoServer/6.5.1"


class Site:
    def __init__(self, world: World) -> None:
        self.world = world
        self.spawner = Spawner(world)
        self.api = Api(world, self.spawner)
        self.sign_in = SignIn(world)
        self.servers = Servers(world, self.spawner)
        registry = Registry(world)
        launcher = Launcher(world, self.api, self.spawner)
        stream = Stream(world, registry, Builds(world, registry), launcher)
        self.binder = Binder(world, self.sign_in, Health(world, registry, launcher), stream)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        address = scope["server"][0]
        place = self.world.places.get(address)
        response = await self._answer(address, Request(scope, receive))

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(b"server", TORNADO), *message["headers"]]
                if scope["method"] not in READS and place:
                    path = f"/{place.cluster}/{place.namespace}{scope['path']}"
                    self.world.core.journal.record("hubs", scope["method"], path, message["status"])
            await send(message)

        await response(scope, receive, noting)

    async def _answer(self, address: str, request: Request) -> Response:
        place, hub = self.world.places.get(address), self.world.at(address)
        if place is None or hub is None or not hub.serves(place.service):
            return _unavailable()
        if place.service == "binder":
            return await self.binder.answer(hub, request)
        path = request.url.path
        if hub.base_url != "/" and not path.startswith(hub.base_url):
            return RedirectResponse(f"{hub.base_url}hub/", 302)
        return await self._route(hub, request, path[len(hub.base_url) :])

    async def _route(self, hub: Installed, request: Request, path: str) -> Response:
        """What the proxy does: a registered service, a person's server, else the hub."""
        if path.startswith("user/"):
            return await self.servers.answer(hub, request, path.removeprefix("user/"))
        for name, service in hub.services.items():
            if service.get("url") and path.startswith(f"services/{name}/"):
                host = str(service["url"]).split("://")[-1].split("/")[0].split(":")[0].split(".")[0]
                return await self.binder.answer(hub, request) if hub.serves(host) else _unavailable()
        if not hub.serves("hub"):
            return _unavailable()
        return await self._hub(hub, request, path)

    async def _hub(self, hub: Installed, request: Request, path: str) -> Response:
        if path in ("", "hub"):
            return RedirectResponse(f"{hub.base_url}hub/", 302)
        if not path.startswith("hub/"):
            return pages.problem(404, "Jupyter has lots of moons, but this is not one.")
        rest = path.removeprefix("hub/")
        if rest == "health":
            return Response(status_code=200)
        if found := await self.sign_in.answer(hub, request, rest):
            return found
        if rest == "api" or rest.startswith("api/"):
            return await self._api(hub, request, rest.removeprefix("api").strip("/"))
        if rest == "":
            return RedirectResponse(_home(hub), 302)
        return self._account(hub, request, rest)

    async def _api(self, hub: Installed, request: Request, path: str) -> Response:
        token = bearer(request) or request.query_params.get("token", "")
        if path.endswith("/progress") and path.startswith("users/"):
            return self._progress(hub, path, token)
        status, answer = self.api.call(hub, request.method, path, token, await request.body())
        headers = {"x-jupyterhub-version": self.api_version(hub)}
        if answer is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(answer, status, headers=headers)

    def api_version(self, hub: Installed) -> str:
        _, answer = self.api.call(hub, "GET", "", "")
        return str(answer["version"])

    def _progress(self, hub: Installed, path: str, token: str) -> Response:
        user = path.split("/")[1]
        status, answer = self.api.call(hub, "GET", f"users/{user}", token)
        waiting = self.spawner.waiting(hub, user)
        if status != 200 or waiting is None:
            return JSONResponse(
                answer if status != 200 else {"status": 400, "message": f"{user} is not starting..."}, max(status, 400)
            )
        return StreamingResponse(_told(waiting), media_type="text/event-stream", headers={"cache-control": "no-cache"})

    def _account(self, hub: Installed, request: Request, rest: str) -> Response:
        person = self.sign_in.person(hub, request)
        if person is None:
            return RedirectResponse(f"{hub.base_url}hub/login?next={request.url.path}", 302)
        if rest in ("home", "spawn", "token"):
            return pages.home(hub, person.name, self.spawner.server(hub, person.name))
        return pages.problem(404, "Jupyter has lots of moons, but this is not one.")


def _home(hub: Installed) -> str:
    return str((hub.hub_config.get("JupyterHub") or {}).get("default_url") or f"{hub.base_url}hub/home")


def _unavailable() -> Response:
    return PlainTextResponse("Service Unavailable", 503)


async def _told(progress: Progress) -> AsyncIterator[bytes]:
    told = 0
    while True:
        changed = progress.changed
        for event in progress.events[told:]:
            told += 1
            yield f"data: {json.dumps(event)}\n\n".encode()
        if progress.over:
            return
        await changed.wait()
