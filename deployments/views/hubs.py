"""Lists of hubs, and one hub."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deployments import certificates
from deployments.comparing import image_prefix_of, told
from deployments.inside import troubles, wanting
from deployments.listing import GONE, NEWEST, PAGE, hubs_listed, rows
from deployments.log import newest_lines
from deployments.models import Deployment, SpecRevision
from deployments.place import region_name
from deployments.progress import progress
from deployments.running import (
    ends_soon,
    record,
    refused,
    rejected_change,
    revisions,
    running,
    sign_in_tried,
    waiting_change,
    with_runs,
)
from deployments.states import Lifecycle
from deployments.strip import strips
from deployments.tending import differs, forgotten, last_receipt
from deployments.views.guard import hub_of, person, reviewers_only

#: As the ledger calls the group that Azure makes for a cluster's machines.
NODE_GROUP = "node group"


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    hubs = Deployment.objects.filter(owner=person(request))
    listing = hubs_listed(hubs, request.GET)
    gone = hubs.filter(lifecycle__in=GONE)
    past = [] if listing.is_filtered else rows(gone[:NEWEST])
    more = gone.count() - len(past) if len(past) == NEWEST else 0
    return render(request, "hubs/mine.html", {"listing": listing, "past": past, "more_past": more})


@require_safe
@reviewers_only
def everybodys(request: HttpRequest) -> HttpResponse:
    listing = hubs_listed(Deployment.objects.visible_to(person(request)), request.GET)
    return render(request, "hubs/everybodys.html", {"listing": listing})


@require_safe
@never_cache
def detail(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    hub = hub_of(request, hub_id)
    newest = list(revisions(hub)[: NEWEST + 1])
    standing, revision = _standing(hub, newest[0]), hub.serving or newest[0]
    operation = standing["progress"].operation
    context = {
        "spec": revision.spec,
        "region": region_name(revision.spec),
        "log": newest_lines(operation) if operation else None,
        "earlier": standing["progress"].earlier,
        "newest": NEWEST,
        "review": getattr(revision, "review", None),
        "strips": strips(hub, timezone.now()) if hub.ready_at or standing["running"] else [],
        "revisions": with_runs(hub, newest),
        "told": told(revision.spec),
        "images": image_prefix_of(hub, revision.spec),
        "node_group": hub.resources.filter(kind=NODE_GROUP, gone_at=None).values_list("name", flat=True).first(),
    }
    return render(request, "hubs/detail.html", standing | context)


def _standing(hub: Deployment, newest: SpecRevision) -> dict[str, Any]:
    """The part of the page that changes while something is being done; `newest` is the hub's newest revision."""
    shown = progress(hub)
    return {
        "hub": hub,
        "progress": shown,
        "running": running(hub, shown.is_busy),
        "checkup": troubles.of(hub, shown),
        "can_look": not wanting.closed(hub),
        "refused": refused(hub),
        "waiting_change": waiting_change(hub, newest),
        "rejected_change": rejected_change(newest),
        "ends_soon": ends_soon(hub),
        "certificate": certificates.shown(hub) if hub.lifecycle == Lifecycle.READY else None,
        "record": record(hub, hub.serving or newest),
        "sign_in": sign_in_tried(hub),
        "differs": differs(hub),
        "forgotten": forgotten(hub) if hub.lifecycle == Lifecycle.DELETED else None,
    }


@require_safe
@never_cache
def live(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    hub = hub_of(request, hub_id)
    return render(request, "hubs/_progress.html", _standing(hub, revisions(hub)[0]) | {"refreshed": True})


@require_safe
def values(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """The values given to Helm, secrets masked, as a file."""
    from deployments.rendering import masked_values_yaml

    hub = hub_of(request, hub_id)
    name = f"{hub.name}-values.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'} if "download" in request.GET else {}
    content_type = "application/yaml" if headers else "text/plain; charset=utf-8"
    return HttpResponse(masked_values_yaml(hub), content_type=content_type, headers=headers)


@require_safe
def runs(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """Everything that was ever done to the hub."""
    hub = hub_of(request, hub_id)
    page = Paginator(hub.operations.select_related("requested_by"), PAGE).get_page(request.GET.get("page"))
    return render(request, "hubs/runs.html", {"hub": hub, "page": page})


@require_safe
def receipt(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    hub = hub_of(request, hub_id)
    operation = last_receipt(hub)
    content = operation.result.get("receipt") if operation else None
    # Apart, because in a template `receipt.items` would be the dictionary's own method.
    items = content["items"] if content else []
    context = {"hub": hub, "receipt": content, "items": items, "forgotten": forgotten(hub)}
    return render(request, "hubs/receipt.html", context)
