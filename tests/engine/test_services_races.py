"""Decisions made twice are made once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments import services
from deployments.errors import TooLate
from deployments.events import FenceLost, Line, record
from deployments.models import Event, Operation
from deployments.states import Lifecycle, OperationStatus
from tests.engine.plans import requested
from worker import leases

pytestmark = pytest.mark.usefixtures("valkey")


def test_two_admins_approve_once(people: dict[str, Any]) -> None:
    deployment = requested(people["researcher"])
    services.approve(people["reviewer"], deployment, 1)
    with pytest.raises(TooLate):
        services.approve(people["reviewer"], deployment, 1)
    assert deployment.operations.count() == 1


def test_two_workers_claim_an_operation_once(people: dict[str, Any]) -> None:
    services.approve(people["reviewer"], requested(people["researcher"]), 1)
    assert len(leases.claim(5)) == 1
    assert leases.claim(5) == []


def test_a_dead_workers_lease_is_taken_over_and_its_records_are_void(people: dict[str, Any]) -> None:
    operation = services.approve(people["reviewer"], requested(people["researcher"]), 1)
    ((_, old_fence),) = leases.claim(1)
    Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    ((_, new_fence),) = leases.claim(1)
    assert new_fence > old_fence
    with pytest.raises(FenceLost):
        record(operation.id, [Line("from the dead")], fence=old_fence)


def test_teardown_wins_over_a_running_operation(people: dict[str, Any]) -> None:
    owner = people["researcher"]
    deployment = requested(owner)
    running = services.approve(people["reviewer"], deployment, 1)
    teardown = services.tear_down(owner, deployment, "hub")
    running.refresh_from_db()
    deployment.refresh_from_db()
    assert running.cancel_requested
    assert teardown.status == OperationStatus.WAITING
    assert deployment.lifecycle == Lifecycle.DELETING
    assert services.tear_down(owner, deployment, "hub").id == teardown.id


def test_event_numbers_have_no_gap(people: dict[str, Any]) -> None:
    operation = services.approve(people["reviewer"], requested(people["researcher"]), 1)
    record(operation.id, [Line("a"), Line("b")])
    record(operation.id, [Line("c")])
    numbers = list(Event.objects.filter(operation=operation).values_list("number", flat=True))
    assert numbers == [1, 2, 3, 4]
