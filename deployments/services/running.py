"""What becomes of a run: cancelled, tried again, ended."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from cloud.errors import InvalidRequest
from deployments import outside
from deployments.costs import spec_cost
from deployments.dispatch import wake_workers
from deployments.errors import TooLate
from deployments.events import Line, record
from deployments.models import Deployment, Discrepancy, Operation
from deployments.services.holding import hold
from deployments.states import (
    ENDINGS,
    DiscrepancyKind,
    Health,
    Lifecycle,
    OperationKind,
    OperationStatus,
    Outcome,
    StepState,
    sources,
)

#: Runs that put things back when they fail: all their steps look again when they are tried anew.
UNDONE_ON_FAILURE = (OperationKind.CHANGE, OperationKind.ROTATE)
#: A wish to stop one of these that came before its end is obeyed although everything is done: whoever did not want the
#: hub, or its change, need not have it. The others have left the hub as they should by then.
STOPPED_EVEN_WHEN_DONE = (OperationKind.PROVISION, OperationKind.CHANGE, OperationKind.ROTATE)
#: What was done is taken for granted for so long after a run has stopped; later each step looks once more.
TRUSTED = timedelta(minutes=10)
#: Runs at whose good end the hub is as its description says.
AGREED_AFTER = (
    OperationKind.PROVISION, OperationKind.CHANGE, OperationKind.MEND, OperationKind.STOP, OperationKind.START,
)  # fmt: skip


def cancel(user: User, operation: Operation) -> None:
    """Asks the run to stop; the next pass does, within seconds.

    :raises TooLate: it has ended, or was asked before.
    """
    if operation.kind in ENDINGS:
        raise InvalidRequest("Taking down cannot be cancelled: half of it may be gone already.")
    with transaction.atomic():
        hold(operation.deployment_id)
        running = Operation.objects.filter(id=operation.id, status=OperationStatus.RUNNING, cancel_requested=False)
        if not running.update(cancel_requested=True, next_due_at=timezone.now()):
            raise TooLate("There is nothing left to cancel: the run has ended or is stopping.")
        record(operation.id, [Line(f"{user} asked to cancel.", by=user)])
        wake_workers()


def retry(user: User, operation: Operation) -> None:
    """Goes on from the step that failed; what is done stays done.

    When the run has stood still for a while, somebody may have changed what was done: then each step looks again first,
    and makes only what it does not find.

    :raises TooLate: the run does not stand still, or something else has been done to the hub since.
    """
    deployment = operation.deployment
    if deployment.last_outcome == Outcome.ROLLED_BACK and operation.arguments.get("purposes"):
        raise TooLate("The hub uses its former secrets again.", "Type the new ones once more.")
    stopped = Operation.objects.filter(id=operation.id, status__in=[OperationStatus.FAILED, OperationStatus.CANCELLED])
    with transaction.atomic():
        hold(operation.deployment_id)
        stale = stopped.filter(finished_at__lt=timezone.now() - TRUSTED).exists()
        newest = deployment.operations.order_by("-created_at").first()
        if newest is None or newest.id != operation.id or not stopped.update(**_afresh()):
            raise TooLate("This run cannot be tried again: it is running, or a later one has taken its place.")
        if operation.kind in UNDONE_ON_FAILURE:
            operation.steps.all().delete()  # what was done has been undone
        steps = operation.steps.all() if stale else operation.steps.exclude(state=StepState.DONE)
        steps.update(
            state=StepState.PENDING, attempts=0, queued_seconds=0, error_message="", error_remedy="", finished_at=None,
            started_at=None, summary="", token="", next_due_at=timezone.now(),
        )  # fmt: skip
        Deployment.objects.filter(id=operation.deployment_id).update(last_outcome=Outcome.NONE)
        record(operation.id, [Line(f"{user} asked to try again.", by=user)])
        wake_workers()


def _afresh() -> dict[str, object]:
    return {
        "status": OperationStatus.RUNNING,
        "cancel_requested": False,
        "finished_at": None,
        "next_due_at": timezone.now(),
        "error_message": "",
        "error_remedy": "",
        "error_code": "",
        "correlation_id": "",
    }


def finish(operation: Operation, outcome: Outcome) -> None:
    """Inside the engine's transaction: what an operation's end means for its deployment, and who runs next."""
    deployment = Deployment.objects.filter(id=operation.deployment_id)
    deployment.update(last_outcome=outcome)
    now = timezone.now()
    if outcome is Outcome.SUCCEEDED:
        _succeeded(operation, deployment)
        _agree(operation)
    waiting = Operation.objects.filter(deployment_id=operation.deployment_id, status=OperationStatus.WAITING)
    if waiting.update(status=OperationStatus.RUNNING, next_due_at=now):
        wake_workers()


def _succeeded(operation: Operation, deployment: QuerySet[Deployment]) -> None:
    now, kind = timezone.now(), operation.kind
    if kind in (OperationKind.PROVISION, OperationKind.START):
        deployment.filter(lifecycle__in=sources(Lifecycle.READY)).update(
            lifecycle=Lifecycle.READY, health=Health.HEALTHY, health_checked_at=now
        )
        deployment.filter(ready_at=None).update(ready_at=now)
    if kind == OperationKind.STOP:
        deployment.filter(lifecycle__in=sources(Lifecycle.STOPPED)).update(
            lifecycle=Lifecycle.STOPPED, health=Health.UNKNOWN
        )
    if kind in (OperationKind.PROVISION, OperationKind.CHANGE):
        deployment.update(serving=operation.revision, **_as_described(operation))
    if kind == OperationKind.MEND:
        deployment.update(health=Health.HEALTHY, health_checked_at=now)
    if kind in UNDONE_ON_FAILURE:
        operation.deployment.secrets.update(previous_version="")
        deployment.update(health=Health.HEALTHY, health_checked_at=now)
    if kind == OperationKind.TEARDOWN:
        deployment.filter(lifecycle=Lifecycle.DELETING).update(lifecycle=Lifecycle.DELETED, gone_at=now)


def _agree(operation: Operation) -> None:
    """What a run has put right is no discrepancy any more; the next survey looks anew."""
    mine = Discrepancy.objects.filter(owner=str(operation.deployment_id))
    if operation.kind == OperationKind.CLEAN_UP:
        mine.filter(kind=DiscrepancyKind.LEFT_OVER).delete()
    elif operation.kind in (*AGREED_AFTER, OperationKind.TEARDOWN):
        mine.exclude(kind=DiscrepancyKind.LEFT_OVER).delete()


def _as_described(operation: Operation) -> dict[str, object]:
    """What the deployment's own columns repeat of its description, for lists."""
    spec = operation.revision.spec
    estimate = spec_cost(spec)
    values: dict[str, object] = {"address": outside.hub_address(spec, operation.deployment.names)}
    return values | ({"monthly_cost": estimate.monthly, "currency": estimate.currency} if estimate else {})
