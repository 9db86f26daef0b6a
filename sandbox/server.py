"""The sandbox's HTTP server, which does not wait for its clients when it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn

#: What is being answered gets this long to finish. Event streams never do, and are cut.
LAST_SECONDS = 0.1


class PromptServer(uvicorn.Server):
    """Hangs up. A polite TLS close waits for the client to close as well, which may take seconds."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _hang_up(connection for connection in self._connections() if not _is_busy(connection))
        deadline = asyncio.get_running_loop().time() + LAST_SECONDS
        while self._connections() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        _hang_up(self._connections())
        await super().shutdown(sockets)

    def _connections(self) -> list[Any]:
        return list(self.server_state.connections)


def _is_busy(connection: Any) -> bool:
    return connection.cycle is not None and not connection.cycle.response_complete


def _hang_up(connections: Any) -> None:
    for connection in connections:
        if connection.transport is not None:
            connection.transport.abort()
