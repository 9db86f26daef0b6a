"""What /metrics tells: facts read from the database when asked, and what all processes have counted.

Whichever web process answers, on whichever machine, the figures are the installation's, not its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import redis
from django.db import DatabaseError
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from deployments import heartbeat, metering
from deployments.models import CatalogueEntry, Deployment, Operation
from deployments.states import Health, Lifecycle, OperationKind, OperationStatus

log = logging.getLogger(__name__)

#: Facts: name → what it tells and its labels. docs/monitoring.md has them all, and a test compares.
FACTS = {
    "slipway_hubs": ("Hubs by where they are in their life and whether they serve.", ("lifecycle", "health")),
    "slipway_runs": ("Runs by kind and status.", ("kind", "status")),
    "slipway_queue_lag_seconds": ("How long the run that is due longest has been due.", ()),
    "slipway_runs_due": ("Runs that are due and that no worker holds.", ()),
    "slipway_leases_expired": ("Running runs whose worker went silent and that nobody took over yet.", ()),
    "slipway_log_lines_total": ("Lines written to the logs of runs.", ()),
    "slipway_catalogue_age_seconds": ("Age of the oldest thing known of what Azure offers.", ()),
    "slipway_last_sweep_seconds": ("How long ago the scheduler last told of itself.", ()),
    "slipway_schedulers": ("Schedulers alive; there should be one.", ()),
    "slipway_workers": ("Workers alive, by what they are at.", ("state",)),
    "slipway_database_up": ("Whether the database answers.", ()),
    "slipway_redis_up": ("Whether Redis answers.", ()),
}


def exposition(accept: str) -> tuple[bytes, str]:
    """The text, in the form that the asker understands best, and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Installation())
    encoder, kind = choose_encoder(accept)
    return encoder(registry), kind


class Installation:
    """Everything that is told; what cannot be read just now is left out, and `…_up` says so."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        metering.flush()
        yield from _told("slipway_database_up", _of_database, DatabaseError)
        yield from _told("slipway_redis_up", _of_redis, redis.RedisError, OSError)


def _told(up: str, read: Callable[[], list[Metric]], *errors: type[Exception]) -> Iterator[Metric]:
    try:
        found, answers = read(), True
    except errors as error:
        log.warning("Some figures could not be read: %s", error)
        found, answers = [], False
    yield from found
    yield _fact(up, {(): float(answers)})


def _of_database() -> list[Metric]:
    now = timezone.now()
    running = Operation.objects.filter(status=OperationStatus.RUNNING)
    due = Operation.objects.due().aggregate(oldest=Min("next_due_at"), count=Count("id"))
    catalogue = CatalogueEntry.objects.exclude(Q(key__startswith="price:") | Q(key="charts"))
    lines = Operation.objects.aggregate(lines=Sum("event_count"))["lines"]
    return [
        _hubs(),
        _runs(),
        _fact("slipway_queue_lag_seconds", {(): _age(due["oldest"], now)}),
        _fact("slipway_runs_due", {(): due["count"]}),
        _fact("slipway_leases_expired", {(): running.filter(lease_until__lt=now).count()}),
        _fact("slipway_log_lines_total", {(): lines or 0}, CounterMetricFamily),
        _fact("slipway_catalogue_age_seconds", _if_known(_oldest(catalogue), now)),
    ]


def _hubs() -> Metric:
    rows = Deployment.objects.order_by().values_list("lifecycle", "health").annotate(Count("id"))
    counts = {(lifecycle.value, Health.UNKNOWN.value): 0 for lifecycle in Lifecycle}
    return _fact("slipway_hubs", counts | {(lifecycle, health): count for lifecycle, health, count in rows})


def _runs() -> Metric:
    rows = Operation.objects.order_by().values_list("kind", "status").annotate(Count("id"))
    # Nought is told too: a figure that appears with its first failure cannot be seen to rise.
    counts = {(kind.value, status.value): 0 for kind in OperationKind for status in OperationStatus}
    return _fact("slipway_runs", counts | {(kind, status): count for kind, status, count in rows})


def _oldest(entries: Any) -> datetime | None:
    oldest: datetime | None = entries.aggregate(oldest=Min("fetched_at"))["oldest"]
    return oldest


def _of_redis() -> list[Metric]:
    client = metering.connect()
    beats = heartbeat.schedulers(client)
    states: dict[tuple[str, ...], float] = {("busy",): 0, ("idle",): 0}
    for worker in heartbeat.workers(client):
        state = "busy" if worker.get_state() == "busy" else "idle"
        states[(state,)] += 1
    return [
        *_counted(),
        _fact("slipway_viewers", {(): metering.levels().get("slipway_viewers", 0.0)}),
        _fact("slipway_last_sweep_seconds", {(): beats[0].ago} if beats else {}),
        _fact("slipway_schedulers", {(): sum(beat.alive for beat in beats)}),
        _fact("slipway_workers", states),
    ]


def _counted() -> Iterator[Metric]:
    """Counters and histograms, put together from what every process has added."""
    values: dict[str, dict[tuple[str, ...], dict[str, float]]] = {}
    for name, labels, value in metering.totals():
        key = tuple(labels.get(label, "") for label in metering.METRICS[name].labels)
        values.setdefault(name, {}).setdefault(key, {})[labels.get("le", "")] = value
    for name, metric in metering.METRICS.items():
        rows = values.get(name, {})
        if metric.kind == "counter":
            found = {key: parts[""] for key, parts in rows.items()} or ({} if metric.labels else {(): 0.0})
            yield _family(CounterMetricFamily, name, metric.help, metric.labels, found)
        if metric.kind == "histogram":
            yield _histogram(name, metric, rows)


def _histogram(name: str, metric: metering.Metric, rows: dict[tuple[str, ...], dict[str, float]]) -> Metric:
    family = HistogramMetricFamily(name, metric.help, labels=metric.labels)
    for key, parts in rows.items():
        total, buckets = 0.0, []
        for limit in [*map(str, metric.buckets), "+Inf"]:
            total += parts.get(limit, 0.0)
            buckets.append((limit, total))
        family.add_metric(list(key), buckets, parts.get("sum", 0.0))
    return family


def _fact(name: str, values: dict[tuple[str, ...], float], kind: Any = GaugeMetricFamily) -> Metric:
    told = FACTS.get(name)
    text, labels = told or (metering.METRICS[name].help, ())
    return _family(kind, name, text, labels, values)


def _family(kind: Any, name: str, text: str, labels: tuple[str, ...], values: dict[tuple[str, ...], float]) -> Metric:
    family = kind(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family


def _if_known(moment: datetime | None, now: datetime) -> dict[tuple[str, ...], float]:
    return {} if moment is None else {(): _age(moment, now)}


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())
