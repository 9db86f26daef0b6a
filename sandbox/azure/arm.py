"""Azure Resource Manager's front door: versions, sign-in, rights, then the handler that fits the path."""

from __future__ import annotations

import json
import re
import uuid
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from sandbox import seeds
from sandbox.azure import providers, rights, role_assignments, table, throttling, tokens
from sandbox.azure.call import Call
from sandbox.azure.due import settle
from sandbox.azure.errors import AzureError, invalid_content
from sandbox.azure.store import Store
from sandbox.core import Core

AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
ROOTS = re.compile(r"/(subscriptions|providers|tenants)(/|$)", re.IGNORECASE)
API_VERSION = re.compile(r"\d{4}-\d\d-\d\d(-[a-z]+)?", re.IGNORECASE)
OLDEST_VERSION = 2014
PROVIDER = re.compile(
    r"/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?/providers/(?P<ns>[^/]+)(?:/(?P<type>[^/]+))?.*", re.IGNORECASE
)


class ArmRoute(BaseRoute):
    """Takes every path under ARM's roots, in whatever case."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        fits = scope["type"] == "http" and ROOTS.match(scope["path"])
        return (Match.FULL if fits else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = serve(self.core, request, await request.body())
        await response(scope, receive, send)


def serve(core: Core, request: Request, raw: bytes) -> Response:
    """Answers one request, refusals included, and stamps it with its ids."""
    request_id = str(uuid.uuid4())
    settle(core)
    try:
        response = _dispatch(core, request, raw, request_id)
    except AzureError as error:
        response = JSONResponse(error.body(), error.status, error.headers)
    response.headers["x-ms-request-id"] = request_id
    response.headers["x-ms-correlation-request-id"] = request.headers.get("x-ms-correlation-request-id", request_id)
    response.headers["x-ms-routing-request-id"] = f"SANDBOX:{request_id}"
    response.headers["cache-control"] = "no-cache"
    return response


def _dispatch(core: Core, request: Request, raw: bytes, request_id: str) -> Response:
    query = dict(request.query_params)
    _require_api_version(query)
    principal = _authenticate(core, request)
    path = request.url.path.rstrip("/")
    path = re.sub("/+", "/", path)
    row, params = table.find(request.method, path)
    if row is None or params is None:
        raise _no_such_path(core, path, query["api-version"])
    store = Store(core)
    call = Call(
        core=core,
        store=store,
        principal=principal,
        method=request.method,
        path=path,
        params=params,
        query=query,
        headers=dict(request.headers),
        body=_parse(raw, request.headers.get("content-type", "")),
        request_id=request_id,
    )
    if "subscription" in params:
        throttling.of(core).check(call.subscription, principal.client_id, call.method)
        _check_subscription(call, row)
        providers.require_for_path(call)
    return row.handler(call)


def _require_api_version(query: dict[str, str]) -> None:
    if not query.get("api-version"):
        raise AzureError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _is_version(query["api-version"]):
        raise AzureError(400, "InvalidApiVersionParameter", f"The api-version '{query['api-version']}' is invalid.")


def _is_version(text: str) -> bool:
    """A day since ARM exists, with an ending such as -preview or none."""
    if not API_VERSION.fullmatch(text):
        return False
    try:
        return date.fromisoformat(text[:10]).year >= OLDEST_VERSION
    except ValueError:
        return False


def _authenticate(core: Core, request: Request) -> tokens.Principal:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not token or kind.lower() != "bearer":
        raise _unauthorized(
            core, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
        )
    try:
        return tokens.read(core, token, AUDIENCES)
    except tokens.TokenRefused as refused:
        raise _token_error(core, refused) from refused


def _token_error(core: Core, refused: tokens.TokenRefused) -> AzureError:
    if refused.reason == "audience":
        allowed = ",".join(f"'{name}/','{name}'" for name in AUDIENCES)
        return _unauthorized(
            core,
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{refused.value}'. It should exactly "
            f"match with one of the allowed audiences {allowed}.",
        )
    if refused.reason == "expired":
        return _unauthorized(
            core,
            "ExpiredAuthenticationToken",
            f"The access token expiry UTC time '{refused.value}' is earlier than current UTC time "
            f"'{core.clock.iso()}'.",
        )
    return _unauthorized(core, "InvalidAuthenticationToken", "The access token is invalid.")


def _unauthorized(core: Core, code: str, message: str) -> AzureError:
    challenge = (
        f'Bearer authorization_uri="{core.config.origin}/{seeds.TENANT_ID}", error="invalid_token", '
        f'error_description="{message}"'
    )
    return AzureError(401, code, message, headers={"www-authenticate": challenge})


def _parse(raw: bytes, media_type: str) -> Any:
    if not raw:
        return None
    if media_type.partition(";")[0].strip() not in ("application/json", "text/json"):
        message = (
            f"The content media type '{media_type or '<null>'}' is not supported. Only 'application/json' is supported."
        )
        raise AzureError(415, "UnsupportedMediaType", message)
    try:
        return json.loads(raw)
    except ValueError as error:
        raise invalid_content(str(error)) from error


def _check_subscription(call: Call, row: table.Row) -> None:
    name = call.params["subscription"]
    try:
        uuid.UUID(name)
    except ValueError as error:
        message = f"The provided subscription identifier '{name}' is malformed or invalid."
        raise AzureError(400, "InvalidSubscriptionId", message) from error
    entry = call.store.subscriptions().get(name.lower())
    if entry is None:
        raise AzureError(404, "SubscriptionNotFound", f"The subscription '{name}' could not be found.")
    if row.action:
        action, attributes = row.action_for(call.params), role_assignments.attributes(call)
        rights.require(call.core, call.principal, name, action, call.path, attributes)
    if entry.get("state", "Enabled") == "Disabled" and call.method not in ("GET", "HEAD", "POST"):
        raise AzureError(
            409,
            "ReadOnlyDisabledSubscription",
            f"The subscription '{name}' is disabled and therefore marked as read only. You cannot perform any write "
            "actions on this subscription until it is re-enabled.",
        )


def _no_such_path(core: Core, path: str, api_version: str) -> AzureError:
    if table.knows(path):
        return AzureError(405, "MethodNotAllowed", "The requested resource does not support this http method.")
    found = PROVIDER.fullmatch(path)
    if found and found["ns"].lower() not in providers.NAMES:
        return AzureError(404, "InvalidResourceNamespace", f"The resource namespace '{found['ns']}' is invalid.")
    if found and found["type"]:
        namespace = providers.NAMES[found["ns"].lower()]
        return AzureError(
            404,
            "InvalidResourceType",
            f"The resource type '{found['type']}' could not be found in the namespace '{namespace}' for api version "
            f"'{api_version}'.",
        )
    return AzureError(404, "NotFound", f"No HTTP resource was found that matches the request URI '{path}'.")
