"""Changing a hub that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.urls import reverse

from accounts.models import User
from deployments import catalogue
from deployments.catalogue import RegionChoice, SubscriptionChoice
from deployments.forms.controls import SizeSelect
from deployments.forms.description import described, typed
from deployments.forms.sections import SECRETS
from deployments.forms.spec_form import SIZES, SpecForm
from deployments.models import Deployment
from deployments.place import Choices, Place
from deployments.services.requesting import check_description
from deployments.spec import HubSpec

ANEW = " Ask for a new hub if you need another."
#: What cannot change in place, and why.
FIXED = {
    "name": "It is part of the hub's address and of the name of everything that Azure made for it.",
    "keep_until": "To keep it longer, extend it on the hub's own page.",
    "subscription_id": f"Everything of the hub is in this subscription; Azure cannot move it.{ANEW}",
    "region": f"The machines stand there; Azure cannot move them.{ANEW}",
    "node_size": "Azure cannot change the machines that run the hub itself; those for sessions, below, it can.",
    "os_disk_gib": "Azure cannot change the disks of machines that are there.",
    "registry": f"Slipway made it for this hub, and removes it with the hub.{ANEW}",
}


class ChangeForm(SpecForm):
    """The description of a hub as it stands, to be edited. The vault keeps its secrets: they are not asked for."""

    asks_secrets = False
    number = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, user: User, hub: Deployment, data: Any = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        revision = hub.revision
        self.hub, self.present, self.draft_id = hub, revision.spec, hub.id
        self.stands = self.present
        stands, fixed = typed(self.present), _fixed(self.present)
        shown = {"number": revision.number, **(stands if initial is None else initial)}
        super().__init__(user, data, initial=shown | {name: stands.get(name) for name in fixed})
        for name in SECRETS:
            del self.fields[name]
        for name, reason in fixed.items():
            self.fields[name].disabled, self.fields[name].help_text = True, f"Cannot be changed here. {reason}"
        self.fields["keep_until"].initial = self.initial["keep_until"] = hub.keep_until

    @property
    def parts_url(self) -> str:
        return reverse("deployments:change-parts", args=[self.hub.id])

    @property
    def check_url(self) -> str:
        return reverse("deployments:change-check", args=[self.hub.id])

    def bound_twin(self, data: dict[str, Any]) -> SpecForm:
        return ChangeForm(self.user, self.hub, data)

    def chosen_place(self, chosen: Mapping[str, Any]) -> Place:
        """Where the hub stands, whatever the person may choose for a new one."""
        spec = self.present
        subscription = catalogue.subscription(spec.subscription_id)
        region = next(
            (replace(each, room=None) for each in catalogue.regions(spec.subscription_id) if each.name == spec.region),
            RegionChoice(spec.region, spec.region),
        )
        subscription = subscription or SubscriptionChoice(spec.subscription_id, spec.subscription_id, "Enabled", "")
        offer = catalogue.offer(spec.subscription_id, spec.region)
        return Place([subscription], subscription, [region], region, offer)

    def _fitting(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def offer_choices(self) -> None:
        super().offer_choices()
        spec = self.present
        self.fields["subscription_id"].choices = [(spec.subscription_id, self.place.subscriptions[0].name)]  # type: ignore[attr-defined]
        for name in SIZES:
            field, size = self.fields[name], getattr(spec, name)
            _include(field, size)
            assert isinstance(field.widget, SizeSelect)
            field.widget.unavailable -= {size}  # its own machines are what fills the quota
        self.fields["kubernetes_version"].choices = _versions(spec, self.place)  # type: ignore[attr-defined]

    def clean_keep_until(self) -> Any:
        return self.present.keep_until

    def check_allowed(self, spec: HubSpec) -> None:
        check_description(self.user, spec)

    def described_with(self, values: Mapping[str, Any]) -> HubSpec:
        return described({**values, "keep_until": self.present.keep_until}, **self.untyped())

    @property
    def chart_version(self) -> str:
        return self.present.chart_version

    def untyped(self) -> dict[str, Any]:
        return {"chart_version": self.chart_version, "contact_email": self.present.contact_email}


def _fixed(spec: HubSpec) -> dict[str, str]:
    """Whoever keeps images elsewhere may move; a registry that was made for the hub stays with it."""
    return {name: reason for name, reason in FIXED.items() if name != "registry" or spec.registry == "acr"}


def _include(field: forms.Field, size: str) -> None:
    offered: Choices = list(field.choices)  # type: ignore[attr-defined]
    known = {name for _group, sizes in offered if isinstance(sizes, list) for name, _label in sizes}
    if size and size not in known:
        field.choices = [*offered, (size, size.removeprefix("Standard_"))]  # type: ignore[attr-defined]


def _versions(spec: HubSpec, place: Place) -> list[tuple[str, str]]:
    """What it runs, and what Azure lets it become: patches, and the next minor version."""
    now = _number(spec.kubernetes_version)
    offered = place.offer.versions if place.offer else ()
    newer = [each for each in offered if now < _number(each) and _number(each)[:2] <= (now[0], now[1] + 1)]
    labelled = [(each, each) for each in sorted(newer, key=_number)]
    return [(spec.kubernetes_version, f"{spec.kubernetes_version} (as it is)"), *labelled]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3])
