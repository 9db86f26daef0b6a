"""What is being done to a hub: cancel, retry, take down, and the log of each."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deployments import services
from deployments.forms import TearDownForm
from deployments.log import lines_before, whole_log
from deployments.progress import progress
from deployments.running import elsewhere
from deployments.states import SecretState
from deployments.views.decisions import ASKING, confirmed
from deployments.views.guard import hub_of, operation_of, person, telling


@require_safe
@never_cache
def log(request: HttpRequest, operation_id: UUID) -> HttpResponse:
    """One page of an operation's log; only its lines when a script asks."""
    operation = operation_of(request, operation_id)
    before = request.GET.get("before", "")
    page = lines_before(operation, int(before) if before.isdecimal() and len(before) < 15 else None)
    template = "hubs/_lines.html" if "lines" in request.GET else "hubs/log.html"
    hub = operation.deployment
    return render(request, template, {"log": page, "hub": hub, "progress": progress(hub, operation)})


@require_safe
@never_cache
def whole(request: HttpRequest, operation_id: UUID) -> HttpResponse:
    """The log from its first line on, as a text file."""
    operation = operation_of(request, operation_id)
    name = f"{operation.deployment.name}-{operation.kind}-{operation.created_at:%Y%m%d-%H%M}.log"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(whole_log(operation), content_type="text/plain; charset=utf-8", headers=headers)


@require_POST
@telling
def cancel(request: HttpRequest, operation_id: UUID) -> HttpResponse:
    operation = operation_of(request, operation_id)
    services.cancel(person(request), operation)
    messages.info(request, "The run stops as soon as what it is doing allows.")
    return redirect(operation.deployment)


@require_POST
@telling
def retry(request: HttpRequest, operation_id: UUID) -> HttpResponse:
    operation = operation_of(request, operation_id)
    services.retry(person(request), operation)
    messages.info(request, "Trying again from the step that failed; what is done stays done.")
    return redirect(operation.deployment)


@require_http_methods(ASKING)
@never_cache
@telling
def take_down(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """What would be deleted, and the question; with the right name typed it begins."""
    hub, form = hub_of(request, hub_id), TearDownForm(request.POST or None)
    if confirmed(request, form, lambda typed: services.tear_down(person(request), hub, typed["confirm"])):
        return redirect(hub)
    resources = hub.resources.filter(gone_at=None)
    secrets = hub.secrets.exclude(state=SecretState.PURGED)
    context = {"hub": hub, "form": form, "resources": resources, "secrets": secrets, "progress": progress(hub)}
    context["stays"] = elsewhere(hub.revision.spec)
    return render(request, "hubs/take_down.html", context, status=422 if form.errors else 200)
