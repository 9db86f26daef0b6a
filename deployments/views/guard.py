"""Who may see what, in one place: what somebody may not see does not exist (404)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from accounts.models import User
from cloud.errors import SlipwayError
from deployments.models import Deployment, Operation
from deployments.submission import told

View = Callable[..., HttpResponse]


def person(request: HttpRequest) -> User:
    """Who is signed in; LoginRequiredMiddleware lets nobody else come here."""
    return cast(User, request.user)


def hub_of(request: HttpRequest, hub_id: UUID) -> Deployment:
    """The hub, when this person may see it."""
    return get_object_or_404(
        Deployment.objects.visible_to(person(request)).select_related("owner", "serving__review__reviewer"), id=hub_id
    )


def operation_of(request: HttpRequest, operation_id: UUID) -> Operation:
    """The operation, when this person may see it."""
    visible = Operation.objects.visible_to(person(request)).select_related("deployment__owner", "requested_by")
    return get_object_or_404(visible, id=operation_id)


def reviewers_only(view: View) -> View:
    """For everybody else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not person(request).may_review:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def telling(view: View) -> View:
    """A decision refused becomes a message on the page that it was asked on: what happened and what to do."""

    @wraps(view)
    def told_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except SlipwayError as error:
            messages.error(request, told(error))
            return redirect(_back(request, kwargs))

    return told_view


def _back(request: HttpRequest, kwargs: dict[str, Any]) -> str:
    if "operation_id" in kwargs:
        return operation_of(request, kwargs["operation_id"]).deployment.get_absolute_url()
    if "hub_id" in kwargs:
        return hub_of(request, kwargs["hub_id"]).get_absolute_url()
    return reverse("deployments:left-over")
