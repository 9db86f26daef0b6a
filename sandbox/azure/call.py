"""One authenticated ARM request, as the handlers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, Response

from sandbox.azure.errors import AzureError, invalid_content
from sandbox.azure.store import Store
from sandbox.azure.tokens import Principal
from sandbox.core import Core


@dataclass(frozen=True)
class Call:
    core: Core
    store: Store
    principal: Principal
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    request_id: str

    @property
    def subscription(self) -> str:
        return self.params["subscription"].lower()

    @property
    def api_version(self) -> str:
        return self.query["api-version"]

    def json(self) -> dict[str, Any]:
        """The body as an object; refuses anything else as ARM does."""
        if not isinstance(self.body, dict):
            raise invalid_content("The request body is required and must be a JSON object")
        return self.body

    def link(self, path: str, **query: str) -> str:
        """An absolute address at this sandbox."""
        return f"{self.core.config.origin}{quote(path)}?{urlencode(query)}"


Handler = Callable[[Call], Response]


def ok(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(body, status, headers)


def empty(status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(status_code=status, headers=headers)


def page(call: Call, items: list[Any], size: int) -> Response:
    """One page of a listing, with `nextLink` when more follows."""
    try:
        start = int(call.query.get("$skiptoken") or "0")
        size = min(size, int(call.query.get("$top") or size))
    except ValueError as error:
        raise AzureError(400, "InvalidSkipToken", "The skip token or $top is invalid.") from error
    body: dict[str, Any] = {"value": items[start : start + size]}
    if start + size < len(items):
        query = {key: value for key, value in call.query.items() if key != "$skiptoken"}
        body["nextLink"] = call.link(call.path, **query, **{"$skiptoken": str(start + size)})
    return ok(body)
