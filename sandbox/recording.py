"""A recording: every request with who sent it, reads too. Off until asked for; in memory only, and without bodies."""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

MOST = 50_000
#: Whose door a path of the main address is, by its start. Everything else is Azure Resource Manager's.
DOORS = (
    (re.compile(r"/k8s/"), "cluster"),
    (re.compile(r"/kv/"), "vault"),
    (re.compile(r"/dockerhub(-auth)?/"), "docker hub"),
    (re.compile(r"/github(-api)?/"), "github"),
    (re.compile(r"/charts/"), "charts"),
    (re.compile(r"/api/retail/"), "prices"),
    (re.compile(r"/([0-9a-f-]{36}/(oauth2|v2\.0)|common/discovery|metadata/identity)/", re.IGNORECASE), "entra"),
)


def door_of(path: str) -> str:
    """Which service a request to the main address is for."""
    return next((door for start, door in DOORS if start.match(path)), "azure")


def agent_of(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")


class Recording:
    """Requests in the order they came, the oldest forgotten first."""

    def __init__(self) -> None:
        self.on = False
        self._count = 0
        self._rows: deque[dict[str, Any]] = deque(maxlen=MOST)

    def note(self, door: str, scope: Scope) -> None:
        if self.on:
            self._count += 1
            row = {"number": self._count, "door": door, "method": scope["method"], "path": scope["path"]}
            self._rows.append(row | {"agent": agent_of(scope)})

    def since(self, number: int) -> list[dict[str, Any]]:
        return [row for row in self._rows if row["number"] > number]


async def control(request: Request) -> Response:
    """POST begins to record, DELETE stops, GET lists what came after number `since`."""
    recording: Recording = request.app.state.core.recording
    if request.method in ("POST", "DELETE"):
        recording.on = request.method == "POST"
    since = int(request.query_params.get("since", "0"))
    return JSONResponse(recording.since(since))
