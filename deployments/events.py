"""The one writer of events: redacts, numbers, wakes whoever watches."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import redis
from django.db import connection, transaction

from accounts.models import User
from deployments import broker
from deployments.models import Event, Operation
from deployments.redaction import redact
from deployments.states import Level

log = logging.getLogger(__name__)

#: Redis channel that carries "there is something new" for every operation; the payload is the operation's id.
CHANNEL = "slipway:events"
LONGEST = 4000
RAISE = f"UPDATE {Operation._meta.db_table} SET event_count = event_count + %s, log_archived = FALSE WHERE id = %s"


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

    With `fence`, only the operation's present holder may write.

    :raises FenceLost: when `fence` is no longer the operation's.
    """
    # Whoever has begun a transaction loses all of it with the fence: a savepoint would only cost time.
    with transaction.atomic(savepoint=False):
        last = _counted(operation_id, len(lines), fence)
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


def _counted(operation_id: UUID, more: int, fence: int | None) -> int:
    """Raises the log's counter by one conditional UPDATE and returns where it stands now.

    So two writers never share a number, and a number once given is never missing. In SQL, because Django's UPDATE does
    not return what it wrote and a worker spends much of its time here (`make bench ARGS=workshop`).
    """
    key = Operation._meta.pk.get_db_prep_value(operation_id, connection)
    holder, held = (" AND fence = %s", [fence]) if fence is not None else ("", [])
    with connection.cursor() as cursor:
        cursor.execute(f"{RAISE}{holder} RETURNING event_count", [more, key, *held])
        row = cursor.fetchone()
    if row is None:
        raise FenceLost(str(operation_id))
    return int(row[0])


def wake(operation_id: UUID) -> None:
    """Tells watchers to look at the database now. Without Redis they look by themselves a little later."""
    publish(CHANNEL, str(operation_id))


def publish(channel: str, payload: str) -> None:
    """Says something to whoever listens just now."""
    try:
        broker.client().publish(channel, payload)
    except redis.RedisError as error:
        log.warning("Nobody was woken, watchers will look by themselves: %s", error)
