"""Two descriptions of one hub side by side: a revision and the one before it, or what a small change would make."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.db.models import Q

from deployments.costs import spec_cost
from deployments.editing import CONSEQUENCES, Changed, Edit
from deployments.forms import SpecForm
from deployments.models import Deployment, SpecRevision
from deployments.services.changing import costs_more
from deployments.spec import HubSpec
from deployments.states import OperationKind, OperationStatus

#: Runs that bring a description to the hub.
APPLYING = (OperationKind.PROVISION, OperationKind.CHANGE)
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


def _label(name: str) -> str:
    field = SpecForm.base_fields.get(name)
    return LABELS.get(name) or (str(field.label) if field else name.replace("_", " ").capitalize())


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value or "")
