"""Double clicks, two tabs, two administrators: real threads with connections of their own, in the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from cloud.errors import SlipwayError
from deployments import services
from deployments.errors import TooLate
from deployments.models import Deployment, Discrepancy, Operation, Review, SpecRevision
from deployments.states import DiscrepancyKind, Lifecycle, OperationKind, OperationStatus
from tests.engine.plans import Made, one_pass, operation_of, requested
from worker import leases

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
Act = Callable[[], object]


def at_once(*acts: Act) -> list[object]:
    """What each of them returned or was refused with, all begun together; anything else is a failure of the test."""
    start, results = threading.Barrier(len(acts)), [None] * len(acts)
    results: list[object] = [None] * len(acts)

    def run(number: int, act: Act) -> None:
        try:
            start.wait(10)
            results[number] = act()
        except BaseException as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    unexpected = [
        found for found in results if isinstance(found, BaseException) and not isinstance(found, SlipwayError)
    ]
    assert unexpected == []
    return results


def refused(results: list[object]) -> list[str]:
    return [found.user_message for found in results if isinstance(found, SlipwayError)]


def left_over() -> Discrepancy:
    """A group that bears the tag of a hub which nobody here has heard of."""
    thing = {"kind": "resource group", "name": "left", "cloud_id": "/g", "region": "uksouth", "note": ""}
    return Discrepancy.objects.create(kind=DiscrepancyKind.LEFT_OVER, place="s", owner=str(uuid4()), details=[thing])


def runs(deployment: Deployment) -> Counter[tuple[str, str]]:
    return Counter((run.kind, run.status) for run in deployment.operations.all())


@pytest.fixture
def second(people: dict[str, Any]) -> Any:
    """Another administrator."""
    return people["stranger"].__class__.objects.create_superuser("second", "second@example.org", "x")


@pytest.fixture
def failed(people: dict[str, Any]) -> Operation:
    """A build that has stopped."""
    operation = operation_of(people["researcher"])
    Operation.objects.filter(id=operation.id).update(status=OperationStatus.FAILED, finished_at=timezone.now())
    return operation


@pytest.fixture
def serving(people: dict[str, Any]) -> Deployment:
    """A hub that serves."""
    operation = operation_of(people["researcher"])
    Operation.objects.filter(id=operation.id).update(status=OperationStatus.SUCCEEDED, finished_at=timezone.now())
    Deployment.objects.filter(id=operation.deployment_id).update(lifecycle=Lifecycle.READY, serving=operation.revision)
    return Deployment.objects.get(id=operation.deployment_id)


def test_two_administrators_approve_once_and_the_second_is_told_who_did(people: dict[str, Any], second: Any) -> None:
    deployment = requested(people["researcher"])
    results = at_once(*(lambda who=who: services.approve(who, deployment, 1) for who in (people["reviewer"], second)))
    assert len(refused(results)) == 1 and "Approved by" in refused(results)[0]
    assert runs(deployment) == {(OperationKind.PROVISION, OperationStatus.RUNNING): 1}
    assert Review.objects.count() == 1


def test_one_approves_while_another_rejects(people: dict[str, Any], second: Any) -> None:
    deployment = requested(people["researcher"])
    results = at_once(
        lambda: services.approve(people["reviewer"], deployment, 1),
        lambda: services.reject(second, deployment, 1, "No."),
    )
    deployment.refresh_from_db()
    approved = deployment.lifecycle == Lifecycle.PROVISIONING
    assert len(refused(results)) == 1 and Review.objects.get().approved == approved
    assert deployment.operations.count() == int(approved)


def test_an_approval_while_the_owner_withdraws_ends_in_the_withdrawal(people: dict[str, Any]) -> None:
    deployment = requested(people["researcher"])
    at_once(
        lambda: services.approve(people["reviewer"], deployment, 1),
        lambda: services.tear_down(people["researcher"], deployment, "hub"),
    )
    deployment.refresh_from_db()
    assert deployment.lifecycle == Lifecycle.DELETING
    assert deployment.operations.filter(kind=OperationKind.TEARDOWN).count() == 1
    for build in deployment.operations.filter(kind=OperationKind.PROVISION):
        assert build.cancel_requested


def test_a_change_is_approved_once_or_withdrawn(people: dict[str, Any], second: Any, serving: Deployment) -> None:
    revision = SpecRevision.objects.create(
        deployment=serving, number=2, data=serving.revision.data, author=serving.owner, needs_review=True
    )
    results = at_once(
        lambda: services.approve_change(people["reviewer"], revision),
        lambda: services.approve_change(second, revision),
        lambda: services.withdraw(people["researcher"], revision),
    )
    assert len(refused(results)) == 2
    changes = serving.operations.filter(kind=OperationKind.CHANGE).count()
    assert changes == SpecRevision.objects.filter(id=revision.id).count() == Review.objects.count()


def test_a_double_click_on_take_down_begins_one_teardown(people: dict[str, Any], serving: Deployment) -> None:
    results = at_once(*[lambda: services.tear_down(people["researcher"], serving, "hub")] * 4)
    assert len({run.id for run in results if isinstance(run, Operation)}) == 1 and refused(results) == []


def test_a_teardown_that_failed_is_taken_up_once_by_two_people(people: dict[str, Any], failed: Operation) -> None:
    Operation.objects.update(kind=OperationKind.TEARDOWN)
    Deployment.objects.update(lifecycle=Lifecycle.DELETING)
    hub = failed.deployment
    results = at_once(*[lambda: services.tear_down(people["researcher"], hub, "hub")] * 3)
    assert {run.id for run in results if isinstance(run, Operation)} == {failed.id} and refused(results) == []
    assert failed.events.filter(message__contains="asked to try again").count() == 1


def test_a_retry_and_a_teardown_at_once_leave_one_run_and_the_teardown(
    people: dict[str, Any], failed: Operation
) -> None:
    hub = failed.deployment
    at_once(
        lambda: services.retry(people["researcher"], failed),
        lambda: services.tear_down(people["reviewer"], hub, "hub"),
    )
    failed.refresh_from_db()
    teardown = hub.operations.get(kind=OperationKind.TEARDOWN)
    if failed.status == OperationStatus.RUNNING:
        assert failed.cancel_requested and teardown.status == OperationStatus.WAITING
    else:
        assert failed.status == OperationStatus.FAILED and teardown.status == OperationStatus.RUNNING


def test_a_double_click_on_retry_tries_once(people: dict[str, Any], failed: Operation) -> None:
    results = at_once(*[lambda: services.retry(people["researcher"], failed)] * 3)
    assert len(refused(results)) == 2
    assert failed.events.filter(message__contains="asked to try again").count() == 1


def test_a_double_click_on_cancel_asks_once(people: dict[str, Any]) -> None:
    operation = operation_of(people["researcher"])
    results = at_once(*[lambda: services.cancel(people["researcher"], operation)] * 3)
    assert len(refused(results)) == 2 and operation.events.count() == 1


def test_two_things_asked_of_one_hub_at_once_begin_one(people: dict[str, Any], serving: Deployment) -> None:
    who = people["researcher"]
    results = at_once(
        lambda: services.stop(who, serving),
        lambda: services.put_back(who, serving),
        lambda: services.try_launch(who, serving, "binder-examples/requirements"),
    )
    assert len(refused(results)) == 2
    assert serving.operations.filter(status=OperationStatus.RUNNING).count() == 1


def test_a_leftover_that_somebody_else_gave_a_record_still_answers_to_the_name_on_the_page(
    people: dict[str, Any], second: Any
) -> None:
    row = left_over()
    begun = services.clean_up(people["reviewer"], row, "left")
    row.refresh_from_db()
    assert row.title != "left"
    assert services.clean_up(second, row, "left").id == begun.id


def test_a_leftover_is_removed_by_one_run_though_two_ask_and_nobody_knew_it(
    people: dict[str, Any], second: Any
) -> None:
    row = left_over()
    results = at_once(
        *(
            lambda who=who: services.clean_up(who, Discrepancy.objects.get(id=row.id), "left")
            for who in (people["reviewer"], second)
        )
    )
    assert len({run.id for run in results if isinstance(run, Operation)}) == 1 and refused(results) == []
    assert Operation.objects.count() == Deployment.objects.count() == 1


def test_a_hub_is_forgotten_once_and_never_also_taken_down(people: dict[str, Any], second: Any) -> None:
    operation = operation_of(people["researcher"], name="hub")
    hub = operation.deployment
    at_once(
        lambda: services.forget(people["reviewer"], hub, "hub", "Lost."),
        lambda: services.forget(second, hub, "hub", "Lost too."),
        lambda: services.tear_down(people["researcher"], hub, "hub"),
    )
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.DELETED
    assert hub.operations.filter(kind=OperationKind.FORGET).count() == 1
    assert not hub.operations.filter(status__in=[OperationStatus.RUNNING, OperationStatus.WAITING]).exists()


def test_workers_in_the_same_moment_claim_each_operation_once(people: dict[str, Any]) -> None:
    for number in range(6):
        operation_of(people["researcher"], name=f"hub-{number}")
    results = at_once(*[lambda: leases.claim(6)] * 4)
    taken = Counter(each for found in results if isinstance(found, list) for each, _ in found)
    assert set(taken.values()) == {1} and len(taken) == 6


def test_an_end_and_a_teardown_at_once_never_lose_the_teardown(people: dict[str, Any]) -> None:
    operation = operation_of(people["researcher"], name="hub")
    hub, plan = operation.deployment, (Made("a", {}),)
    at_once(lambda: one_pass(operation, plan), lambda: services.tear_down(people["researcher"], hub, "hub"))
    operation.refresh_from_db()
    if operation.status == OperationStatus.RUNNING:
        one_pass(operation, plan)
    teardown = hub.operations.get(kind=OperationKind.TEARDOWN)
    assert operation.is_final and teardown.status == OperationStatus.RUNNING


# --- forgetting from every state -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifecycle", [each for each in Lifecycle if not each.look.final])
def test_a_hub_is_forgotten_from_every_state_and_what_runs_ends_at_once(
    lifecycle: Lifecycle, people: dict[str, Any]
) -> None:
    operation = operation_of(people["researcher"], name="hub")
    Deployment.objects.update(lifecycle=lifecycle)
    plan = (Made("cluster", {}, looks=9),)
    one_pass(operation, plan)
    hub = operation.deployment
    record = services.forget(people["reviewer"], hub, "hub", "The subscription was closed.")
    operation.refresh_from_db()
    hub.refresh_from_db()
    assert (operation.status, hub.lifecycle) == (OperationStatus.CANCELLED, Lifecycle.DELETED)
    assert record.requested_by == people["reviewer"] and record.arguments["reason"] == "The subscription was closed."
    assert [thing["name"] for thing in record.result["forgotten"]] == ["cluster"]
    assert not Operation.objects.due().exists()
    with pytest.raises(TooLate):
        services.forget(people["reviewer"], hub, "hub", "Again.")


def test_a_worker_in_the_middle_of_a_forgotten_run_makes_and_records_nothing_more(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}

    class Forgotten(Made):
        def apply(self, ctx: Any) -> None:
            services.forget(people["reviewer"], ctx.operation.deployment, "hub", "Lost.")
            super().apply(ctx)

    operation = operation_of(people["researcher"], name="hub")
    one_pass(operation, (Forgotten("cluster", world), Made("later", world, after=("cluster",))))
    assert world == {} and operation.status == OperationStatus.CANCELLED
    assert operation.events.order_by("-number")[0].message.startswith("The hub was forgotten")
