"""Key Vault's data plane: the challenge, sign-in, and which handler serves a path under `/kv/<vault>/`."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import seeds
from sandbox.azure import secrets, tokens, vault_rights, vaults
from sandbox.azure.due import settle
from sandbox.azure.errors import AzureError
from sandbox.azure.secrets import Ask
from sandbox.azure.store import Store
from sandbox.core import Core

RESOURCE = "https://vault.azure.net"
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
#: (method, shape of the path) → (verb, handler); `*` stands for a name or version.
#: 7.0 to 7.6, and the dated ones before and after them.
VERSION = re.compile(r"7\.[0-6]|20\d\d-\d\d-\d\d(-preview\.\d+)?")
HANDLERS = {
    ("GET", "secrets"): ("list", secrets.listing),
    ("PUT", "secrets/*"): ("set", secrets.put),
    ("GET", "secrets/*"): ("get", secrets.get),
    ("GET", "secrets/*/versions"): ("list", secrets.versions),
    ("GET", "secrets/*/*"): ("get", secrets.get),
    ("PATCH", "secrets/*"): ("set", secrets.patch),
    ("PATCH", "secrets/*/*"): ("set", secrets.patch),
    ("DELETE", "secrets/*"): ("delete", secrets.delete),
    ("GET", "deletedsecrets"): ("list", secrets.deleted_listing),
    ("GET", "deletedsecrets/*"): ("get", secrets.get_deleted),
    ("DELETE", "deletedsecrets/*"): ("purge", secrets.purge),
    ("POST", "deletedsecrets/*/recover"): ("recover", secrets.recover),
}


def routes(core: Core) -> list[BaseRoute]:
    async def endpoint(request: Request) -> Response:
        return serve(core, request, await request.body())

    methods = ["GET", "PUT", "PATCH", "DELETE", "POST"]
    return [Route("/kv/{vault}/{path:path}", endpoint, methods=methods)]


def serve(core: Core, request: Request, raw: bytes) -> Response:
    settle(core)
    try:
        response = _dispatch(core, request, raw)
    except AzureError as error:
        response = JSONResponse(error.body(), error.status, error.headers)
    response.headers["x-ms-request-id"] = str(uuid.uuid4())
    response.headers["x-ms-keyvault-service-version"] = "1.9.2622.1"
    response.headers["cache-control"] = "no-cache"
    return response


def _dispatch(core: Core, request: Request, raw: bytes) -> Response:
    store = Store(core)
    vault = vaults.find(store, request.path_params["vault"])
    if vault is None or vault["body"]["properties"]["provisioningState"] != "Succeeded":
        raise AzureError(404, "VaultNotFound", "In reality the vault's host name would not resolve.")
    principal = _authenticate(core, request)
    if not request.query_params.get("api-version"):
        raise AzureError(400, "BadParameter", "api-version must be specified")
    if not VERSION.fullmatch(request.query_params["api-version"]):
        message = f"The specified version ({request.query_params['api-version']}) isn't recognized."
        raise AzureError(400, "BadParameter", f"{message} Consider using the latest supported version (2025-07-01).")
    parts = [part for part in request.path_params["path"].split("/") if part]
    shape = "/".join(_shape(part, index) for index, part in enumerate(parts))
    found = HANDLERS.get((request.method, shape))
    if found is None:
        raise AzureError(405, "MethodNotAllowed", "HTTP method not allowed on this resource.")
    verb, handler = found
    name = parts[1] if len(parts) > 1 else ""
    if len(parts) > 1 and not NAME.fullmatch(name):
        raise AzureError(400, "BadParameter", f"The request URI contains an invalid name: {name}")
    vault_rights.require(store, vault, principal, verb, name)
    return handler(Ask(store, vault["body"], name.lower(), name, parts, dict(request.query_params), _parse(raw)))


def _shape(part: str, index: int) -> str:
    words = {0: ("secrets", "deletedsecrets"), 2: ("versions", "recover")}
    return part if part in words.get(index, ()) else "*"


def _authenticate(core: Core, request: Request) -> tokens.Principal:
    challenge = f'Bearer authorization="{core.config.origin}/{seeds.TENANT_ID}", resource="{RESOURCE}"'
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        message = "AKV10000: Request is missing a Bearer or PoP token."
        raise AzureError(401, "Unauthorized", message, headers={"www-authenticate": challenge})
    try:
        return tokens.read(core, token, (RESOURCE,))
    except tokens.TokenRefused as refused:
        message = "AKV10046: Unable to parse JWT token or its signature is invalid."
        if refused.reason == "audience":
            message = f"AKV10022: Invalid audience. Expected {RESOURCE}, found: {refused.value}."
        if refused.reason == "expired":
            message = "[TokenExpired] Error validating token: 'S2S12086'."
        headers = {"www-authenticate": challenge + ', error="invalid_token"'}
        raise AzureError(401, "Unauthorized", message, headers=headers) from refused


def _parse(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        raise AzureError(400, "BadParameter", "The request body is not valid JSON.") from error
