"""What is done to a hub that stands: changed, given new secrets, stopped, started, tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from cloud.errors import InvalidRequest
from deployments.costs import spec_cost
from deployments.dispatch import wake_workers
from deployments.errors import TooLate
from deployments.events import Line, record
from deployments.models import Deployment, Operation, SpecRevision
from deployments.services import secrets as vaulted
from deployments.services.holding import hold, note
from deployments.services.requesting import check_description
from deployments.spec import HubSpec
from deployments.states import Lifecycle, OperationKind, OperationStatus

#: What cannot change in place: Azure would have to make the hub anew.
FIXED = ("name", "subscription_id", "region", "node_size", "os_disk_gib")
BUSY = "Something is being done to this hub just now."


def change(user: User, deployment: Deployment, number: int, spec: HubSpec, secrets: Mapping[str, str]) -> SpecRevision:
    """Makes a new revision and applies it, or has it wait for review when it costs more than was approved.

    `number` is the revision that the person looked at while editing.

    :raises InvalidRequest: nothing changes, or something that cannot.
    :raises OverPolicy: the person's groups do not allow it. TooLate: the hub has changed meanwhile, or is busy.
    """
    present = deployment.revision
    refuse_impossible(present.spec, spec)
    if present.number != number:
        raise TooLate("This hub was changed since you opened the form.", "Look at how it stands now, then edit again.")
    if spec == present.spec and not secrets:
        raise InvalidRequest("Nothing would change.")
    check_description(user, spec)
    _refuse_busy(deployment)
    waits = not user.may_review and costs_more(present.spec, spec)
    revision = _new_revision(user, deployment, spec, waits)
    try:
        _store(deployment, user, secrets)
        if not waits:
            purposes = {"purposes": sorted(secrets)} if secrets else {}
            told = f"{user} asked for a change."
            begin(user, deployment, OperationKind.CHANGE, told, revision, arguments=purposes)
    except Exception:
        revision.delete()
        raise
    return revision


def withdraw(user: User, revision: SpecRevision) -> None:
    """Takes back a change that waits for review.

    :raises TooLate: it was decided already.
    """
    with transaction.atomic():
        hold(revision.deployment_id)
        if not SpecRevision.objects.awaiting_review().filter(id=revision.id).delete()[0]:
            raise TooLate("This change was decided already.")
        note(revision.deployment, f"{user} withdrew revision {revision.number}.", user)


def rotate(user: User, deployment: Deployment, secrets: Mapping[str, str], *, hub_tokens: bool = False) -> Operation:
    """Puts new secrets into the vault and has the hub use them; what was there before counts again if that fails.

    Azure's registry makes its password by itself: name it with an empty value.

    :raises InvalidRequest: no secret was given. TooLate: the hub is busy or not ready.
    """
    values = {purpose: value for purpose, value in secrets.items() if value}
    if hub_tokens:
        values[vaulted.HUB_TOKENS] = vaulted.hub_tokens()
    purposes = sorted({*secrets, *values})
    if not purposes:
        raise InvalidRequest("Choose what to renew.")
    _refuse_busy(deployment)
    _store(deployment, user, values)
    try:
        return begin(
            user, deployment, OperationKind.ROTATE, f"{user} gave new secrets.", arguments={"purposes": purposes}
        )
    except Exception:
        vaulted.go_back(deployment)
        raise


def stop(user: User, deployment: Deployment) -> Operation:
    """Switches the machines off to save money; everything stays.

    :raises TooLate: the hub is busy or does not run.
    """
    return begin(user, deployment, OperationKind.STOP, f"{user} asked to stop the hub.")


def start(user: User, deployment: Deployment) -> Operation:
    """Switches a stopped hub on again.

    :raises TooLate: the hub is busy or not stopped.
    """
    return begin(user, deployment, OperationKind.START, f"{user} asked to start the hub.", lifecycle=Lifecycle.STOPPED)


def try_launch(user: User, deployment: Deployment, repository: str, ref: str = "HEAD") -> Operation:
    """Launches a repository on the hub, sees its server answer and shuts it down.

    :raises TooLate: the hub is busy or not ready.
    """
    told = f"{user} asked to try {repository} at {ref}."
    arguments = {"repository": repository, "ref": ref}
    return begin(user, deployment, OperationKind.TRY_LAUNCH, told, arguments=arguments)


def refuse_impossible(present: HubSpec, wanted: HubSpec) -> None:
    """Raises what cannot change while the hub stands."""
    moved = [name for name in FIXED if getattr(present, name) != getattr(wanted, name)]
    if moved:
        raise InvalidRequest(
            f"This cannot change while the hub stands: {', '.join(name.replace('_', ' ') for name in moved)}.",
            "Ask for a new hub, and take this one down when it is ready.",
        )
    if present.registry == "acr" and wanted.registry != "acr":
        raise InvalidRequest(
            "The registry that Slipway made for this hub stays with it.",
            "Ask for a new hub if its images are to be stored elsewhere.",
        )
    before, after = (_minor(spec.kubernetes_version) for spec in (present, wanted))
    if after < before:
        raise InvalidRequest("Azure cannot go back to an older Kubernetes version.")
    if after[0] != before[0] or after[1] - before[1] > 1:
        raise InvalidRequest(
            "Kubernetes goes up one minor version at a time.", f"Choose {before[0]}.{before[1] + 1} first."
        )


def changed_fields(present: HubSpec, wanted: HubSpec) -> list[str]:
    """The names of the fields in which two descriptions differ."""
    return [field.name for field in fields(HubSpec) if getattr(present, field.name) != getattr(wanted, field.name)]


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def costs_more(present: HubSpec, wanted: HubSpec) -> bool:
    """Whether a change needs a new approval. Compared at today's prices, at the most that each can cost."""
    before, after = spec_cost(present), spec_cost(wanted)
    if before is None or after is None:
        return replace(present, purpose="") != replace(wanted, purpose="")
    return after.most > before.most + Decimal("0.01")


def _new_revision(user: User, deployment: Deployment, spec: HubSpec, waits: bool) -> SpecRevision:
    try:
        with transaction.atomic():
            hold(deployment.id)
            SpecRevision.objects.awaiting_review().filter(deployment=deployment).delete()
            newest = deployment.revisions.order_by("-number").values_list("number", flat=True).first() or 0
            return SpecRevision.objects.create(
                deployment=deployment, number=newest + 1, data=spec.to_json(), author=user, needs_review=waits
            )
    except IntegrityError as exc:
        raise TooLate("Somebody else changed this hub in the same moment.", "Look at it again.") from exc


def _store(deployment: Deployment, user: User, values: Mapping[str, str]) -> None:
    if values:
        vaulted.note_places(deployment, user, values)
        vaulted.store(deployment, user, values)


def _refuse_busy(deployment: Deployment) -> None:
    """Before anything reaches the vault; the constraint on running operations is what holds in a race."""
    busy = deployment.operations.filter(status__in=[OperationStatus.RUNNING, OperationStatus.WAITING])
    if busy.exists() or not Deployment.objects.filter(id=deployment.id, lifecycle=Lifecycle.READY).exists():
        raise TooLate(BUSY, "Wait until it has ended, then try again.")


def begin(
    user: User,
    deployment: Deployment,
    kind: OperationKind,
    told: str,
    revision: SpecRevision | None = None,
    *,
    lifecycle: Lifecycle = Lifecycle.READY,
    arguments: Mapping[str, object] | None = None,
) -> Operation:
    """Starts an operation on a hub in that lifecycle, unless another one runs."""
    try:
        with transaction.atomic():
            hold(deployment.id)
            if not Deployment.objects.filter(id=deployment.id, lifecycle=lifecycle).exists():
                raise TooLate(f"This hub is not {lifecycle.label.lower()}.", "Look at its page for how it stands now.")
            operation = Operation.objects.create(
                deployment=deployment,
                revision=revision or deployment.revision,
                kind=kind,
                requested_by=user,
                arguments=dict(arguments or {}),
                next_due_at=timezone.now(),
            )
            record(operation.id, [Line(told, by=user)])
            wake_workers()
    except IntegrityError as exc:
        raise TooLate(BUSY, "Wait until it has ended, then try again.") from exc
    return operation
