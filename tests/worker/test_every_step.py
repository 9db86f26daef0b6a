"""Stopped, or failing, in each step of a build: it ends where it is, says what is left, goes on or is taken down.

The steps are read from the plan itself, so a new one cannot be forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from cloud.azure import clusters, node_pools
from cloud.errors import PermanentError
from deployments import outside, services
from deployments.errors import TooLate
from deployments.models import Deployment, Event, Operation
from deployments.progress import progress
from deployments.states import Lifecycle, OperationStatus, Outcome, StepState
from tests.chaos.writes import Write, made
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive
from tests.worker.interrupting import AFTER, BEFORE, interrupted
from tests.worker.test_https import domain as domain
from tests.worker.test_https import point
from tests.worker.test_people import GITHUB
from tests.worker.test_people import app as app
from tests.worker.test_teardown import receipt, taken_down
from worker.hub import HubContext
from worker.plans import PROVISION

STEPS = [step.name for step in PROVISION]
MADE_BY_US = (
    "microsoft.resources/resourcegroups", "microsoft.containerservice/managedclusters",
    "microsoft.containerregistry/registries", "microsoft.authorization/roleassignments",
)  # fmt: skip


class Blows:
    """What strikes the run, and where it did."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.struck: list[str] = []
        self.fence = 0

    def cancel(self, ctx: HubContext) -> bool:
        """Somebody presses Cancel now; two steps of one pass cannot both be where they did."""
        try:
            services.cancel(self.user, ctx.operation)
        except TooLate:
            return False
        self.struck.append(ctx.run.name)
        self.fence = ctx.fence
        return True

    def fail(self, ctx: HubContext) -> bool:
        self.struck.append(ctx.run.name)
        raise PermanentError(f"It broke in {ctx.run.name}.", "Mend it.", code="Broken")


@pytest.fixture
def whole(make_hub: MadeHub, cloud: SandboxProcess, domain: str, app: dict[str, Any], secure: None) -> Deployment:
    """A request for a hub that every step of the plan concerns: registry, domain, certificate and sign-in."""
    secrets = {services.GITHUB_SECRET: app["client_secret"]}
    described = GITHUB | {"github_client_id": app["client_id"], "registry": "acr", "docker_username": ""}
    hub = make_hub(domain=domain, secrets=secrets, **described)
    point(cloud, hub, domain)
    assert all(step.concerns(hub.revision.spec) for step in PROVISION)
    return hub


@pytest.fixture
def blows(people: dict[str, Any]) -> Blows:
    return Blows(people["researcher"])


def in_azure(cloud: SandboxProcess, hub: Deployment) -> list[dict[str, Any]]:
    """What of this hub's making is really there."""
    groups = [f"/resourcegroups/{hub.names.group}".lower()]
    found = [each for each in cloud.control("azure/resources") if each["type"].lower() in MADE_BY_US]
    return [each for each in found if any(f"{group}/" in f"{each['id'].lower()}/" for group in groups)]


def assert_ledger_is_right(cloud: SandboxProcess, hub: Deployment) -> None:
    """Nothing is there that the ledger does not know; what it has seen is there."""
    rows = {row.cloud_id.lower(): row for row in hub.resources.filter(gone_at=None)}
    there = {each["id"].lower() for each in in_azure(cloud, hub)}
    assert there <= set(rows)
    kinds = ("resource group", "cluster", "container registry")
    assert {cloud_id for cloud_id, row in rows.items() if row.seen_at and row.kind in kinds} <= there


def made_twice(cloud: SandboxProcess, before: int) -> dict[Write, int]:
    found: Counter[Write] = made(cloud.control("journal")[before:])
    assert found, "nothing was made at all"
    # The probe's user and its tokens come and go with each try.
    return {what: count for what, count in found.items() if count > 1 and "/hub/api/" not in what.path}


@pytest.mark.parametrize("step", STEPS)
def test_cancelled_in_any_step_it_stops_within_a_pass_and_is_taken_down_without_a_trace(
    step: str, whole: Deployment, blows: Blows, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    hub = whole
    operation = services.approve(people["reviewer"], hub, 1)
    Drive(interrupted([AFTER], blows.cancel, only=step))(operation)
    assert blows.struck == [step]
    assert operation.status == OperationStatus.CANCELLED and operation.fence <= blows.fence + 1
    assert_ledger_is_right(cloud, hub)
    last = Event.objects.filter(operation=operation).order_by("-number").values_list("message", flat=True)[0]
    assert all(each["name"] in last for each in in_azure(cloud, hub) if "roleAssignments" not in each["id"])
    hub.refresh_from_db()
    assert progress(hub).can_take_down and progress(hub).can_retry and hub.lifecycle == Lifecycle.PROVISIONING
    teardown = taken_down(hub, Drive(), people)
    assert hub.lifecycle == Lifecycle.DELETED and receipt(teardown)["complete"], teardown.error_message
    assert in_azure(cloud, hub) == []
    vault = outside.vault()
    assert not [name for name in (*vault.names(), *vault.deleted_names()) if name.startswith(hub.id.hex)]


def test_cancelled_before_and_after_each_write_it_goes_on_every_time_and_makes_each_thing_once(
    whole: Deployment, blows: Blows, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    hub, before = whole, len(cloud.control("journal"))
    operation = services.approve(people["reviewer"], hub, 1)
    drive = Drive(interrupted([BEFORE, AFTER], blows.cancel))
    while drive(operation).status == OperationStatus.CANCELLED:
        assert_ledger_is_right(cloud, hub)
        services.retry(people["researcher"], operation)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert Counter(blows.struck) == dict.fromkeys(STEPS, 2)
    assert made_twice(cloud, before) == {}


def test_failing_before_and_after_each_write_it_goes_on_from_there_and_makes_each_thing_once(
    whole: Deployment, blows: Blows, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    hub, before = whole, len(cloud.control("journal"))
    operation = services.approve(people["reviewer"], hub, 1)
    drive = Drive(interrupted([BEFORE, AFTER], blows.fail))
    while drive(operation).status == OperationStatus.FAILED:
        assert operation.error_message == f"It broke in {blows.struck[-1]}."
        done = set(operation.steps.filter(state=StepState.DONE).values_list("name", flat=True))
        services.retry(people["researcher"], operation)
        assert done == set(operation.steps.filter(state=StepState.DONE).values_list("name", flat=True))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert Counter(blows.struck) == dict.fromkeys(STEPS, 2)
    assert made_twice(cloud, before) == {}
    assert Operation.objects.filter(deployment=hub).count() == 1


# --- changes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stuck", "changes"), [("core", {"node_count": 3}), ("course", {"kubernetes_version": "1.34.3"})]
)
def test_cancelling_a_change_has_azure_stop_it_and_leaves_the_hub_as_it_was(
    stuck: str,
    changes: dict[str, Any],
    built: Callable[..., Deployment],
    drive: Drive,
    people: dict[str, Any],
    cloud: SandboxProcess,
) -> None:
    hub = built(kubernetes_version="1.33.6" if "kubernetes_version" in changes else "1.34.3")
    cloud.control("azure/outcomes", {"name": stuck, "stuck": True})
    spec = replace(hub.revision.spec, **changes)
    services.change(people["reviewer"], hub, hub.revision.number, spec, {})
    operation = hub.operations.order_by("-created_at")[0]
    drive.until(operation, lambda: "Updating" in states(hub))
    services.cancel(people["researcher"], operation)
    drive(operation)
    hub.refresh_from_db()
    assert hub.last_outcome == Outcome.ROLLED_BACK and "cancelled" in operation.error_message
    assert Event.objects.filter(operation=operation, message__startswith="Asking Azure to stop changing").count() == 1
    until(lambda: set(states(hub)) == {"Succeeded"})  # put back, not left half changed
    assert httpx.get(f"{hub.address}services/binder/health").json()["ok"]
    services.retry(people["researcher"], operation)
    assert drive(operation).status == OperationStatus.SUCCEEDED, operation.error_message
    assert set(states(hub)) == {"Succeeded"}


def states(hub: Deployment) -> list[str]:
    """Azure's words for the cluster and each of its pools."""
    place = (outside.azure(), hub.revision.spec.subscription_id, hub.names.group, hub.names.cluster)
    cluster = clusters.get_cluster(*place)
    assert cluster is not None
    return [cluster.state, *(pool.state for pool in node_pools.list_pools(*place))]
