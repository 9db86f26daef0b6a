"""Wakes workers. Jobs are named by dotted string, carry ids only, and may be lost: the sweep sends them again."""

from __future__ import annotations

import logging
from uuid import uuid4

import django_rq
import redis
from django.db import transaction

log = logging.getLogger(__name__)


def wake_workers() -> None:
    """After the transaction: some operation is due now."""
    send("operations", "worker.jobs.run_due")


def are_waiting(queue: str) -> bool:
    """Whether a job stands in this queue that no worker has taken; not as far as anybody knows, when Redis is lost."""
    try:
        return bool(django_rq.get_queue(queue).count)
    except redis.RedisError:
        return False


def send(queue: str, job: str, *args: str) -> None:
    """Enqueues after the present transaction has committed; a lost Redis costs only time."""
    transaction.on_commit(lambda: _enqueue(queue, job, args))


def _enqueue(queue: str, job: str, args: tuple[str, ...]) -> None:
    try:
        django_rq.get_queue(queue).enqueue(job, *args, job_id=uuid4().hex, result_ttl=0, failure_ttl=86_400)
    except redis.RedisError as error:
        log.warning("No worker was woken for %s, the sweep will do it: %s", job, error)
