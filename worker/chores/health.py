"""Whether hubs serve: each is asked every few minutes at its public address, and the answers are kept for a month."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cloud import binderhub
from cloud.errors import SlipwayError
from deployments.events import Line, record
from deployments.models import Deployment, HealthCheck, Operation
from deployments.redaction import redact
from deployments.states import Health, Level, Lifecycle, OperationStatus
from deployments.strip import KEPT_DAYS

log = logging.getLogger(__name__)

#: Hubs asked at once, and in one job.
WIDTH, BATCH = 8, 200
#: A hub that does not answer is asked again so many times as often.
SOONER = 5


@dataclass(frozen=True)
class Seen:
    """What one look told."""

    health: Health
    summary: str


def due(now: datetime) -> QuerySet[Deployment]:
    """Hubs that serve and were not looked at lately."""
    return serving().filter(Q(health_due_at=None) | Q(health_due_at__lte=now))


def serving() -> QuerySet[Deployment]:
    """Hubs that serve. While something is being done to a hub, that run looks at it."""
    at_work = Operation.objects.filter(status=OperationStatus.RUNNING).values("deployment")
    return Deployment.objects.filter(lifecycle=Lifecycle.READY).exclude(id__in=at_work)


def check_health(now: Callable[[], datetime] = timezone.now) -> int:
    """Looks at every hub that is due; returns how many it looked at."""
    hubs = [hub for hub in due(now()).order_by("health_due_at")[:BATCH] if _claim(hub, now())]
    with ThreadPoolExecutor(WIDTH, thread_name_prefix="health") as pool:
        for hub, seen in zip(hubs, pool.map(look, [hub.address for hub in hubs]), strict=True):
            _note(hub, seen, now())
    long_ago = now() - timedelta(days=KEPT_DAYS)
    HealthCheck.objects.filter(deployment__in=[hub.id for hub in hubs], at__lt=long_ago).delete()
    return len(hubs)


def look(address: str) -> Seen:
    """Asks the hub itself. What it says of Docker Hub or its own parts counts where it says so."""
    try:
        told = binderhub.health(address)
    except SlipwayError as error:
        return Seen(Health.UNHEALTHY, redact(error.user_message)[:300])
    failing = [check.service for check in told.checks if not check.ok and check.counts]
    if told.ok and not failing:
        return Seen(Health.HEALTHY, "")
    return Seen(Health.UNHEALTHY, f"The hub says of itself: {', '.join(failing) or 'not well'}"[:300])


def _claim(hub: Deployment, now: datetime) -> bool:
    """Whether it is ours to look at: two workers do not look at once."""
    mine = Deployment.objects.filter(id=hub.id, health_due_at=hub.health_due_at)
    return bool(mine.update(health_due_at=now + timedelta(seconds=settings.SLIPWAY_HEALTH_SECONDS)))


def _note(hub: Deployment, seen: Seen, now: datetime) -> None:
    """Keeps what was seen, unless something has begun to be done to the hub meanwhile."""
    with transaction.atomic():
        standing = Deployment.objects.select_for_update().filter(id=hub.id, lifecycle=Lifecycle.READY)
        if not standing.exists() or hub.operations.filter(status=OperationStatus.RUNNING).exists():
            return
        HealthCheck.objects.create(deployment=hub, at=now, health=seen.health, summary=seen.summary)
        if standing.exclude(health=seen.health).update(health=seen.health):
            _tell(hub, seen)
        standing.update(health_checked_at=now)
        if seen.health != Health.HEALTHY:
            standing.update(health_due_at=now + timedelta(seconds=settings.SLIPWAY_HEALTH_SECONDS / SOONER))


def _tell(hub: Deployment, seen: Seen) -> None:
    """One line where the hub's page shows it: in the log of what was last done to it."""
    newest = hub.operations.order_by("-created_at").first()
    if newest is None:
        return
    well = seen.health == Health.HEALTHY
    line = Line("The hub answers again.", Level.SUCCESS) if well else Line(_ill(seen), Level.WARNING)
    record(newest.id, [line])


def _ill(seen: Seen) -> str:
    return f"The hub does not serve as it should. {seen.summary}".strip()
