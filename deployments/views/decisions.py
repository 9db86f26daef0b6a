"""What pages that decide something share: a button that begins it at once, and a question to be confirmed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from cloud.errors import InvalidRequest
from deployments.models import Deployment, Operation
from deployments.submission import told
from deployments.views.guard import hub_of, person

#: A page that asks, and takes the answer.
ASKING = ["GET", "HEAD", "POST"]


def decided(
    request: HttpRequest, hub_id: UUID, decide: Callable[[User, Deployment], object], said: str
) -> HttpResponse:
    """Decides for the person, then shows the hub's page with the sentence; `{hub}` in it is the hub's name."""
    hub = hub_of(request, hub_id)
    decide(person(request), hub)
    messages.info(request, said.format(hub=hub.name))
    return redirect(hub)


def confirmed(request: HttpRequest, form: forms.Form, begin: Callable[[dict[str, Any]], Operation]) -> Operation | None:
    """What was begun with what was typed, if it was sent; what is wrong with it is told beside the field `confirm`."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return begin(form.cleaned_data)
    except InvalidRequest as error:
        form.add_error("confirm", told(error))
        return None
