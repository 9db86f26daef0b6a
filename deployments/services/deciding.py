"""What administrators decide: about requests, and about changes that would cost more than was approved."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.models import User
from cloud.errors import InvalidRequest
from deployments.dispatch import send, wake_workers
from deployments.errors import NotAllowed, TooLate
from deployments.events import Line, record
from deployments.models import Deployment, Operation, Review, SpecRevision
from deployments.services.holding import hold
from deployments.states import Lifecycle, OperationKind

REASON_MISSING = "Say why, so that the requester knows what to change."


def approve(reviewer: User, deployment: Deployment, revision_number: int) -> Operation:
    """Starts building. The revision that was looked at is the one that is built.

    :raises NotAllowed: the person does not review.
    :raises TooLate: somebody decided already, or the request has changed since the page was shown.
    """
    with transaction.atomic():
        revision = _decide(reviewer, deployment, revision_number, approved=True, reason="")
        operation = Operation.objects.create(
            deployment=deployment, revision=revision, kind=OperationKind.PROVISION, requested_by=reviewer
        )
        record(operation.id, [Line(f"{reviewer} approved the request.", by=reviewer)])
        wake_workers()
    return operation


def reject(reviewer: User, deployment: Deployment, revision_number: int, reason: str) -> None:
    """Ends the request with a reason the requester sees; its secrets are purged.

    :raises NotAllowed, TooLate: as `approve`.
    """
    if not reason.strip():
        raise InvalidRequest(REASON_MISSING)
    with transaction.atomic():
        _decide(reviewer, deployment, revision_number, approved=False, reason=reason.strip())
        send("chores", "worker.jobs.purge_unused_secrets")


def _decide(reviewer: User, deployment: Deployment, number: int, *, approved: bool, reason: str) -> SpecRevision:
    if not reviewer.may_review:
        raise NotAllowed("Only reviewers decide about requests.")
    revision = deployment.revision
    target = Lifecycle.PROVISIONING if approved else Lifecycle.REJECTED
    waiting = Deployment.objects.awaiting_review().filter(id=deployment.id)
    if revision.number != number or not waiting.update(lifecycle=target):
        raise TooLate(_overtaken(revision), "Look at its page for how it stands now.")
    Review.objects.create(revision=revision, reviewer=reviewer, approved=approved, reason=reason)
    deployment.refresh_from_db()
    return revision


def _overtaken(revision: SpecRevision) -> str:
    decision = Review.objects.filter(revision=revision).select_related("reviewer").first()
    return f"This request was decided or changed in the meantime{f': {decision}' if decision else ''}."


def approve_change(reviewer: User, revision: SpecRevision) -> Operation:
    """Starts the change that was looked at.

    :raises NotAllowed: the person does not review.
    :raises TooLate: somebody decided already, the change was withdrawn, or something else is being done to the hub.
    """
    try:
        with transaction.atomic():
            _decide_change(reviewer, revision, approved=True, reason="")
            operation = Operation.objects.create(
                deployment=revision.deployment, revision=revision, kind=OperationKind.CHANGE, requested_by=reviewer
            )
            record(operation.id, [Line(f"{reviewer} approved revision {revision.number}.", by=reviewer)])
            wake_workers()
    except IntegrityError as exc:
        raise TooLate("This change was decided already, or something else is being done to the hub.") from exc
    return operation


def reject_change(reviewer: User, revision: SpecRevision, reason: str) -> None:
    """Leaves the hub as it is, with a reason its owner sees.

    :raises NotAllowed, TooLate: as `approve_change`.
    """
    if not reason.strip():
        raise InvalidRequest(REASON_MISSING)
    try:
        with transaction.atomic():
            _decide_change(reviewer, revision, approved=False, reason=reason.strip())
    except IntegrityError as exc:
        raise TooLate("This change was decided already.") from exc


def _decide_change(reviewer: User, revision: SpecRevision, *, approved: bool, reason: str) -> None:
    if not reviewer.may_review:
        raise NotAllowed("Only reviewers decide about changes.")
    hold(revision.deployment_id)
    if not SpecRevision.objects.awaiting_review().filter(id=revision.id).exists():
        raise TooLate("This change was decided or withdrawn in the meantime.", "Look at the hub's page.")
    # One review a revision: the database refuses a second one.
    Review.objects.create(revision=revision, reviewer=reviewer, approved=approved, reason=reason)
