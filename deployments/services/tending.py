"""What is done where the cloud and our records differ: put back, left as it is, built again, forgotten."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from cloud.errors import InvalidRequest
from deployments.dispatch import send, wake_workers
from deployments.errors import NotAllowed, TooLate
from deployments.events import Line, record
from deployments.models import Deployment, Discrepancy, Operation, StepRun, Survey
from deployments.services.changing import BUSY, begin
from deployments.services.holding import hold, note
from deployments.services.secrets import REGISTRY_TOKEN
from deployments.states import (
    DiscrepancyKind,
    Health,
    Level,
    Lifecycle,
    OperationKind,
    OperationStatus,
    Outcome,
    StepState,
)

REASON_MISSING = "Say why: whoever looks after the subscription later wants to know."
#: Hubs of which something should be in the cloud.
BUILT = (Lifecycle.PROVISIONING, Lifecycle.READY, Lifecycle.STOPPED)


def look_now() -> None:
    """Has the cloud compared with our records as soon as a worker comes to it."""
    with transaction.atomic():
        Survey.objects.update(due_at=timezone.now())
        send("chores", "worker.jobs.survey")


def put_back(user: User, deployment: Deployment) -> Operation:
    """Brings the cloud back to what the hub's description says; one that was stopped here is switched off again.

    :raises TooLate: something is being done to the hub, or it neither runs nor is stopped.
    """
    told = f"{user} asked to put back what was changed by hand."
    if Deployment.objects.filter(id=deployment.id, lifecycle=Lifecycle.STOPPED).exists():
        return begin(user, deployment, OperationKind.STOP, told, lifecycle=Lifecycle.STOPPED)
    drifted = deployment.discrepancies.filter(kind=DiscrepancyKind.DRIFTED).values_list("details", flat=True)
    renewed = sorted({each["renews"] for details in drifted for each in details if each["renews"]})
    arguments = {"purposes": renewed} if renewed else {}
    return begin(user, deployment, OperationKind.MEND, told, arguments=arguments)


def leave_as_is(user: User, deployment: Deployment) -> None:
    """Stops asking about what was changed by hand, until something else is. The next change of the hub puts it back.

    :raises TooLate: there is nothing to leave any more.
    """
    drifted = deployment.discrepancies.filter(kind=DiscrepancyKind.DRIFTED, accepted_at=None)
    found = list(drifted.values_list("details", flat=True))
    with transaction.atomic():
        if not drifted.update(accepted_by=user, accepted_at=timezone.now()):
            raise TooLate("There is nothing to leave as it is any more.", "Look at the hub's page again.")
        told = " ".join(each["what"] for details in found for each in details)
        note(deployment, f"{user} leaves it as it is: {told}", user)


def build_again(user: User, deployment: Deployment) -> Operation:
    """Builds a hub anew whose cloud is gone: as it was described, at the same address, without what people had stored.

    :raises NotAllowed: the person does not review.
    :raises TooLate: its cloud is there after all, something is being done to it, or it was taken down.
    """
    if not user.may_review:
        raise NotAllowed("Only reviewers have a hub built again.")
    now = timezone.now()
    purposes = [REGISTRY_TOKEN] if deployment.revision.spec.registry == "acr" else []
    try:
        with transaction.atomic():
            hold(deployment.id)
            if not deployment.discrepancies.filter(kind=DiscrepancyKind.GONE).exists():
                raise TooLate("This hub is not gone from the cloud, as far as Slipway knows now.")
            standing = Deployment.objects.filter(id=deployment.id, lifecycle__in=BUILT)
            changes = {"lifecycle": Lifecycle.PROVISIONING, "health": Health.UNKNOWN, "last_outcome": Outcome.NONE}
            if not standing.update(**changes):
                raise TooLate("This hub is being taken down or gone already.")
            operation = Operation.objects.create(
                deployment=deployment, revision=deployment.revision, kind=OperationKind.PROVISION, requested_by=user,
                arguments={"purposes": purposes} if purposes else {}, next_due_at=now,
            )  # fmt: skip
            record(operation.id, [Line(f"{user} had the hub built again: its cloud was gone.", by=user)])
            wake_workers()
    except IntegrityError as exc:
        raise TooLate(BUSY, "Wait until it has ended, then try again.") from exc
    return operation


def forget(user: User, deployment: Deployment, typed_name: str, reason: str) -> Operation:
    """Ends a hub's record without touching the cloud; what may be left there is written down, and its secrets go.

    Returns the record of who forgot it, when and why. What is being done to the hub ends at once, wherever it is: the
    worker that does it is refused every further record and write.

    :raises NotAllowed: the person does not review. TooLate: the hub is gone already.
    :raises InvalidRequest: the typed name is not the hub's, or there is no reason.
    """
    if not user.may_review:
        raise NotAllowed("Only reviewers forget a hub.")
    if typed_name.strip() != deployment.name:
        raise InvalidRequest(f"The name does not match. Type {deployment.name} to confirm.")
    if not reason.strip():
        raise InvalidRequest(REASON_MISSING)
    now = timezone.now()
    with transaction.atomic():
        hold(deployment.id)
        ended = {"lifecycle": Lifecycle.DELETED, "gone_at": now, "health": Health.UNKNOWN, "last_outcome": Outcome.NONE}
        if not Deployment.objects.live().filter(id=deployment.id).update(**ended):
            raise TooLate("This hub is gone already.")
        _end_runs(deployment, now)
        operation = _note_forgotten(user, deployment, reason.strip(), now)
        Discrepancy.objects.filter(deployment=deployment).exclude(kind=DiscrepancyKind.LEFT_OVER).delete()
        send("chores", "worker.jobs.purge_unused_secrets")
    return operation


def _end_runs(deployment: Deployment, now: datetime) -> None:
    open_runs = deployment.operations.filter(status__in=[OperationStatus.RUNNING, OperationStatus.WAITING])
    for operation in open_runs:
        Operation.objects.filter(id=operation.id).update(
            status=OperationStatus.CANCELLED, cancel_requested=True, finished_at=now, lease_until=None,
            fence=F("fence") + 1,
        )  # fmt: skip
        unfinished = StepRun.objects.filter(operation=operation, state__in=[StepState.WORKING, StepState.PENDING])
        unfinished.update(state=StepState.STOPPED, finished_at=now)
        record(operation.id, [Line("The hub was forgotten: this run ends where it is.", Level.WARNING)])


def _note_forgotten(user: User, deployment: Deployment, reason: str, now: datetime) -> Operation:
    left = [
        {"kind": row.kind, "name": row.name, "cloud_id": row.cloud_id, "seen": row.seen_at is not None}
        for row in deployment.resources.filter(gone_at=None)
    ]
    operation = Operation.objects.create(
        deployment=deployment, revision=deployment.revision, kind=OperationKind.FORGET, requested_by=user,
        status=OperationStatus.SUCCEEDED, arguments={"reason": reason}, result={"forgotten": left},
        started_at=now, finished_at=now,
    )  # fmt: skip
    told = ", ".join(f"{thing['kind']} {thing['name']}" for thing in left)
    lines = [
        Line(f"{user} had the hub forgotten, without touching the cloud. The reason: {reason}", Level.WARNING, by=user),
        Line(f"This may still be there, and cost money: {told}." if told else "Nothing of it was known to be there."),
    ]
    record(operation.id, lines)
    return operation
