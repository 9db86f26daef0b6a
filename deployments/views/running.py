"""A hub that stands: stopped, started, kept longer, tried."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cloud.errors import SlipwayError
from deployments import services
from deployments.errors import TooLate
from deployments.forms.running import ExtendForm, TryForm
from deployments.models import Deployment
from deployments.running import Running, running
from deployments.submission import told
from deployments.views.decisions import ASKING, decided
from deployments.views.guard import hub_of, person, telling


def standing(request: HttpRequest, hub_id: UUID) -> Running:
    """The hub, when this person may see it and it stands; TooLate sends them to its page."""
    found = running(hub_of(request, hub_id))
    if found is None:
        raise TooLate("This hub does not run.", "See below how it stands.")
    return found


@require_http_methods(ASKING)
@never_cache
@telling
def stop(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """What stopping means and saves; sent, it begins."""
    found = standing(request, hub_id)
    if request.method == "POST":
        services.stop(person(request), found.hub)
        messages.info(request, "The machines are being switched off.")
        return redirect(found.hub)
    return render(request, "hubs/running/stop.html", {"hub": found.hub, "running": found})


@require_POST
@telling
def start(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    said = "The machines are being switched on; the hub is tried before it is called ready."
    return decided(request, hub_id, services.start, said)


@require_http_methods(ASKING)
@never_cache
def extend(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """Another last day."""
    hub = hub_of(request, hub_id)
    form = ExtendForm(person(request), hub, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _extended(request, hub, form):
        return redirect(hub)
    return render(request, "hubs/running/extend.html", {"hub": hub, "form": form}, status=422 if form.errors else 200)


def _extended(request: HttpRequest, hub: Deployment, form: ExtendForm) -> bool:
    try:
        services.extend(person(request), hub, form.cleaned_data["day"])
    except SlipwayError as error:
        form.add_error("day", told(error))
        return False
    messages.success(request, f"{hub.name} is kept until {hub.keep_until:%-d %B %Y}.")
    return True


@require_http_methods(ASKING)
@never_cache
@telling
def try_launch(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """A repository to launch; sent, the hub's page shows it happening."""
    hub, form = hub_of(request, hub_id), TryForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        services.try_launch(person(request), hub, form.cleaned_data["repository"], form.cleaned_data["ref"])
        return redirect(hub)
    return render(request, "hubs/running/try.html", {"hub": hub, "form": form}, status=422 if form.errors else 200)
