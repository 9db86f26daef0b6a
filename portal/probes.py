"""Liveness and readiness for whoever supervises the web process, and its figures for whoever draws them."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from portal import metrics

PLAIN = "text/plain"


@login_not_required
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answers 200 while the process serves."""
    return HttpResponse("ok\n", content_type=PLAIN)


@login_not_required
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answers 200 when the database answers and is this version's, else 503. Redis only wakes: it does not count."""
    try:
        current = schema.is_current()
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type=PLAIN)
    if not current:
        return HttpResponse("the database waits for: manage.py migrate\n", status=503, content_type=PLAIN)
    return HttpResponse("ready\n", content_type=PLAIN)


@login_not_required
def figures(request: HttpRequest) -> HttpResponse:
    """Prometheus' figures of the whole installation, whichever web process is asked."""
    if not may_read(request):
        return HttpResponse(
            "Bring METRICS_TOKEN as a bearer token, or ask from one of METRICS_NETWORKS; see docs/monitoring.md.\n",
            status=401 if settings.METRICS_TOKEN else 403,
            content_type=PLAIN,
            headers={"WWW-Authenticate": "Bearer"} if settings.METRICS_TOKEN else {},
        )
    text, kind = metrics.exposition(request.headers.get("Accept", ""))
    return HttpResponse(text, headers={"Content-Type": kind, "Cache-Control": "no-store"})


def may_read(request: HttpRequest) -> bool:
    """By the token, where there is one; else by address, which counts only where no proxy stands in between."""
    if settings.METRICS_TOKEN:
        brought = request.headers.get("Authorization", "")
        return hmac.compare_digest(brought.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_NETWORKS)


class Schema:
    """Whether every migration is applied; asked until it is so, for a schema never goes back by itself."""

    def __init__(self) -> None:
        self._current = False

    def forget(self) -> None:
        """Asks anew: somebody may have taken a migration back."""
        self._current = False

    def is_current(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not self._current:
            executor = MigrationExecutor(connection)
            self._current = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return self._current


schema = Schema()
