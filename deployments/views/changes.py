"""Changing a hub that stands: the same form, a look at what would change, then the change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from deployments.advice import advice, look
from deployments.editing import Edit, edit_of, new_secrets
from deployments.errors import TooLate
from deployments.forms import SECRETS, without_secrets
from deployments.forms.change import ChangeForm
from deployments.forms.new_secrets import NewSecretsForm
from deployments.models import Deployment
from deployments.preview import preview
from deployments.states import Lifecycle
from deployments.submission import applied, may_become
from deployments.views.decisions import ASKING
from deployments.views.guard import hub_of, person, telling


@sensitive_variables()
@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(ASKING)
@telling
def change(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """The hub's description to edit; sent, what would change; sent once more, it is applied."""
    hub = _standing(request, hub_id)
    if request.method != "POST" or "edit" in request.POST or "refresh" in request.POST:
        return _page(request, _as_typed(request, hub))
    form = ChangeForm(person(request), hub, request.POST)
    if not form.is_valid() or not may_become(form):
        return _page(request, form, status=422)
    edit = edit_of(form)
    secrets = NewSecretsForm(new_secrets(edit), request.POST if "apply" in request.POST else None)
    if secrets.is_bound and (revision := applied(form, secrets)):
        told = "is being applied" if not revision.needs_review else "waits for a reviewer, because it may cost more"
        messages.success(request, f"Your change of {hub.name} {told}.")
        return redirect(hub)
    return _look(request, form, edit, secrets)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_POST
def parts(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    form = _as_typed(request, hub_of(request, hub_id))
    return render(request, "hubs/form/_parts.html", {"form": form, "preview": preview(form)})


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_POST
def check(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    form = _as_typed(request, hub_of(request, hub_id))
    return render(request, "hubs/form/_check.html", _context(form))


def _standing(request: HttpRequest, hub_id: UUID) -> Deployment:
    hub = hub_of(request, hub_id)
    if hub.lifecycle != Lifecycle.READY:
        raise TooLate(f"{hub.name} cannot be changed now: it is not running.", "Its page says how it stands.")
    return hub


def _as_typed(request: HttpRequest, hub: Deployment) -> ChangeForm:
    initial = without_secrets(request.POST.dict()) if request.method == "POST" else None
    return ChangeForm(person(request), hub, initial=initial)


def _context(form: ChangeForm) -> dict[str, Any]:
    return {"hub": form.hub, "form": form, "preview": preview(form), "advice": advice(form, look(form))}


def _page(request: HttpRequest, form: ChangeForm, status: int = 200) -> HttpResponse:
    context = _context(form) | {"refreshed": "refresh" in request.POST}
    return render(request, "hubs/change.html", context, status=status)


def _look(request: HttpRequest, form: ChangeForm, edit: Edit, secrets: NewSecretsForm) -> HttpResponse:
    kept = [(name, value) for name, value in request.POST.items() if name in form.fields]
    context = {
        "hub": form.hub,
        "form": form,
        "edit": edit,
        "secrets": secrets,
        "kept": kept,
        "advice": advice(form, look(form)),
    }
    return render(request, "hubs/change_look.html", context, status=422 if secrets.errors or form.errors else 200)
