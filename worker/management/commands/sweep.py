"""`manage.py sweep`: sends work to the queue whenever the database says that something is due."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from datetime import timedelta
from typing import Any

import django_rq
import redis
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections
from django.db.models import Min, Q
from django.utils import timezone

from deployments.dispatch import send
from deployments.heartbeat import Heart
from deployments.inside import wanting
from deployments.models import CatalogueEntry, Deployment, Operation
from deployments.states import Lifecycle, SecretState
from deployments.upkeep import unused_secrets
from portal.refusals import require_none
from worker import chores
from worker.lookouts import anything_waits

log = logging.getLogger(__name__)

BEAT = 0.5
#: Chores are thought of so often (seconds).
CHORES = 15.0


class Command(BaseCommand):
    help = "Wakes workers for whatever is due. Redis may lose everything: the next beat sends it again."

    def handle(self, *args: Any, **options: Any) -> None:
        require_none()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        next_chores, heart = 0.0, Heart()
        while not stop.wait(BEAT):
            try:
                wake_for_operations()
                if time.monotonic() >= next_chores:
                    wake_for_chores()
                    next_chores = time.monotonic() + CHORES
                heart.beat()
            except (redis.RedisError, DatabaseError, OSError) as error:
                log.warning("This beat of the sweep failed, the next one tries again: %s", error)
            close_old_connections()
        with contextlib.suppress(redis.RedisError):
            heart.stop()


def wake_for_operations() -> None:
    """One job is enough for everything that is due or watched, looks included; none is sent while one waits already."""
    due = Operation.objects.due().exists() or anything_waits() or wanting.work(timezone.now())
    if due and django_rq.get_queue("operations").count == 0:
        send("operations", "worker.jobs.run_due")


def wake_for_chores() -> None:
    """Chores whose time has come, unless they wait in the queue already."""
    if django_rq.get_queue("chores").count:
        return
    if _catalogue_is_stale():
        send("chores", "worker.jobs.refresh_catalogue")
    long_ago = timezone.now() - timedelta(minutes=10)
    broken = Deployment.objects.filter(
        lifecycle=Lifecycle.REQUESTED, created_at__lt=long_ago, secrets__state=SecretState.PENDING
    )
    if unused_secrets().exists() or broken.exists():
        send("chores", "worker.jobs.purge_unused_secrets")
    for job in chores.due(timezone.now()):
        send("chores", job)


def _catalogue_is_stale() -> bool:
    entries = CatalogueEntry.objects.exclude(Q(key__startswith="price:") | Q(key="charts"))
    oldest = entries.aggregate(oldest=Min("fetched_at"))["oldest"]
    limit = timezone.now() - timedelta(seconds=settings.SLIPWAY_CATALOGUE_SECONDS)
    return oldest is None or oldest < limit
