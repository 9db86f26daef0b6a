"""What a hub was asked to be over time, and one step up from what it is."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud.errors import InvalidRequest
from deployments import services
from deployments.comparing import compared, revision_change
from deployments.forms.running import StepUpForm
from deployments.listing import PAGE
from deployments.models import SpecRevision
from deployments.running import APPLYING, revisions, with_runs
from deployments.views.decisions import ASKING
from deployments.views.guard import hub_of, person, telling
from deployments.views.running import standing


@require_safe
@never_cache
@telling
def versions(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """Newer versions of the chart and of Kubernetes."""
    found = standing(request, hub_id)
    return render(request, "hubs/running/versions.html", {"hub": found.hub, "running": found})


@require_http_methods(ASKING)
@never_cache
@telling
def step_up(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """What a newer version would change; sent, it is applied."""
    found = standing(request, hub_id)
    offered = [each.version for each in found.charts], found.kubernetes
    form = StepUpForm(*offered, request.POST if request.method == "POST" else request.GET)
    if not form.is_valid() or not form.chosen:
        raise InvalidRequest("This version is not offered, or not any more.", "Choose one from the list.")
    after = replace(found.spec, **form.chosen)
    if request.method == "POST":
        services.change(person(request), found.hub, form.cleaned_data["number"] or 0, after, {})
        messages.success(request, f"{found.hub.name} is being brought to the newer version.")
        return redirect(found.hub)
    context = {"hub": found.hub, "running": found, "form": form, "edit": compared(found.hub, found.spec, after)}
    return render(request, "hubs/running/step_up.html", context)


@require_safe
@never_cache
def everything(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """Everything the hub was ever asked to be."""
    hub = hub_of(request, hub_id)
    page = Paginator(revisions(hub), PAGE).get_page(request.GET.get("page"))
    context = {"hub": hub, "page": page, "revisions": with_runs(hub, page.object_list)}
    return render(request, "hubs/running/revisions.html", context)


@require_safe
@never_cache
def revision(request: HttpRequest, hub_id: UUID, number: int) -> HttpResponse:
    """One revision: who, when, and what it changed."""
    hub = hub_of(request, hub_id)
    found = get_object_or_404(
        SpecRevision.objects.select_related("deployment", "author", "review__reviewer"), deployment=hub, number=number
    )
    run = found.operations.filter(kind__in=APPLYING).order_by("-created_at").first()
    review = getattr(found, "review", None)
    waits = found.needs_review and review is None
    context = {"hub": hub, "revision": found, "edit": revision_change(found), "review": review}
    shown = context | {"run": run, "waits": waits, "past": not waits}
    return render(request, "hubs/running/revision.html", shown)


@require_POST
@telling
def withdraw(request: HttpRequest, hub_id: UUID, number: int) -> HttpResponse:
    hub = hub_of(request, hub_id)
    services.withdraw(person(request), get_object_or_404(SpecRevision, deployment=hub, number=number))
    messages.success(request, "The change is withdrawn; the hub stays as it is.")
    return redirect(hub)
