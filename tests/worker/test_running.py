"""After the first day: changed, put back, given new secrets, stopped, started, tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from cloud import binderhub
from cloud.azure import clusters
from cloud.azure.clusters import Cluster
from deployments import outside, services
from deployments.models import Deployment, Event, Operation
from deployments.running import refused
from deployments.states import Lifecycle, OperationStatus, Outcome
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess
from tests.worker.driving import Drive

Built = Callable[..., Deployment]


def changed(hub: Deployment, people: dict[str, Any], drive: Drive, **fields: Any) -> Operation:
    """Changes fields of the description; approves where that is needed."""
    spec = replace(hub.revision.spec, **fields)
    services.change(people["reviewer"], hub, hub.revision.number, spec, {})
    operation = hub.operations.order_by("-created_at")[0]
    drive(operation)
    hub.refresh_from_db()
    return operation


def release_values(hub: Deployment) -> dict[str, Any]:
    from worker.hub import HubContext

    operation = hub.operations.order_by("-created_at")[0]
    ctx = HubContext(operation=operation, fence=0, run=operation.steps.all()[0])
    return ctx.helm.values(ctx.kubeconfig(), ctx.names.release, ctx.names.namespace)


def test_a_limit_is_changed_in_place_and_the_hub_serves_the_new_revision(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    operation = changed(hub, people, drive, most_sessions=7)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert hub.serving and (hub.serving.number, hub.serving.spec.most_sessions) == (2, 7)
    assert "7" in str(release_values(hub))
    assert operation.result["proof"]


def test_more_nodes_are_really_there(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    operation = changed(hub, people, drive, node_count=3)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    told = Event.objects.filter(operation=operation, message__contains="3 of 3 nodes ready")
    assert told.exists()


def test_a_pool_for_sessions_is_added_and_taken_away(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    size = hub.revision.spec.node_size
    operation = changed(hub, people, drive, user_node_size=size, user_nodes_min=1, user_nodes_max=3)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert set(pools(hub)) == {"core", "user"}
    operation = changed(hub, people, drive, user_node_size="", user_nodes_min=0, user_nodes_max=0)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert set(pools(hub)) == {"core"}


def test_kubernetes_is_upgraded_control_plane_first_then_every_pool(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built(kubernetes_version="1.33.6")
    operation = changed(hub, people, drive, kubernetes_version="1.34.3")
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert {pool.version for pool in pools(hub).values()} == {"1.34.3"}


def test_a_change_that_does_not_come_up_is_put_back_and_the_page_can_say_why(
    built: Built, drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    hub = built()
    before = release_values(hub)
    operation = changed(hub, people, drive, user_memory_gib=500)
    assert (operation.status, hub.last_outcome) == (OperationStatus.FAILED, Outcome.ROLLED_BACK)
    assert operation.error_message
    assert hub.serving and hub.serving.number == 1
    assert release_values(hub) == before
    assert httpx.get(f"{hub.address}services/binder/health").json()["ok"]
    assert hub.lifecycle == Lifecycle.READY


def test_with_the_settings_the_machines_and_the_tier_are_put_back_too(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    size = hub.revision.spec.node_size
    more = {"node_count": 2, "tier": "Standard", "user_node_size": size, "user_nodes_min": 1, "user_nodes_max": 2}
    operation = changed(hub, people, drive, **more, user_memory_gib=500)
    assert (operation.status, hub.last_outcome) == (OperationStatus.FAILED, Outcome.ROLLED_BACK)
    assert {name: pool.count for name, pool in pools(hub).items()} == {"core": 1}
    assert aks(hub).tier == "Free"


def test_a_newer_kubernetes_stays_when_the_rest_is_put_back(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built(kubernetes_version="1.33.6")
    operation = changed(hub, people, drive, kubernetes_version="1.34.3", user_memory_gib=500)
    assert (operation.status, hub.last_outcome) == (OperationStatus.FAILED, Outcome.ROLLED_BACK)
    assert aks(hub).kubernetes_version == "1.34.3"
    told = refused(hub)
    assert told and told.kept_kubernetes == "1.34.3" and not told.is_broken


def test_a_new_docker_token_is_used_and_the_old_one_forgotten(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    operation = services.rotate(people["researcher"], hub, {services.DOCKER_TOKEN: "dckr_pat_demo"})
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert hub.secrets.get(purpose=services.DOCKER_TOKEN).previous_version == ""


def test_new_tokens_of_the_hub_itself_change_what_its_parts_know(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    before = release_values(hub)["jupyterhub"]["hub"]["services"]["binder"]["apiToken"]
    operation = services.rotate(people["researcher"], hub, {}, hub_tokens=True)
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert release_values(hub)["jupyterhub"]["hub"]["services"]["binder"]["apiToken"] != before


def test_a_new_secret_that_does_not_work_is_put_back(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    ref = hub.secrets.get(purpose=services.DOCKER_TOKEN)
    operation = services.rotate(people["researcher"], hub, {services.DOCKER_TOKEN: "dckr_pat_wrong"})
    drive(operation)
    hub.refresh_from_db()
    assert operation.status == OperationStatus.FAILED
    ref.refresh_from_db()
    assert outside.vault().get(ref.vault_name, ref.version) == "dckr_pat_demo"


def test_a_hub_is_stopped_and_started_again(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    assert drive(services.stop(people["researcher"], hub)).status == OperationStatus.SUCCEEDED
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.STOPPED
    until(lambda: not binderhub.answers(hub.address))
    operation = drive(services.start(people["researcher"], hub))
    hub.refresh_from_db()
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    # Nobody asks a cluster that is not up yet what runs in it.
    assert not operation.events.filter(message__contains="Trying again").exists()
    assert hub.lifecycle == Lifecycle.READY
    assert httpx.get(f"{hub.address}services/binder/health").json()["ok"]


def test_any_repository_can_be_tried(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    operation = services.try_launch(people["researcher"], hub, "binder-examples/conda")
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert operation.result["proof"]["repository"] == "binder-examples/conda"


def test_a_repository_that_is_not_there_is_said(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    operation = services.try_launch(people["researcher"], hub, "nobody/nothing")
    drive(operation)
    hub.refresh_from_db()
    assert operation.status == OperationStatus.FAILED
    assert "nobody/nothing" in operation.error_message
    assert hub.lifecycle == Lifecycle.READY


def pools(hub: Deployment) -> dict[str, Any]:
    from cloud.azure import node_pools

    spec = hub.revision.spec
    found = node_pools.list_pools(outside.azure(), spec.subscription_id, hub.names.group, hub.names.cluster)
    return {pool.name: pool for pool in found}


def aks(hub: Deployment) -> Cluster:
    found = clusters.get_cluster(outside.azure(), hub.revision.spec.subscription_id, hub.names.group, hub.names.cluster)
    assert found is not None
    return found
