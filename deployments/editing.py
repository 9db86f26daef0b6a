"""What an edit of a hub that stands would change, for the page on which it is looked at before it is applied."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from deployments import outside, services
from deployments.costs import spec_cost
from deployments.forms.change import ChangeForm
from deployments.forms.description import secret_fields, typed
from deployments.models import Deployment
from deployments.pricing import Estimate
from deployments.rendering import masked_values
from deployments.services.changing import costs_more
from deployments.spec import HubSpec
from deployments.states import SecretState
from deployments.values.overlay import difference

#: What a person should know before some changes, by the description's fields.
CONSEQUENCES = {
    "kubernetes_version": "Azure exchanges the machines one by one: running sessions end, and it takes ten minutes or"
    " more for each. It cannot go back to the older version.",
    "user_node_size": "The machines for sessions are made anew: running sessions end.",
    "domain": "The hub moves to another address. Make the record first, and correct both addresses on GitHub where"
    " people sign in.",
    "access": "Who may use the hub changes at once. Running sessions may end.",
    "github_client_id": "The new app on GitHub needs this hub's callback address.",
    "storage_gib": "Folders that exist keep their size.",
    "image_prefix": "Images built so far are not found under the new name: they are built again when needed.",
    "registry": "Images built so far stay where they are: they are built again when needed.",
    "docker_username": "Images built so far stay where they are: they are built again when needed.",
    "docker_organisation": "Images built so far stay where they are: they are built again when needed.",
}
#: What a secret is for: with another of these, the one in the vault fits no more.
ACCOUNTS = {
    services.DOCKER_TOKEN: ("docker_username", "registry_address", "registry_username"),
    services.GITHUB_SECRET: ("github_client_id",),
    services.PRIVATE_TOKEN: (),
}


@dataclass(frozen=True)
class Changed:
    """One field, as the form calls it, with what it says now and then."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Edit:
    """A hub's description as it is and as it would be."""

    hub: Deployment
    before: HubSpec
    after: HubSpec
    changed: list[Changed]
    consequences: list[str]
    cost_before: Estimate | None
    cost_after: Estimate | None
    costs_more: bool

    @property
    def more(self) -> Decimal | None:
        """What the hub may cost more a month, at the most; None where that is not known or nothing."""
        if self.cost_before is None or self.cost_after is None:
            return None
        return max(self.cost_after.most - self.cost_before.most, Decimal(0)) or None

    @property
    def difference(self) -> list[str]:
        """What changes in the values given to Helm, as the lines of a diff."""
        names = self.hub.names
        now, then = (masked_values(spec, names, outside.hub_address(spec, names)) for spec in (self.before, self.after))
        return difference(now, then)


def edit_of(form: ChangeForm) -> Edit:
    """What a valid form would change."""
    before, after = form.present, form.spec()
    names = [name for name in form.fields if typed(before).get(name) != typed(after).get(name)]
    return Edit(
        hub=form.hub,
        before=before,
        after=after,
        changed=[_changed(form, name, before, after) for name in names],
        consequences=list(dict.fromkeys(CONSEQUENCES[name] for name in names if name in CONSEQUENCES)),
        cost_before=spec_cost(before),
        cost_after=spec_cost(after),
        costs_more=costs_more(before, after),
    )


def new_secrets(edit: Edit) -> dict[str, str]:
    """purpose → the form's field, of the secrets that the vault does not have yet or that fit no more."""
    stored = set(edit.hub.secrets.filter(state=SecretState.STORED).values_list("purpose", flat=True))
    return {
        purpose: field
        for purpose, field in secret_fields(edit.after).items()
        if purpose not in stored or _account(edit.before, purpose) != _account(edit.after, purpose)
    }


def _account(spec: HubSpec, purpose: str) -> list[str]:
    return [getattr(spec, name) for name in ACCOUNTS[purpose]]


def _changed(form: ChangeForm, name: str, before: HubSpec, after: HubSpec) -> Changed:
    field = form.fields[name]
    now, then = (_in_words(field, typed(spec).get(name)) for spec in (before, after))
    return Changed(str(field.label), now, then)


def _in_words(field: forms.Field, value: Any) -> str:
    """As the form shows it: a choice by its label, several words with commas."""
    if isinstance(field, forms.BooleanField):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(value)
    if isinstance(field, forms.ChoiceField):
        labels = {str(key): str(label) for key, label in _flat(field.choices)}
        return labels.get(str(value), str(value or ""))
    return f"{value:g}" if isinstance(value, float) else str("" if value is None else value)


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    flat: list[tuple[Any, Any]] = []
    for key, label in choices:
        flat += label if isinstance(label, list) else [(key, label)]
    return flat
