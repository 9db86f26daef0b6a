"""What is typed about a hub that stands: another last day, a repository to try, a step up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from accounts.policy import allowance
from deployments.forms import rules
from deployments.forms.controls import WordField, speak_plainly
from deployments.models import Deployment


class ExtendForm(forms.Form):
    """Another last day, as far away as the owner's groups allow."""

    day = forms.DateField(label="Keep it until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, user: User, hub: Deployment, data: Any = None) -> None:
        most = allowance(hub.owner).max_days
        last, next_day = timezone.localdate() + timedelta(days=most), hub.keep_until + timedelta(days=1)
        super().__init__(data, initial={"day": max(next_day, min(last, hub.keep_until + timedelta(days=30)))})
        field = self.fields["day"]
        speak_plainly(field)
        field.widget.attrs |= {"min": next_day.isoformat()} | ({} if user.may_review else {"max": last.isoformat()})
        field.help_text = f"At most {most} days from today: until {date_format(last, 'j F Y')}."


def one_repository(name: str) -> str:
    """A sentence that says what is wrong with the name of a repository to launch, or ""."""
    if problem := rules.repository(name):
        return problem.replace(", or owner/* for all of an owner", "")
    return "Name one repository: owner/name." if name.endswith("/*") else ""


class TryForm(forms.Form):
    """A repository to launch."""

    repository = WordField(
        "Repository on GitHub",
        "owner/name, or its address.",
        max_length=200,
        attrs={"placeholder": "binder-examples/requirements"},
    )
    ref = WordField(
        "Branch, tag or commit", "Optional. Its usual branch otherwise.", rule=rules.branch, required=False,
        max_length=200,
    )  # fmt: skip

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for field in self.fields.values():
            speak_plainly(field)

    def clean_repository(self) -> str:
        name = rules.tidy_repository(str(self.cleaned_data["repository"]).strip())
        if problem := one_repository(name):
            raise forms.ValidationError(problem)
        return name

    def clean_ref(self) -> str:
        return str(self.cleaned_data["ref"]) or "HEAD"


class StepUpForm(forms.Form):
    """A newer chart or a newer Kubernetes: one of those that are offered."""

    number = forms.IntegerField(widget=forms.HiddenInput, required=False)
    chart_version = forms.ChoiceField(required=False)
    kubernetes_version = forms.ChoiceField(required=False)

    def __init__(self, charts: list[str], kubernetes: list[str], data: Any) -> None:
        super().__init__(data)
        for name, offered in (("chart_version", charts), ("kubernetes_version", kubernetes)):
            self.fields[name].choices = [("", ""), *((each, each) for each in offered)]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> dict[str, Any]:
        """The description's fields that change."""
        return {name: value for name, value in self.cleaned_data.items() if name != "number" and value}
