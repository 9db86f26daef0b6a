"""What is done without anybody asking: looking after hubs and subscriptions, minding last days, writing to owners,
comparing the cloud with our records, packing old logs."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from deployments import archive, grounds, tagging
from worker.chores import checkups, ends, health, letters, survey


def due(now: datetime) -> list[str]:
    """The jobs whose time has come."""
    today = timezone.localdate(now)
    found = {
        "worker.jobs.check_health": health.due(now).exists(),
        "worker.jobs.check_up": checkups.due(now).exists(),
        "worker.jobs.mind_ends": bool(ends.due(today)),
        "worker.jobs.send_letters": bool(letters.due(now)),
        "worker.jobs.follow_registrations": bool(grounds.changing()),
        "worker.jobs.keep_tags": tagging.stale().exists(),
        "worker.jobs.survey": survey.due(now),
        "worker.jobs.archive_logs": archive.due(now).exists(),
    }
    return [job for job, is_due in found.items() if is_due]
