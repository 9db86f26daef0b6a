"""Removing what was left over: by a run like any other, so that there is a plan, a log and a receipt."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from cloud.errors import InvalidRequest
from deployments import naming
from deployments.dispatch import wake_workers
from deployments.errors import NotAllowed, TooLate
from deployments.events import Line, record
from deployments.models import Deployment, Discrepancy, Operation, SpecRevision
from deployments.services.changing import BUSY
from deployments.services.holding import hold
from deployments.spec import HubSpec
from deployments.states import DiscrepancyKind, Lifecycle, OperationKind, OperationStatus
from deployments.surveys import VAULT

STRANGE = "purpose unknown: Slipway found this in the cloud and had no record of it"


def clean_up(user: User, found: Discrepancy, typed_name: str) -> Operation:
    """Removes everything that bears the deployment's tag. Asked again it returns the run under way.

    What this portal never knew gets a record first, of a hub that is gone: the run's log and receipt belong to it.

    :raises NotAllowed: the person does not review.
    :raises InvalidRequest: the typed name does not match, or no Slipway has written this tag.
    :raises TooLate: the hub is not gone, or something else is being done to it.
    """
    if not user.may_review:
        raise NotAllowed("Only reviewers remove what was left over.")
    if found.kind != DiscrepancyKind.LEFT_OVER or found.owner_id is None:
        raise InvalidRequest("This is not something that a Slipway has left.", "Look at it in the Azure portal.")
    if not found.is_called(typed_name.strip()):
        raise InvalidRequest(f"The name does not match. Type {found.title} to confirm.")
    try:
        with transaction.atomic():
            return _begin(user, found, found.deployment or _adopted(user, found, found.owner_id))
    except IntegrityError:
        return _under_way(found.owner_id)


def _begin(user: User, found: Discrepancy, deployment: Deployment) -> Operation:
    hold(deployment.id)
    if Deployment.objects.live().filter(id=deployment.id).exists():
        raise TooLate("This hub is not gone.", "Take it down on its own page.")
    elsewhere = {} if found.place == VAULT else {"subscription": found.place}
    operation = Operation.objects.create(
        deployment=deployment, revision=deployment.revision, kind=OperationKind.CLEAN_UP, requested_by=user,
        arguments=elsewhere,
    )  # fmt: skip
    things = ", ".join(f"{thing['kind']} {thing['name']}" for thing in found.details)
    record(operation.id, [Line(f"{user} asked to remove what was left over: {things}.", by=user)])
    wake_workers()
    return operation


def _under_way(deployment_id: UUID) -> Operation:
    """The run that somebody else has begun in the same moment."""
    running = Operation.objects.filter(deployment=deployment_id, status=OperationStatus.RUNNING).first()
    if running is None or running.kind != OperationKind.CLEAN_UP:
        raise TooLate(BUSY, "Wait until it has ended, then try again.")
    return running


def _adopted(user: User, found: Discrepancy, deployment_id: UUID) -> Deployment:
    """A record of a hub that is gone, under the id that its things bear."""
    name, today = _name(found, deployment_id), timezone.localdate()
    spec = HubSpec(
        name=name, purpose=STRANGE, subscription_id="" if found.place == VAULT else found.place,
        region=str(found.details[0].get("region") or ""), node_size="", node_count=0, kubernetes_version="",
        image_prefix="", keep_until=today, chart_version="",
    )  # fmt: skip
    deployment = Deployment.objects.create(
        id=deployment_id, owner=user, name=name, lifecycle=Lifecycle.DELETED, address="", keep_until=today,
        gone_at=timezone.now(),
    )  # fmt: skip
    SpecRevision.objects.create(deployment=deployment, number=1, data=spec.to_json(), author=user)
    Discrepancy.objects.filter(owner=found.owner).update(deployment=deployment)
    return deployment


def _name(found: Discrepancy, deployment_id: UUID) -> str:
    """The hub's name, where a group tells it; or a name that says what it is."""
    ending = f"-{naming.suffix(deployment_id)}"
    for thing in found.details:
        name = str(thing["name"])
        if name.startswith("slipway-") and name.endswith(ending):
            return name.removeprefix("slipway-").removesuffix(ending)[:30]
    return "unknown-hub"
