"""What waits for reviewers and administrators: the numbers beside the links of every page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Value

from deployments.models import Deployment, Discrepancy, SpecRevision


@dataclass(frozen=True)
class Todo:
    """`reviews` are requests and changes to decide about, `left_over` hubs' things to look at."""

    reviews: int
    left_over: int


def todo() -> Todo:
    """Everything in one query: this stands on every page."""
    sql, values = _counting()
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        requests, changes, left_over = cursor.fetchone()
    return Todo(requests + changes, left_over)


@cache
def _counting() -> tuple[str, list[Any]]:
    """Written by Django, but once: that takes longer than the database needs to count."""
    sets = (
        Deployment.objects.awaiting_review(),
        SpecRevision.objects.awaiting_review(),
        Discrepancy.objects.for_administrators(),
    )
    written = [each.order_by().values_list(Value(1)).query.sql_with_params() for each in sets]
    counts = ", ".join(f"(SELECT COUNT(*) FROM ({sql}) counted)" for sql, _ in written)
    return f"SELECT {counts}", [value for _, values in written for value in values]
