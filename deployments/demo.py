"""The main job as a script: what a researcher and an administrator do in the portal, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from cloud.registries import check_docker_hub
from deployments import catalogue, outside, services
from deployments.errors import SlipwayError
from deployments.models import Deployment, Event, Operation
from deployments.spec import HubSpec

Show = Callable[[Operation, list[Event]], None]

#: The catalogue is filled by the worker; a fresh portal needs a moment (seconds).
CATALOGUE_PATIENCE = 120.0
LOOK_EVERY = 0.1


def choose(user: User, docker_username: str) -> HubSpec:
    """A small hub in the first subscription and region that have room for one.

    :raises SlipwayError: the catalogue stays empty.
    """
    until = time.monotonic() + CATALOGUE_PATIENCE
    while time.monotonic() < until:
        for subscription in catalogue.subscriptions(user):
            for region in catalogue.regions(subscription.id):
                offer = catalogue.offer(subscription.id, region.name)
                size, count = catalogue.suggestion(offer) if offer else ("", 0)
                if offer and size and offer.default_version and catalogue.cost(region.name, size, count):
                    return _spec(user, docker_username, subscription.id, region.name, size, count, offer)
        time.sleep(LOOK_EVERY)
    raise SlipwayError("The catalogue is still empty.", "Look at the worker's log for the reason.")


def _spec(
    user: User, docker_username: str, subscription: str, region: str, size: str, count: int, offer: catalogue.Offer
) -> HubSpec:
    return HubSpec(
        name="demo-hub",
        purpose="Seeing what Slipway does",
        subscription_id=subscription,
        region=region,
        node_size=size,
        node_count=count,
        kubernetes_version=offer.default_version,
        docker_username=docker_username,
        image_prefix="demo-",
        keep_until=timezone.localdate() + timedelta(days=7),
        chart_version=outside.profile().chart_version,
        contact_email=user.email,
    )


def request(user: User, spec: HubSpec, docker_token: str) -> Deployment:
    """Tries the Docker Hub sign-in, then requests the hub."""
    profile = outside.profile()
    check_docker_hub(profile, spec.docker_username, docker_token, spec.image_namespace, spec.image_prefix)
    return services.request_hub(user, uuid4(), spec, {services.DOCKER_TOKEN: docker_token})


def follow(operation: Operation, show: Show, patience: float) -> Operation:
    """Shows each new line until the operation ends; returns it as it ended.

    :raises SlipwayError: it has not ended after `patience` seconds.
    """
    until, last = time.monotonic() + patience, 0
    while True:
        operation.refresh_from_db()
        lines = list(Event.objects.filter(operation=operation, number__gt=last).order_by("number"))
        last = lines[-1].number if lines else last
        show(operation, lines)
        if operation.is_final and last >= operation.event_count:
            return operation
        if time.monotonic() > until:
            raise SlipwayError(f"{operation} has not ended after {patience:.0f} seconds.")
        time.sleep(LOOK_EVERY)
