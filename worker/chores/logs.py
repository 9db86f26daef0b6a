"""Logs of runs that ended long ago leave the table of lines, a stretch at a time, and stay readable."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from deployments.archive import STRETCH, archive_stretch, due

#: Longest that one job goes on (seconds); the next sweep sends another.
BUDGET = 30.0
RUNS = 1000


def archive_logs(now: Callable[[], datetime] = timezone.now, budget: float = BUDGET) -> int:
    """Archives what is due; returns how many lines."""
    end, moved = time.monotonic() + budget, 0
    for operation_id in due(now()).order_by("finished_at").values_list("id", flat=True)[:RUNS]:
        stretch = STRETCH
        while stretch == STRETCH and time.monotonic() < end:
            moved += (stretch := archive_stretch(operation_id))
    return moved
