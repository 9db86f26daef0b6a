"""Hubs that cannot be, in a simulated cloud that is a process of its own; this process is the *worker*."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from accounts.models import SubscriptionGrant, User
from deployments import services
from deployments.models import CatalogueEntry, Deployment, Operation, StepRun
from tests.preflight.cases import Case
from tests.preflight.world import World, forget_connections
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import cloud, drive, make_hub, quick
from worker.hub import HubContext

__all__ = ["cloud", "drive", "make_hub", "quick"]  # fixtures

#: What pages call the region where it matters.
REGIONS = [{"name": "uksouth", "display_name": "UK South"}, {"name": "ukwest", "display_name": "UK West"}]


@pytest.fixture
def world(cloud: SandboxProcess, db: None) -> Iterator[World]:
    """A subscription of its own; afterwards we are who we were, and may do with the vault what we might."""
    number, before = str(uuid4()), dict(os.environ)
    cloud.control("azure/subscriptions", {"id": number, "name": "test", "cores": 400})
    SubscriptionGrant.objects.create(subscription_id=number)
    CatalogueEntry.objects.create(key=f"regions:{number}", data={"rows": REGIONS})
    made = World(cloud, number)
    yield made
    os.environ.clear()
    os.environ |= before
    forget_connections()
    made.put_right()


@pytest.fixture
def asked_for(
    world: World, make_hub: Callable[..., Deployment], people: dict[str, User]
) -> Callable[[Case], Operation]:
    """An approved hub that stands in the case's way; nothing has been done for it yet."""

    def approved(case: Case) -> Operation:
        case.state(world)
        description = {"subscription_id": world.subscription} | case.description(world)
        hub = make_hub(secrets=case.secrets, **description)
        case.taken(world, hub.names)
        return services.approve(people["reviewer"], hub, 1)

    return approved


def context(operation: Operation, step: str) -> HubContext:
    """What the step sees when it looks first."""
    run = StepRun.objects.create(operation=operation, name=step, title=step, position=0)
    return HubContext(operation=operation, fence=operation.fence, run=run)
