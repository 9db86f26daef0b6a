"""Two descriptions of one hub side by side: a revision and the one before it, or what a small change would make."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.db.models import Q

from deployments import outside
from deployments.costs import spec_cost
from deployments.editing import CONSEQUENCES, Changed, Edit
from deployments.forms import SpecForm
from deployments.models import Deployment, SpecRevision
from deployments.running import APPLYING
from deployments.services.changing import costs_more
from deployments.spec import HubSpec
from deployments.states import OperationStatus
from deployments.values.registry import image_prefix

#: What a hub's page says of a description in its own places and words.
APART = (
    "name", "purpose", "subscription_id", "region", "node_size", "node_count", "kubernetes_version", "image_prefix",
    "keep_until", "chart_version", "contact_email", "registry", "docker_username", "docker_organisation", "access",
    "github_everyone", "github_organisations", "github_client_id", "registry_address", "registry_project", "overlay",
    "user_node_size", "user_nodes_min", "user_nodes_max",
)  # fmt: skip
#: Fields that no form asks for under a label of their own.
LABELS = {"chart_version": "Version of the chart", "github_everyone": "Everyone with a GitHub account"}


def compared(hub: Deployment, before: HubSpec, after: HubSpec) -> Edit:
    """Everything in which they differ, in words."""
    names = [field.name for field in fields(HubSpec) if getattr(before, field.name) != getattr(after, field.name)]
    return Edit(
        hub=hub,
        before=before,
        after=after,
        changed=[Changed(_label(name), _words(getattr(before, name)), _words(getattr(after, name))) for name in names],
        consequences=list(dict.fromkeys(CONSEQUENCES[name] for name in names if name in CONSEQUENCES)),
        cost_before=spec_cost(before),
        cost_after=spec_cost(after),
        costs_more=costs_more(before, after),
    )


def revision_change(revision: SpecRevision) -> Edit | None:
    """What a revision changes in the one that was served before it; None for the first."""
    earlier = SpecRevision.objects.filter(deployment=revision.deployment_id, number__lt=revision.number)
    applied = Q(operations__status=OperationStatus.SUCCEEDED, operations__kind__in=APPLYING)
    before = earlier.filter(applied).order_by("-number").first() or earlier.order_by("-number").first()
    return compared(revision.deployment, before.spec, revision.spec) if before else None


def told(spec: HubSpec) -> list[tuple[str, str]]:
    """Everything that the description says beyond the plain case, as label and words."""
    said = [(name, getattr(spec, name)) for name in (field.name for field in fields(HubSpec)) if name not in APART]
    return [(_label(name), _words(value)) for name, value in said if value]


def image_prefix_of(hub: Deployment, spec: HubSpec) -> str:
    """How the name of every image of the hub begins."""
    return image_prefix(spec, hub.names, outside.registry_host(spec, hub.names))


def _label(name: str) -> str:
    field = SpecForm.base_fields.get(name)
    return LABELS.get(name) or (str(field.label) if field else name.replace("_", " ").capitalize())


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value or "")
