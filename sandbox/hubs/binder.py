"""The binder's own pages and answers, below its base_url."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from sandbox.hubs import pages, scopes, tickets
from sandbox.hubs.builds import BUILDER_IMAGE
from sandbox.hubs.health import Health
from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.servers import bearer
from sandbox.hubs.sign_in import SignIn
from sandbox.hubs.stream import Stream, Visitor
from sandbox.hubs.world import World

VERSION = "1.0.0-0.dev"
KEEPALIVE_SECONDS = 25.0
SERVICE = "binder"
COOKIE = "service-binderhub"
STATE = "service-binderhub-state"


class Binder:
    def __init__(self, world: World, sign_in: SignIn, health: Health, stream: Stream) -> None:
        self.world, self.sign_in, self.health, self.stream = world, sign_in, health, stream

    async def answer(self, hub: Installed, request: Request) -> Response:
        base = str(hub.binder_settings.get("base_url") or "/")
        path = request.url.path
        if not path.startswith(base):
            return pages.problem(404, "The binder does not live under this path.")
        rest = path[len(base) :]
        if rest == "health":
            return await self._health(hub)
        if rest == "versions":
            return JSONResponse(
                {"builder_info": {"build_image": BUILDER_IMAGE}, "binderhub": VERSION, "builder": BUILDER_IMAGE}
            )
        if rest == "metrics":
            return PlainTextResponse(self._metrics(hub))
        if rest.startswith("build/") and rest.count("/") >= 2:
            return self._build(hub, request, rest.removeprefix("build/"))
        if rest == "oauth_callback":
            return self._signed_in(hub, request, base)
        return self._page(hub, request, base, rest)

    async def _health(self, hub: Installed) -> Response:
        ok, checks = await self.health.report(hub)
        return JSONResponse({"ok": ok, "checks": checks}, 200 if ok else 503)

    def _metrics(self, hub: Installed) -> str:
        running = sum(key.startswith(hub.key) for key in self.stream.builds.running)
        users = len(hub.pods(app="jupyterhub", component="singleuser-server"))
        return (
            "# HELP binderhub_inprogress_builds Builds currently in progress\n"
            "# TYPE binderhub_inprogress_builds gauge\n"
            f"binderhub_inprogress_builds {float(running)}\n"
            "# HELP binderhub_user_pods Servers of users now\n"
            "# TYPE binderhub_user_pods gauge\n"
            f"binderhub_user_pods {float(users)}\n"
        )

    def user(self, hub: Installed, request: Request) -> str | None:
        """The signed-in user who may use the binder; "anonymous" where nobody signs in."""
        if not hub.binder_settings.get("auth_enabled"):
            return "anonymous"
        token = bearer(request) or request.query_params.get("token") or request.cookies.get(COOKIE) or ""
        caller = self.world.ledger.caller(hub, token) if token else None
        if caller is None or not scopes.allows(caller.scopes, "access:services", service=SERVICE):
            return None
        return caller.name

    def _page(self, hub: Installed, request: Request, base: str, rest: str) -> Response:
        user = self.user(hub, request)
        if user is None:
            return self._to_hub(hub, request, base)
        known = rest == "" or rest.startswith("v2/gh/")
        spec = rest.removeprefix("v2/") if rest.startswith("v2/gh/") else ""
        config: Body = {"baseUrl": base, "logoUrl": "", "spec": spec, "binderVersion": VERSION}
        config["signedIn"] = bool(hub.binder_settings.get("auth_enabled"))
        if spec:
            config["buildToken"] = tickets.issue(hub, spec, token_origin(request))
        header = "".join(html for _, html in sorted((hub.binder_settings.get("extra_header_html") or {}).items()))
        about = {"banner": str(hub.binder_settings.get("banner_message") or ""), "header": header}
        return pages.binder(config, about, 200 if known else 404)

    def _to_hub(self, hub: Installed, request: Request, base: str) -> Response:
        """Sends the browser to the hub to say who it is."""
        if request.method not in ("GET", "HEAD"):
            return pages.problem(403, "Forbidden")
        service = hub.services.get(SERVICE) or {}
        public = urlsplit(str(hub.binder_settings.get("hub_url") or ""))
        state = secrets.token_urlsafe(16)
        query = {
            "client_id": service.get("oauth_client_id") or f"service-{SERVICE}",
            "redirect_uri": service.get("oauth_redirect_uri") or f"{base}oauth_callback",
            "response_type": "code",
            "state": state,
        }
        where = f"{public.scheme}://{public.netloc}{hub.base_url}hub/api/oauth2/authorize?{urlencode(query)}"
        response = RedirectResponse(where, 302)
        following = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        response.set_cookie(STATE, f"{state}|{following}", path=base, httponly=True)
        return response

    def _signed_in(self, hub: Installed, request: Request, base: str) -> Response:
        state, _, following = request.cookies.get(STATE, "").partition("|")
        if not state or not secrets.compare_digest(state, request.query_params.get("state", "")):
            return pages.problem(403, "oauth state does not match. Try logging in again.")
        token = self.sign_in.redeem(hub, request.query_params.get("code", ""), SERVICE)
        if token is None:
            return pages.problem(403, "The hub does not know this sign-in. Try again.")
        response = RedirectResponse(following or base, 302)
        response.set_cookie(COOKIE, token, path=base, httponly=True, samesite="lax")
        return response

    def _build(self, hub: Installed, request: Request, path: str) -> Response:
        provider, _, spec = path.partition("/")
        accepted = {part.strip().lower() for part in request.headers.get("accept", "").split(";")}
        visitor = Visitor(
            address=request.client.host if request.client else "",
            origin=token_origin(request),
            user=self.user(hub, request),
            build_token=request.query_params.get("build_token"),
            accepts_events="text/event-stream" in accepted,
        )
        events = self.stream.events(hub, provider, spec, visitor)
        return StreamingResponse(
            spoken(events, self.world.clock.scaled(KEEPALIVE_SECONDS)),
            media_type="text/event-stream",
            headers={"cache-control": "no-cache", "access-control-allow-headers": "cache-control"},
        )


async def spoken(events: AsyncIterator[Body], every: float) -> AsyncIterator[bytes]:
    """Events as an event stream, with a comment whenever nothing was said for so long."""
    iterator = aiter(events)
    pending: asyncio.Future[Any] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(iterator))
            done, _ = await asyncio.wait([pending], timeout=max(every, 0.05))
            if not done:
                yield b":keepalive\n\n"
                continue
            try:
                event = pending.result()
            except StopAsyncIteration:
                return
            pending = None
            yield f"data: {json.dumps(event)}\n\n".encode()
    finally:
        if pending is not None:
            pending.cancel()


def token_origin(request: Request) -> str:
    """What a build token is bound to: the Origin header's host, else the Host header."""
    origin = request.headers.get("origin")
    return urlsplit(origin).netloc if origin is not None else request.headers.get("host", "")
