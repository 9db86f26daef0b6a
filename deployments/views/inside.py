"""Inside a hub: pages that appear at once and fill in as a worker looks. What cannot be named does not exist."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deployments.inside import subjects, wanting
from deployments.inside.subjects import HISTORY, OVERVIEW, Subject
from deployments.views.guard import hub_of


@require_safe
@never_cache
def overview(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """What runs on the hub, on which machines, and what was noted lately."""
    return _shown(request, hub_id, OVERVIEW, "overview")


@require_safe
@never_cache
def history(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """What Helm has done to the hub."""
    return _shown(request, hub_id, HISTORY, "history")


@require_safe
@never_cache
def pod(request: HttpRequest, hub_id: UUID, pod: str) -> HttpResponse:
    """One pod: its containers, conditions, volumes and events."""
    return _shown(request, hub_id, subjects.pod(pod), "pod")


@require_safe
@never_cache
def log(request: HttpRequest, hub_id: UUID, pod: str) -> HttpResponse:
    """What a container prints, or printed before its last restart."""
    subject = subjects.log(pod, request.GET.get("container", ""), "previous" in request.GET)
    return _shown(request, hub_id, subject, "log")


def _shown(request: HttpRequest, hub_id: UUID, subject: Subject | None, page: str) -> HttpResponse:
    """The page, or the part of it that changes when a script asks."""
    hub = hub_of(request, hub_id)
    if subject is None:
        raise Http404
    closed = wanting.closed(hub)
    look = None if closed else wanting.want(hub, subject)
    stream = f"{reverse('deployments:inside-stream', args=[hub.id])}?{urlencode({'subject': str(subject)})}"
    context = {"hub": hub, "subject": subject, "closed": closed, "look": look, "stream": stream, "page": page}
    part = "htmx" in request.GET
    return render(request, f"hubs/inside/{'_' if part else ''}{page}.html", context | (look.data if look else {}))
