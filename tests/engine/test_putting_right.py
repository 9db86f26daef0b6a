"""A change that fails is put right: what it spoilt is put back, and the run says so."""

from __future__ import annotations

from typing import Any

import pytest

from cloud.errors import PermanentError, Unavailable
from deployments import services
from deployments.models import Deployment, Operation
from deployments.states import OperationKind, OperationStatus, Outcome, StepState
from tests.engine.plans import Made, Remedy, Troubled, lines, one_pass, operation_of, states, to_the_end

pytestmark = pytest.mark.usefixtures("valkey")
BROKEN = PermanentError("The pods do not start.", "Look at their logs.", code="Broken")


def changing(owner: Any) -> Operation:
    """A change of a hub that serves."""
    operation = operation_of(owner, kind=OperationKind.CHANGE)
    Deployment.objects.filter(id=operation.deployment_id).update(lifecycle="ready", serving=operation.revision)
    operation.deployment.refresh_from_db()
    return operation


def test_a_remedy_does_nothing_while_all_goes_well(people: dict[str, Any]) -> None:
    remedy = Remedy("back", {}, ("release",))
    operation = to_the_end(changing(people["researcher"]), (Made("release", {}), remedy))
    assert (operation.status, remedy.applied) == (OperationStatus.SUCCEEDED, 0)
    assert states(operation) == {"release": StepState.DONE}


def test_a_failure_it_remedies_is_put_right_and_the_run_says_so(people: dict[str, Any]) -> None:
    remedy = Remedy("back", {}, ("release",), looks=2)
    operation = to_the_end(changing(people["researcher"]), (Troubled("release", {}, [BROKEN]), remedy))
    operation.deployment.refresh_from_db()
    assert (operation.status, operation.deployment.last_outcome) == (OperationStatus.FAILED, Outcome.ROLLED_BACK)
    assert (operation.error_message, operation.error_code) == ("The pods do not start.", "Broken")
    assert remedy.applied == 1
    assert "serves what it served before" in lines(operation.id)[-1]


def test_a_failure_before_anything_was_touched_needs_no_remedy(people: dict[str, Any]) -> None:
    remedy = Remedy("back", {}, ("release",))
    plan = (Troubled("preflight", {}, [BROKEN]), Made("release", {}, after=("preflight",)), remedy)
    operation = to_the_end(changing(people["researcher"]), plan)
    operation.deployment.refresh_from_db()
    assert (operation.deployment.last_outcome, remedy.applied) == (Outcome.FAILED, 0)


def test_a_remedy_that_fails_too_is_told_beside_the_first_failure(people: dict[str, Any]) -> None:
    class Broken(Remedy):
        def apply(self, ctx: Any) -> None:
            raise PermanentError("Helm is gone.")

    plan = (Troubled("release", {}, [BROKEN]), Broken("back", {}, ("release",)))
    operation = to_the_end(changing(people["researcher"]), plan)
    operation.deployment.refresh_from_db()
    assert operation.deployment.last_outcome == Outcome.FAILED
    assert operation.error_message == "The pods do not start."
    assert "the hub may not serve" in lines(operation.id)[-1]


def test_a_remedy_is_tried_again_like_any_step(people: dict[str, Any]) -> None:
    class Late(Remedy):
        troubles = [Unavailable("Down."), Unavailable("Down.")]

        def apply(self, ctx: Any) -> None:
            if self.troubles:
                raise self.troubles.pop()
            super().apply(ctx)

    operation = to_the_end(
        changing(people["researcher"]), (Troubled("release", {}, [BROKEN]), Late("back", {}, ("release",)))
    )
    operation.deployment.refresh_from_db()
    assert operation.deployment.last_outcome == Outcome.ROLLED_BACK


def test_a_run_cancelled_half_way_turns_back(people: dict[str, Any]) -> None:
    remedy = Remedy("back", {}, ("release",))
    plan = (Made("release", {}, looks=9), remedy)
    operation = one_pass(changing(people["researcher"]), plan)
    services.cancel(people["researcher"], operation)
    to_the_end(operation, plan)
    operation.deployment.refresh_from_db()
    assert (operation.deployment.last_outcome, remedy.applied) == (Outcome.ROLLED_BACK, 1)
    assert "cancelled" in operation.error_message


def test_a_hub_that_is_taken_down_is_not_put_right_first(people: dict[str, Any]) -> None:
    remedy = Remedy("back", {}, ("release",))
    plan = (Made("release", {}, looks=9), remedy)
    operation = one_pass(changing(people["researcher"]), plan)
    services.tear_down(people["researcher"], operation.deployment, operation.deployment.name)
    one_pass(operation, plan)
    assert (operation.status, remedy.applied) == (OperationStatus.CANCELLED, 0)


def test_a_change_that_was_put_back_begins_anew_when_it_is_tried_again(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    first = Made("pools", world)
    plan = (
        first,
        Troubled("release", world, [BROKEN], after=("pools",)),
        Remedy("back", world, ("release",)),
    )
    operation = to_the_end(changing(people["researcher"]), plan)
    world.clear()
    services.retry(people["researcher"], operation)
    to_the_end(operation, plan)
    assert operation.status == OperationStatus.SUCCEEDED
    assert first.applied == 2
