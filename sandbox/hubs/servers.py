"""A person's running server: the little of Jupyter Server that a launch is checked by, and a page to see."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from sandbox.hubs import pages, scopes
from sandbox.hubs.installed import Body, Installed, is_ready
from sandbox.hubs.sign_in import HUB_COOKIE
from sandbox.hubs.spawner import Spawner
from sandbox.hubs.world import World

JUPYTER_SERVER = "2.14.2"


class Servers:
    def __init__(self, world: World, spawner: Spawner) -> None:
        self.world, self.spawner = world, spawner

    async def answer(self, hub: Installed, request: Request, path: str) -> Response:
        """`path` is what follows /user/."""
        user, _, rest = path.partition("/")
        name, server, rest = self._find(hub, user, rest)
        if server is None or not self._runs(hub, server):
            if rest.startswith("api"):
                return JSONResponse({"message": f"Server for {user} is not running"}, 424)
            return pages.problem(404, "This server is not running. It may have been idle for too long and stopped.")
        if not self._may(hub, request, user, server):
            if rest.startswith("api"):
                return JSONResponse({"message": "Forbidden", "reason": None}, 403)
            return pages.problem(403, "This page needs the token that came with the launch.")
        self.spawner.touch(hub, user, name)
        return self._serve(hub, request, (user, name), server, rest)

    def _serve(self, hub: Installed, request: Request, who: tuple[str, str], server: Body, rest: str) -> Response:
        if rest in ("api", "api/"):
            return JSONResponse({"version": JUPYTER_SERVER})
        if rest == "api/status":
            return JSONResponse({"started": self.world.clock.iso(server["started"]), "connections": 0, "kernels": 0})
        if rest == "api/shutdown":
            if request.method != "POST":
                return JSONResponse({"message": "Method Not Allowed"}, 405)
            self.spawner.stop(hub, *who)
            return Response(status_code=200)
        if rest in ("", "tree", "lab/"):
            query = dict(request.query_params)
            here = f"{hub.base_url}user/{who[0]}/" + (f"{who[1]}/" if who[1] else "")
            return RedirectResponse(f"{here}lab" + (f"?{urlencode(query)}" if query else ""), 302)
        if rest.split("/")[0] == "lab":
            return pages.lab(server, who[0], str(request.query_params.get("token") or ""))
        return pages.problem(404, "There is nothing of that name on this server.")

    def _find(self, hub: Installed, user: str, rest: str) -> tuple[str, Body | None, str]:
        """The named server that the path goes on with, else the default one."""
        first, _, after = rest.partition("/")
        named = self.spawner.server(hub, user, first) if first else None
        return (first, named, after) if named else ("", self.spawner.server(hub, user), rest)

    def _runs(self, hub: Installed, server: Body) -> bool:
        pod = hub.get("pods", server["pod"])
        return bool(server["ready"]) and pod is not None and is_ready(pod)

    def _may(self, hub: Installed, request: Request, user: str, server: Body) -> bool:
        """A binder's server asks for its own token; with sign-in on, for its owner."""
        given = bearer(request) or request.query_params.get("token") or ""
        if not (hub.hub_config.get("BinderSpawner") or {}).get("auth_enabled"):
            return bool(given) and secrets.compare_digest(given, server["token"])
        given = given or request.cookies.get(HUB_COOKIE, "")
        caller = self.world.ledger.caller(hub, given) if given else None
        return caller is not None and scopes.allows(caller.scopes, "access:servers", user=user)


def bearer(request: Request) -> str:
    """The token of an Authorization header, "" when there is none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in ("token", "bearer") else ""
