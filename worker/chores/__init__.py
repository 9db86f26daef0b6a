"""What is done without anybody asking: looking after hubs, minding their last day, letters, packing old logs."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from deployments import archive
from worker.chores import ends, health, letters


def due(now: datetime) -> list[str]:
    """The jobs whose time has come."""
    today = timezone.localdate(now)
    found = {
        "worker.jobs.check_health": health.due(now).exists(),
        "worker.jobs.mind_ends": bool(ends.due(today)),
        "worker.jobs.send_letters": bool(letters.due(now)),
        "worker.jobs.archive_logs": archive.due(now).exists(),
    }
    return [job for job, is_due in found.items() if is_due]
