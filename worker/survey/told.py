"""What a look tells, and how it is kept: first and last seen, until a look no longer tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from deployments import services
from deployments.events import Line, record
from deployments.models import Deployment, Discrepancy, Operation
from deployments.states import DiscrepancyKind, Level, OperationStatus


@dataclass(frozen=True)
class Told:
    """One hub of which the cloud and our records tell different things; `details` as the model has them."""

    kind: DiscrepancyKind
    owner: str
    deployment: Deployment | None
    details: list[dict[str, Any]]


def unsettled(at: datetime) -> QuerySet[Operation]:
    """What is being done to hubs now, or was so lately that Azure's lists may not show it yet.

    No discrepancy is told of such a hub: it is on its way.
    """
    lately = at - timedelta(seconds=settings.SLIPWAY_LIST_LAG_SECONDS)
    open_runs = Q(status__in=[OperationStatus.RUNNING, OperationStatus.WAITING])
    return Operation.objects.filter(open_runs | Q(finished_at__gt=lately))


def keep(place: str, told: Iterable[Told], at: datetime, passed_over: set[str]) -> None:
    """Brings what is remembered of a place in line with what was told; `passed_over` are owners nobody looked at."""
    kept = [row for each in told if (row := _keep(place, each, at)) is not None]
    gone = Discrepancy.objects.filter(place=place).exclude(id__in=kept)
    gone.exclude(owner__in=passed_over).delete()


def _keep(place: str, told: Told, at: datetime) -> int | None:
    """The row's number; None where there is none, since something is being done to the hub by now."""
    with transaction.atomic():
        if told.deployment is not None:
            services.hold(told.deployment.id)
            if unsettled(at).filter(deployment=told.deployment).exists():
                return _known(place, told)
        row, new = Discrepancy.objects.get_or_create(
            kind=told.kind,
            place=place,
            owner=told.owner,
            defaults={"deployment": told.deployment, "details": told.details, "first_seen": at, "last_seen": at},
        )
        changed = row.details != told.details
        values: dict[str, Any] = {"last_seen": at, "deployment": told.deployment, "details": told.details}
        Discrepancy.objects.filter(id=row.id).update(**values | (AFRESH if changed else {}))
        if (new or changed) and told.kind != DiscrepancyKind.LEFT_OVER and told.deployment is not None:
            _announce(told.deployment.id, told)
    return row.id


def _known(place: str, told: Told) -> int | None:
    """What was told before stays as it was, as long as something is being done about it."""
    before = Discrepancy.objects.filter(kind=told.kind, place=place, owner=told.owner)
    return before.values_list("id", flat=True).first()


#: What somebody left as it was is asked about again when it is another thing by now.
AFRESH = {"accepted_by": None, "accepted_at": None}


def _announce(hub: UUID, told: Told) -> None:
    """One line where the hub's page shows it: in the log of what was last done to it."""
    newest = Operation.objects.filter(deployment=hub).order_by("-created_at").first()
    if newest is None:
        return
    if told.kind == DiscrepancyKind.GONE:
        names = ", ".join(f"{each['kind']} {each['name']}" for each in told.details)
        line = Line(f"Gone from the cloud, and not by Slipway: {names}.", Level.WARNING)
    else:
        line = Line(f"Changed by hand: {' '.join(each['what'] for each in told.details)}", Level.WARNING)
    record(newest.id, [line])
