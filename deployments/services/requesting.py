"""A request for a hub, and what a person may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.policy import allowance, granted_subscriptions
from deployments import naming, outside
from deployments.costs import spec_cost
from deployments.errors import NotAllowed, OverPolicy, TooLate
from deployments.models import Deployment, SpecRevision
from deployments.redaction import remember
from deployments.services import secrets as vaulted
from deployments.spec import HubSpec


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
    values = {**secrets, vaulted.HUB_TOKENS: vaulted.hub_tokens()}
    for value in secrets.values():
        remember(value)
    deployment = _create(user, draft_id, spec, values)
    try:
        vaulted.store(deployment, user, values)
    except Exception:
        deployment.delete()
        raise
    return deployment


def check_policy(user: User, spec: HubSpec) -> None:
    """Raises what the person's groups do not allow of a new hub."""
    most = allowance(user).max_hubs
    if Deployment.objects.live().filter(owner=user).count() >= most:
        raise OverPolicy(
            f"You already have {most} hubs, the most that your group may have at a time.",
            "Take one down first, or ask an administrator for more.",
        )
    check_description(user, spec)


def check_description(user: User, spec: HubSpec) -> None:
    """Raises what the person's groups do not allow a hub to be."""
    allowed = allowance(user)
    if spec.subscription_id.lower() not in granted_subscriptions(user):
        raise NotAllowed("You may not make hubs in this subscription.", "Ask an administrator of Slipway to let you.")
    days = (spec.keep_until - timezone.localdate()).days
    if days > allowed.max_days:
        raise OverPolicy(f"A hub may stay {allowed.max_days} days at most; this is {days}.", "Choose an earlier day.")
    estimate = spec_cost(spec)
    if estimate and estimate.most > allowed.max_monthly_cost:
        raise OverPolicy(
            f"This hub would cost about {estimate.most} {estimate.currency} a month;"
            f" your group may spend {allowed.max_monthly_cost}.",
            "Choose fewer or smaller nodes.",
        )


def _create(user: User, draft_id: UUID, spec: HubSpec, values: Mapping[str, str]) -> Deployment:
    names, estimate = naming.derive(spec.name, draft_id), spec_cost(spec)
    try:
        with transaction.atomic():
            deployment = Deployment.objects.create(
                id=draft_id,
                owner=user,
                name=spec.name,
                address=outside.hub_address(spec, names),
                monthly_cost=estimate.monthly if estimate else None,
                currency=estimate.currency if estimate else outside.profile().currency,
                keep_until=spec.keep_until,
            )
            SpecRevision.objects.create(deployment=deployment, number=1, data=spec.to_json(), author=user)
            vaulted.note_places(deployment, user, values)
    except IntegrityError as exc:
        raise TooLate(
            f"You already have a hub called {spec.name}, or this form was sent twice.",
            "Look at My hubs; choose another name for a second hub.",
        ) from exc
    return deployment
