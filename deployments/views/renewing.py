"""New secrets for a hub that stands. What is typed is tried, and is in the vault before the request ends."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from cloud.errors import SlipwayError
from deployments import services
from deployments.forms import SECRETS
from deployments.forms.description import secret_fields
from deployments.forms.new_secrets import NewSecretsForm
from deployments.running import Running
from deployments.submission import told
from deployments.trying import try_secrets
from deployments.views.decisions import ASKING
from deployments.views.guard import person, telling
from deployments.views.running import standing
from deployments.wording import secret_name

#: Made by Slipway or by Azure itself: nothing is typed.
MADE = (services.HUB_TOKENS, services.REGISTRY_TOKEN)


@require_safe
@never_cache
@telling
def secrets(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    """Which secrets there are, who set them and when; never a part of one."""
    found = standing(request, hub_id)
    return render(request, "hubs/running/secrets.html", {"hub": found.hub, "running": found})


@sensitive_variables()
@sensitive_post_parameters(*SECRETS)
@require_http_methods(ASKING)
@never_cache
@telling
def secret(request: HttpRequest, hub_id: UUID, purpose: str) -> HttpResponse:
    """One secret to renew: typed, tried and stored, or made anew."""
    found = standing(request, hub_id)
    fields = _fields(found, purpose)
    form = NewSecretsForm(fields, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _renewed(request, found, purpose, form):
        messages.success(request, f"{secret_name(purpose)}: the hub is being given the new one.")
        return redirect(found.hub)
    context = {"hub": found.hub, "running": found, "purpose": purpose, "form": form, "made": not fields}
    return render(request, "hubs/running/secret.html", context, status=422 if form.errors else 200)


def _fields(found: Running, purpose: str) -> dict[str, str]:
    """purpose → field of what is typed; nothing for what is made. A secret that the hub has not is not found."""
    if purpose not in [ref.purpose for ref in found.secrets]:
        raise Http404
    fields = {key: name for key, name in secret_fields(found.spec).items() if key == purpose}
    if not fields and purpose not in MADE:
        raise Http404
    return fields


def _renewed(request: HttpRequest, found: Running, purpose: str, form: NewSecretsForm) -> bool:
    typed = form.secrets()
    try:
        try_secrets(found.hub, typed)
        if purpose == services.HUB_TOKENS:
            services.rotate(person(request), found.hub, {}, hub_tokens=True)
        else:
            services.rotate(person(request), found.hub, typed or {purpose: ""})
    except SlipwayError as error:
        form.add_error(next(iter(form.purposes.values()), None), told(error))
        return False
    return True
