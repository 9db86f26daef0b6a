"""Lists of hubs, and one hub."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deployments import certificates
from deployments.comparing import image_prefix_of, told
from deployments.forms import FilterForm
from deployments.inside import troubles, wanting
from deployments.log import newest_lines
from deployments.models import Deployment, DeploymentQuerySet
from deployments.place import region_name
from deployments.progress import progress, with_newest_run
from deployments.running import (
    ends_soon,
    record,
    refused,
    rejected_change,
    revisions,
    running,
    sign_in_tried,
    waiting_change,
)
from deployments.states import Lifecycle
from deployments.strip import strips
from deployments.tending import differs, forgotten, last_receipt
from deployments.views.guard import hub_of, person, reviewers_only

PAGE = 50
#: As the ledger calls the group that Azure makes for a cluster's machines.
NODE_GROUP = "node group"


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    hubs = with_newest_run(Deployment.objects.filter(owner=person(request)).select_related("owner"))
    past = hubs.filter(lifecycle__in=[Lifecycle.DELETED, Lifecycle.REJECTED])[:PAGE]
    return render(request, "hubs/mine.html", {"hubs": hubs.live(), "past": past})


@require_safe
@reviewers_only
def everybodys(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET or None, initial={"state": "live"})
    form.fields["state"].choices = [("live", "All that exist"), *Lifecycle.choices(), ("all", "All, gone ones too")]  # type: ignore[attr-defined]
    found = _filtered(with_newest_run(Deployment.objects.visible_to(person(request)).select_related("owner")), form)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return render(request, "hubs/everybodys.html", {"form": form, "page": page, "hubs": page.object_list})


def _filtered(hubs: DeploymentQuerySet, form: FilterForm) -> DeploymentQuerySet:
    chosen = form.cleaned_data if form.is_valid() else {}
    if word := chosen.get("q", "").strip():
        owner = Q(owner__username__icontains=word) | Q(owner__last_name__icontains=word)
        hubs = hubs.filter(Q(name__icontains=word) | owner | Q(owner__first_name__icontains=word))
    state = chosen.get("state") or "live"
    if state == "live":
        return hubs.live()
    return hubs if state == "all" else hubs.filter(lifecycle=state)


@require_safe
@never_cache
def detail(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    hub = hub_of(request, hub_id)
    standing, revision = _standing(hub), hub.revision
    operation = standing["progress"].operation
    context = {
        "spec": revision.spec,
        "region": region_name(revision.spec),
        "log": newest_lines(operation) if operation else None,
        "earlier": hub.operations.exclude(id=operation.id) if operation else [],
        "review": getattr(revision, "review", None),
        "strips": strips(hub, timezone.now()) if hub.ready_at or standing["running"] else [],
        "revisions": revisions(hub),
        "told": told(revision.spec),
        "images": image_prefix_of(hub, revision.spec),
        "node_group": hub.resources.filter(kind=NODE_GROUP, gone_at=None).values_list("name", flat=True).first(),
    }
    return render(request, "hubs/detail.html", standing | context)


def _standing(hub: Deployment) -> dict[str, Any]:
    """The part of the page that changes while something is being done."""
    shown = progress(hub)
    return {
        "hub": hub,
        "progress": shown,
        "running": running(hub),
        "checkup": troubles.of(hub, shown),
        "can_look": not wanting.closed(hub),
        "refused": refused(hub),
        "waiting_change": waiting_change(hub),
        "rejected_change": rejected_change(hub),
        "ends_soon": ends_soon(hub),
        "certificate": certificates.shown(hub) if hub.lifecycle == Lifecycle.READY else None,
        "record": record(hub),
        "sign_in": sign_in_tried(hub),
        "differs": differs(hub),
        "forgotten": forgotten(hub) if hub.lifecycle == Lifecycle.DELETED else None,
    }


@require_safe
@never_cache
def live(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    return render(request, "hubs/_progress.html", _standing(hub_of(request, hub_id)) | {"refreshed": True})


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
def receipt(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    hub = hub_of(request, hub_id)
    operation = last_receipt(hub)
    content = operation.result.get("receipt") if operation else None
    # Apart, because in a template `receipt.items` would be the dictionary's own method.
    items = content["items"] if content else []
    context = {"hub": hub, "receipt": content, "items": items, "forgotten": forgotten(hub)}
    return render(request, "hubs/receipt.html", context)
