"""What was found wrong inside a hub, kept with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deployments.diagnosis import Diagnosis
from deployments.models import Checkup, Deployment
from deployments.states import Health
from worker.inside import bounds

#: In the intervals of health checks: how long a hub that is well is left alone, and one that is not.
WELL, ILL = 2.0, 0.2


def failing(hub: Deployment) -> list[str]:
    """What the newest health check had to say against the hub."""
    newest = hub.health_checks.order_by("-at").first()
    return [newest.summary] if newest and newest.health == Health.UNHEALTHY and newest.summary else []


def keep(hub: Deployment, found: Sequence[Diagnosis]) -> None:
    """Remembers the diagnoses until the next look."""
    now = timezone.now()
    told = [{key: value for key, value in each.items() if key != "lasting"} for each in bounds.plain(found)]
    Checkup.objects.update_or_create(
        deployment=hub,
        defaults={"at": now, "due_at": now + pause(bool(found) or hub.health == Health.UNHEALTHY), "found": told},
    )


def pause(ill: bool) -> timedelta:
    return timedelta(seconds=settings.SLIPWAY_HEALTH_SECONDS * (ILL if ill else WELL))
