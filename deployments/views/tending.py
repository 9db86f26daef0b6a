"""Where the cloud and our records differ: what is left over, what is gone, what was changed by hand."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deployments import services
from deployments.audit import PAGE, deeds
from deployments.forms.tending import CleanUpForm, DeedsForm, ForgetForm
from deployments.models import Discrepancy
from deployments.states import DiscrepancyKind
from deployments.tending import noted, overview
from deployments.views.decisions import ASKING, confirmed, decided
from deployments.views.guard import hub_of, person, reviewers_only, telling


@require_safe
@never_cache
@reviewers_only
def left_over(request: HttpRequest) -> HttpResponse:
    return render(request, "tending/left_over.html", {"found": overview()})


@require_POST
@reviewers_only
def look_now(request: HttpRequest) -> HttpResponse:
    """Has a worker look everywhere now instead of at the next hour."""
    services.look_now()
    messages.info(request, "Slipway is looking. Load this page again in a moment.")
    return redirect("deployments:left-over")


@require_http_methods(ASKING)
@never_cache
@reviewers_only
@telling
def clean_up(request: HttpRequest, number: int) -> HttpResponse:
    """What would be removed, and the question; with the right name typed it begins."""
    rows = Discrepancy.objects.filter(kind=DiscrepancyKind.LEFT_OVER).select_related("deployment__owner")
    row, form = noted(get_object_or_404(rows, id=number)), CleanUpForm(request.POST or None)
    if begun := confirmed(request, form, lambda typed: services.clean_up(person(request), row, typed["confirm"])):
        return redirect(begun.deployment)
    return render(request, "tending/clean_up.html", {"row": row, "form": form}, status=422 if form.errors else 200)


@require_http_methods(ASKING)
@never_cache
@reviewers_only
@telling
def forget(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """What forgetting means and may leave behind; with the name typed and a reason, the record ends."""
    hub, form = hub_of(request, hub_id), ForgetForm(request.POST or None)
    if confirmed(request, form, lambda typed: services.forget(person(request), hub, typed["confirm"], typed["reason"])):
        return redirect(hub)
    context = {"hub": hub, "form": form, "resources": hub.resources.filter(gone_at=None)}
    return render(request, "tending/forget.html", context, status=422 if form.errors else 200)


@require_POST
@reviewers_only
@telling
def build_again(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    return decided(request, hub_id, services.build_again, "{hub} is being built again.")


@require_POST
@telling
def put_back(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    said = "The hub is being brought back to what its description says."
    return decided(request, hub_id, services.put_back, said)


@require_POST
@telling
def leave_as_is(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    said = "It stays as it is. The next change of the hub puts it back."
    return decided(request, hub_id, services.leave_as_is, said)


@require_safe
@never_cache
@reviewers_only
def who_did_what(request: HttpRequest) -> HttpResponse:
    form = DeedsForm(request.GET)
    found = deeds(form.cleaned_data["q"].strip(), form.moment) if form.is_valid() else []
    return render(request, "tending/deeds.html", {"form": form, "deeds": found, "more": len(found) == PAGE})
