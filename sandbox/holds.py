"""Requests held at the door: a test sees which one it is, does what it likes to its sender, and lets it go.

A held request waits twice: before it is handled, and after it was handled but before its answer is sent. When the
sender dies meanwhile, the first kind is never handled, as with a connection that breaks before the request arrived.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import connections

When = Literal["before", "after"]


@dataclass
class Held:
    """One request that waits."""

    number: int
    method: str
    path: str
    when: When
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self) -> dict[str, Any]:
        return {"number": self.number, "method": self.method, "path": self.path, "when": self.when}


class Holds:
    """All that wait now."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._held: dict[int, Held] = {}

    def told(self) -> list[dict[str, Any]]:
        return [held.told() for held in self._held.values()]

    def release(self, number: int | None = None) -> None:
        """Lets one go, or all."""
        for held in list(self._held.values()):
            if number in (None, held.number):
                held.released.set()

    async def wait(self, method: str, path: str, when: When, receive: Receive) -> bool:
        """True once released; False when the sender is gone first."""
        held = Held(next(self._numbers), method, path, when)
        self._held[held.number] = held
        release, gone = asyncio.ensure_future(held.released.wait()), asyncio.ensure_future(connections.gone(receive))
        try:
            await asyncio.wait({release, gone}, return_when=asyncio.FIRST_COMPLETED)
            return not gone.done()
        finally:
            release.cancel()
            gone.cancel()
            del self._held[held.number]


async def pass_through(holds: Holds, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves one request, holding it twice on the way."""
    body = await _whole_body(receive)
    if body is None or not await holds.wait(scope["method"], scope["path"], "before", receive):
        return
    answer: list[Message] = []

    async def keep(message: Message) -> None:
        answer.append(message)

    replay = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        return next(replay, None) or await receive()

    await app(scope, again, keep)
    if await holds.wait(scope["method"], scope["path"], "after", receive):
        for message in answer:
            await send(message)


async def _whole_body(receive: Receive) -> bytes | None:
    """The request's body; None when the sender left in the middle of it."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def control(request: Request) -> Response:
    """GET lists what waits; POST `{"number": n}` lets that one go, `{}` all."""
    holds: Holds = request.app.state.core.faults.holds
    if request.method == "POST":
        content = await request.json()
        holds.release(content.get("number"))
    return JSONResponse(holds.told())
