"""Hubs are looked into now and then; what is wrong is kept with them, and forgotten once it is mended."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments import services
from deployments.models import Checkup, Deployment, HealthCheck
from deployments.states import Health, Lifecycle
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess
from tests.worker.driving import at_once
from worker import chores
from worker.chores.checkups import check_up, due

pytestmark = pytest.mark.django_db(transaction=True)
_numbers = itertools.count(1)


@pytest.fixture
def hub(built: Callable[..., Deployment]) -> Deployment:
    return built(name=f"checkup-{next(_numbers)}")


def found(hub: Deployment) -> list[str]:
    """The codes of what is kept after another look."""
    Checkup.objects.update(due_at=timezone.now())
    check_up()
    return [each["code"] for each in Checkup.objects.get(deployment=hub).found]


def test_a_hub_that_is_well_is_left_alone_for_a_while(hub: Deployment) -> None:
    assert check_up() == 1
    kept = Checkup.objects.get(deployment=hub)
    assert kept.found == [] and kept.at and not due(timezone.now() + timedelta(seconds=590)).exists()
    assert due(timezone.now() + timedelta(seconds=610)).exists()


def test_what_is_wrong_is_kept_and_forgotten_once_it_is_mended(
    hub: Deployment, ailing: Callable[..., None], cloud: SandboxProcess
) -> None:
    ailing(hub, pod="proxy-", kind="OOMKilled")
    until(lambda: found(hub) == ["memory"])
    assert due(timezone.now() + timedelta(seconds=61)).exists()
    cloud.control("kubernetes/symptoms", method="DELETE")
    until(lambda: found(hub) == [])


def test_a_hub_that_stops_serving_is_looked_into_at_once_and_again_each_minute(hub: Deployment) -> None:
    check_up()
    Deployment.objects.filter(id=hub.id).update(health=Health.UNHEALTHY)
    assert check_up() == 1
    assert check_up() == 0
    assert check_up(lambda: timezone.now() + timedelta(seconds=61)) == 1


def test_what_the_hub_says_of_itself_counts(hub: Deployment) -> None:
    HealthCheck.objects.create(
        deployment=hub, health=Health.UNHEALTHY, summary="The hub says of itself: Docker registry"
    )
    assert found(hub) == ["health-registry"]
    HealthCheck.objects.create(deployment=hub, health=Health.HEALTHY)
    assert found(hub) == []


def test_a_cluster_that_does_not_answer_is_what_is_wrong(hub: Deployment, cloud: SandboxProcess) -> None:
    cloud.fault("/k8s/", "unavailable", count=200)
    assert found(hub) == ["cluster-silent"]


def test_a_vault_that_does_not_answer_leaves_what_was_found(
    hub: Deployment, cloud: SandboxProcess, ailing: Callable[..., None]
) -> None:
    ailing(hub, node="aks-", kind="DiskPressure")
    until(lambda: found(hub) == ["disk-full"])
    cloud.fault("/secrets/", "forbidden", count=200)
    assert found(hub) == ["disk-full"]


def test_while_something_is_being_done_to_a_hub_nobody_else_looks(hub: Deployment, people: dict[str, Any]) -> None:
    services.stop(people["researcher"], hub)
    assert check_up() == 0


def test_a_hub_without_a_cluster_is_not_asked(make_hub: Callable[..., Deployment]) -> None:
    hub = make_hub()
    Deployment.objects.filter(id=hub.id).update(lifecycle=Lifecycle.READY)
    assert check_up() == 1
    assert Checkup.objects.get(deployment=hub).at is None


@pytest.mark.parametrize("first", [True, False])
def test_two_workers_do_not_look_into_one_hub(first: bool, hub: Deployment) -> None:
    if not first:
        Checkup.objects.create(deployment=hub)
    assert sorted(at_once(check_up)) == [0, 0, 1]


def test_a_checkup_is_sent_for_when_it_is_due(hub: Deployment) -> None:
    assert "worker.jobs.check_up" in chores.due(timezone.now())
    check_up()
    assert "worker.jobs.check_up" not in chores.due(timezone.now())
