"""Stop and start, pools that grow and shrink, and Kubernetes versions that rise one minor at a time."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.sandbox.azure.conftest import World, cluster_body, refusal

POOL = {"mode": "System", "count": 1, "vmSize": "Standard_D2s_v5"}


def cluster(own: World, version: str = "1.34.2") -> str:
    """A group with a running cluster `c1`."""
    group = own.group()
    own.create(group, body=cluster_body(kubernetesVersion=version)).result()
    return group


def changed(own: World, group: str, version: str, pools: str = "") -> Any:
    """The cluster as `az aks upgrade` would put it back: read, changed, written."""
    body = own.aks.managed_clusters.get(group, "c1")
    body.properties.kubernetes_version = version
    for pool in body.properties.agent_pool_profiles:
        pool.orchestrator_version = pools or pool.orchestrator_version
    return own.create(group, "c1", body)


def pool(own: World, group: str, name: str = "core", polling: bool = True, **change: Any) -> Any:
    put = own.aks.agent_pools.begin_create_or_update
    return put(group, "c1", name, {"properties": POOL | change}, polling=polling)


def test_the_next_minor_can_be_had_and_the_pools_follow_when_asked(own: World) -> None:
    group = cluster(own)
    found = changed(own, group, "1.35.1").result().properties
    assert found.current_kubernetes_version == "1.35.1"
    assert found.agent_pool_profiles[0].current_orchestrator_version == "1.34.2"
    pool(own, group, orchestratorVersion="1.35.1").result()
    assert own.aks.agent_pools.get(group, "c1", "core").properties.current_orchestrator_version == "1.35.1"


def test_cluster_and_pools_may_rise_together(own: World) -> None:
    group = cluster(own)
    found = changed(own, group, "1.34.3", pools="1.34.3").result().properties
    assert found.agent_pool_profiles[0].current_orchestrator_version == "1.34.3"


@pytest.mark.parametrize(
    ("start", "wanted", "words"),
    [
        (
            "1.33.5",
            "1.35.1",
            "1.33.5 to 1.35.1 is not allowed. Available upgrades: [1.34.3",
        ),
        ("1.34.3", "1.34.2", "Downgrading Kubernetes version 1.34.3 to 1.34.2 is not allowed"),
        ("1.34.2", "1.33.6", "Downgrading Kubernetes version 1.34.2 to 1.33.6 is not allowed"),
    ],
)
def test_no_minor_is_skipped_and_none_taken_back(own: World, start: str, wanted: str, words: str) -> None:
    group = cluster(own, start)
    error = refusal("OperationNotAllowed", 400, lambda: changed(own, group, wanted))
    assert words in str(error)
    assert own.aks.managed_clusters.get(group, "c1").properties.provisioning_state == "Succeeded"


def test_a_pool_is_never_newer_than_its_control_plane(own: World) -> None:
    group = cluster(own)
    refusal("NodePoolMcVersionIncompatible", 400, lambda: pool(own, group, orchestratorVersion="1.35.1"))


def test_a_pool_is_not_taken_back(own: World) -> None:
    group = cluster(own)
    refusal("OperationNotAllowed", 400, lambda: pool(own, group, orchestratorVersion="1.33.6"))


def test_the_upgrade_profile_names_newer_patches_and_the_next_minor(own: World) -> None:
    group = cluster(own)
    properties = own.aks.managed_clusters.get_upgrade_profile(group, "c1").properties
    found = {entry.kubernetes_version: entry.is_preview for entry in properties.control_plane_profile.upgrades}
    assert found == {"1.34.3": False, "1.35.0": False, "1.35.1": False}
    assert properties.agent_pool_profiles[0].kubernetes_version == "1.34.2"


def test_a_pools_upgrade_profile_ends_where_the_control_plane_is(own: World) -> None:
    group = cluster(own)
    assert own.aks.agent_pools.get_upgrade_profile(group, "c1", "core").properties.upgrades is None
    changed(own, group, "1.34.3").result()
    found = own.aks.agent_pools.get_upgrade_profile(group, "c1", "core").properties.upgrades
    assert [entry.kubernetes_version for entry in found] == ["1.34.3"]


def test_a_pool_grows_and_shrinks(own: World) -> None:
    group = cluster(own)
    assert pool(own, group, count=3).result().properties.count == 3
    assert pool(own, group, count=1).result().properties.count == 1
    assert {entry.current_value for entry in own.compute.usage.list("uksouth") if entry.name.value == "cores"} == {2}


def test_a_pool_grows_no_further_than_the_quota(own: World) -> None:
    group = cluster(own)
    own.control("quota", subscription=own.subscription, name="cores", limit=4)
    refusal("ErrCode_InsufficientVCPUQuota", 400, lambda: pool(own, group, count=3))


def test_a_pools_size_cannot_change(own: World) -> None:
    group = cluster(own)
    refusal("PropertyChangeNotAllowed", 400, lambda: pool(own, group, vmSize="Standard_D4s_v5"))


def test_a_pool_takes_no_unknown_field(own: World) -> None:
    group = cluster(own)
    refusal("UnmarshalError", 400, lambda: pool(own, group, surprise=1))


def test_a_pool_takes_one_change_at_a_time_and_holds_up_its_cluster(own: World) -> None:
    group = cluster(own)
    own.control("outcomes", stuck=True, name="core")
    pool(own, group, count=2, polling=False)
    refusal("OperationNotAllowed", 409, lambda: pool(own, group, count=3))
    refusal("OperationNotAllowed", 409, lambda: changed(own, group, "1.34.3"))
    refusal("OperationNotAllowed", 409, lambda: own.aks.managed_clusters.begin_stop(group, "c1"))


def test_a_pool_can_fail_after_its_change_was_accepted(own: World) -> None:
    group = cluster(own)
    own.control("outcomes", code="SkuNotAvailable", message="No machines are left.", name="core")
    with pytest.raises(HttpResponseError) as caught:
        pool(own, group, count=2).result()
    assert (caught.value.error.code, caught.value.status_code) == ("SkuNotAvailable", 200)
    assert own.aks.agent_pools.get(group, "c1", "core").properties.provisioning_state == "Failed"


def test_a_pool_whose_change_is_aborted_ends_as_canceled_and_so_does_the_operation(own: World) -> None:
    group = cluster(own)
    own.control("outcomes", stuck=True, name="core")
    changing = pool(own, group, count=2)
    own.aks.agent_pools.begin_abort_latest_operation(group, "c1", "core").result()
    with pytest.raises(HttpResponseError):
        changing.result()
    assert own.aks.agent_pools.get(group, "c1", "core").properties.provisioning_state == "Canceled"
    assert pool(own, group, count=2).result().properties.provisioning_state == "Succeeded"


def test_a_pool_at_rest_has_nothing_to_abort(own: World) -> None:
    group = cluster(own)
    abort = own.aks.agent_pools.begin_abort_latest_operation
    refusal("OperationNotAllowed", 409, lambda: abort(group, "c1", "core"))


def test_a_stopped_cluster_costs_no_cores_and_takes_no_pools(own: World) -> None:
    group = cluster(own)
    own.aks.managed_clusters.begin_stop(group, "c1").result()
    assert {entry.current_value for entry in own.compute.usage.list("uksouth") if entry.name.value == "cores"} == {0}
    refusal("OperationNotAllowed", 400, lambda: pool(own, group, count=2))


def test_stopping_what_is_stopped_is_done_at_once(own: World) -> None:
    group = cluster(own)
    own.aks.managed_clusters.begin_stop(group, "c1").result()
    own.aks.managed_clusters.begin_stop(group, "c1").result()
    own.aks.managed_clusters.begin_start(group, "c1").result()
    assert own.aks.managed_clusters.get(group, "c1").properties.power_state.code == "Running"


def test_accepted_operations_say_where_to_follow_them_and_not_when(own: World) -> None:
    group, seen = cluster(own), []

    def keep(answer: Any) -> None:
        seen.append((answer.http_response.status_code, {name.lower() for name in answer.http_response.headers}))

    clusters = own.aks.managed_clusters
    clusters.begin_stop(group, "c1", polling=False, raw_response_hook=keep)
    while clusters.get(group, "c1").properties.provisioning_state != "Succeeded":
        pass
    own.aks.managed_clusters.begin_delete(group, "c1", polling=False, raw_response_hook=keep)
    own.groups.resource_groups.begin_delete(group, polling=False, raw_response_hook=keep)
    for status, headers in seen:
        assert status == 202
        assert "location" in headers and "retry-after" not in headers
        assert {"x-ms-correlation-request-id", "x-ms-request-id"} <= headers
    assert ["azure-asyncoperation" in headers for _, headers in seen] == [True, True, False]
