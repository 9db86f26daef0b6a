"""Pages for what went wrong, each with a reference that is also in the log."""

from __future__ import annotations

import logging
import sys
from uuid import uuid4

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

log = logging.getLogger(__name__)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, exception)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403, exception)


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404, None)


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """Renders without the request: whatever is broken must not break this page too."""
    reference = uuid4().hex[:10]
    log.error("Reference %s: %s %s failed", reference, request.method, request.path, exc_info=sys.exc_info())
    return HttpResponse(render_to_string("errors/500.html", {"reference": reference}), status=500)


def _page(request: HttpRequest, status: int, why: object) -> HttpResponse:
    reference = uuid4().hex[:10]
    log.info("Reference %s: %s %s answered %s: %s", reference, request.method, request.path, status, why)
    return render(request, f"errors/{status}.html", {"reference": reference}, status=status)
