"""What is typed where the cloud and our records differ."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware, make_aware

from deployments.forms.controls import WordField


class CleanUpForm(forms.Form):
    """The name of what is to be removed, typed once more."""

    confirm = WordField("Type the name to confirm", "Exactly as it is written above.", max_length=260)


class ForgetForm(forms.Form):
    """The hub's name, typed once more, and why its record is to end."""

    confirm = WordField("Type the hub's name to confirm", "Exactly as it is written above.", max_length=63)
    reason = forms.CharField(
        label="Why",
        help_text="Kept with the hub's record, with your name and the time.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        error_messages={"required": "Say why: whoever looks after the subscription later wants to know."},
    )


class DeedsForm(forms.Form):
    """Whose deeds, or about which hub."""

    q = forms.CharField(label="Person or hub", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    before = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def moment(self) -> datetime | None:
        """The moment before which deeds are shown; None for the newest, and for what is no moment."""
        try:
            found = parse_datetime(self.cleaned_data["before"])
        except ValueError:
            return None
        return found if found is None or is_aware(found) else make_aware(found)
