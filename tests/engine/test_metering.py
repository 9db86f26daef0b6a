"""What the engine counts: how long steps took, and runs taken over from a worker that went silent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cloud.errors import PermanentError
from deployments import metering
from deployments.models import Operation
from tests.engine.plans import Made, Troubled, operation_of, to_the_end
from worker import leases


@pytest.fixture(autouse=True)
def nought(valkey: object) -> Iterator[None]:
    metering.connect().delete(metering.TOTALS)
    metering.forget()
    yield
    metering.forget()


def counted(name: str) -> dict[tuple[tuple[str, str], ...], float]:
    metering.flush()
    return {tuple(sorted(labels.items())): value for found, labels, value in metering.totals() if found == name}


def test_a_finished_step_tells_how_long_it_took(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    to_the_end(operation_of(people["researcher"]), (Made("a", world), Made("b", world, after=("a",))))
    found = counted("slipway_step_seconds")
    assert found[(("kind", "provision"), ("le", "1.0"), ("state", "done"), ("step", "a"))] == 1
    assert found[(("kind", "provision"), ("le", "1.0"), ("state", "done"), ("step", "b"))] == 1


def test_a_failed_step_is_told_as_failed(people: dict[str, Any]) -> None:
    plan = (Troubled("a", {}, [PermanentError("No.", "Ask.")]),)
    to_the_end(operation_of(people["researcher"]), plan)
    assert (("kind", "provision"), ("le", "1.0"), ("state", "failed"), ("step", "a")) in counted("slipway_step_seconds")


def test_only_a_run_of_a_silent_worker_counts_as_taken_over(people: dict[str, Any]) -> None:
    operation = operation_of(people["researcher"])
    assert leases.claim(1)
    assert counted("slipway_leases_taken_over_total") == {}
    Operation.objects.filter(id=operation.id).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.claim(1)
    assert counted("slipway_leases_taken_over_total") == {(): 1}
