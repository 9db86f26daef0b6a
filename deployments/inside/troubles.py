"""What is wrong inside a hub, as its page says it at once."""

from __future__ import annotations

from deployments.models import Checkup, Deployment
from deployments.progress import Progress
from deployments.states import Lifecycle


def of(hub: Deployment, progress: Progress) -> Checkup | None:
    """The last look, when it found something. What was found before the newest run ended is about another hub."""
    run = progress.operation
    if hub.lifecycle != Lifecycle.READY or (run is not None and not run.is_final):
        return None
    kept = Checkup.objects.filter(deployment=hub).exclude(found=[]).first()
    if kept is None or kept.at is None or (run is not None and run.finished_at and kept.at < run.finished_at):
        return None
    return kept
