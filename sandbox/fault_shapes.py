"""One bad day in many dialects: a planned fault answers as the service at that path words its errors."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable

Shape = Callable[[int, str], str]

#: kind → status and a sentence; every service of a dialect below says these in its own shape.
TROUBLE: dict[str, tuple[int, str]] = {
    "throttled": (429, "too many requests, please try again later"),
    "throttled-silent": (429, "too many requests, please try again later"),
    "server-error": (500, "an internal error has occurred"),
    "unavailable": (503, "the server is currently unable to handle the request"),
    "expired-token": (401, "the access token has expired"),
    "forbidden": (403, "this is not allowed for this identity"),
    "policy": (403, 'admission webhook "validation.gatekeeper.sh" denied the request: disallowed by policy'),
    "not-registered": (409, "the operation cannot be fulfilled in the present state"),
}


def _kubernetes(status: int, text: str) -> str:
    """A Status, with the reason that the API server gives for that code."""
    reasons = {401: "Unauthorized", 403: "Forbidden", 409: "Conflict", 429: "TooManyRequests", 500: "InternalError"}
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": text}
    body["reason"] = reasons.get(status, "ServiceUnavailable")
    details = {"details": {"retryAfterSeconds": 1}} if status == 429 else {}
    return json.dumps(body | details | {"code": status})


def _registry(status: int, text: str) -> str:
    codes = {401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS", 503: "UNAVAILABLE"}
    return json.dumps({"errors": [{"code": codes.get(status, "UNKNOWN"), "message": text, "detail": None}]})


def _registry_sign_in(_status: int, text: str) -> str:
    return json.dumps({"details": text})


def _github(status: int, text: str) -> str:
    return json.dumps({"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(status)})


def _key_vault(status: int, text: str) -> str:
    codes = {401: "Unauthorized", 403: "Forbidden", 429: "Throttled", 500: "InternalServerError"}
    text = "[TokenExpired] Error validating token: 'S2S12086'." if status == 401 else text
    error: dict[str, object] = {"code": codes.get(status, "ServiceUnavailable"), "message": text}
    return json.dumps({"error": error | ({"innererror": {"code": "ForbiddenByRbac"}} if status == 403 else {})})


def _entra(status: int, text: str) -> str:
    """403 is what conditional access says, which Entra itself sends with status 400."""
    known = {401: ("invalid_client", 7000222), 403: ("access_denied", 53003), 500: ("server_error", 90033)}
    error, number = known.get(status, ("temporarily_unavailable", 90033))
    correlation = str(uuid.uuid4())
    told = (
        f"AADSTS{number}: {text} Trace ID: {uuid.uuid4()} Correlation ID: {correlation} Timestamp: 2026-01-01 00:00:00Z"
    )
    return json.dumps(
        {"error": error, "error_description": told, "error_codes": [number], "correlation_id": correlation}
    )


def _jupyterhub(status: int, text: str) -> str:
    return json.dumps({"status": status, "message": text})


#: Whose path it is, by its start. Everything else is Azure Resource Manager's.
DIALECTS: tuple[tuple[re.Pattern[str], Shape], ...] = (
    (re.compile(r"/k8s/"), _kubernetes),
    (re.compile(r"/dockerhub/"), _registry),
    (re.compile(r"/dockerhub-auth/"), _registry_sign_in),
    (re.compile(r"/github(-api)?/"), _github),
    (re.compile(r"/kv/"), _key_vault),
    (re.compile(r"/[0-9a-fA-F-]+/oauth2/"), _entra),
    (re.compile(r"/(hub/api|services/binder)/"), _jupyterhub),
)


def body_of(path: str, kind: str) -> str | None:
    """What the service at `path` says when `kind` happens to it; None where the general answer fits."""
    shape = next((shape for start, shape in DIALECTS if start.match(path)), None)
    return shape(*TROUBLE[kind]) if shape and kind in TROUBLE else None
