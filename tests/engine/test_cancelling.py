"""Stopping a run: within one pass, with what is left said; a teardown waits its turn and then has it."""

from __future__ import annotations

from typing import Any

import pytest

from cloud.errors import Unavailable
from deployments import services
from deployments.errors import TooLate
from deployments.states import OperationKind, OperationStatus, Outcome, StepState
from tests.engine.plans import Made, Troubled, lines, one_pass, operation_of, states

pytestmark = pytest.mark.usefixtures("valkey")


def test_a_run_that_has_not_begun_stops_with_nothing_made(people: dict[str, Any]) -> None:
    operation, step = operation_of(people["researcher"]), Made("thing", {})
    services.cancel(people["researcher"], operation)
    one_pass(operation, (step,))
    assert (operation.status, step.applied) == (OperationStatus.CANCELLED, 0)
    assert lines(operation.id)[-1] == "Cancelled. Nothing had been made."


def test_a_run_in_the_middle_stops_gives_up_and_says_what_is_left(people: dict[str, Any]) -> None:
    step = Made("cluster", {}, looks=9)
    plan = (step, Made("later", {}, after=("cluster",)))
    operation = one_pass(operation_of(people["researcher"]), plan)
    services.cancel(people["researcher"], operation)
    one_pass(operation, plan)
    assert operation.status == OperationStatus.CANCELLED
    assert step.aborted == 1
    assert states(operation) == {"cluster": StepState.STOPPED, "later": StepState.STOPPED}
    assert "thing cluster" in lines(operation.id)[-1]
    operation.deployment.refresh_from_db()
    assert operation.deployment.last_outcome == Outcome.CANCELLED


def test_what_cannot_be_given_up_does_not_keep_the_run_from_stopping(people: dict[str, Any]) -> None:
    class Stubborn(Made):
        def abort(self, ctx: Any) -> None:
            raise Unavailable("Azure did not answer.")

    plan = (Stubborn("cluster", {}, looks=9),)
    operation = one_pass(operation_of(people["researcher"]), plan)
    services.cancel(people["researcher"], operation)
    one_pass(operation, plan)
    assert operation.status == OperationStatus.CANCELLED
    assert any("could not be stopped: Azure did not answer." in line for line in lines(operation.id))


def test_a_wish_to_cancel_in_the_middle_of_a_pass_keeps_the_next_thing_from_being_made(people: dict[str, Any]) -> None:
    owner, world = people["researcher"], {}

    class Cancels(Made):
        def apply(self, ctx: Any) -> None:
            super().apply(ctx)
            services.cancel(owner, ctx.operation)

    plan = (Cancels("first", world), Made("second", world, after=("first",)))
    operation = one_pass(operation_of(owner), plan)
    assert "second" not in world
    one_pass(operation, plan)
    assert operation.status == OperationStatus.CANCELLED


def test_a_wish_to_cancel_that_comes_while_the_last_step_ends_is_obeyed(people: dict[str, Any]) -> None:
    owner = people["researcher"]

    class CancelsWhenDone(Made):
        def check(self, ctx: Any) -> Any:
            found = super().check(ctx)
            if found.state.value == "ready" and not ctx.operation.cancel_requested:
                services.cancel(owner, ctx.operation)
                ctx.operation.cancel_requested = False  # the pass knows what it knew when it began
            return found

    plan = (CancelsWhenDone("last", {}),)
    operation = one_pass(operation_of(owner), plan)
    assert operation.status == OperationStatus.RUNNING
    one_pass(operation, plan)
    assert operation.status == OperationStatus.CANCELLED and "thing last" in lines(operation.id)[-1]


def test_a_hub_that_was_stopped_in_the_meantime_counts_as_stopped(people: dict[str, Any]) -> None:
    owner = people["researcher"]

    class Stopping(Made):
        def apply(self, ctx: Any) -> None:
            super().apply(ctx)
            services.cancel(owner, ctx.operation)

    operation = one_pass(operation_of(owner, kind=OperationKind.STOP), (Stopping("off", {}),))
    assert operation.status == OperationStatus.SUCCEEDED


def test_a_run_that_has_ended_cannot_be_cancelled(people: dict[str, Any]) -> None:
    operation = one_pass(operation_of(people["researcher"]), (Made("a", {}),))
    with pytest.raises(TooLate):
        services.cancel(people["researcher"], operation)


def test_a_cancelled_run_goes_on_when_it_is_tried_again(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    plan = (Made("a", world), Made("b", world, after=("a",), looks=2))
    operation = one_pass(operation_of(people["researcher"]), plan)
    services.cancel(people["researcher"], operation)
    one_pass(operation, plan)
    services.retry(people["researcher"], operation)
    for _ in range(4):
        if operation.status == OperationStatus.SUCCEEDED:
            break
        one_pass(operation, plan)
    assert operation.status == OperationStatus.SUCCEEDED
    assert plan[0].applied == 1


def test_a_teardown_waits_until_the_run_has_stopped_and_then_starts(people: dict[str, Any]) -> None:
    plan = (Made("cluster", {}, looks=9),)
    operation = one_pass(operation_of(people["researcher"]), plan)
    teardown = services.tear_down(people["researcher"], operation.deployment, operation.deployment.name)
    assert teardown.status == OperationStatus.WAITING
    one_pass(operation, plan)
    teardown.refresh_from_db()
    assert (operation.status, teardown.status) == (OperationStatus.CANCELLED, OperationStatus.RUNNING)


def test_a_trouble_that_will_pass_does_not_delay_a_wish_to_cancel(people: dict[str, Any]) -> None:
    plan = (Troubled("a", {}, [Unavailable("Down.", delay=500.0)]),)
    operation = one_pass(operation_of(people["researcher"]), plan)
    due_before = operation.next_due_at
    services.cancel(people["researcher"], operation)
    operation.refresh_from_db()
    assert operation.next_due_at < due_before
