"""Steps begin when what they need is done, overlap when they do not, and stay done."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.models import Event, Resource
from deployments.states import Lifecycle, OperationStatus, Outcome, StepState
from tests.engine.plans import Made, lines, one_pass, operation_of, states, to_the_end

pytestmark = pytest.mark.usefixtures("valkey")


def test_a_step_waits_for_those_it_names(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    plan = (Made("first", world, looks=2), Made("second", world, after=("first",)))
    operation = one_pass(operation_of(people["researcher"]), plan)
    assert states(operation) == {"first": StepState.WORKING, "second": StepState.PENDING}
    assert "second" not in world
    to_the_end(operation, plan)
    assert world == {"first": 0, "second": 0}


def test_steps_that_do_not_name_one_another_overlap(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    plan = (Made("left", world, looks=3), Made("right", world, looks=3))
    operation = one_pass(operation_of(people["researcher"]), plan)
    assert states(operation) == {"left": StepState.WORKING, "right": StepState.WORKING}


def test_what_became_ready_frees_the_next_step_in_the_same_pass(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    plan = (Made("a", world), Made("b", world, after=("a",)), Made("c", world, after=("b",)))
    operation = one_pass(operation_of(people["researcher"]), plan)
    assert operation.status == OperationStatus.SUCCEEDED


def test_a_plan_may_name_steps_that_such_a_hub_does_not_have(people: dict[str, Any]) -> None:
    plan = (Made("only", {}, after=("left-out",)),)
    assert one_pass(operation_of(people["researcher"]), plan).status == OperationStatus.SUCCEEDED


def test_what_is_there_already_is_not_made_again(people: dict[str, Any]) -> None:
    step = Made("thing", {"thing": 0})
    to_the_end(operation_of(people["researcher"]), (step,))
    assert step.applied == 0


def test_a_waiting_operation_holds_no_lease_and_says_when_to_come_again(people: dict[str, Any]) -> None:
    operation = one_pass(operation_of(people["researcher"]), (Made("slow", {}, looks=9),))
    assert operation.lease_until is None
    assert operation.status == OperationStatus.RUNNING


def test_a_worker_of_the_next_version_does_the_step_that_its_plan_has_more(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    old = (Made("a", world, looks=5),)
    new = (Made("a", world), Made("b", world, after=("a",)))
    operation = one_pass(operation_of(people["researcher"]), old)
    to_the_end(operation, new)
    assert states(operation) == {"a": StepState.DONE, "b": StepState.DONE}


def test_the_end_moves_the_hub_and_is_the_last_line(people: dict[str, Any]) -> None:
    operation = to_the_end(operation_of(people["researcher"]), (Made("a", {}),))
    operation.deployment.refresh_from_db()
    assert operation.deployment.lifecycle == Lifecycle.READY
    assert operation.deployment.last_outcome == Outcome.SUCCEEDED
    assert lines(operation.id)[-1] == "All done."


def test_every_line_has_its_number_and_no_number_is_missing(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    plan = (Made("a", world, looks=3), Made("b", world, looks=1, after=("a",)))
    operation = to_the_end(operation_of(people["researcher"]), plan)
    numbers = list(Event.objects.filter(operation=operation).values_list("number", flat=True))
    assert numbers == list(range(1, operation.event_count + 1))


def test_a_line_that_says_nothing_new_is_not_written_again(people: dict[str, Any]) -> None:
    plan = (Made("a", {"a": 6}),)
    operation = operation_of(people["researcher"])
    for _ in range(3):
        one_pass(operation, plan)
    told = lines(operation.id)
    assert len(told) == len(set(told))


def test_a_thing_is_in_the_ledger_before_it_is_made(people: dict[str, Any]) -> None:
    seen: list[int] = []

    class Careful(Made):
        def apply(self, ctx: Any) -> None:
            super().apply(ctx)
            seen.append(Resource.objects.filter(cloud_id=f"/things/{self.name}").count())

    to_the_end(operation_of(people["researcher"]), (Careful("a", {}),))
    assert seen == [1]
