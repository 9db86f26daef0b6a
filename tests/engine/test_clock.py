"""Clocks that jump: nothing is done twice, nothing stands still, and no step loses the time it was promised."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from cloud.errors import Throttled
from deployments.models import Event, Operation, StepRun
from deployments.states import OperationStatus, StepState
from tests.engine.plans import Made, Plan, Troubled, Waits, operation_of, states
from worker import engine, leases
from worker.context import Context

pytestmark = pytest.mark.usefixtures("valkey")
HOUR = timedelta(hours=1)


class Clock:
    """The time as a machine has it; `jump` sets its clock forward or back."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return timezone.now() + self.ahead

    def jump(self, by: timedelta) -> None:
        self.ahead += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def at_once(settings: Any) -> None:
    settings.SLIPWAY_POLL_SECONDS = 0.0


def visit(operation: Operation, plan: Plan, clock: Clock) -> bool:
    """One pass by a worker with this clock; False when the clock says that nothing is due."""
    taken = leases.claim(5, clock)
    for claimed, fence in taken:
        current = Operation.objects.select_related("deployment", "revision").get(id=claimed)
        engine.Pass(current, fence, plan, Context, now=clock).go()
    operation.refresh_from_db()
    return bool(taken)


def test_a_run_goes_on_at_once_when_the_clock_is_set_back(people: dict[str, Any], clock: Clock) -> None:
    operation, plan = operation_of(people["researcher"]), (Made("thing", {}, looks=3),)
    clock.jump(HOUR)
    assert visit(operation, plan, clock)
    clock.jump(-HOUR)
    while operation.status == OperationStatus.RUNNING:
        assert visit(operation, plan, clock)
    assert operation.status == OperationStatus.SUCCEEDED


def test_a_dead_workers_lease_does_not_last_an_hour_longer_when_the_clock_is_set_back(
    people: dict[str, Any], clock: Clock
) -> None:
    operation = operation_of(people["researcher"])
    clock.jump(HOUR)
    ((_, fence),) = leases.claim(1, clock)
    clock.jump(-HOUR)
    assert leases.claim(1, clock) == [(operation.id, fence + 1)]


def test_a_clock_that_is_a_little_ahead_takes_nobodys_lease(people: dict[str, Any], clock: Clock) -> None:
    operation_of(people["researcher"])
    clock.jump(timedelta(seconds=30))
    assert len(leases.claim(1, clock)) == 1
    assert leases.claim(1) == []


def test_a_step_keeps_its_time_when_the_clock_is_set_forward(people: dict[str, Any], clock: Clock) -> None:
    operation, plan = operation_of(people["researcher"]), (Waits(),)
    visit(operation, plan, clock)
    clock.jump(HOUR)
    visit(operation, plan, clock)
    assert operation.status == OperationStatus.RUNNING
    clock.jump(timedelta(seconds=50))
    visit(operation, plan, clock)
    assert operation.status == OperationStatus.RUNNING
    clock.jump(timedelta(seconds=50))
    visit(operation, plan, clock)
    assert (operation.status, operation.error_code) == (OperationStatus.FAILED, "DeadlineExceeded")


def test_a_step_gets_no_more_than_its_time_when_the_clock_is_set_back(people: dict[str, Any], clock: Clock) -> None:
    operation, plan = operation_of(people["researcher"]), (Waits(),)
    visit(operation, plan, clock)
    clock.jump(-HOUR)
    visit(operation, plan, clock)
    for _ in range(2):
        clock.jump(timedelta(seconds=50))
        visit(operation, plan, clock)
    assert (operation.status, operation.error_code) == (OperationStatus.FAILED, "DeadlineExceeded")


def test_a_try_that_was_put_off_is_made_when_the_clock_is_set_back(people: dict[str, Any], clock: Clock) -> None:
    operation = operation_of(people["researcher"])
    plan = (Troubled("thing", {}, [Throttled("Slow down.", delay=45.0)]),)
    clock.jump(HOUR)
    visit(operation, plan, clock)
    assert not visit(operation, plan, clock)
    clock.jump(-HOUR)
    assert visit(operation, plan, clock)
    assert states(operation) == {"thing": StepState.DONE}


def test_nobody_can_put_a_try_off_for_longer_than_ten_minutes(people: dict[str, Any], clock: Clock) -> None:
    operation = operation_of(people["researcher"])
    visit(operation, (Troubled("thing", {}, [Throttled("Slow down.", delay=7 * 86_400.0)]),), clock)
    assert StepRun.objects.get().next_due_at <= clock() + timedelta(minutes=10)


def test_nothing_is_done_twice_while_clocks_jump_about(people: dict[str, Any], clock: Clock) -> None:
    chance = random.Random(4)
    world: dict[str, int] = {}
    names = [f"step-{number}" for number in range(6)]
    plan = tuple(Made(name, world, after=tuple(names[:index]), looks=4) for index, name in enumerate(names))
    operation, other = operation_of(people["researcher"]), Clock()
    for _ in range(400):
        chance.choice((clock, other)).jump(chance.choice((HOUR, -HOUR, timedelta())))
        visit(operation, plan, chance.choice((clock, other)))
        if operation.status != OperationStatus.RUNNING:
            break
    assert operation.status == OperationStatus.SUCCEEDED
    assert [step.applied for step in plan] == [1] * 6
    numbers = list(Event.objects.filter(operation=operation).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, operation.event_count + 1))
