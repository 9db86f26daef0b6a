"""Every decision about a hub: one conditional UPDATE in one transaction. Who changes no row lost the race."""

from __future__ import annotations

import json
import secrets as tokens
from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.policy import allowance, granted_subscriptions
from cloud.errors import InvalidRequest, SlipwayError
from deployments import catalogue, naming, outside
from deployments.dispatch import send, wake_workers
from deployments.errors import NotAllowed, OverPolicy, TooLate
from deployments.events import Line, record
from deployments.models import Deployment, Operation, Review, SecretRef, SpecRevision
from deployments.redaction import remember
from deployments.spec import HubSpec
from deployments.states import (
    Health,
    Lifecycle,
    OperationKind,
    OperationStatus,
    Outcome,
    SecretState,
    StepState,
    sources,
)

#: What the vault keeps for a hub: the person's secrets, the tokens its parts know one another by (JSON), and the
#: password that Azure's registry made for it.
DOCKER_TOKEN, GITHUB_SECRET, PRIVATE_TOKEN = "docker-token", "github-secret", "private-token"
HUB_TOKENS, REGISTRY_TOKEN = "hub-tokens", "registry-token"


def request_hub(user: User, draft_id: UUID, spec: HubSpec, secrets: Mapping[str, str]) -> Deployment:
    """Records the request and puts its secrets into the vault; the same draft sent twice makes one request.

    The database knows each secret's place before the vault is asked, so nothing there can be forgotten. When the vault
    refuses, the request is undone and what had been stored is purged by the sweep.

    :raises OverPolicy, NotAllowed: the person may not have such a hub.
    :raises SlipwayError: the vault could not take the secrets.
    """
    if earlier := Deployment.objects.filter(id=draft_id, owner=user).first():
        return earlier
    check_policy(user, spec)
    values = {**secrets, HUB_TOKENS: _hub_tokens()}
    for value in secrets.values():
        remember(value)
    deployment = _create(user, draft_id, spec, values)
    try:
        _store_secrets(deployment, values)
    except Exception:
        deployment.delete()
        raise
    return deployment


def check_policy(user: User, spec: HubSpec) -> None:
    """Raises what the person's groups do not allow."""
    allowed = allowance(user)
    if spec.subscription_id.lower() not in granted_subscriptions(user):
        raise NotAllowed("You may not make hubs in this subscription.", "Ask an administrator of Slipway to let you.")
    if Deployment.objects.live().filter(owner=user).count() >= allowed.max_hubs:
        raise OverPolicy(
            f"You already have {allowed.max_hubs} hubs, the most that your group may have at a time.",
            "Take one down first, or ask an administrator for more.",
        )
    days = (spec.keep_until - timezone.localdate()).days
    if days > allowed.max_days:
        raise OverPolicy(f"A hub may stay {allowed.max_days} days at most; this is {days}.", "Choose an earlier day.")
    estimate = catalogue.cost(spec.region, spec.node_size, spec.node_count, spec.tier)
    if estimate and estimate.monthly > allowed.max_monthly_cost:
        raise OverPolicy(
            f"This hub would cost about {estimate.monthly} {estimate.currency} a month;"
            f" your group may spend {allowed.max_monthly_cost}.",
            "Choose fewer or smaller nodes.",
        )


def _hub_tokens() -> str:
    names = ("binder_api_token", "proxy_secret_token", "probe_api_token")
    return json.dumps({name: tokens.token_hex(32) for name in names})


def _create(user: User, draft_id: UUID, spec: HubSpec, values: Mapping[str, str]) -> Deployment:
    label = naming.derive(spec.name, draft_id).dns_label
    estimate = catalogue.cost(spec.region, spec.node_size, spec.node_count, spec.tier)
    try:
        with transaction.atomic():
            deployment = Deployment.objects.create(
                id=draft_id,
                owner=user,
                name=spec.name,
                address=outside.profile().hub_url(label, spec.region),
                monthly_cost=estimate.monthly if estimate else None,
                currency=estimate.currency if estimate else outside.profile().currency,
                keep_until=spec.keep_until,
            )
            SpecRevision.objects.create(deployment=deployment, number=1, data=spec.to_json(), author=user)
            attempt = tokens.token_hex(3)
            SecretRef.objects.bulk_create(
                SecretRef(
                    deployment=deployment,
                    purpose=purpose,
                    vault_name=naming.secret_name(draft_id, purpose, attempt),
                    set_by=user,
                )
                for purpose in values
            )
    except IntegrityError as exc:
        raise TooLate(
            f"You already have a hub called {spec.name}, or this form was sent twice.",
            "Look at My hubs; choose another name for a second hub.",
        ) from exc
    return deployment


def _store_secrets(deployment: Deployment, values: Mapping[str, str]) -> None:
    tags = {naming.OWNER_TAG: str(deployment.id)}
    for ref in deployment.secrets.all():
        version = outside.vault().set(ref.vault_name, values[ref.purpose], tags)
        SecretRef.objects.filter(id=ref.id).update(state=SecretState.STORED, version=version, set_at=timezone.now())


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
        record(operation.id, [Line(f"{reviewer} approved the request.")])
        wake_workers()
    return operation


def reject(reviewer: User, deployment: Deployment, revision_number: int, reason: str) -> None:
    """Ends the request with a reason the requester sees; its secrets are purged.

    :raises NotAllowed, TooLate: as `approve`.
    """
    if not reason.strip():
        raise InvalidRequest("Say why, so that the requester knows what to change.")
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
        raise TooLate("This request was decided or changed in the meantime.", "Look at its page for how it stands now.")
    Review.objects.create(revision=revision, reviewer=reviewer, approved=approved, reason=reason)
    deployment.refresh_from_db()
    return revision


def cancel(user: User, operation: Operation) -> None:
    """Asks the run to stop; the next pass does, within seconds.

    :raises TooLate: it has ended, or was asked before.
    """
    if operation.kind == OperationKind.TEARDOWN:
        raise InvalidRequest("Taking down cannot be cancelled: half of it may be gone already.")
    with transaction.atomic():
        running = Operation.objects.filter(id=operation.id, status=OperationStatus.RUNNING, cancel_requested=False)
        if not running.update(cancel_requested=True, next_due_at=timezone.now()):
            raise TooLate("There is nothing left to cancel: the run has ended or is stopping.")
        record(operation.id, [Line(f"{user} asked to cancel.")])
        wake_workers()


def retry(user: User, operation: Operation) -> None:
    """Goes on from the step that failed; what is done stays done.

    :raises TooLate: the run does not stand still, or something else has been done to the hub since.
    """
    deployment = operation.deployment
    stopped = Operation.objects.filter(id=operation.id, status__in=[OperationStatus.FAILED, OperationStatus.CANCELLED])
    with transaction.atomic():
        newest = deployment.operations.order_by("-created_at").first()
        if newest is None or newest.id != operation.id or not stopped.update(**_afresh()):
            raise TooLate("This run cannot be tried again: it is running, or a later one has taken its place.")
        operation.steps.exclude(state=StepState.DONE).update(
            state=StepState.PENDING, attempts=0, error_message="", error_remedy="", finished_at=None,
            started_at=None, summary="", token="", next_due_at=timezone.now(),
        )  # fmt: skip
        Deployment.objects.filter(id=operation.deployment_id).update(last_outcome=Outcome.NONE)
        record(operation.id, [Line(f"{user} asked to try again.")])
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


def tear_down(user: User, deployment: Deployment, typed_name: str) -> Operation:
    """Takes the hub down, whatever state it is in. Asked again it returns the teardown under way.

    :raises InvalidRequest: the typed name is not the hub's.
    :raises TooLate: it is gone already.
    """
    if typed_name.strip() != deployment.name:
        raise InvalidRequest(f"The name does not match. Type {deployment.name} to confirm.")
    with transaction.atomic():
        leaving = Deployment.objects.filter(id=deployment.id, lifecycle__in=sources(Lifecycle.DELETING))
        if leaving.update(lifecycle=Lifecycle.DELETING):
            return _start_teardown(user, deployment)
    present = deployment.operations.filter(kind=OperationKind.TEARDOWN).order_by("-created_at").first()
    if present is None or Deployment.objects.filter(id=deployment.id, lifecycle=Lifecycle.DELETED).exists():
        raise TooLate("This hub is gone already.")
    if present.status == OperationStatus.FAILED:
        retry(user, present)
    return present


def _start_teardown(user: User, deployment: Deployment) -> Operation:
    """Inside the transaction: runs now, or behind the operation it asks to stop."""
    now = timezone.now()
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
    record(operation.id, [Line(f"{user} asked to take the hub down.")])
    wake_workers()
    return operation


def finish(operation: Operation, outcome: Outcome) -> None:
    """Inside the engine's transaction: what an operation's end means for its deployment, and who runs next."""
    deployment = Deployment.objects.filter(id=operation.deployment_id)
    deployment.update(last_outcome=outcome)
    now = timezone.now()
    if outcome is Outcome.SUCCEEDED and operation.kind == OperationKind.PROVISION:
        deployment.filter(lifecycle__in=sources(Lifecycle.READY)).update(
            lifecycle=Lifecycle.READY, ready_at=now, health=Health.HEALTHY
        )
    if outcome is Outcome.SUCCEEDED and operation.kind == OperationKind.TEARDOWN:
        deployment.filter(lifecycle=Lifecycle.DELETING).update(lifecycle=Lifecycle.DELETED, gone_at=now)
    waiting = Operation.objects.filter(deployment_id=operation.deployment_id, status=OperationStatus.WAITING)
    if waiting.update(status=OperationStatus.RUNNING, next_due_at=now):
        wake_workers()


__all__ = ["SlipwayError", "approve", "cancel", "check_policy", "finish", "reject", "request_hub", "retry", "tear_down"]
