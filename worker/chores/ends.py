"""The last day of hubs: their owners are warned twice, then the hub is taken down with its receipt."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from deployments import services
from deployments.letters import is_told, tell
from deployments.models import Deployment
from deployments.states import Lifecycle

log = logging.getLogger(__name__)

#: Days before the end on which a warning is sent, the nearest first.
WARNINGS = (1, 7)
STANDING = (Lifecycle.PROVISIONING, Lifecycle.READY, Lifecycle.STOPPED)


def due(today: date) -> list[tuple[Deployment, str]]:
    """Each hub for which something is to be done, with its warning; "" where its day has passed."""
    near = today + timedelta(days=max(WARNINGS))
    hubs = Deployment.objects.filter(keep_until__lte=near, lifecycle__in=[*STANDING, Lifecycle.REQUESTED])
    return list(_due(hubs.select_related("owner", "serving"), today))


def _due(hubs: Iterable[Deployment], today: date) -> Iterator[tuple[Deployment, str]]:
    for hub in hubs:
        days = (hub.keep_until - today).days
        if days < 0:
            yield hub, ""
        elif hub.lifecycle != Lifecycle.REQUESTED:
            kind = f"end-{next(warning for warning in WARNINGS if days <= warning)}"
            if not is_told(hub, kind, hub.keep_until):
                yield hub, kind


def mind_ends(today: date) -> None:
    """Warns, and takes down what was not kept longer."""
    for hub, warning in due(today):
        if not warning:
            services.take_down_expired(hub, today)
            continue
        days = (hub.keep_until - today).days
        when = {0: "tonight", 1: "tomorrow night"}.get(days, f"in {days} days")
        tell(hub, warning, f"{hub.name} is taken down {when}", "mail/end.txt", {"when": when})
