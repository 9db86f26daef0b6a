"""Packs old logs as the worker's chore does, and times each transaction: `python -m bench.archiving LINES`.

Then deletes as many lines in one statement, the alternative, and takes that back. Prints JSON, milliseconds and bytes.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import django


def main(wanted: int) -> None:
    django.setup()
    print(json.dumps({"packed": packed(wanted), "beside": deleted_at_once(wanted)}))


def packed(wanted: int) -> dict[str, Any]:
    """The oldest runs' logs, until so many lines are archived."""
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from deployments import archive

    settings.SLIPWAY_LOG_DAYS = 30
    taken, lines, began = [], 0, time.perf_counter()
    for operation_id in archive.due(timezone.now()).order_by("finished_at").values_list("id", flat=True):
        stretch = archive.STRETCH
        while stretch == archive.STRETCH and lines < wanted:
            before = time.perf_counter()
            lines += (stretch := archive.archive_stretch(operation_id))
            taken.append((time.perf_counter() - before) * 1000)
        if lines >= wanted:
            break
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(length(data)) FROM deployments_logarchive")
        size = int(cursor.fetchone()[0])
    return {
        "lines": lines,
        "seconds": seconds,
        "transactions": len(taken),
        "median": statistics.median(taken),
        "longest": max(taken),
        "bytes_a_line": size / lines,
    }


def deleted_at_once(wanted: int) -> dict[str, Any]:
    from django.db import connection, transaction

    oldest = "SELECT id FROM deployments_event ORDER BY id LIMIT %s"
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM deployments_event WHERE id IN ({oldest})", [wanted])
        gone = cursor.rowcount
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('deployments_event') / (SELECT count(*) FROM deployments_event)")
        size = int(cursor.fetchone()[0])
    return {"lines": gone, "seconds": time.perf_counter() - began, "bytes_a_line": size}


if __name__ == "__main__":
    main(int(sys.argv[1]))
