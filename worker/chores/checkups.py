"""Whether something is wrong inside hubs: each is looked at now and then, and soon when it does not serve."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from cloud.errors import SlipwayError
from deployments.diagnosis import diagnose
from deployments.inside import wanting
from deployments.models import Checkup, Deployment
from deployments.states import Health
from worker.chores import health
from worker.inside import checkup
from worker.inside.hub import Inside
from worker.symptoms import gather

log = logging.getLogger(__name__)

#: Hubs looked at at once, and in one job.
WIDTH, BATCH = 8, 200


def due(now: datetime) -> QuerySet[Deployment]:
    """Hubs that serve, or should, and were not looked at lately. A run looks after its hub itself."""
    come = Q(checkup=None) | Q(checkup__due_at__lte=now)
    ill = Q(health=Health.UNHEALTHY, checkup__due_at__gt=now + checkup.pause(ill=True))
    return health.serving().filter(come | ill)


def check_up(now: Callable[[], datetime] = timezone.now) -> int:
    """Looks inside every hub that is due; returns how many it looked at."""
    found = due(now()).select_related("checkup", "serving").order_by("checkup__due_at")[:BATCH]
    hubs = [hub for hub in found if _claim(hub, now())]
    with ThreadPoolExecutor(WIDTH, thread_name_prefix="checkup") as pool:
        list(pool.map(_look, hubs))
    return len(hubs)


def _claim(hub: Deployment, now: datetime) -> bool:
    """Whether it is ours to look at: two workers do not look at once."""
    seen: Checkup | None = getattr(hub, "checkup", None)
    again = now + checkup.pause(ill=True)
    if seen is None:
        return Checkup.objects.get_or_create(deployment=hub, defaults={"due_at": again})[1]
    return bool(Checkup.objects.filter(id=seen.id, due_at=seen.due_at).update(due_at=again))


def _look(hub: Deployment) -> None:
    inside = Inside(hub)
    try:
        if not wanting.closed(hub):
            symptoms = gather(inside.open(), inside.namespace, timezone.now(), unhealthy=checkup.failing(hub))
            checkup.keep(hub, diagnose(symptoms))
    except SlipwayError as error:
        log.info("Nobody could look inside %s: %s", hub.id, error)
        inside.renew()
    finally:
        inside.close()
        connection.close()
