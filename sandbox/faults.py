"""Faults by path × method × count: what the outside world does on its bad days.

`POST /_sandbox/faults` takes `{"path": "<regex>", "method": "PUT", "count": 2, "kind": "throttled", …}`;
`DELETE` clears them, `GET` lists them with how often each has struck.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import fault_shapes, holds

HTML = "<html><head><title>502 Bad Gateway</title></head><body>The gateway could not reach its backend.</body></html>"


def _azure(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


#: kind → (status, headers, body). `slow`, `drop`, `hold` and `custom` are handled apart.
PRESETS: dict[str, tuple[int, dict[str, str], str]] = {
    "throttled": (429, {"retry-after": "1"}, _azure("TooManyRequests", "The request is being throttled.")),
    "throttled-silent": (429, {}, _azure("TooManyRequests", "The request is being throttled.")),
    "server-error": (500, {}, _azure("InternalServerError", "Encountered internal server error.")),
    "unavailable": (503, {}, _azure("ServiceUnavailable", "The service is unavailable.")),
    "html": (502, {"content-type": "text/html"}, HTML),
    "empty": (503, {}, ""),
    "garbage": (200, {}, "\u0000\u0001{not json"),
    "expired-token": (
        401,
        {"www-authenticate": 'Bearer error="invalid_token", error_description="The access token has expired."'},
        _azure("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."),
    ),
    "forbidden": (403, {}, _azure("AuthorizationFailed", "The client does not have authorization to perform action.")),
    "not-registered": (
        409,
        {},
        _azure("MissingSubscriptionRegistration", "The subscription is not registered to use this namespace."),
    ),
    "policy": (
        403,
        {},
        json.dumps(
            {
                "error": {
                    "code": "RequestDisallowedByPolicy",
                    "message": "Resource was disallowed by policy.",
                    "additionalInfo": [
                        {"type": "PolicyViolation", "info": {"policyDefinitionDisplayName": "Allowed locations"}}
                    ],
                }
            }
        ),
    ),
}


@dataclass
class Fault:
    """One rule. `before` False lets the request take effect and spoils only the answer."""

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
    struck: int = 0

    def fits(self, method: str, path: str) -> bool:
        return (
            self.struck < self.count
            and self.method in ("", method)
            and re.search(self.path, path, re.IGNORECASE) is not None
        )

    def response(self, path: str = "") -> Response:
        status, headers, body = PRESETS.get(self.kind, (self.status or 500, {}, self.body))
        body = fault_shapes.body_of(path, self.kind) or body
        merged = {"content-type": "application/json", "x-ms-correlation-request-id": f"fault-{self.number}"}
        return Response(self.body or body, self.status or status, merged | headers | self.headers)


class Faults:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.rules: list[Fault] = []
        self.holds = holds.Holds()

    def add(self, rule: dict[str, Any]) -> Fault:
        fault = Fault(number=next(self._numbers), **rule)
        self.rules.append(fault)
        return fault

    def strike(self, method: str, path: str) -> Fault | None:
        """The first rule that fits, counted as struck."""
        for fault in self.rules:
            if fault.fits(method, path):
                fault.struck += 1
                return fault
        return None


class Dropped(Exception):
    """Raised in the middle of an answer: the server then closes the connection."""


class FaultMiddleware:
    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            return await self.app(scope, receive, send)
        target = scope["path"] + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        fault = self.faults.strike(scope["method"], target)
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
        if fault.kind == "drop":
            return await _drop(send)
        return await fault.response(scope["path"])(scope, receive, send)


async def _drop(send: Send) -> None:
    """Promises a body and hangs up: the only way an ASGI application can cut a connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise Dropped


async def _swallow(_message: Any) -> None:
    """Takes an answer nobody will see: the request had its effect."""


async def control(request: Request) -> Response:
    """GET, POST and DELETE of `/_sandbox/faults`."""
    faults: Faults = request.app.state.core.faults
    if request.method == "POST":
        return JSONResponse(asdict(faults.add(await request.json())), 201)
    if request.method == "DELETE":
        faults.rules.clear()
        faults.holds.release()
    return JSONResponse([asdict(rule) for rule in faults.rules])
