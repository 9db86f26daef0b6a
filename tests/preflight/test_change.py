"""A change of a hub that stands looks first, too; what the hub has already counts no second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from deployments import services
from deployments.models import Deployment, Operation
from deployments.states import OperationStatus, StepState
from tests.preflight.world import World
from tests.worker.driving import Drive


def changed(hub: Deployment, reviewer: Any, drive: Drive, **fields: Any) -> Operation:
    services.change(reviewer, hub, hub.revision.number, replace(hub.revision.spec, **fields), {})
    return drive(hub.operations.order_by("-created_at")[0])


def test_a_change_that_does_not_fit_fails_before_anything_is_changed_and_one_that_fits_is_made(
    world: World, make_hub: Callable[..., Deployment], people: dict[str, Any], drive: Drive
) -> None:
    hub = make_hub(subscription_id=world.subscription)
    drive(services.approve(people["reviewer"], hub, 1))
    world.has_cores(4)  # of which it uses two
    hub.refresh_from_db()
    before = world.written()
    refused = changed(hub, people["reviewer"], drive, node_count=3)
    assert refused.status == OperationStatus.FAILED and refused.error_code == "quota"
    assert "needs 4 more cores" in refused.error_message and "room for 1 more of this size" in refused.error_remedy
    assert refused.steps.get(state=StepState.FAILED).name == "preflight"
    assert [row for row in world.written() if row not in before] == []
    hub.refresh_from_db()
    grown = changed(hub, people["reviewer"], drive, node_count=2)
    assert grown.status == OperationStatus.SUCCEEDED, grown.error_message
