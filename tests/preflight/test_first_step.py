"""Each documented failure is caught by the run's first steps, over the wire, before anything is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployments.models import Event, Operation
from deployments.states import OperationStatus, StepState
from tests.preflight.cases import CASES, Case
from tests.preflight.conftest import context
from tests.preflight.world import World
from tests.worker.driving import Drive
from worker.step import State
from worker.steps.preflight import Preflight

AskedFor = Callable[[Case], Operation]
FIRST = ("providers", "preflight")
ERRORS = [case for case in CASES if case.severity == "error"]
WARNINGS = [case for case in CASES if case.severity == "warning"]


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.id)
def test_it_is_caught_before_anything_is_made(case: Case, asked_for: AskedFor, drive: Drive, world: World) -> None:
    operation = asked_for(case)
    before = world.written()
    drive(operation)
    assert operation.status == OperationStatus.FAILED
    assert operation.steps.get(state=StepState.FAILED).name in FIRST
    assert operation.error_code == case.code, operation.error_message
    assert case.says in operation.error_message
    assert operation.error_remedy
    assert world.written() == before and not operation.deployment.resources.exists()


@pytest.mark.parametrize("case", WARNINGS, ids=lambda case: case.id)
def test_it_is_said_before_anything_is_made_and_holds_up_nothing(case: Case, asked_for: AskedFor, world: World) -> None:
    operation = asked_for(case)
    found = Preflight().check(context(operation, "preflight"))
    assert found.state is State.READY, found.summary
    told = Event.objects.filter(operation=operation, level="warning").values_list("message", flat=True)
    assert any(case.says in message for message in told), list(told)
    assert world.written() == []
