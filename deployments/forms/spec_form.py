"""One form for every field of a hub's description: for asking for a hub, and for changing one that stands."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property

from accounts.models import User
from accounts.policy import allowance
from deployments import naming, outside
from deployments.forms.controls import SizeSelect, speak_plainly
from deployments.forms.description import BELONGS, NEEDED, counts, described
from deployments.forms.hub import AddressFields, HubFields, NodeFields, PlaceFields
from deployments.forms.look import ExpertFields, LimitFields, LookFields
from deployments.forms.people import PeopleFields, PrivateFields
from deployments.forms.registry import RegistryFields
from deployments.forms.sections import FOLDED, OPEN_AT_FIRST, ORDER, SECRETS
from deployments.looking import chart_schema
from deployments.naming import Names
from deployments.place import Place
from deployments.redaction import remember
from deployments.spec import HubSpec
from deployments.values.overlay import problems

USUAL_DAYS = 30
SIZES = ("node_size", "user_node_size")
#: What a person meets who opens a choice, so that the plain case needs no thought.
DEFAULTS = {"image_prefix": "binder-", "user_nodes_min": 0, "user_nodes_max": 3}


class SpecForm(
    HubFields,
    PlaceFields,
    RegistryFields,
    PeopleFields,
    AddressFields,
    PrivateFields,
    NodeFields,
    LookFields,
    LimitFields,
    ExpertFields,
):
    """All fields. `draft_id` is the hub's id, made already or to be.

    Abstract: mypy refuses to make one that lacks a method. Forms have a metaclass of their own, so ABC cannot.
    """

    field_order = ("draft", *ORDER)
    #: The hub's description as it stands; None for one that is asked for.
    stands: HubSpec | None = None
    draft_id: UUID

    def __init__(self, user: User, data: Any = None, *, initial: Mapping[str, Any] | None = None) -> None:
        self.user = user
        chosen = initial or {}
        self.place = self.chosen_place(data if data is not None else chosen)
        defaults = {**DEFAULTS, "keep_until": self._usual_day(), "user_node_size": self.place.values({})["node_size"]}
        fitting = {} if data is not None else self._fitting(chosen)  # what is being sent is not changed for anybody
        super().__init__(data, initial={**defaults, **chosen, **fitting})
        self.defaults = defaults
        self.offer_choices()
        self._limit_days()
        for field in self.fields.values():
            speak_plainly(field)

    # --- what is offered ---------------------------------------------------------------------------------------

    def chosen_place(self, chosen: Mapping[str, Any]) -> Place:
        return Place.choose(self.user, chosen)

    def _usual_day(self) -> Any:
        return timezone.localdate() + timedelta(days=min(USUAL_DAYS, allowance(self.user).max_days))

    def _fitting(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The place's fields: as chosen where that can be had there, else what can."""
        fitting, offer = self.place.values(chosen), self.place.offer
        typed_size = str(chosen.get("user_node_size") or "")
        if offer and not offer.size(typed_size):
            fitting["user_node_size"] = fitting["node_size"]
        return fitting

    def offer_choices(self) -> None:
        choices = self.place.choices()
        choices["user_node_size"] = choices["node_size"]
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        for name in (*SIZES, "region"):
            widget = self.fields[name].widget
            assert isinstance(widget, SizeSelect)
            widget.unavailable = self.place.full if name == "region" else self.place.unavailable
        self._keep_what_is_closed()

    def _keep_what_is_closed(self) -> None:
        """What was chosen and exists, but not for this subscription, stays in sight: a finding says what about it."""
        offer = self.place.offer
        if offer is None:
            return
        for name in SIZES:
            include(self.fields[name], self._chosen(name), {size.name for size in offer.closed})
        include(
            self.fields["kubernetes_version"], self._chosen("kubernetes_version"), {*offer.previews, *offer.long_term}
        )

    def _chosen(self, name: str) -> str:
        return str((self.data if self.is_bound else self.initial).get(name) or "")

    def _limit_days(self) -> None:
        most = allowance(self.user).max_days
        first, last = (timezone.localdate() + timedelta(days=days) for days in (1, most))
        field = self.fields["keep_until"]
        field.widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}
        field.help_text = (
            f"Until when it is needed: at most {most} days from today, {date_format(last)}."
            " Before that day you are asked to take it down."
        )

    # --- what is wrong with it ---------------------------------------------------------------------------------

    def clean_purpose(self) -> str:
        return str(self.cleaned_data["purpose"]).replace("\r\n", "\n")

    def clean_overlay(self) -> str:
        text = str(self.cleaned_data["overlay"]).replace("\r\n", "\n")
        if found := problems(text, chart_schema(self.chart_version) if text.strip() else None):
            raise forms.ValidationError([str(problem) for problem in found])
        return text if text.strip() else ""

    def clean_keep_until(self) -> Any:
        day = self.cleaned_data["keep_until"]
        days, most = (day - timezone.localdate()).days, allowance(self.user).max_days
        if days < 1:
            raise forms.ValidationError("Choose a day in the future: tomorrow at the earliest.")
        if days > most:
            raise forms.ValidationError(f"You may keep a hub for {most} days at most; this is {days}.")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in SECRETS:
            remember(cleaned.get(name) or "")
        self._ignore_what_was_not_chosen(cleaned)
        for name, sentence in NEEDED.items():
            if name in self.fields and name not in self.errors and counts(cleaned, name) and not cleaned.get(name):
                self.add_error(name, sentence)
        self._check_nodes_for_sessions(cleaned)
        return cleaned

    def _ignore_what_was_not_chosen(self, cleaned: dict[str, Any]) -> None:
        for name in BELONGS:
            if not counts(cleaned, name):
                self.errors.pop(name, None)
                cleaned.pop(name, None)

    def _check_nodes_for_sessions(self, cleaned: Mapping[str, Any]) -> None:
        fewest, most = cleaned.get("user_nodes_min"), cleaned.get("user_nodes_max")
        if fewest and most and fewest > most:
            self.add_error("user_nodes_min", f"This is more than the most, {most}: make it the smaller number.")
        size = self.place.offer and self.place.offer.size(cleaned.get("user_node_size") or cleaned.get("node_size", ""))
        for name, most_there, unit in (("user_memory_gib", "memory_gib", "GB memory"), ("user_cpus", "vcpus", "CPUs")):
            if size and (wanted := cleaned.get(name)) and wanted > getattr(size, most_there):
                self.add_error(name, f"No session would ever start: a node has {getattr(size, most_there):g} {unit}.")

    # --- what it says ------------------------------------------------------------------------------------------

    def spec(self) -> HubSpec:
        """What a valid form asks for."""
        return self.described_with(self.cleaned_data)

    @property
    def chart_version(self) -> str:
        return outside.profile().chart_version

    def untyped(self) -> dict[str, Any]:
        """The description's fields that nobody types."""
        return {"chart_version": self.chart_version, "contact_email": self.user.email}

    @cached_property
    def twin(self) -> SpecForm:
        """The form as if it were sent as it stands."""
        if self.is_bound:
            return self
        values = {name: self[name].value() for name in self.fields}
        return self.bound_twin({name: value for name, value in values.items() if value is not None})

    @abstractmethod
    def bound_twin(self, data: dict[str, Any]) -> SpecForm:
        """The same kind of form for the same person, with that sent."""

    @abstractmethod
    def check_allowed(self, spec: HubSpec) -> None:
        """Raises what the person's groups do not allow."""

    def sketch(self) -> HubSpec:
        """What the form asks for as far as it goes: what is missing or wrong counts as not typed."""
        self.twin.is_valid()
        place = self.place.values({})
        known = {"subscription_id": place["subscription_id"], "region": place["region"]}
        return self.described_with({**known, "keep_until": self._usual_day(), **self.twin.cleaned_data})

    def described_with(self, values: Mapping[str, Any]) -> HubSpec:
        return described(values, **self.untyped())

    @property
    def names(self) -> Names | None:
        """What the hub's things are called; None while its name is not one."""
        name = str(self["name"].value() or "").strip()
        return None if not name or naming.problem_with_hub_name(name) else naming.derive(name, self.draft_id)

    @property
    def open_sections(self) -> set[str]:
        """The sections in which something is wrong or is not as it is for everybody."""
        return {key for key, names in FOLDED.items() if key in OPEN_AT_FIRST or any(map(self._is_notable, names))}

    def _is_notable(self, name: str) -> bool:
        if name not in self.fields:
            return False
        if self.is_bound and self.errors.get(name):
            return True
        usual = self.defaults.get(name, self.fields[name].initial)
        value = self[name].value()
        return bool(value) and str(value) != str(usual)

    @property
    def is_standing(self) -> bool:
        return self.stands is not None

    @property
    def refused_secrets(self) -> list[str]:
        """The secret fields that were filled in, in a form that is shown again without them."""
        return [name for name in SECRETS if self.is_bound and self.errors and self.data.get(name)]


def include(field: forms.Field, chosen: str, known: set[str]) -> None:
    """Lets a choice that exists, but is not offered, be shown again as it was made."""
    offered = list(field.choices)  # type: ignore[attr-defined]
    names = {name for value, label in offered for name, _ in (label if isinstance(label, list) else [(value, label)])}
    if chosen in known and chosen not in names:
        field.choices = [*offered, (chosen, f"{chosen.removeprefix('Standard_')} (not for this subscription)")]  # type: ignore[attr-defined]
