"""What people type. The form knows its fields and their plain rules; decisions about a request are in services."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core import signing
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from accounts.policy import allowance
from deployments import naming, outside
from deployments.errors import Expired
from deployments.place import MOST_NODES, Place
from deployments.redaction import remember
from deployments.services import DOCKER_TOKEN, GITHUB_SECRET
from deployments.spec import HubSpec

SECRETS = ("docker_token", "github_secret")
PLACE_FIELDS = ("subscription_id", "region", "node_size", "node_count", "kubernetes_version")
DRAFT_SALT, DRAFT_SECONDS = "slipway.draft", 24 * 3600
USUAL_DAYS = 30
GITHUB_ID = re.compile(r"[A-Za-z0-9._-]{10,60}")
DOCKER_ORGANISATION = re.compile(r"[a-z0-9]+")
GITHUB_ORGANISATION = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")


def new_draft(user: User) -> str:
    """A signed id for a hub not asked for yet: its addresses hang on it, and a form sent twice makes one hub."""
    return signing.dumps({"hub": uuid4().hex, "user": user.pk}, salt=DRAFT_SALT)


def read_draft(user: User, draft: str) -> UUID:
    """The id in a draft that this person was given in the last 24 hours.

    :raises Expired: for any other.
    """
    try:
        content = signing.loads(draft, salt=DRAFT_SALT, max_age=DRAFT_SECONDS)
        if content["user"] != user.pk:
            raise signing.BadSignature("another person's draft")
    except signing.BadSignature as exc:
        raise Expired(
            "This form was opened more than a day ago, so its addresses are not valid any more.",
            "It has new ones now, and what you typed is still here: look it over and send it again.",
        ) from exc
    return UUID(content["hub"])


class SizeSelect(forms.Select):
    """A select whose sizes that do not fit the quota cannot be chosen; each says why in its label."""

    unavailable: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.unavailable:
            option["attrs"]["disabled"] = True
        return option


def _secret(label: str, help_text: str, *, required: bool) -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    widget = forms.PasswordInput(render_value=False, attrs=attrs)
    return forms.CharField(label=label, help_text=help_text, widget=widget, required=required, max_length=500)


def _word(label: str, help_text: str, **options: Any) -> forms.CharField:
    attrs = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", **options.pop("attrs", {})}
    return forms.CharField(label=label, help_text=help_text, widget=forms.TextInput(attrs=attrs), **options)


class RequestForm(forms.Form):
    """Everything a person says about the hub they want."""

    field_order = ("draft", "name", "purpose", "keep_until")  # as the page has them; the others follow as written

    draft = forms.CharField(widget=forms.HiddenInput, required=False)
    name = _word(
        "Hub name",
        "3 to 20 small letters, digits and hyphens. It becomes part of the hub's address.",
        max_length=63,
        attrs={"placeholder": "my-course"},
    )
    purpose = forms.CharField(
        label="What is it for?",
        help_text="A sentence or two for whoever decides about your request: the course, the paper, the workshop.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )
    subscription_id = forms.ChoiceField(label="Subscription", help_text="The Azure account that pays for the hub.")
    region = forms.ChoiceField(
        label="Region", help_text="Where the hub's machines stand. Near the people who will use it is quickest."
    )
    node_size = forms.ChoiceField(
        label="Node size",
        help_text="A node is one machine that people's sessions run on. Half a CPU and 1 GB a session is a fair guess.",
        widget=SizeSelect,
    )
    node_count = forms.IntegerField(
        label="Number of nodes",
        help_text="How many such machines. They run, and cost, until the hub is taken down.",
        min_value=1,
        max_value=MOST_NODES,
    )
    kubernetes_version = forms.ChoiceField(
        label="Kubernetes version",
        help_text="The software that keeps the hub's parts running. If in doubt, keep what is chosen.",
    )
    docker_username = _word(
        "Docker Hub username",
        "The account that stores the images your hub builds. Your username, not your e-mail address.",
        max_length=100,
    )
    docker_token = _secret(
        "Docker Hub access token",
        "Made on hub.docker.com under Account settings, Personal access tokens, with the right to read and write."
        " It goes straight into the vault.",
        required=True,
    )
    docker_organisation = _word(
        "Docker Hub organisation",
        "Optional. Fill it in to store the images in an organisation's account instead of your own.",
        required=False,
        max_length=100,
    )
    image_prefix = _word(
        "Image prefix", "The beginning of every image's name, so that you recognise them on Docker Hub.", max_length=80
    )
    access = forms.ChoiceField(
        label="Who may use it?",
        help_text="With a GitHub sign-in you decide which organisations' members get in.",
        choices=[("public", "Anyone with the link"), ("github", "People who sign in with GitHub")],
        widget=forms.RadioSelect,
        initial="public",
    )
    github_client_id = _word(
        "GitHub client ID",
        "GitHub shows it on your OAuth app's page, once you have registered one with the callback address above.",
        required=False,
        max_length=100,
    )
    github_secret = _secret(
        "GitHub client secret",
        "On the same page: Generate a new client secret. It goes straight into the vault.",
        required=False,
    )
    github_organisations = forms.CharField(
        label="Allowed GitHub organisations",
        help_text="Their members may use the hub. One a line, or with commas between.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocapitalize": "none"}),
        required=False,
        max_length=1000,
    )
    keep_until = forms.DateField(
        label="Keep it until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, user: User, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        self.user = user
        self.expired: Expired | None = None
        self.place = Place.choose(user, data if data is not None else initial or {})
        super().__init__(data, initial=self._defaults() | (initial or {}) | self._place_values(data, initial))
        self._offer_choices()
        self._limit_days()
        for field in self.fields.values():
            _speak_plainly(field)
        self.draft_id = self._draft()

    def _defaults(self) -> dict[str, Any]:
        days = min(USUAL_DAYS, allowance(self.user).max_days)
        return {
            "image_prefix": "binder-",
            "access": "public",
            "keep_until": timezone.localdate() + timedelta(days=days),
        }

    def _place_values(self, data: Any, initial: dict[str, Any] | None) -> dict[str, Any]:
        # Only a form that is not being sent may have its choices changed for it.
        return {} if data is not None else self.place.values(initial or {})

    def _offer_choices(self) -> None:
        place, fields = self.place, self.fields
        for name, choices in place.choices().items():
            fields[name].choices = choices  # type: ignore[attr-defined]
        widget = fields["node_size"].widget
        assert isinstance(widget, SizeSelect)
        widget.unavailable = place.unavailable

    def _limit_days(self) -> None:
        most = allowance(self.user).max_days
        first, last = (timezone.localdate() + timedelta(days=days) for days in (1, most))
        field = self.fields["keep_until"]
        field.widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}
        field.help_text = (
            f"Until when it is needed: at most {most} days from today, {date_format(last)}."
            " Before that day you are asked to take it down."
        )

    def _draft(self) -> UUID:
        """The draft's id; an expired draft is replaced by a fresh one, which the person must look at."""
        sent = self.data.get("draft") if self.is_bound else self.initial.get("draft")
        try:
            return read_draft(self.user, sent or "")
        except Expired as error:
            fresh = new_draft(self.user)
            if self.is_bound:
                self.expired = error
                self.data = {**self.data.dict(), "draft": fresh}  # type: ignore[attr-defined]
            self.initial["draft"] = fresh
            return read_draft(self.user, fresh)

    def clean_name(self) -> str:
        return self._checked("name", naming.problem_with_hub_name)

    def clean_docker_username(self) -> str:
        return self._checked("docker_username", naming.problem_with_docker_username)

    def clean_docker_organisation(self) -> str:
        return self._checked("docker_organisation", _problem_with_docker_organisation)

    def clean_image_prefix(self) -> str:
        return self._checked("image_prefix", naming.problem_with_image_prefix)

    def _checked(self, name: str, problem_with: Any) -> str:
        value: str = self.cleaned_data[name].strip()
        if value and (problem := problem_with(value)):
            raise forms.ValidationError(problem)
        return value

    def clean_keep_until(self) -> Any:
        day = self.cleaned_data["keep_until"]
        days, most = (day - timezone.localdate()).days, allowance(self.user).max_days
        if days < 1:
            raise forms.ValidationError("Choose a day in the future: tomorrow at the earliest.")
        if days > most:
            raise forms.ValidationError(f"You may keep a hub for {most} days at most; this is {days}.")
        return day

    def clean_github_organisations(self) -> tuple[str, ...]:
        names = tuple(part for part in re.split(r"[\s,;]+", self.cleaned_data["github_organisations"]) if part)
        for name in names:
            if not GITHUB_ORGANISATION.fullmatch(name):
                raise forms.ValidationError(f"“{name}” cannot be a GitHub organisation: give names, not addresses.")
        return names

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for secret in SECRETS:
            remember(cleaned.get(secret) or "")
        if self.expired:
            self.add_error(None, f"{self.expired.user_message} {self.expired.remedy}")
        if cleaned.get("access") == "github":
            self._clean_github(cleaned)
        if problem := self.place.problem(cleaned.get("node_size"), cleaned.get("node_count")):
            self.add_error("node_count", problem)
        return cleaned

    def _clean_github(self, cleaned: dict[str, Any]) -> None:
        missing = {
            "github_client_id": "Copy the client ID from your OAuth app's page on GitHub.",
            "github_secret": "Make a client secret on your OAuth app's page on GitHub and copy it here.",
            "github_organisations": "Name at least one organisation: with none, nobody could sign in.",
        }
        for name, sentence in missing.items():
            if name not in self.errors and not cleaned.get(name):
                self.add_error(name, sentence)
        client_id = cleaned.get("github_client_id") or ""
        if client_id and not GITHUB_ID.fullmatch(client_id):
            self.add_error("github_client_id", "This does not look like a client ID: those are 20 letters and digits.")

    def spec(self) -> HubSpec:
        """What a valid form asks for."""
        names = ("name", "purpose", *PLACE_FIELDS, "docker_username", "docker_organisation", "image_prefix", "access")
        values = {name: self.cleaned_data[name] for name in (*names, "keep_until")}
        if values["access"] == "github":
            values |= {name: self.cleaned_data[name] for name in ("github_client_id", "github_organisations")}
        return HubSpec(**values, chart_version=outside.profile().chart_version, contact_email=self.user.email)

    def secrets(self) -> dict[str, str]:
        """The secrets of a valid form by purpose."""
        typed = {DOCKER_TOKEN: self.cleaned_data["docker_token"]}
        if self.cleaned_data["access"] == "github":
            typed[GITHUB_SECRET] = self.cleaned_data["github_secret"]
        return typed

    def refused_secrets(self) -> Iterable[str]:
        """The secret fields that were filled in, in a form that is shown again without them."""
        return [name for name in SECRETS if self.is_bound and self.errors and self.data.get(name)]


def _speak_plainly(field: forms.Field) -> None:
    """Gives the checks that Django makes by itself our own sentences."""
    field.error_messages |= {
        "required": "Please fill this in.",
        "invalid_choice": "This cannot be chosen here, or not any more: choose one from the list.",
    }
    if isinstance(field, forms.IntegerField):
        field.error_messages |= {"invalid": f"Write a whole number from {field.min_value} to {field.max_value}."}
    if isinstance(field, forms.DateField):
        field.error_messages |= {"invalid": "This is not a day. Write it as year-month-day, like 2026-12-31."}
    for check in field.validators:
        if isinstance(check, MinValueValidator | MaxValueValidator):
            check.message = f"Choose from {field.min_value} to {field.max_value}."  # type: ignore[attr-defined]
        if isinstance(check, MaxLengthValidator):
            check.message = "This is too long: %(limit_value)d characters at most; it has %(show_value)d."


def _problem_with_docker_organisation(name: str) -> str:
    if DOCKER_ORGANISATION.fullmatch(name):
        return ""
    return (
        "Docker Hub organisations have small letters and digits only, no hyphens or spaces."
        " You find its name in its page's address, hub.docker.com/orgs/…"
    )


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

    confirm = _word("Type the hub's name to confirm", "Exactly as it is written above.", max_length=63)


class FilterForm(forms.Form):
    """Which hubs a list shows."""

    q = forms.CharField(label="Name or owner", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    state = forms.ChoiceField(label="State", required=False)
