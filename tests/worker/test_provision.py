"""A hub is built step by step; what cannot be is said, and goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deployments import services
from deployments.models import Deployment, Event
from deployments.states import Lifecycle, OperationStatus, StepState
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive


def test_a_hub_is_built_and_its_proof_is_kept(built: Callable[..., Deployment]) -> None:
    hub = built()
    operation = hub.operations.get()
    assert hub.lifecycle == Lifecycle.READY
    assert operation.result["proof"]["repository"] == "binder-examples/requirements"
    assert operation.result["proof"]["image"].startswith("slipwaydemo/course-")
    assert httpx.get(f"{hub.address}services/binder/health").json()["ok"]
    kinds = set(hub.resources.filter(gone_at=None).values_list("kind", flat=True))
    assert kinds == {"resource group", "cluster", "node group", "namespace", "release", "public address"}


def test_the_log_tells_of_each_step_and_holds_no_secret(built: Callable[..., Deployment]) -> None:
    hub = built()
    told = "\n".join(Event.objects.filter(operation__deployment=hub).values_list("message", flat=True))
    for words in ("Kubernetes cluster: Kubernetes 1.34", "Nodes: 1 of 1 nodes ready", "Created Deployment hub"):
        assert words in told
    assert "dckr_pat_demo" not in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"node_count": 4000}, "cores"),
        ({"kubernetes_version": "1.19.1"}, "1.19.1"),
        ({"node_size": "Standard_Nonsense"}, "Standard_Nonsense"),
    ],
)
def test_what_azure_would_refuse_is_said_before_anything_is_made(
    changes: dict[str, Any], words: str, make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub(**changes)
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.status == OperationStatus.FAILED
    assert words in operation.error_message
    assert operation.error_remedy
    assert not hub.resources.exists()


def test_a_group_of_this_name_that_is_anothers_is_not_touched(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    from cloud.azure import groups
    from deployments import outside

    hub = make_hub()
    spec = hub.revision.spec
    groups.create_group(outside.azure(), spec.subscription_id, hub.names.group, "uksouth", {"owner": "somebody"})
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.status == OperationStatus.FAILED
    found = groups.get_group(outside.azure(), spec.subscription_id, hub.names.group)
    assert found is not None and found.tags == {"owner": "somebody"}


def test_a_cluster_that_azure_cannot_make_fails_with_azures_words_and_is_made_on_a_second_try(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    hub = make_hub()
    operation = services.approve(people["reviewer"], hub, 1)
    failure = {"name": hub.names.cluster, "code": "AllocationFailed", "message": "No machines are left."}
    cloud.control("azure/outcomes", failure)
    drive(operation)
    assert operation.status == OperationStatus.FAILED
    failed = operation.steps.get(state=StepState.FAILED)
    assert failed.name == "cluster"
    assert operation.correlation_id
    services.retry(people["researcher"], operation)
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED
    assert clusters_made(cloud, hub) == 1


def test_cancelling_while_azure_makes_the_cluster_says_what_is_left(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub()
    operation = drive(services.approve(people["reviewer"], hub, 1), until="cluster")
    services.cancel(people["researcher"], operation)
    drive(operation)
    assert operation.status == OperationStatus.CANCELLED
    last = Event.objects.filter(operation=operation).order_by("-number").values_list("message", flat=True)[0]
    assert f"resource group {hub.names.group}" in last
    services.retry(people["researcher"], operation)
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED


def test_a_token_that_docker_hub_no_longer_takes_is_said_while_the_cluster_is_made(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub(secrets={services.DOCKER_TOKEN: "dckr_pat_revoked"})
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.status == OperationStatus.FAILED
    assert "Docker Hub" in operation.error_message


def clusters_made(cloud: SandboxProcess, hub: Deployment) -> int:
    rows = cloud.control("journal")
    path = f"/resourcegroups/{hub.names.group}/providers/microsoft.containerservice/managedclusters/{hub.names.cluster}"
    made = [row for row in rows if row["method"] == "PUT" and row["status"] == 201]
    return sum(row["path"].lower().endswith(path) for row in made)
