"""Whether hubs serve: each is asked every few minutes at its public address, and the answers are kept for a month."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cloud import binderhub, dns
from cloud.certificates import Certificate
from cloud.certificates import look as certificate_at
from cloud.errors import SlipwayError
from deployments import outside
from deployments.events import Line, record
from deployments.models import Deployment, HealthCheck, Operation
from deployments.redaction import redact
from deployments.states import Health, Level, Lifecycle, OperationStatus
from deployments.strip import KEPT_DAYS
from worker.chores import certificates

log = logging.getLogger(__name__)

#: Hubs asked at once, and in one job.
WIDTH, BATCH = 8, 200
#: A hub that does not answer is asked again so many times as often.
SOONER = 5


@dataclass(frozen=True)
class Visit:
    """Where to look: the hub's address, and what a domain of its own must be an alias of ("" for none)."""

    address: str
    domain: str = ""
    record: str = ""

    @classmethod
    def to(cls, hub: Deployment) -> Self:
        spec = hub.revision.spec
        return cls(hub.address, spec.domain, outside.record_name(spec, hub.names) if spec.domain else "")


@dataclass(frozen=True)
class Seen:
    """What one look told; no certificate of a hub that speaks plain HTTP."""

    health: Health
    summary: str
    certificate: Certificate | None = None


def due(now: datetime) -> QuerySet[Deployment]:
    """Hubs that serve and were not looked at lately."""
    return serving().filter(Q(health_due_at=None) | Q(health_due_at__lte=now))


def serving() -> QuerySet[Deployment]:
    """Hubs that serve. While something is being done to a hub, that run looks at it."""
    at_work = Operation.objects.filter(status=OperationStatus.RUNNING).values("deployment")
    return Deployment.objects.filter(lifecycle=Lifecycle.READY).exclude(id__in=at_work)


def check_health(now: Callable[[], datetime] = timezone.now) -> int:
    """Looks at every hub that is due; returns how many it looked at."""
    come = due(now()).select_related("serving", "owner").order_by("health_due_at")
    hubs = [hub for hub in come[:BATCH] if _claim(hub, now())]
    with ThreadPoolExecutor(WIDTH, thread_name_prefix="health") as pool:
        for hub, seen in zip(hubs, pool.map(look, [Visit.to(hub) for hub in hubs]), strict=True):
            if _note(hub, seen, now()) and seen.certificate is not None:
                certificates.note(hub, seen.certificate, now())
    long_ago = now() - timedelta(days=KEPT_DAYS)
    HealthCheck.objects.filter(deployment__in=[hub.id for hub in hubs], at__lt=long_ago).delete()
    return len(hubs)


def look(visit: Visit) -> Seen:
    """Asks the hub itself. What it says of Docker Hub or its own parts counts where it says so."""
    trust = outside.profile().ca_bundle
    certificate = certificate_at(visit.address, trust) if visit.address.startswith("https:") else None
    try:
        told = binderhub.health(visit.address, trust)
    except SlipwayError as error:
        why = _astray(visit) or redact(error.user_message)
        return Seen(Health.UNHEALTHY, why[:300], certificate)
    failing = [check.service for check in told.checks if not check.ok and check.counts]
    if told.ok and not failing:
        return Seen(Health.HEALTHY, "", certificate)
    why = f"The hub says of itself: {', '.join(failing) or 'not well'}"
    return Seen(Health.UNHEALTHY, why[:300], certificate)


def _astray(visit: Visit) -> str:
    """Why nobody answers at a domain of one's own, when it is its record."""
    try:
        lead = dns.leads_to(outside.profile(), visit.domain, visit.record) if visit.domain else None
    except SlipwayError:
        lead = None
    if lead is None or lead.state == "ok":
        return ""
    return f"{visit.domain} does not lead to the hub: it must be an alias (CNAME) of {visit.record}"


def _claim(hub: Deployment, now: datetime) -> bool:
    """Whether it is ours to look at: two workers do not look at once."""
    mine = Deployment.objects.filter(id=hub.id, health_due_at=hub.health_due_at)
    return bool(mine.update(health_due_at=now + timedelta(seconds=settings.SLIPWAY_HEALTH_SECONDS)))


def _note(hub: Deployment, seen: Seen, now: datetime) -> bool:
    """Keeps what was seen, unless something has begun to be done to the hub meanwhile: then False."""
    with transaction.atomic():
        standing = Deployment.objects.select_for_update().filter(id=hub.id, lifecycle=Lifecycle.READY)
        if not standing.exists() or hub.operations.filter(status=OperationStatus.RUNNING).exists():
            return False
        HealthCheck.objects.create(deployment=hub, at=now, health=seen.health, summary=seen.summary)
        if standing.exclude(health=seen.health).update(health=seen.health):
            _tell(hub, seen)
        standing.update(health_checked_at=now)
        if seen.health != Health.HEALTHY:
            standing.update(health_due_at=now + timedelta(seconds=settings.SLIPWAY_HEALTH_SECONDS / SOONER))
    return True


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
