"""Faults by path × method × count: what the outside world does on its bad days.

`POST /_sandbox/faults` takes `{"path": "<regex>", "method": "PUT", "count": 2, "kind": "throttled", …}`,
or a list of such; `DELETE` clears them (`?number=` one of them), `GET` lists them with how often each has struck.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import connections, fault_shapes, holds, seeds
from sandbox.fault_presets import ABOUT_THE_TOKEN, PRESETS, challenge
from sandbox.recording import agent_of, door_of

if TYPE_CHECKING:
    from sandbox.core import Core


@dataclass(frozen=True)
class Asked:
    """What a rule looks at: the request, whose door it came to, who sent it."""

    method: str
    target: str
    door: str
    agent: str
    authorization: str

    @classmethod
    def of(cls, scope: Scope, door: str) -> Asked:
        query = scope["query_string"].decode()
        headers = dict(scope["headers"])
        return cls(
            method=scope["method"],
            target=scope["path"] + (f"?{query}" if query else ""),
            door=door,
            agent=agent_of(scope),
            authorization=headers.get(b"authorization", b"").decode("latin-1"),
        )


@dataclass
class Fault:
    """One rule; `door` and `agent` (a regular expression) narrow it further.

    `before` False lets the request take effect and spoils only the answer.
    """

    number: int
    path: str
    method: str = ""
    count: int = 1
    kind: str = "server-error"
    before: bool = True
    delay: float = 0.0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    door: str = ""
    agent: str = ""
    struck: int = 0
    #: Tokens that this rule has refused for good.
    refused: list[str] = field(default_factory=list)

    def strikes(self, asked: Asked) -> bool:
        """Whether it is this request's turn; counts those whose turn it is."""
        if not self._fits(asked):
            return False
        again = asked.authorization in self.refused
        if not again and self.struck >= self.count:
            return False
        if self.kind in ABOUT_THE_TOKEN and asked.door in ("azure", "vault") and asked.authorization and not again:
            self.refused.append(asked.authorization)
        self.struck += 1
        return True

    def _fits(self, asked: Asked) -> bool:
        return (
            self.method in ("", asked.method)
            and self.door in ("", asked.door)
            and re.search(self.path, asked.target, re.IGNORECASE) is not None
            and re.search(self.agent, asked.agent) is not None
        )

    def response(self, path: str, door: str, authority: str) -> Response:
        status, headers, body = PRESETS.get(self.kind, (self.status or 500, {}, self.body))
        if self.kind in ABOUT_THE_TOKEN:
            headers = challenge(self.kind, door, authority)
        body = fault_shapes.body_of(path, self.kind) or body
        merged = {"content-type": "application/json", "x-ms-correlation-request-id": f"fault-{self.number}"}
        return Response(self.body or body, self.status or status, merged | headers | self.headers)

    def told(self) -> dict[str, Any]:
        """For whoever asks; tokens are nobody's business."""
        return {key: value for key, value in asdict(self).items() if key != "refused"}


class Faults:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.rules: list[Fault] = []
        self.holds = holds.Holds()

    def add(self, rule: dict[str, Any]) -> Fault:
        fault = Fault(number=next(self._numbers), **rule)
        self.rules.append(fault)
        return fault

    def remove(self, numbers: set[int]) -> None:
        """Those, or all of them together with what is held."""
        self.rules = [rule for rule in self.rules if numbers and rule.number not in numbers]
        if not numbers:
            self.holds.release()

    def strike(self, asked: Asked) -> Fault | None:
        """The first rule whose turn it is."""
        return next((fault for fault in self.rules if fault.strikes(asked)), None)


class Dropped(Exception):
    """Raised in the middle of an answer: the server then closes the connection."""


class FaultMiddleware:
    """Faults, recording and cut connections: everything that happens at the door, before any service is asked."""

    def __init__(self, app: ASGIApp, core: Core, door: str = "") -> None:
        self.app, self.core, self.door = app, core, door
        self.faults = core.faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            return await self.app(scope, receive, send)
        door = self.door or door_of(scope["path"])
        self.core.recording.note(door, scope)
        fault = self.faults.strike(Asked.of(scope, door))
        if fault is None:
            return await self.app(scope, receive, send)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.kind == "hold":
            return await holds.pass_through(self.faults.holds, self.app, scope, receive, send)
        if fault.kind == "slow":
            return await self.app(scope, receive, send)
        if not fault.before:
            await self.app(scope, receive, _swallow)
        return await self._spoil(fault, door, scope, receive, send)

    async def _spoil(self, fault: Fault, door: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as the fault has it: wrongly, in part, or not at all."""
        if fault.kind == "drop":
            return await _drop(send)
        if fault.kind == "cut":
            return await self.core.connections.cut(scope, receive)
        if fault.kind == "silent":
            return await connections.gone(receive)
        authority = f"{self.core.config.origin}/{seeds.TENANT_ID}"
        return await fault.response(scope["path"], door, authority)(scope, receive, send)


async def _drop(send: Send) -> None:
    """Promises a body and hangs up: the only way an ASGI application itself can cut a connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise Dropped


async def _swallow(_message: Any) -> None:
    """Takes an answer nobody will see: the request had its effect."""


async def control(request: Request) -> Response:
    """GET, POST and DELETE of `/_sandbox/faults`."""
    faults: Faults = request.app.state.core.faults
    if request.method == "POST":
        asked = await request.json()
        added = [faults.add(rule).told() for rule in (asked if isinstance(asked, list) else [asked])]
        return JSONResponse(added if isinstance(asked, list) else added[0], 201)
    if request.method == "DELETE":
        faults.remove({int(number) for number in request.query_params.getlist("number")})
    return JSONResponse([rule.told() for rule in faults.rules])
