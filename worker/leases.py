"""Who holds an operation: taken by conditional writes, many at a time, kept while it is moved, given back unmoved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from deployments import metering
from deployments.models import Operation
from deployments.states import OperationStatus


def claim(limit: int, now: Callable[[], datetime] = timezone.now) -> list[tuple[UUID, int]]:
    """Takes up to `limit` due operations, the longest due first; returns (id, fence) of those nobody else took."""
    due = Operation.objects.due(now()).order_by("next_due_at")
    if not due.exists():
        return []
    lease_until = now() + timedelta(seconds=settings.SLIPWAY_LEASE_SECONDS)
    with transaction.atomic():
        # PostgreSQL locks the rows and leaves out those that somebody else is taking; SQLite lets one write at a time.
        columns = ("id", "fence", "lease_until")
        taken = list(due.select_for_update(skip_locked=True).values_list(*columns)[:limit])
        Operation.objects.filter(id__in=[operation_id for operation_id, _, _ in taken]).update(
            fence=F("fence") + 1, lease_until=lease_until, started_at=Coalesce(F("started_at"), Value(now()))
        )
    if silent := sum(silent_since is not None for _, _, silent_since in taken):
        metering.count("slipway_leases_taken_over_total", silent)
    return [(operation_id, fence + 1) for operation_id, fence, _ in taken]


def renew(held: Mapping[UUID, int], now: Callable[[], datetime] = timezone.now) -> None:
    """Keeps the leases of operations that are being moved. One that was given back meanwhile stays free."""
    lease_until = now() + timedelta(seconds=settings.SLIPWAY_LEASE_SECONDS)
    with transaction.atomic():
        for mine in _mine(held):
            mine.filter(status=OperationStatus.RUNNING, lease_until__isnull=False).update(lease_until=lease_until)


def give_back(held: Mapping[UUID, int]) -> None:
    """Lets go of operations that were not moved; they are as long due as they were."""
    with transaction.atomic():
        for mine in _mine(held):
            mine.update(lease_until=None)


def unwanted(held: Mapping[UUID, int]) -> list[UUID]:
    """Those that somebody has asked to cancel since."""
    asked = Operation.objects.filter(id__in=list(held), cancel_requested=True)
    return list(asked.values_list("id", flat=True))


def _mine(held: Mapping[UUID, int]) -> Iterator[QuerySet[Operation]]:
    """One query for each fence: most operations have the same few."""
    by_fence: dict[int, list[UUID]] = defaultdict(list)
    for operation_id, fence in held.items():
        by_fence[fence].append(operation_id)
    for fence, ids in by_fence.items():
        yield Operation.objects.filter(id__in=ids, fence=fence)
