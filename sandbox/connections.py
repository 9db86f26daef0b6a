"""Open connections, cut as a failing network cuts them: without a word, in the middle of whatever they carry."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope
from uvicorn.server import ServerState


class Connections:
    """Those of every server in this process: the main one, the hubs', the registries'."""

    def __init__(self) -> None:
        self._states: list[ServerState] = []

    def watch(self, state: ServerState) -> None:
        self._states.append(state)

    async def cut(self, scope: Scope, receive: Receive) -> None:
        """Cuts the one that this request came by; returns when it is gone."""
        for connection in self._open():
            if _carries(connection, scope):
                connection.transport.abort()
        await gone(receive)

    def cut_all(self, but: Scope) -> int:
        """Cuts all but one request's own; returns how many there were."""
        others = [connection for connection in self._open() if not _carries(connection, but)]
        for connection in others:
            connection.transport.abort()
        return len(others)

    def _open(self) -> list[Any]:
        found = [connection for state in self._states for connection in state.connections]
        return [connection for connection in found if connection.transport is not None]


def _carries(connection: Any, scope: Scope) -> bool:
    return connection.cycle is not None and connection.cycle.scope is scope


async def gone(receive: Receive) -> None:
    """Waits for the sender to be gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def control(request: Request) -> Response:
    """POST `/_sandbox/cut` cuts every connection but its own."""
    connections: Connections = request.app.state.core.connections
    return JSONResponse({"cut": connections.cut_all(request.scope)})
