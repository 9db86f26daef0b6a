"""The secrets that a change brings with it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms

from deployments.forms.controls import speak_plainly
from deployments.forms.spec_form import SpecForm
from deployments.redaction import remember


class NewSecretsForm(forms.Form):
    """Asks for the given purposes only (purpose → field of the hub's form); all of them are needed."""

    def __init__(self, purposes: Mapping[str, str], data: Any = None) -> None:
        self.purposes = purposes
        super().__init__(data)
        for name in purposes.values():
            field = deepcopy(SpecForm.base_fields[name])
            field.required = True
            speak_plainly(field)
            self.fields[name] = field

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for value in cleaned.values():
            remember(value)
        return cleaned

    def secrets(self) -> dict[str, str]:
        return {purpose: self.cleaned_data[name] for purpose, name in self.purposes.items()}

    @property
    def refused_secrets(self) -> list[str]:
        return [name for name in self.fields if self.is_bound and self.errors and self.data.get(name)]
