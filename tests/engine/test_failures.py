"""What goes wrong: tried again while that may help, told plainly when it does not, and never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cloud.errors import NotYet, PermanentError, Queued, QuotaExceeded, Throttled, Unavailable
from deployments import services
from deployments.errors import TooLate
from deployments.models import Operation, StepRun
from deployments.states import OperationStatus, Outcome, StepState
from tests.engine.plans import (
    Doubts,
    Explains,
    Made,
    Troubled,
    Waits,
    lines,
    one_pass,
    operation_of,
    states,
    to_the_end,
)
from worker.step import Found

pytestmark = pytest.mark.usefixtures("valkey")
CANARY = "p4ss-w0rd-in-an-exception"


def test_a_passing_trouble_is_tried_again_by_itself(people: dict[str, Any]) -> None:
    step = Troubled("thing", {}, [Unavailable("Azure did not answer."), Unavailable("Azure did not answer.")])
    operation = to_the_end(operation_of(people["researcher"]), (step,))
    assert operation.status == OperationStatus.SUCCEEDED
    told = [line for line in lines(operation.id) if "Azure did not answer" in line]
    assert told == ["Azure did not answer. Trying again."]


def test_each_try_waits_longer_than_the_one_before(people: dict[str, Any]) -> None:
    step = Troubled("thing", {}, [Unavailable("Not now.") for _ in range(7)])
    operation, waits = operation_of(people["researcher"]), []
    for _ in range(7):
        one_pass(operation, (step,))
        waits.append((operation.steps.get().next_due_at - timezone.now()).total_seconds())
    assert waits[6] > waits[3] > waits[0]
    assert max(waits) <= 60


def test_a_service_that_names_a_time_is_left_alone_for_so_long(people: dict[str, Any]) -> None:
    operation = one_pass(
        operation_of(people["researcher"]), (Troubled("thing", {}, [Throttled("Slow down.", delay=45.0)]),)
    )
    wait = operation.steps.get().next_due_at - timezone.now()
    assert timedelta(seconds=40) < wait <= timedelta(seconds=46)
    assert operation.next_due_at == operation.steps.get().next_due_at


def test_one_steps_patience_does_not_hold_up_another(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    plan = (Troubled("stuck", world, [NotYet("Not yet.", delay=50.0)]), Made("free", world, looks=2))
    operation = one_pass(operation_of(people["researcher"]), plan)
    assert operation.next_due_at < timezone.now() + timedelta(seconds=5)


def test_a_refusal_ends_the_run_with_its_sentence_remedy_and_id(people: dict[str, Any]) -> None:
    refusal = QuotaExceeded("There are 2 cores left.", "Choose smaller nodes.", code="Quota", correlation_id="c0ffee")
    plan = (Troubled("thing", {}, [refusal]), Made("never", {}, after=("thing",)))
    operation = one_pass(operation_of(people["researcher"]), plan)
    assert operation.status == OperationStatus.FAILED
    told = (operation.error_message, operation.error_remedy, operation.error_code, operation.correlation_id)
    assert told == ("There are 2 cores left.", "Choose smaller nodes.", "Quota", "c0ffee")
    assert states(operation) == {"thing": StepState.FAILED, "never": StepState.PENDING}
    operation.deployment.refresh_from_db()
    assert operation.deployment.last_outcome == Outcome.FAILED


def test_a_refusal_that_a_stranger_may_have_given_ends_the_run_only_when_it_comes_twice(people: dict[str, Any]) -> None:
    page, refusal = PermanentError("There is no registry."), QuotaExceeded("No.", "Ask.", code="Quota")
    step = Doubts("thing", {}, [page, refusal, page, refusal, refusal])
    operation = operation_of(people["researcher"])
    for _ in range(4):
        assert one_pass(operation, (step,)).status == OperationStatus.RUNNING
    assert lines(operation.id)[-1] == "No. Trying again."
    ended = one_pass(operation, (step,))
    assert (ended.status, ended.error_message, ended.error_remedy) == (OperationStatus.FAILED, "No.", "Ask.")
    assert ended.error_code == "Quota"


def test_tried_again_after_a_while_each_step_looks_again_and_makes_only_what_is_missing(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    broken = Troubled("third", world, [PermanentError("No."), PermanentError("No.")], after=("first", "second"))
    plan = (Made("first", world), Made("second", world), broken)
    operation = to_the_end(operation_of(people["researcher"]), plan)
    del world["first"]  # somebody removes it by hand
    services.retry(people["researcher"], operation)
    assert to_the_end(operation, plan).status == OperationStatus.FAILED and "first" not in world
    Operation.objects.filter(id=operation.id).update(finished_at=timezone.now() - timedelta(minutes=11))
    services.retry(people["researcher"], operation)
    assert to_the_end(operation, plan).status == OperationStatus.SUCCEEDED
    assert [step.applied for step in plan] == [2, 1, 1]


def test_a_fault_of_our_own_is_an_apology_with_a_reference_and_no_traceback(people: dict[str, Any]) -> None:
    operation = one_pass(operation_of(people["researcher"]), (Troubled("thing", {}, [ValueError(CANARY)]),))
    assert "our mistake" in operation.error_message
    assert operation.error_code.removeprefix("bug-") in operation.error_remedy
    shown = " ".join([operation.error_message, operation.error_remedy, *lines(operation.id)])
    assert CANARY not in shown
    assert "Traceback" not in shown


def test_patience_ends_at_the_steps_own_deadline_and_says_what_it_last_saw(people: dict[str, Any]) -> None:
    operation = one_pass(operation_of(people["researcher"]), (Waits(),))
    StepRun.objects.filter(operation=operation).update(started_at=timezone.now() - timedelta(seconds=61))
    one_pass(operation, (Waits(),))
    assert operation.status == OperationStatus.FAILED
    assert "still waiting" in operation.error_message
    assert operation.error_code == "DeadlineExceeded"


def test_a_passing_trouble_that_lasts_beyond_the_deadline_is_a_failure(people: dict[str, Any]) -> None:
    step = Troubled("thing", {}, [Unavailable("Azure did not answer.") for _ in range(9)])
    operation = one_pass(operation_of(people["researcher"]), (step,))
    StepRun.objects.filter(operation=operation).update(started_at=timezone.now() - timedelta(hours=1))
    one_pass(operation, (step,))
    assert (operation.status, operation.error_message) == (OperationStatus.FAILED, "Azure did not answer.")


def test_the_wait_for_ones_turn_is_not_counted_against_a_steps_time(people: dict[str, Any]) -> None:
    trouble = Unavailable("Azure did not answer.")
    step = Troubled("thing", {}, [Queued("Others first.", delay=600.0), trouble, trouble])
    operation = one_pass(operation_of(people["researcher"]), (step,))
    StepRun.objects.filter(operation=operation).update(started_at=timezone.now() - timedelta(seconds=1100))
    assert one_pass(operation, (step,)).status == OperationStatus.RUNNING
    StepRun.objects.filter(operation=operation).update(started_at=timezone.now() - timedelta(seconds=1300))
    assert one_pass(operation, (step,)).status == OperationStatus.FAILED


def test_a_failure_is_told_with_the_cause_that_the_step_found(people: dict[str, Any]) -> None:
    step = Explains(
        PermanentError("It failed."), PermanentError("The disk is full.", "Take a bigger one.", code="disk")
    )
    operation = one_pass(operation_of(people["researcher"]), (step,))
    told = (operation.error_message, operation.error_remedy, operation.error_code)
    assert told == ("The disk is full.", "Take a bigger one.", "disk")


@pytest.mark.parametrize("cause", [Unavailable("The cluster did not answer."), ValueError(CANARY)])
def test_a_cause_that_cannot_be_found_hides_no_failure(cause: Exception, people: dict[str, Any]) -> None:
    operation = one_pass(operation_of(people["researcher"]), (Explains(PermanentError("It failed."), cause),))
    assert (operation.status, operation.error_message) == (OperationStatus.FAILED, "It failed.")


@pytest.mark.parametrize("late", [True, False])
def test_a_run_that_has_ended_does_not_say_that_it_is_tried_again_by_itself(late: bool, people: dict[str, Any]) -> None:
    class Broken(Made):
        def check(self, ctx: Any) -> Found:
            if not late:
                return Found.failed(trouble)
            raise trouble

    trouble = Unavailable("Azure had a problem.", "It is tried again by itself.", code="Busy", correlation_id="c0ffee")
    operation = one_pass(operation_of(people["researcher"]), (Broken("thing", {}),))
    StepRun.objects.filter(operation=operation).update(started_at=timezone.now() - timedelta(hours=1))
    if late:
        one_pass(operation, (Broken("thing", {}),))
    assert operation.status == OperationStatus.FAILED
    assert "Try again" in operation.error_remedy
    assert not any("by itself" in line for line in [operation.error_remedy, *lines(operation.id)[-2:]])
    assert (operation.error_code, operation.correlation_id) == ("Busy", "c0ffee")


def test_trying_again_keeps_what_is_done_and_goes_on_from_what_failed(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    done = Made("done", world)
    plan = (done, Troubled("thing", world, [PermanentError("No.", "Ask.")], after=("done",)))
    operation = one_pass(operation_of(people["researcher"]), plan)
    services.retry(people["researcher"], operation)
    to_the_end(operation, plan)
    assert operation.status == OperationStatus.SUCCEEDED
    assert operation.error_message == ""
    assert done.applied == 1


def test_two_that_try_again_at_once_start_one_run(people: dict[str, Any]) -> None:
    operation = one_pass(operation_of(people["researcher"]), (Troubled("thing", {}, [PermanentError("No.")]),))
    services.retry(people["researcher"], operation)
    with pytest.raises(TooLate):
        services.retry(people["reviewer"], operation)
