"""Old logs, packed: a stretch of lines becomes one row, in the same transaction in which the lines are deleted.

Whoever first reads the lines and then, where some are missing, the archives, sees each line (deployments/log.py). What
a person decided stays a line: who did what is asked for years later.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from deployments.models import Event, LogArchive, Operation
from deployments.states import Lifecycle, OperationStatus

#: Lines packed and deleted at a time: a few milliseconds' work.
STRETCH = 1000
GONE = [status.value for status in Lifecycle if status.look.final]
#: A run that ended so may be tried again.
UNFINISHED = [OperationStatus.FAILED, OperationStatus.CANCELLED]


def due(now: datetime) -> QuerySet[Operation]:
    """Runs that ended long ago and whose newest line is old too; not the one that a hub still stands at."""
    if not settings.SLIPWAY_LOG_DAYS:
        return Operation.objects.none()
    before = now - timedelta(days=settings.SLIPWAY_LOG_DAYS)
    quiet = Event.objects.filter(operation=OuterRef("id"), number=OuterRef("event_count"), at__lt=before)
    later = Operation.objects.filter(deployment=OuterRef("deployment"), created_at__gt=OuterRef("created_at"))
    stands_at = Q(status__in=UNFINISHED) & ~Q(deployment__lifecycle__in=GONE) & ~Exists(later)
    return Operation.objects.filter(Exists(quiet), log_archived=False, finished_at__lt=before).exclude(stands_at)


def archive_stretch(operation_id: UUID, most: int = STRETCH) -> int:
    """Archives the oldest lines that the run still has and no person wrote; returns how many, 0 when there are none."""
    with transaction.atomic():
        operation = Operation.objects.select_for_update().get(id=operation_id)
        lines = list(operation.events.filter(by=None).order_by("number")[:most])
        if lines:
            first, last = lines[0].number, lines[-1].number
            LogArchive.objects.create(operation=operation, first=first, last=last, data=pack(lines))
            operation.events.filter(number__lte=last, by=None).delete()
        if not lines or last == operation.event_count:
            Operation.objects.filter(id=operation_id).update(log_archived=True)
    return len(lines)


def archived(operation: Operation, first: int, last: int) -> list[Event]:
    """The lines with these numbers that are in archives, oldest first."""
    stretches = LogArchive.objects.filter(operation=operation, first__lte=last, last__gte=first).order_by("first")
    lines = (line for stretch in stretches for line in unpack(operation, stretch.data))
    return [line for line in lines if first <= line.number <= last]


def pack(lines: Iterable[Event]) -> bytes:
    rows = [[line.number, line.at.isoformat(), line.level, line.step, line.message] for line in lines]
    return zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode())


def unpack(operation: Operation, data: bytes | memoryview) -> list[Event]:
    """The lines as they were, though no longer rows."""
    return [
        Event(
            operation=operation, number=number, at=datetime.fromisoformat(at), level=level, step=step, message=message
        )
        for number, at, level, step, message in json.loads(zlib.decompress(data))
    ]
