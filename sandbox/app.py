"""One ASGI application of all areas, with faults in front and the journal behind."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import connections, faults, holds, recording
from sandbox.core import Core

#: Order matters: ARM's catch-all paths come last.
AREAS = ("kubernetes", "charts", "dns", "registries", "hubs", "azure")
READS = {"GET", "HEAD", "OPTIONS"}


class JournalMiddleware:
    """Records each write with the status it was answered with."""

    def __init__(self, app: ASGIApp, core: Core) -> None:
        self.app, self.core = app, core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READS or scope["path"].startswith("/_sandbox"):
            return await self.app(scope, receive, send)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                area = scope["path"].split("/", 2)[1]
                self.core.journal.record(area, scope["method"], scope["path"], message["status"])
            await send(message)

        return await self.app(scope, receive, noting)


async def healthz(_request: Request) -> Response:
    return JSONResponse({"ok": True})


async def journal(request: Request) -> Response:
    """Writes after number `since`, oldest first."""
    since = int(request.query_params.get("since", "0"))
    return JSONResponse(request.app.state.core.journal.since(since))


def build(core: Core) -> Starlette:
    routes: list[BaseRoute] = [
        Route("/_sandbox/healthz", healthz),
        Route("/_sandbox/journal", journal),
        Route("/_sandbox/faults", faults.control, methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/recording", recording.control, methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/cut", connections.control, methods=["POST"]),
        Route("/_sandbox/held", holds.control, methods=["GET", "POST"]),
    ]
    for area in AREAS:
        make_routes: Callable[[Core], list[BaseRoute]] | None = _attribute(area, "routes", "routes")
        routes += make_routes(core) if make_routes else []
    app = Starlette(
        routes=routes,
        lifespan=_lifespan,
        middleware=[
            Middleware(faults.FaultMiddleware, core=core),
            Middleware(JournalMiddleware, core=core),
        ],
    )
    app.router.redirect_slashes = False
    app.state.core = core
    return app


def _attribute(area: str, module: str, name: str) -> Any:
    """The area's function, or None where an area has no such module."""
    path = f"sandbox.{area}.{module}"
    if importlib.util.find_spec(path) is None:
        return None
    return getattr(importlib.import_module(path), name)


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    runs = [run for area in AREAS if (run := _attribute(area, "background", "run"))]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(app.state.core)) for run in runs]
        yield
        for task in tasks:
            task.cancel()
