"""The simulated cloud's own controls, of a whole stack."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from bootstrap.stack import Stack
from tests.sandbox_process import trusting


class Control:
    """`control("faults", {…})` asks `/_sandbox/faults`: GET without content, POST with it, or the method named."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._trust = trusting(stack.place.sandbox_home / "ca.pem")

    def __call__(self, path: str, content: Any = None, method: str = "") -> Any:
        data = None if content is None else json.dumps(content).encode()
        method = method or ("GET" if data is None else "POST")
        request = urllib.request.Request(f"{self._stack.sandbox_address}/_sandbox/{path}", data=data, method=method)
        with urllib.request.urlopen(request, context=self._trust, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def journal(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self("journal")
        return rows
