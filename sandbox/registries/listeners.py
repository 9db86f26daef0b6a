"""TLS sockets on the registries' addresses: one each, while the registry exists."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sandbox import tls
from sandbox.core import Core
from sandbox.faults import FaultMiddleware

if TYPE_CHECKING:
    from sandbox.registries.service import Registries

LOG = logging.getLogger("sandbox.registries")
LOOK_EVERY_SECONDS = 1.0


class Listeners:
    """A socket listens as soon as its registry is asked for: who connects too early is kept waiting, not refused."""

    def __init__(self, core: Core, registries: Registries) -> None:
        self.core, self.registries = core, registries
        self.state = ServerState()
        core.connections.watch(self.state)
        self.news = asyncio.Event()
        self._bound: dict[str, socket.socket] = {}
        self._open: dict[str, asyncio.Server] = {}

    def open(self, ip: str) -> None:
        if ip in self._bound or ip in self._open:
            return
        bound = socket.socket()
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((ip, self.core.config.port))
            bound.listen(64)
        except OSError as error:
            bound.close()
            LOG.warning("registry address %s:%s cannot be used: %s", ip, self.core.config.port, error)
            return
        self._bound[ip] = bound
        self.news.set()

    async def run(self, app: ASGIApp) -> None:
        """Brings the sockets in line with the registries there are, until cancelled."""
        config = uvicorn.Config(app, lifespan="off", ws="none", access_log=False, log_config=None)
        config.load()
        try:
            while True:
                await self._follow(config)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), LOOK_EVERY_SECONDS)
                self.news.clear()
        finally:
            for ip in list(self._open):
                self._close(ip)

    async def _follow(self, config: uvicorn.Config) -> None:
        wanted = self.registries.wanted()
        for ip in [ip for ip in self._open if ip not in wanted]:
            self._close(ip)
        for ip in wanted:
            self.open(ip)
        loop = asyncio.get_running_loop()
        for ip, bound in list(self._bound.items()):
            context = tls.server_context(self.core.config.home, ip)
            self._open[ip] = await loop.create_server(
                lambda: HttpToolsProtocol(config=config, server_state=self.state, app_state={}), sock=bound, ssl=context
            )
            del self._bound[ip]

    def _close(self, ip: str) -> None:
        self._open.pop(ip).close()
        for connection in list(self.state.connections):
            server = getattr(connection, "server", None)
            if server and server[0] == ip:
                connection.transport.abort()


class Front:
    """Leads a request to the registry whose address it came to."""

    def __init__(self, registries: Registries) -> None:
        self.registries = registries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = self.registries.at(scope["server"][0])
        response = Response("Service Unavailable\n", 503) if host is None else await host.serve(Request(scope, receive))
        await response(scope, receive, send)


def application(core: Core, registries: Registries) -> ASGIApp:
    from sandbox.app import JournalMiddleware  # the application is made of the areas, and is there by now

    return FaultMiddleware(JournalMiddleware(Front(registries), core), core, door="registry")
