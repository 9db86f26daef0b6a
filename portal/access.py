"""One line and one count for every request, a number that ties its lines together, and what browsers are told."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase
from structlog.contextvars import bind_contextvars, bound_contextvars

from deployments import metering

log = logging.getLogger("slipway.access")

#: A number the proxy gave the request is kept, so that its log and ours can be laid side by side.
NUMBER = re.compile(r"[A-Za-z0-9_-]{8,64}")
#: Asked every few seconds by machines.
PROBES = ("/healthz", "/readyz", "/metrics", "/static/")
POLICIES = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class AccessMiddleware:
    """Outermost: it sees what everything inside made of the request. The query is not told, it may hold a code."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun, given = time.monotonic(), request.headers.get("X-Request-ID", "")
        number = given if NUMBER.fullmatch(given) else uuid4().hex
        with bound_contextvars(request_id=number, user=None):
            response = self.get_response(request)
            response["X-Request-ID"] = number
            self._tell(request, response.status_code, time.monotonic() - begun)
        return response

    @staticmethod
    def _tell(request: HttpRequest, status: int, seconds: float) -> None:
        metering.count("slipway_http_requests_total", method=_method(request), code=str(status))
        metering.observe("slipway_http_request_seconds", seconds)
        probe = request.path.startswith(PROBES) and status < 400
        fields = {"method": request.method, "path": request.path, "status": status, "ms": round(seconds * 1000)}
        fields |= {"user": user_id(request), "client": request.META.get("REMOTE_ADDR", "")}
        level = logging.DEBUG if probe else logging.INFO
        log.log(level, "%s %s answered %s", request.method, request.path, status, extra=fields)


class UserMiddleware:
    """Innermost: by the time a view runs it is known who asks; then its lines say so."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        bind_contextvars(user=user_id(request))


def browser_policies(get_response: GetResponse) -> GetResponse:
    """What a page may not use, and that no other site may embed an answer; the rest Django and django-csp send."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in POLICIES.items():
            response.setdefault(name, value)  # type: ignore[attr-defined]
        return response

    return middleware


def user_id(request: HttpRequest) -> int | None:
    """Who asks, if anything has looked already: telling a probe's line must not ask the database."""
    user = getattr(request, "_cached_user", None) or getattr(request, "_acached_user", None)
    return user.pk if user is not None and user.is_authenticated else None


def _method(request: HttpRequest) -> str:
    """Anybody can make up methods; the count knows the usual ones."""
    usual = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return request.method if request.method in usual else "other"
