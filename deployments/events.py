"""The one writer of events: redacts, numbers, wakes whoever watches."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import redis
from django.db import transaction
from django.db.models import F

from accounts.models import User
from deployments import broker
from deployments.models import Event, Operation
from deployments.redaction import redact
from deployments.states import Level

log = logging.getLogger(__name__)

#: Redis channel that carries "there is something new" for every operation; the payload is the operation's id.
CHANNEL = "slipway:events"
LONGEST = 4000


@dataclass(frozen=True)
class Line:
    """One line to record."""

    message: str
    level: Level = Level.INFO
    step: str = ""
    #: The person whose decision it tells of: such lines answer who did what.
    by: User | None = None


class FenceLost(Exception):
    """Another worker has claimed the operation, or it has ended: what this one wanted to record is void."""


def record(operation_id: UUID, lines: Sequence[Line], *, fence: int | None = None) -> int:
    """Appends lines to the operation's log and returns the number of the last one.

    The counter is raised by one conditional UPDATE, so two writers never share a number and a number once given is
    never missing. With `fence`, only the operation's present holder may write.

    :raises FenceLost: when `fence` is no longer the operation's.
    """
    with transaction.atomic():
        mine = Operation.objects.filter(id=operation_id)
        if fence is not None:
            mine = mine.filter(fence=fence)
        if not mine.update(event_count=F("event_count") + len(lines), log_archived=False):
            raise FenceLost(str(operation_id))
        last = Operation.objects.values_list("event_count", flat=True).get(id=operation_id)
        first = last - len(lines) + 1
        Event.objects.bulk_create(
            Event(
                operation_id=operation_id,
                number=first + index,
                level=line.level,
                step=line.step,
                by=line.by,
                message=redact(line.message)[:LONGEST],
            )
            for index, line in enumerate(lines)
        )
        transaction.on_commit(lambda: wake(operation_id))
    return last


def wake(operation_id: UUID) -> None:
    """Tells watchers to look at the database now. Without Redis they look by themselves a little later."""
    publish(CHANNEL, str(operation_id))


def publish(channel: str, payload: str) -> None:
    """Says something to whoever listens just now."""
    try:
        broker.client().publish(channel, payload)
    except redis.RedisError as error:
        log.warning("Nobody was woken, watchers will look by themselves: %s", error)
