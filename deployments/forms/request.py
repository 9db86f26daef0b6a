"""Asking for a hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from accounts.models import User
from deployments.errors import Expired
from deployments.forms.description import secret_fields
from deployments.forms.drafts import new_draft, read_draft
from deployments.forms.sections import SECRETS
from deployments.forms.spec_form import SpecForm
from deployments.services import check_policy
from deployments.spec import HubSpec


class RequestForm(SpecForm):
    """Everything a person says about the hub they want, secrets included."""

    asks_secrets = True
    draft = forms.CharField(widget=forms.HiddenInput, required=False)
    #: The place that sizes and numbers were last fitted to.
    fitted = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, user: User, data: Any = None, *, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(user, data, initial=initial)
        self.expired: Expired | None = None
        self.draft_id = self._draft()

    def _draft(self) -> UUID:
        """The draft's id; an expired draft is replaced by a fresh one, which the person must look at."""
        sent = self.data.get("draft") if self.is_bound else self.initial.get("draft")
        try:
            return read_draft(self.user, str(sent or ""))
        except Expired as error:
            fresh = new_draft(self.user)
            if self.is_bound:
                self.expired = error
                self.data = {**dict(self.data.items()), "draft": fresh}
            self.initial["draft"] = fresh
            return read_draft(self.user, fresh)

    def _fitting(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """In another place what was chosen may not be had; in the same one nothing is changed under anybody's hands."""
        here = {"fitted": self.place.key}
        if chosen.get("fitted") == self.place.key and "node_size" in chosen:
            return here
        return super()._fitting(chosen) | here

    @property
    def parts_url(self) -> str:
        return reverse("deployments:parts")

    @property
    def check_url(self) -> str:
        return reverse("deployments:check")

    def bound_twin(self, data: dict[str, Any]) -> SpecForm:
        return RequestForm(self.user, data)

    def check_allowed(self, spec: HubSpec) -> None:
        check_policy(self.user, spec)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.expired:
            self.add_error(None, f"{self.expired.user_message} {self.expired.remedy}")
        return cleaned

    def secrets(self) -> dict[str, str]:
        """The secrets of a valid form by purpose."""
        return {purpose: self.cleaned_data[name] for purpose, name in secret_fields(self.spec()).items()}


def without_secrets(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What may be shown again."""
    return {name: value for name, value in typed.items() if name not in SECRETS}


def typed_secrets(spec: HubSpec, typed: Mapping[str, Any], only: tuple[str, ...] = SECRETS) -> dict[str, str]:
    """The secrets that such a hub needs by purpose, as far as they were typed in the fields asked about."""
    fields = {purpose: name for purpose, name in secret_fields(spec).items() if name in only}
    return {purpose: str(typed[name]) for purpose, name in fields.items() if typed.get(name)}
