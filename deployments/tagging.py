"""The last day of a hub as a tag of its resource group, for whoever looks at the subscription in the Azure portal."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet

from deployments.models import Deployment, Notice, Operation
from deployments.states import Lifecycle, OperationStatus

TAG = "slipway-keep-until"
#: How it is noted which day Azure was told.
KIND = "azure-tag"


def tags(hub: Deployment) -> dict[str, str]:
    """All tags of the hub's resource group."""
    return {**hub.names.tags, TAG: hub.keep_until.isoformat()}


def note(hub_id: UUID, day: date) -> None:
    """Azure was told this day."""
    Notice.objects.get_or_create(deployment_id=hub_id, kind=KIND, keep_until=day)


def stale() -> QuerySet[Deployment]:
    """Hubs that are kept longer than Azure was told. While something is being done to one, that goes first."""
    told = Notice.objects.filter(deployment=OuterRef("pk"), kind=KIND)
    at_work = Operation.objects.filter(deployment=OuterRef("pk"), status=OperationStatus.RUNNING)
    standing = Deployment.objects.filter(lifecycle__in=[Lifecycle.READY, Lifecycle.STOPPED])
    return standing.filter(Exists(told), ~Exists(told.filter(keep_until=F("deployment__keep_until"))), ~Exists(at_work))
