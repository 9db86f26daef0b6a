"""/metrics: who may read it, what it tells, and that every process of the installation counts."""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import User
from bootstrap.machine import ROOT
from deployments import heartbeat, metering
from deployments.events import Line, record
from deployments.models import CatalogueEntry, Deployment, Operation, SpecRevision
from deployments.states import Health, Lifecycle, OperationKind, OperationStatus
from portal import metrics, probes

TOKEN = "a-token-of-a-good-length"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
Make = Callable[..., Operation]


@pytest.fixture(autouse=True)
def empty(valkey: object) -> Iterator[redis.Redis]:
    """Figures that begin at nought."""
    client = metering.connect()
    client.delete(metering.TOTALS, metering.LEVELS, heartbeat.BEATS)
    metering.forget()
    yield client
    metering.forget()


@pytest.fixture
def make(people: dict[str, User]) -> Make:
    """A run of a new hub, of the kind and status asked for."""

    def made(kind: str = OperationKind.PROVISION, **values: Any) -> Operation:
        until = date.today() + timedelta(days=9)
        state = {name: values.pop(name) for name in ("lifecycle", "health") if name in values}
        number = Deployment.objects.count()
        hub = Deployment.objects.create(owner=people["researcher"], name=f"h{number}", keep_until=until, **state)
        revision = SpecRevision.objects.create(deployment=hub, data={}, author=people["researcher"])
        return Operation.objects.create(deployment=hub, revision=revision, kind=kind, **values)

    return made


def read(client: Client | None = None) -> Samples:
    answer = (client or Client()).get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[(name, tuple(sorted(labels.items())))]


# --- who may ask ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("brought", "status"), [("", 401), ("Bearer wrong", 401), (TOKEN, 401), (f"Bearer {TOKEN}", 200)]
)
def test_with_a_token_only_the_token_opens(brought: str, status: int, settings: Any, db: None) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert Client().get("/metrics", headers={"Authorization": brought}).status_code == status


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403), ("10.1.2.3", 403), ("", 403)]
)
def test_without_a_token_only_this_machine_may_read(address: str, status: int, db: None) -> None:
    assert Client(REMOTE_ADDR=address).get("/metrics").status_code == status


def test_networks_can_be_named(settings: Any, db: None) -> None:
    settings.METRICS_NETWORKS = ["10.0.0.0/8"]
    assert Client(REMOTE_ADDR="10.1.2.3").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics").status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_what_came_through_a_proxy_has_no_address_to_trust(header: str, db: None) -> None:
    assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_who_is_refused_is_told_what_to_do_and_no_figure(db: None) -> None:
    answer = Client(REMOTE_ADDR="192.0.2.7").get("/metrics")
    assert b"METRICS_TOKEN" in answer.content and b"slipway_" not in answer.content


# --- what the database knows ----------------------------------------------------------------------------------------


def test_runs_and_hubs_are_told_by_what_they_are(make: Make) -> None:
    make(status=OperationStatus.SUCCEEDED, lifecycle=Lifecycle.READY, health=Health.HEALTHY)
    make(status=OperationStatus.SUCCEEDED, lifecycle=Lifecycle.READY, health=Health.HEALTHY)
    make(OperationKind.TEARDOWN, status=OperationStatus.FAILED, lifecycle=Lifecycle.DELETING)
    told = read()
    assert value(told, "slipway_runs", kind="provision", status="succeeded") == 2
    assert value(told, "slipway_runs", kind="teardown", status="failed") == 1
    assert value(told, "slipway_runs", kind="stop", status="failed") == 0
    assert value(told, "slipway_hubs", lifecycle="ready", health="healthy") == 2
    assert value(told, "slipway_hubs", lifecycle="requested", health="unknown") == 0


def test_the_run_due_longest_is_the_lag(make: Make) -> None:
    assert value(read(), "slipway_queue_lag_seconds") == 0
    make(next_due_at=timezone.now() - timedelta(seconds=90))
    make(next_due_at=timezone.now() - timedelta(seconds=5))
    make(next_due_at=timezone.now() + timedelta(seconds=60))
    told = read()
    assert 90 <= value(told, "slipway_queue_lag_seconds") < 120
    assert value(told, "slipway_runs_due") == 2


def test_a_lease_that_ran_out_is_told(make: Make) -> None:
    make(lease_until=timezone.now() - timedelta(seconds=1))
    make(lease_until=timezone.now() + timedelta(seconds=60))
    assert value(read(), "slipway_leases_expired") == 1


def test_log_lines_are_counted(make: Make) -> None:
    record(make().id, [Line("one"), Line("two")])
    record(make().id, [Line("three")])
    assert value(read(), "slipway_log_lines_total") == 3


def test_the_catalogue_is_as_old_as_its_oldest_part(db: None) -> None:
    for key, hours in (("subscriptions", 1), ("regions:x", 2), ("price:uksouth:x", 40), ("charts", 40)):
        CatalogueEntry.objects.create(key=key, fetched_at=timezone.now() - timedelta(hours=hours))
    assert 7200 <= value(read(), "slipway_catalogue_age_seconds") < 7260


def test_more_hubs_need_no_more_queries(make: Make) -> None:
    def asked() -> int:
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            read()
        return len(captured)

    make()
    few = asked()
    for _ in range(20):
        make()
    assert asked() == few <= 8


# --- what processes count -------------------------------------------------------------------------------------------


def test_a_count_of_another_process_is_told_here(db: None) -> None:
    metering.count("slipway_outside_calls_total", service="arm", code="200")
    for _ in range(2):
        other = multiprocessing.get_context("fork").Process(target=_count_and_vanish)
        other.start()
        other.join(20)
        assert other.exitcode == 0
    assert value(read(), "slipway_outside_calls_total", service="arm", code="200") == 3


def _count_and_vanish() -> None:
    """As a work-horse does: it inherits what its parent has not sent yet, and ends without saying goodbye."""
    metering.count("slipway_outside_calls_total", service="arm", code="200")
    metering.flush()
    os._exit(0)


def test_counts_are_sent_by_themselves_after_a_moment(db: None) -> None:
    metering.count("slipway_leases_taken_over_total")
    _wait_until(lambda: [v for name, _, v in metering.totals() if name == "slipway_leases_taken_over_total"] == [1])


def test_counts_wait_for_redis_to_come_back(settings: Any, db: None) -> None:
    address, settings.REDIS_URL = django_settings.REDIS_URL, "unix:///nonexistent/valkey.sock"
    metering.count("slipway_leases_taken_over_total")
    assert value(read(), "slipway_redis_up") == 0
    settings.REDIS_URL = address
    assert value(read(), "slipway_leases_taken_over_total") == 1


def test_a_histogram_adds_up(db: None) -> None:
    for seconds in (0.2, 3.0, 4000.0):
        metering.observe("slipway_step_seconds", seconds, kind="provision", step="cluster", state="done")
    told, labels = read(), {"kind": "provision", "step": "cluster", "state": "done"}
    buckets = {s[1]: v for s, v in told.items() if s[0] == "slipway_step_seconds_bucket"}
    found = {dict(labels)["le"]: v for labels, v in buckets.items()}
    assert (found["1.0"], found["5.0"], found["2400.0"], found["+Inf"]) == (1, 2, 2, 3)
    assert value(told, "slipway_step_seconds_count", **labels) == 3
    assert value(told, "slipway_step_seconds_sum", **labels) == pytest.approx(4003.2)


def test_requests_are_counted_by_their_answer(db: None) -> None:
    Client().get("/healthz")
    Client().get("/nowhere/")
    Client().generic("BREW", "/healthz")
    told = read()
    assert value(told, "slipway_http_requests_total", method="GET", code="200") == 1
    assert value(told, "slipway_http_requests_total", method="other", code="200") == 1
    assert value(told, "slipway_http_request_seconds_count") == 3


def test_viewers_of_all_living_processes_are_added_up(db: None, empty: redis.Redis) -> None:
    metering.level("slipway_viewers", +1)
    metering.level("slipway_viewers", +1)
    metering.flush()
    key = metering.key_of("slipway_viewers", {})
    empty.hset(metering.LEVELS, f"{key}\nother:1", f"5 {time.time()}")
    empty.hset(metering.LEVELS, f"{key}\ndead:1", f"9 {time.time() - 2 * metering.FORGOTTEN}")
    assert value(read(), "slipway_viewers") == 7
    metering.level("slipway_viewers", -1)
    metering.level("slipway_viewers", -1)
    assert value(read(), "slipway_viewers") == 5


def test_the_scheduler_tells_when_it_last_swept(db: None, empty: redis.Redis) -> None:
    assert value(read(), "slipway_schedulers") == 0
    heartbeat.Heart().beat()
    told = read()
    assert value(told, "slipway_schedulers") == 1 and value(told, "slipway_last_sweep_seconds") < 5
    empty.hset(heartbeat.BEATS, "other:2", str(time.time() - 2 * heartbeat.SILENCE))
    assert value(read(), "slipway_schedulers") == 1


def test_without_the_database_the_rest_is_told(db: None) -> None:
    heartbeat.Heart().beat()
    with connection.execute_wrapper(_away):
        told = read()
    assert value(told, "slipway_database_up") == 0 and value(told, "slipway_schedulers") == 1


def _away(*_: Any) -> None:
    from django.db import OperationalError

    raise OperationalError("the server closed the connection")


# --- probes and the document ----------------------------------------------------------------------------------------


def test_a_portal_whose_database_is_away_is_alive_and_not_ready(db: None) -> None:
    with connection.execute_wrapper(_away):
        assert Client().get("/healthz").status_code == 200
        answer = Client().get("/readyz")
    assert answer.status_code == 503 and b"does not answer" in answer.content
    assert Client().get("/readyz").status_code == 200


def test_a_portal_newer_than_its_database_is_not_ready(db: None) -> None:
    probes.schema.forget()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'deployments'")
    answer = Client().get("/readyz")
    assert answer.status_code == 503 and b"manage.py migrate" in answer.content


def test_a_portal_without_redis_is_ready(db: None, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    assert Client().get("/readyz").status_code == 200


def test_monitoring_md_has_every_figure_and_no_other() -> None:
    text = (Path(ROOT) / "docs" / "monitoring.md").read_text()
    told = set(re.findall(r"^\| `(slipway_\w+)`", text, re.MULTILINE))
    assert told == set(metrics.FACTS) | set(metering.METRICS)


def _wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)
