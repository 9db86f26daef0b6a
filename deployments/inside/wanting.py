"""Looks are wanted as long as somebody has a page open, filled in by a worker, and forgotten then."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from deployments import events
from deployments.dispatch import wake_workers
from deployments.inside.subjects import Subject
from deployments.models import Deployment, Look
from deployments.states import Lifecycle

#: A page says so often that it is still open; one that has not for so long is closed.
WANTED = timedelta(seconds=20)
#: Things of one hub that are looked at side by side; those wanted longest ago give way.
MOST = 12
CLUSTER = "cluster"


def closed(hub: Deployment) -> str:
    """Why nobody can look inside; "" when they can. The ledger knows whether there is a cluster of ours."""
    if hub.lifecycle == Lifecycle.STOPPED:
        return "Its machines are switched off. Start the hub to look inside."
    if hub.resources.filter(kind=CLUSTER, seen_at__isnull=False, gone_at=None).exists():
        return ""
    if hub.lifecycle in (Lifecycle.REQUESTED, Lifecycle.PROVISIONING):
        return "Its cluster does not exist yet. As soon as Azure has made it, you see here what runs on it."
    return "Its cluster does not exist any more."


def want(hub: Deployment, subject: Subject) -> Look:
    """Asks for the look, or for it to be kept up, and returns what is known by now."""
    now = timezone.now()
    with transaction.atomic():
        look, made = Look.objects.get_or_create(
            deployment=hub, subject=str(subject), defaults={"wanted_until": now + WANTED, "due_at": now}
        )
        if made:
            _make_room(hub)
        lapsed = look.wanted_until < now
        if look.wanted_until < now + WANTED / 2:
            Look.objects.filter(id=look.id).update(wanted_until=now + WANTED)
        if made or lapsed:
            wake_workers()
    return look


def _make_room(hub: Deployment) -> None:
    newest = hub.looks.order_by("-wanted_until", "-id").values_list("id", flat=True)[:MOST]
    hub.looks.exclude(id__in=list(newest)).delete()


def due(now: datetime) -> QuerySet[Look]:
    """Wanted, and not looked at lately; nobody is at it."""
    return Look.objects.filter(due_at__lte=now, wanted_until__gt=now)


def wanted(now: datetime) -> bool:
    """Whether somebody looks at anything."""
    return Look.objects.filter(wanted_until__gt=now).exists()


def work(now: datetime) -> bool:
    """Whether there is something to look at, or to forget."""
    return Look.objects.filter(Q(due_at__lte=now) | Q(wanted_until__lte=now)).exists()


def forget(now: datetime) -> int:
    """Removes what nobody wants to see any more."""
    return Look.objects.filter(wanted_until__lte=now).delete()[0]


def channel(hub_id: UUID, subject: str) -> str:
    """The Redis channel that says when the look has been filled in anew; the same for one that was forgotten since."""
    return f"slipway:look:{hub_id}:{subject}"


def tell(look: Look) -> None:
    """Wakes the pages that wait for the look."""
    events.publish(channel(look.deployment_id, look.subject), str(look.id))
