"""What can only come later: nobody could have known. The failed step says it, and a retry goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import pytest
from django.utils import timezone

from deployments import services
from deployments.models import Deployment, Operation, StepRun
from deployments.states import OperationStatus, StepState
from tests.preflight.world import World
from tests.worker.driving import Drive

Happen = Callable[[World, Deployment], None]


def outcome(code: str, message: str, **more: Any) -> Happen:
    """How Azure's work on the cluster ends after it was accepted."""

    def lay_down(world: World, hub: Deployment) -> None:
        fate = {"name": hub.names.cluster, "code": code, "message": message}
        world.process.control("azure/outcomes", fate | more)

    return lay_down


def refusal(status: int, code: str, message: str) -> Happen:
    """How Azure answers when the cluster is asked for."""

    def lay_down(world: World, hub: Deployment) -> None:
        body = f'{{"error": {{"code": "{code}", "message": "{message}"}}}}'
        path = rf"/managedClusters/{hub.names.cluster}\?"
        world.process.fault(path, "custom", method="PUT", status=status, body=body)

    return lay_down


@dataclass(frozen=True)
class Late:
    """Something that happens, fails `step`, and is said with these words.

    It happens before the run, or, after the "group", between two tries of the run.
    """

    id: str
    step: str
    says: str
    happens: Happen
    after: Literal["", "group"] = ""
    #: The step would wait; its time is over at once.
    waits: bool = False
    hub: dict[str, Any] = field(default_factory=dict)


LATE = (
    Late(
        "size-out-of-stock", "cluster", "no machine of this size to give in this region now",
        lambda w, hub: w.process.control("azure/capacity", {"region": "japaneast", "size": "Standard_D2s_v5"}),
        hub={"region": "japaneast"},
    ),
    Late(
        "allocation-failed", "cluster", "no machine of this size to give in this region now",
        outcome("AllocationFailed", "Allocation failed. We do not have sufficient capacity."),
    ),
    Late(
        "quota-meanwhile", "cluster", "may not use that many CPU cores in this region",
        lambda w, hub: w.has_cores(1), after="group",
    ),
    Late(
        "policy-meanwhile", "cluster", "a policy of your organisation forbids it (“Frozen”)",
        lambda w, hub: w.denies("Frozen", types=["Microsoft.ContainerService/managedClusters"]), after="group",
    ),
    Late(
        "region-closed", "cluster", "Azure itself does not take what was asked for from this subscription there",
        refusal(400, "RequestDisallowedByAzure", "Resource was disallowed by Azure."),
    ),
    Late(
        "rights-meanwhile", "cluster", "has no right to do that in this subscription",
        lambda w, hub: w.may_not("Microsoft.ContainerService/managedClusters/write"), after="group",
    ),
    Late(
        "cluster-failed", "cluster", "ControlPlaneAddOnsNotReady",
        outcome("ControlPlaneAddOnsNotReady", "ControlPlaneAddOnsNotReady: pods of konnectivity-agent do not start."),
    ),
    Late(
        "cluster-stuck", "cluster", "was not finished after 45 minutes",
        outcome("", "", stuck=True), waits=True,
    ),
    Late(
        "addresses-meanwhile", "address", "public", lambda w, hub: w.has_cores(1, "PublicIPAddresses"),
        after="group", waits=True,
    ),
    Late(
        "docker-token-meanwhile", "ingredients", "Docker Hub does not accept the username",
        lambda w, hub: w.docker_account("latecomer", token="another-one"), after="group",
        hub={"docker_username": "latecomer"},
    ),
    Late(
        "image-pull", "workloads", "Docker Hub gives out no more images for now",
        lambda w, hub: w.process.control(
            "kubernetes/symptoms",
            {"namespace": hub.names.namespace, "pod": "hub-", "kind": "ImagePullBackOff",
             "message": "toomanyrequests: You have reached your pull rate limit."},
        ), after="group", waits=True,
    ),
    Late(
        "launch-refused", "proof", "could not launch binder-examples/requirements", lambda w, hub: None,
        hub={"banned_repositories": ("binder-examples/*",)},
    ),
)  # fmt: skip


@pytest.fixture
def building(
    world: World, make_hub: Callable[..., Deployment], people: dict[str, Any], drive: Drive
) -> Callable[[Late], Operation]:
    """A run in which it happens, moved until it has failed."""

    def build(late: Late) -> Operation:
        world.docker_account("latecomer")
        hub = make_hub(subscription_id=world.subscription, **late.hub)
        operation = services.approve(people["reviewer"], hub, 1)
        if late.after == "group":
            stumble(operation, world, drive)
        late.happens(world, hub)
        if late.after == "group":
            services.retry(people["researcher"], operation)
        if late.waits:
            drive.until(operation, lambda: speaks(operation, late))
            run_out(operation, late.step)
        return drive(operation)

    return build


def stumble(operation: Operation, world: World, drive: Drive) -> None:
    """The first try ends at the resource group: what was looked at before is not looked at again."""
    world.process.fault(rf"/resourcegroups/{operation.deployment.names.group}\?", "forbidden", method="PUT")
    drive(operation)
    assert operation.steps.get(state=StepState.FAILED).name == "group"


def speaks(operation: Operation, late: Late) -> bool:
    """Whether the step that waits has said why; one that is stuck says nothing."""
    told = operation.steps.filter(name=late.step, state=StepState.WORKING).values_list("summary", flat=True)
    return any(late.says.lower() in summary.lower() or late.id == "cluster-stuck" for summary in told)


def run_out(operation: Operation, step: str) -> None:
    """The step has been at it for longer than it may be."""
    StepRun.objects.filter(operation=operation, name=step).update(started_at=timezone.now() - timedelta(hours=3))


@pytest.fixture(autouse=True)
def healed(world: World) -> Any:
    yield
    world.process.control("kubernetes/symptoms", method="DELETE")
    world.process.control("azure/outcomes", {"clear": True})
    world.process.control("azure/capacity", {"region": "japaneast", "size": "Standard_D2s_v5", "available": True})


@pytest.mark.parametrize("late", LATE, ids=lambda late: late.id)
def test_the_failed_step_says_what_happened_and_what_to_do(late: Late, building: Callable[[Late], Operation]) -> None:
    operation = building(late)
    assert operation.status == OperationStatus.FAILED
    failed = operation.steps.get(state=StepState.FAILED)
    assert failed.name == late.step
    assert late.says.lower() in operation.error_message.lower()
    assert operation.error_remedy and failed.error_remedy


def test_a_run_that_failed_for_lack_of_cores_goes_on_once_they_are_there(
    building: Callable[[Late], Operation], world: World, people: dict[str, Any], drive: Drive
) -> None:
    operation = building(next(late for late in LATE if late.id == "quota-meanwhile"))
    world.has_cores(400)
    services.retry(people["researcher"], operation)
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
