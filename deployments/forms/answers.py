"""Short forms: a reason, a name typed once more, and which hubs a list shows."""

from __future__ import annotations

from django import forms

from deployments.forms.controls import WordField
from deployments.states import Lifecycle


class RejectForm(forms.Form):
    """Why a request is not approved."""

    reason = forms.CharField(
        label="Reason",
        help_text="Needed to reject. The person who asked for the hub reads it.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        error_messages={"required": "Say why, so that the requester knows what to change."},
    )


class TearDownForm(forms.Form):
    """The name, typed once more."""

    confirm = WordField("Type the hub's name to confirm", "Exactly as it is written above.", max_length=63)


class FilterForm(forms.Form):
    """Which hubs a list shows."""

    q = forms.CharField(label="Name or owner", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("live", "All that exist"), *Lifecycle.choices(), ("all", "All, gone ones too")],
    )
