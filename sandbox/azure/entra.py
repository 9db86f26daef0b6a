"""Entra ID: discovery, the token endpoint, managed identity, and its AADSTS refusals."""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import portal_files, seeds
from sandbox.azure import tokens
from sandbox.core import Core

#: What a scope or resource may ask for, without trailing slashes.
RESOURCES = (
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://vault.azure.net",
    "6dae42f8-4368-4678-94ff-3960e28e3630",  # AKS's own server application
)
DEFAULT = "/.default"


class SignInError(Exception):
    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text

    def response(self) -> Response:
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {at}",
            "error_codes": [self.number],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        return JSONResponse(body, self.status, {"cache-control": "no-store", "x-ms-request-id": trace})


def routes(core: Core) -> list[BaseRoute]:
    tenant = "/{tenant:uuid}"
    return [
        Route("/common/discovery/instance", lambda request: instance_discovery(core, request)),
        Route("/metadata/identity/oauth2/token", lambda request: managed_identity(core, request)),
        Route(tenant + "/v2.0/.well-known/openid-configuration", lambda request: configuration(core, request)),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", lambda request: configuration(core, request)),
        Route(tenant + "/oauth2/v2.0/token", _token_endpoint(core), methods=["POST"]),
    ]


def _token_endpoint(core: Core) -> Any:
    async def token(request: Request) -> Response:
        body = (await request.body()).decode()
        form = {key: values[-1] for key, values in parse_qs(body, keep_blank_values=True).items()}
        try:
            return grant(core, str(request.path_params["tenant"]), form)
        except SignInError as error:
            return error.response()

    return token


def instance_discovery(core: Core, request: Request) -> Response:
    authority = f"{core.config.origin}/{seeds.TENANT_ID}"
    return JSONResponse(
        {
            "tenant_discovery_endpoint": f"{authority}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [
                {
                    "preferred_network": f"{core.config.host}:{core.config.port}",
                    "preferred_cache": f"{core.config.host}:{core.config.port}",
                    "aliases": [f"{core.config.host}:{core.config.port}"],
                }
            ],
        }
    )


def configuration(core: Core, request: Request) -> Response:
    tenant = str(request.path_params["tenant"])
    try:
        _require_tenant(tenant)
    except SignInError as error:
        return error.response()
    base = f"{core.config.origin}/{tenant}"
    return JSONResponse(
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "issuer": f"{base}/v2.0",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token"],
            "scopes_supported": ["openid"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "sandbox",
        }
    )


def grant(core: Core, tenant: str, form: dict[str, str]) -> Response:
    """A token for a client that proves itself by secret or by federated assertion."""
    _require_tenant(tenant)
    for field in ("grant_type", "client_id", "scope"):
        if not form.get(field):
            message = f"The request body must contain the following parameter: '{field}'."
            raise SignInError(400, "invalid_request", 900144, message)
    if form["grant_type"] != "client_credentials":
        message = f"The app requested an unsupported grant type '{form['grant_type']}'."
        raise SignInError(400, "unsupported_grant_type", 70003, message)
    client_id = form["client_id"].lower()
    _require_application(core, client_id)
    _require_proof(core, client_id, form)
    audience = _audience(form["scope"])
    token = tokens.issue(core, client_id, audience)
    body = {
        "token_type": "Bearer",
        "expires_in": tokens.LIFETIME,
        "ext_expires_in": tokens.LIFETIME,
        "access_token": token,
    }
    return JSONResponse(body, headers={"cache-control": "no-store"})


def _require_tenant(tenant: str) -> None:
    if tenant.lower() != seeds.TENANT_ID:
        raise SignInError(
            400,
            "invalid_request",
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
            "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )


def _require_application(core: Core, client_id: str) -> None:
    if client_secret(core, client_id) is None:
        raise SignInError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the directory 'Slipway sandbox'. This can "
            "happen if the application has not been installed by the administrator of the tenant or consented to by "
            "any user in the tenant. You may have sent your authentication request to the wrong tenant.",
        )


def client_secret(core: Core, client_id: str) -> str | None:
    """The application's secret; None when there is no such application."""
    for name, known in (("web", seeds.WEB_CLIENT_ID), ("worker", seeds.WORKER_CLIENT_ID)):
        if client_id == known:
            return portal_files.client_secret_path(core.config.home, name).read_text().strip()
    extra = core.state.bucket("azure.applications").get(client_id)
    return None if extra is None else str(extra["secret"])


def _require_proof(core: Core, client_id: str, form: dict[str, str]) -> None:
    secret = client_secret(core, client_id) or ""
    if form.get("client_assertion"):
        return _require_federation(core, client_id, form)
    if not form.get("client_secret"):
        message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise SignInError(401, "invalid_client", 7000218, message)
    if not hmac.compare_digest(secret.encode(), form["client_secret"].encode()):
        raise SignInError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{client_id}'.",
        )
    return None


def _require_federation(core: Core, client_id: str, form: dict[str, str]) -> None:
    """Accepts an assertion whose issuer and subject are registered for the client; its signature is not checked."""
    try:
        part = form["client_assertion"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        issuer, subject = claims["iss"], claims["sub"]
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise SignInError(400, "invalid_request", 50027, "JWT token is invalid or malformed.") from error
    if core.state.bucket("azure.federations").get(f"{client_id}|{issuer}|{subject}") is None:
        raise SignInError(
            401,
            "invalid_client",
            700213,
            f"No matching federated identity record found for presented assertion subject '{subject}'. Check your "
            "federated identity credential Subject, Audience and Issuer against the presented assertion.",
        )


def _audience(scope: str) -> str:
    if not scope.endswith(DEFAULT):
        message = (
            f"The provided value for the input parameter 'scope' is not valid. Client credential flows must have a "
            f"scope value with /.default suffixed to the resource identifier. The scope {scope} is not valid."
        )
        raise SignInError(400, "invalid_scope", 1002012, message)
    return _known_resource(scope.removesuffix(DEFAULT))


def _known_resource(resource: str) -> str:
    if resource.rstrip("/") not in RESOURCES:
        raise SignInError(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant named Slipway sandbox. This can "
            "happen if the application has not been installed by the administrator of the tenant or consented to by "
            "any user in the tenant. You might have sent your authentication request to the wrong tenant.",
        )
    return resource


def managed_identity(core: Core, request: Request) -> Response:
    """IMDS (`Metadata: true`) and the App Service shape (`X-IDENTITY-HEADER`): the worker's identity by default."""
    if request.headers.get("metadata", "").lower() != "true" and not request.headers.get("x-identity-header"):
        body = {"error": "invalid_request", "error_description": "Required metadata header not specified"}
        return JSONResponse(body, 400)
    client_id = request.query_params.get("client_id", seeds.WORKER_CLIENT_ID).lower()
    try:
        audience = _known_resource(request.query_params.get("resource", ""))
    except SignInError as error:
        return error.response()
    if client_secret(core, client_id) is None:
        return JSONResponse({"error": "invalid_request", "error_description": "Identity not found"}, 400)
    body = {
        "access_token": tokens.issue(core, client_id, audience),
        "client_id": client_id,
        "expires_in": str(tokens.LIFETIME),
        "expires_on": str(int(core.clock.now()) + tokens.LIFETIME),
        "resource": audience,
        "token_type": "Bearer",
    }
    return JSONResponse(body)
