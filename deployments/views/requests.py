"""Asking for a hub."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from deployments.advice import advice, look, works
from deployments.errors import NotAllowed
from deployments.forms import CHECKED, FOLDED, SECRETS, RequestForm, typed_secrets, without_secrets
from deployments.grounds import switch_on
from deployments.preview import preview
from deployments.submission import submit
from deployments.views.decisions import ASKING
from deployments.views.guard import person


@sensitive_variables()
@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(ASKING)
def new(request: HttpRequest) -> HttpResponse:
    """The form; sent, it makes a request, or comes back with all that was typed but the secrets."""
    if "switch_on" in request.POST:
        return _switched_on(request)
    if "refresh" in request.POST:
        return _refreshed(request)
    form = RequestForm(person(request), request.POST if request.method == "POST" else None)
    if form.is_bound and (hub := submit(form)):
        messages.success(request, f"Your request for {hub.name} is in. A reviewer decides next.")
        return redirect(hub)
    status = 422 if form.is_bound else 200
    return render(request, "hubs/new.html", _context(form), status=status)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_POST
def parts(request: HttpRequest) -> HttpResponse:
    """The parts of the form that hang on what has been chosen; nothing is checked and nothing kept."""
    form = _as_typed(request)
    context = {"form": form, "preview": preview(form), "changed": request.headers.get("HX-Target", "")}
    return render(request, "hubs/form/_parts.html", context)


@sensitive_variables()
@sensitive_post_parameters(*SECRETS)
@never_cache
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """What stands in the way so far; with `about`, only what trying that section's secrets tells."""
    form, about = _as_typed(request), request.GET.get("about", "")
    fields = FOLDED[about] if about in CHECKED else ()
    secrets = typed_secrets(form.sketch(), request.POST, CHECKED[about]) if fields and _is_ready(form, about) else {}
    seen = look(form, secrets)
    said = advice(form, seen, fields) if secrets or not fields else []
    context = {"form": form, "preview": preview(form), "advice": said, "about": about, "works": works(seen, about)}
    return render(request, "hubs/form/_check.html", context)


def _is_ready(form: RequestForm, about: str) -> bool:
    """Whether all that a section's secrets are tried with is there: GitHub's callback hangs on the hub's name."""
    missing = (set(FOLDED[about]) - set(SECRETS)) & set(form.twin.errors)
    return not missing and (about != "people" or form.names is not None)


def _refreshed(request: HttpRequest) -> HttpResponse:
    """The whole form with what hangs on the choices made anew: what `parts` does, for a browser without scripts."""
    form = _as_typed(request)
    return render(request, "hubs/new.html", _context(form) | {"refreshed": True})


def _switched_on(request: HttpRequest) -> HttpResponse:
    """The same after Azure was asked to switch on what the chosen subscription lacks."""
    try:
        switch_on(person(request), request.POST.get("subscription_id", ""))
        told = "Azure is asked to switch it on. That takes a minute or two and costs nothing; you can go on meanwhile."
        messages.success(request, told)
    except NotAllowed as error:
        messages.error(request, f"{error.user_message} {error.remedy}")
    return _refreshed(request)


def _as_typed(request: HttpRequest) -> RequestForm:
    return RequestForm(person(request), initial=without_secrets(request.POST.dict()))


def _context(form: RequestForm) -> dict[str, Any]:
    return {
        "form": form,
        "preview": preview(form),
        "advice": advice(form, look(form)) if form.place.subscription else None,
    }
