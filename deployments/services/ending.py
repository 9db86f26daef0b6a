"""The end of a hub: postponed, or begun."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.policy import allowance
from cloud.errors import InvalidRequest
from deployments.dispatch import wake_workers
from deployments.errors import OverPolicy, TooLate
from deployments.events import Line, record
from deployments.models import Deployment, Operation
from deployments.services.holding import hold, note
from deployments.services.running import retry
from deployments.states import Lifecycle, OperationKind, OperationStatus, Outcome, sources


def extend(user: User, deployment: Deployment, day: date) -> None:
    """Keeps the hub until another day, counted from today as the owner's groups allow.

    :raises InvalidRequest: the day is not later than the present one.
    :raises OverPolicy: it is too far away. TooLate: the hub is going or gone.
    """
    days, most = (day - timezone.localdate()).days, allowance(deployment.owner).max_days
    if day <= deployment.keep_until:
        raise InvalidRequest("Choose a day after the one it is kept until now.")
    if days > most and not user.may_review:
        raise OverPolicy(f"A hub may stay {most} days from today at most; this is {days}.", "Choose an earlier day.")
    staying = [Lifecycle.REQUESTED, Lifecycle.PROVISIONING, Lifecycle.READY, Lifecycle.STOPPED]
    with transaction.atomic():
        if not Deployment.objects.filter(id=deployment.id, lifecycle__in=staying).update(keep_until=day):
            raise TooLate("This hub is being taken down or gone already.")
        note(deployment, f"{user} keeps the hub until {day:%-d %B %Y}.", user)
    deployment.refresh_from_db()


def tear_down(user: User, deployment: Deployment, typed_name: str) -> Operation:
    """Takes the hub down, whatever state it is in. Asked again it returns the teardown under way.

    :raises InvalidRequest: the typed name is not the hub's.
    :raises TooLate: it is gone already.
    """
    if typed_name.strip() != deployment.name:
        raise InvalidRequest(f"The name does not match. Type {deployment.name} to confirm.")
    if operation := _begin(deployment, user, f"{user} asked to take the hub down."):
        return operation
    present = deployment.operations.filter(kind=OperationKind.TEARDOWN).order_by("-created_at").first()
    if present is None or Deployment.objects.filter(id=deployment.id, lifecycle=Lifecycle.DELETED).exists():
        raise TooLate("This hub is gone already.")
    if present.status == OperationStatus.FAILED:
        _try_again(user, present)
    return present


def _try_again(user: User, teardown: Operation) -> None:
    """Two people may ask in the same moment: the second finds it running again."""
    try:
        retry(user, teardown)
    except TooLate:
        teardown.refresh_from_db()
        if teardown.is_final:
            raise


def take_down_expired(deployment: Deployment, today: date) -> Operation | None:
    """Begins the teardown of a hub whose last day has passed; None when it was extended or is going already."""
    still = Deployment.objects.filter(id=deployment.id, keep_until__lt=today)
    if not still.exists():
        return None
    return _begin(deployment, None, f"The hub was kept until {deployment.keep_until:%-d %B %Y}; it is taken down now.")


def _begin(deployment: Deployment, user: User | None, told: str) -> Operation | None:
    """Begins the teardown if nobody has: it runs now, or behind the operation it asks to stop."""
    now = timezone.now()
    with transaction.atomic():
        hold(deployment.id)
        leaving = Deployment.objects.filter(id=deployment.id, lifecycle__in=sources(Lifecycle.DELETING))
        if not leaving.update(lifecycle=Lifecycle.DELETING, last_outcome=Outcome.NONE):
            return None
        stopping = deployment.operations.filter(status=OperationStatus.RUNNING)
        status = OperationStatus.RUNNING
        if stopping.update(cancel_requested=True, next_due_at=now):
            status = OperationStatus.WAITING
        operation = Operation.objects.create(
            deployment=deployment,
            revision=deployment.revision,
            kind=OperationKind.TEARDOWN,
            status=status,
            requested_by=user,
        )
        record(operation.id, [Line(told, by=user)])
        wake_workers()
    return operation
