"""AKS clusters, one look at a time, by the real SDK."""

import json
import uuid
from dataclasses import replace

import pytest

from cloud.azure import clusters, groups, node_pools, rights
from cloud.azure.clusters import Cluster, ClusterRequest, NodePool
from cloud.azure.offers import list_kubernetes_versions
from cloud.azure.operations import Change
from cloud.azure.session import AzureSession
from cloud.errors import Conflict, InvalidRequest, QuotaExceeded, SlipwayError, Throttled, Unavailable
from sandbox.seeds import SUBSCRIPTIONS
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess

PAID, TRIAL = SUBSCRIPTIONS[0]["id"], SUBSCRIPTIONS[1]["id"]


@pytest.fixture(scope="module")
def version(az: AzureSession) -> str:
    return next(found.version for found in list_kubernetes_versions(az, PAID, "uksouth") if found.is_default)


@pytest.fixture
def request_(az: AzureSession, version: str) -> ClusterRequest:
    name = f"t{uuid.uuid4().hex[:8]}"
    group = groups.create_group(az, PAID, f"slipway-{name}", "uksouth", {"slipway-deployment": name})
    pool = NodePool("core", "System", 1, "Standard_D2s_v3", labels={"hub.jupyter.org/node-purpose": "core"})
    return ClusterRequest(
        PAID, group.name, name, "uksouth", name, version, "Free", (pool,), {"slipway-deployment": name}
    )


def look(az: AzureSession, request: ClusterRequest) -> Cluster | None:
    return clusters.get_cluster(az, request.subscription, request.group, request.name)


def settled(az: AzureSession, request: ClusterRequest, token: str) -> Change:
    def over() -> Change | None:
        change = clusters.poll_change(az, request.subscription, token)
        return change if change.state != "running" else None

    return until(over)


@pytest.fixture
def cluster(az: AzureSession, request_: ClusterRequest) -> ClusterRequest:
    token = clusters.create_cluster(az, request_)
    assert settled(az, request_, token).state == "succeeded"
    return request_


def test_a_cluster_is_created_one_look_at_a_time(az: AzureSession, request_: ClusterRequest) -> None:
    assert look(az, request_) is None
    token = clusters.create_cluster(az, request_)
    assert settled(az, request_, token) == Change("succeeded")
    found = look(az, request_)
    assert found is not None
    assert (found.state, found.power, found.region) == ("Succeeded", "Running", "uksouth")
    assert found.tags == {"slipway-deployment": request_.name}
    assert found.node_group.startswith("MC_")
    assert found.kubernetes_version == request_.kubernetes_version


def test_one_list_tells_the_state_of_every_cluster(az: AzureSession, request_: ClusterRequest) -> None:
    token = clusters.create_cluster(az, request_)
    name = f"/subscriptions/{PAID}/resourceGroups/{request_.group}/providers/{clusters.TYPE}/{request_.name}".lower()
    assert clusters.cluster_states(az, PAID)[name] in {"Creating", "Succeeded"}
    settled(az, request_, token)
    assert clusters.cluster_states(az, PAID)[name] == "Succeeded"
    assert name not in clusters.cluster_states(az, TRIAL)


def test_where_the_service_is_not_switched_on_there_is_no_cluster(az: AzureSession) -> None:
    assert clusters.cluster_states(az, TRIAL) == {}


def test_another_process_can_follow_the_change(
    az: AzureSession, request_: ClusterRequest, sandbox: SandboxProcess
) -> None:
    token = clusters.create_cluster(az, request_)
    stranger = AzureSession.from_environment(az.profile, sandbox.worker_env)
    assert settled(stranger, request_, token).state == "succeeded"


def test_a_second_creator_cannot_overwrite(az: AzureSession, cluster: ClusterRequest) -> None:
    with pytest.raises(Conflict):
        clusters.create_cluster(az, replace(cluster, tags={"slipway-deployment": "somebody else"}))
    found = look(az, cluster)
    assert found is not None
    assert found.tags == {"slipway-deployment": cluster.name}


def test_a_cluster_whose_answer_was_lost_is_asked_for_once(
    sandbox: SandboxProcess, az: AzureSession, request_: ClusterRequest
) -> None:
    sandbox.fault(f"/managedClusters/{request_.name}", "drop", method="PUT", before=False)
    with pytest.raises(Unavailable):
        clusters.create_cluster(az, request_)
    assert look(az, request_) is not None
    writes = [entry["path"] for entry in sandbox.control("journal") if entry["path"].endswith(f"/{request_.name}")]
    assert len(writes) <= 1
    until(lambda: clusters.poll_change(az, PAID, "", group=request_.group, name=request_.name).state == "succeeded")


def test_a_finished_change_stays_finished(az: AzureSession, request_: ClusterRequest) -> None:
    token = clusters.create_cluster(az, request_)
    settled(az, request_, token)
    assert clusters.poll_change(az, PAID, token).state == "succeeded"


def test_an_operation_azure_forgot_is_read_from_the_cluster(
    sandbox: SandboxProcess, az: AzureSession, request_: ClusterRequest
) -> None:
    token = clusters.create_cluster(az, request_)
    missing = json.dumps({"error": {"code": "NotFound", "message": "The operation was not found."}})
    sandbox.fault("/providers/.*/operations/", "custom", status=404, body=missing, count=1000)
    assert settled(az, request_, token).state == "succeeded"


@pytest.mark.parametrize("damage", ["", "garbage", "AAAA"])
def test_a_damaged_sdk_token_is_read_from_the_cluster(az: AzureSession, cluster: ClusterRequest, damage: str) -> None:
    token = json.dumps(["create", cluster.group, cluster.name, damage])
    assert clusters.poll_change(az, PAID, token).state == "succeeded"


def test_a_lost_token_is_read_from_the_cluster_when_its_name_is_known(
    az: AzureSession, cluster: ClusterRequest
) -> None:
    change = clusters.poll_change(az, PAID, "lost", group=cluster.group, name=cluster.name)
    assert change.state == "succeeded"
    with pytest.raises(InvalidRequest):
        clusters.poll_change(az, PAID, "lost")


@pytest.mark.parametrize(("kind", "error"), [("throttled", Throttled), ("unavailable", Unavailable)])
def test_trouble_while_looking_is_no_failure_of_the_cluster(
    sandbox: SandboxProcess, az: AzureSession, request_: ClusterRequest, kind: str, error: type[SlipwayError]
) -> None:
    token = clusters.create_cluster(az, request_)
    sandbox.fault("/operations/", kind, count=1)
    with pytest.raises(error):
        clusters.poll_change(az, PAID, token)
    assert settled(az, request_, token).state == "succeeded"


def test_too_few_cores_are_said_before_anything_is_made(az: AzureSession, request_: ClusterRequest) -> None:
    rights.register_provider(az, TRIAL, "Microsoft.ContainerService")
    until(lambda: set(rights.provider_states(az, TRIAL, ["Microsoft.ContainerService"]).values()) == {"Registered"})
    group = groups.create_group(az, TRIAL, request_.group, "uksouth", {})
    pool = replace(request_.pools[0], count=3)
    with pytest.raises(QuotaExceeded):
        clusters.create_cluster(az, replace(request_, subscription=TRIAL, group=group.name, pools=(pool,)))


def test_credentials_are_a_kubeconfig(az: AzureSession, cluster: ClusterRequest) -> None:
    assert b"current-context" in clusters.kubeconfig(az, PAID, cluster.group, cluster.name)


def test_a_cluster_is_deleted_one_look_at_a_time_and_twice_is_fine(az: AzureSession, cluster: ClusterRequest) -> None:
    token = clusters.delete_cluster(az, PAID, cluster.group, cluster.name)
    assert settled(az, cluster, token) == Change("succeeded")
    assert look(az, cluster) is None
    assert clusters.delete_cluster(az, PAID, cluster.group, cluster.name) == ""


def test_why_a_change_failed_is_known_also_when_azure_forgot_the_operation(
    sandbox: SandboxProcess, az: AzureSession, request_: ClusterRequest
) -> None:
    sandbox.control("azure/outcomes", {"name": request_.name, "code": "QuotaExceeded", "message": "No cores left."})
    token = clusters.create_cluster(az, request_)
    missing = json.dumps({"error": {"code": "NotFound", "message": "The operation was not found."}})
    sandbox.fault("/providers/.*/operations/", "custom", status=404, body=missing, count=1000)
    change = settled(az, request_, token)
    assert isinstance(change.error, QuotaExceeded)
    assert "No cores left." in change.error.user_message


def test_a_proxys_404_is_no_word_about_an_operation(
    sandbox: SandboxProcess, az: AzureSession, request_: ClusterRequest
) -> None:
    token = clusters.create_cluster(az, request_)
    sandbox.fault("/operations/", "custom", status=404, body="<html>squid</html>")
    with pytest.raises(Unavailable):
        clusters.poll_change(az, PAID, token)


@pytest.mark.parametrize("kind", ["nonsense", "garbage", "empty-success"])
def test_an_answer_of_another_shape_is_asked_for_again(
    sandbox: SandboxProcess, az: AzureSession, cluster: ClusterRequest, kind: str
) -> None:
    sandbox.fault(f"/managedClusters/{cluster.name}", kind)
    with pytest.raises(Unavailable):
        look(az, cluster)
    assert look(az, cluster) is not None


def test_a_failure_that_azure_gives_no_reason_for_blames_nobody() -> None:
    failed = Cluster("", "x", "uksouth", "Failed", "", "", "", {}, "")
    error = clusters.failure_of(failed, "stop the cluster x")
    assert "does not say why" in error.user_message
    assert "Azure said" not in error.user_message
    assert error.remedy


def test_a_failure_of_the_cluster_keeps_azures_code() -> None:
    failed = Cluster("", "x", "uksouth", "Failed", "", "", "", {}, "", "no cores left", "QuotaExceeded")
    assert isinstance(clusters.failure_of(failed, "create the cluster x"), QuotaExceeded)


def test_one_list_shows_every_cluster_with_its_pools(az: AzureSession, request_: ClusterRequest) -> None:
    clusters.create_cluster(az, request_)
    (found,) = (each for each in node_pools.list_clusters(az, PAID) if each.cluster.name == request_.name)
    assert (found.cluster.tags, found.cluster.tier) == (request_.tags, "Free")
    assert [(pool.name, pool.count, pool.vm_size) for pool in found.pools] == [("core", 1, "Standard_D2s_v3")]


def test_a_pool_at_rest_is_not_disturbed_by_an_abort(az: AzureSession, request_: ClusterRequest) -> None:
    clusters.create_cluster(az, request_)
    until(lambda: (found := look(az, request_)) and found.state == "Succeeded")
    node_pools.abort_pool(az, PAID, request_.group, request_.name, "core")
    node_pools.abort_pool(az, PAID, request_.group, request_.name, "missing")
    (pool,) = node_pools.list_pools(az, PAID, request_.group, request_.name)
    assert pool.state == "Succeeded"
