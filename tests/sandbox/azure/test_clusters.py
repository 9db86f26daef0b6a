"""What AKS refuses, and how a cluster lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError

from tests.sandbox.azure.conftest import World, cluster_body, refusal
from tests.sandbox_process import SandboxProcess

INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("no dnsPrefix", {"dnsPrefix": None}, "InvalidParameter"),
    ("a bad dnsPrefix", {"dnsPrefix": "-x-"}, "InvalidParameter"),
    ("no pools", {"agentPoolProfiles": []}, "InvalidParameter"),
    ("no system pool", {"pool": {"mode": "User"}}, "InvalidParameter"),
    ("no nodes", {"pool": {"count": 0}}, "InvalidParameter"),
    ("a bad pool name", {"pool": {"name": "Core-1"}}, "InvalidParameter"),
    ("limits without autoscaling", {"pool": {"minCount": 1, "maxCount": 2}}, "InvalidParameter"),
    ("autoscaling without limits", {"pool": {"enableAutoScaling": True}}, "InvalidParameter"),
    ("a spot system pool", {"pool": {"scaleSetPriority": "Spot"}}, "InvalidParameter"),
    ("a malformed taint", {"pool": {"nodeTaints": ["dedicated"]}}, "InvalidParameter"),
    ("an old version", {"kubernetesVersion": "1.28.3"}, "K8sVersionNotSupported"),
    ("a version on long-term support", {"kubernetesVersion": "1.31.13"}, "K8sVersionNotSupported"),
    ("an unknown size", {"pool": {"vmSize": "Standard_Z9"}}, "BadRequest"),
    ("no identity", {"top": {"identity": None}}, "InvalidParameter"),
    ("overlay on kubenet", {"networkProfile": {"networkPluginMode": "overlay"}}, "InvalidParameter"),
    ("an unknown tier", {"top": {"sku": {"name": "Base", "tier": "Gold"}}}, "InvalidParameter"),
    ("an unknown field", {"dnsPrefixx": "x"}, "UnmarshalError"),
    ("an unknown pool field", {"pool": {"vmsize": "x"}}, "UnmarshalError"),
    ("a text for a number", {"pool": {"count": "2"}}, "UnmarshalError"),
    ("a number for a text", {"dnsPrefix": 7}, "UnmarshalError"),
    ("an object for a list", {"agentPoolProfiles": {"a": 1}}, "UnmarshalError"),
    ("a label that is a number", {"pool": {"nodeLabels": {"a": 1}}}, "UnmarshalError"),
    ("a bad label", {"pool": {"nodeLabels": {"-bad-": "x"}}}, "InvalidParameter"),
    ("a tiny disk", {"pool": {"osDiskSizeGB": 5}}, "InvalidParameter"),
    ("too few pods", {"pool": {"maxPods": 3}}, "InvalidParameter"),
    ("an unknown identity", {"top": {"identity": {"type": "Mine"}}}, "InvalidParameter"),
    ("tags that are a list", {"top": {"tags": ["a"]}}, "InvalidRequestContent"),
]


@pytest.mark.parametrize(("_what", "change", "code"), INVALID, ids=[row[0] for row in INVALID])
def test_an_invalid_cluster_is_refused(own: World, _what: str, change: dict[str, Any], code: str) -> None:
    group = own.group()
    refusal(code, 400, lambda: own.create(group, body=cluster_body(**change)))


def test_aks_refuses_without_an_error_wrapper(own: World) -> None:
    own.control("quota", subscription=own.subscription, name="cores", limit=4)
    group = own.group()
    error = refusal(
        "ErrCode_InsufficientVCPUQuota", 400, lambda: own.create(group, body=cluster_body(pool={"count": 3}))
    )
    assert set(error.response.json()) == {"code", "details", "message", "subcode"}
    assert "left regional vcpu quota 4, requested quota 6" in str(error)


def test_a_family_has_a_quota_of_its_own(own: World) -> None:
    own.control("quota", subscription=own.subscription, name="standardDSv5Family", limit=1)
    group = own.group()
    refusal("ErrCode_InsufficientVCPUQuota", 400, lambda: own.create(group))


def test_a_free_trial_has_four_cores_and_must_register(own: World) -> None:
    own.use(own.new_subscription(cores=4, kind="FreeTrial"))
    group = own.group()
    refusal("MissingSubscriptionRegistration", 409, lambda: own.create(group))
    own.groups.providers.register("Microsoft.ContainerService")
    while own.groups.providers.get("Microsoft.ContainerService").registration_state != "Registered":
        pass
    own.create(group).result()
    pool = {"count": 2, "vmSize": "Standard_D2s_v5"}
    refusal("ErrCode_InsufficientVCPUQuota", 400, lambda: own.create(group, "c2", cluster_body(pool=pool)))


@pytest.mark.parametrize("name", ["-c", "c" * 64, "c."])
def test_a_bad_cluster_name_is_refused(own: World, name: str) -> None:
    group = own.group()
    refusal("InvalidParameter", 400, lambda: own.create(group, name))


def test_a_size_may_be_closed_to_the_subscription(own: World) -> None:
    body = cluster_body(top={"location": "westeurope"}, pool={"vmSize": "Standard_B2s"})
    group = own.group()
    error = refusal("BadRequest", 400, lambda: own.create(group, body=body))
    assert "is not allowed in your subscription in location" in str(error)


def test_a_size_may_be_out_of_stock(own: World) -> None:
    own.control("capacity", region="japaneast", size="Standard_D4s_v5")
    body = cluster_body(top={"location": "japaneast"}, pool={"vmSize": "Standard_D4s_v5"})
    group = own.group()
    refusal("SkuNotAvailable", 409, lambda: own.create(group, body=body))


def test_a_cluster_needs_its_group(own: World) -> None:
    refusal("ResourceGroupNotFound", 404, lambda: own.create("nothing"))


def test_a_region_must_exist(own: World) -> None:
    group = own.group()
    body = cluster_body(top={"location": "atlantis"})
    refusal("LocationNotAvailableForResourceType", 400, lambda: own.create(group, body=body))


def test_if_none_match_refuses_what_exists(own: World) -> None:
    group = own.group()
    own.create(group, etag="*", match_condition=MatchConditions.IfMissing).result()
    refusal("PreconditionFailed", 412, lambda: own.create(group, etag="*", match_condition=MatchConditions.IfMissing))


def test_if_match_refuses_what_has_changed(own: World) -> None:
    group = own.group()
    etag = own.create(group).result().e_tag
    own.aks.managed_clusters.begin_update_tags(group, "c1", {"tags": {"a": "b"}}).result()
    change = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    refusal("PreconditionFailed", 412, lambda: own.create(group, **change))


def stuck(own: World) -> str:
    """A group with a cluster that never comes out of Creating."""
    group = own.group()
    own.control("outcomes", stuck=True, name="stuck")
    own.create(group, "stuck", polling=False)
    return group


def test_a_cluster_that_is_being_created_cannot_be_changed(own: World) -> None:
    group = stuck(own)
    refusal("OperationNotAllowed", 409, lambda: own.create(group, "stuck"))


def test_a_cluster_that_is_being_created_cannot_be_deleted_but_aborted(own: World) -> None:
    group = stuck(own)
    refusal("OperationNotAllowed", 409, lambda: own.aks.managed_clusters.begin_delete(group, "stuck"))
    own.aks.managed_clusters.begin_abort_latest_operation(group, "stuck").result()
    assert own.aks.managed_clusters.get(group, "stuck").properties.provisioning_state == "Canceled"
    own.aks.managed_clusters.begin_delete(group, "stuck").result()
    refusal("ResourceNotFound", 404, lambda: own.aks.managed_clusters.get(group, "stuck"))


def test_a_cluster_without_control_plane_has_no_credentials(own: World) -> None:
    group = own.group()
    own.control("outcomes", stuck=True, name="early")
    own.create(group, "early", polling=False)
    refusal(
        "ControlPlaneNotFound", 404, lambda: own.aks.managed_clusters.list_cluster_admin_credentials(group, "early")
    )


def test_a_cluster_can_fail_after_it_was_accepted(own: World) -> None:
    group = own.group()
    own.control("outcomes", code="QuotaExceeded", message="Operation could not be completed.", name="doomed")
    with pytest.raises(HttpResponseError) as caught:
        own.create(group, "doomed").result()
    assert (caught.value.error.code, caught.value.status_code) == ("QuotaExceeded", 200)
    assert own.aks.managed_clusters.get(group, "doomed").properties.provisioning_state == "Failed"


def test_a_cluster_cannot_move(own: World) -> None:
    group = own.group()
    own.create(group).result()
    body = cluster_body(top={"location": "ukwest"})
    refusal("InvalidResourceLocation", 409, lambda: own.create(group, body=body))


def test_a_dns_prefix_cannot_change(own: World) -> None:
    group = own.group()
    own.create(group).result()
    refusal("PropertyChangeNotAllowed", 400, lambda: own.create(group, body=cluster_body(dnsPrefix="other")))


def test_a_stopped_cluster_takes_no_changes(own: World) -> None:
    group = own.group()
    own.create(group).result()
    own.aks.managed_clusters.begin_stop(group, "c1").result()
    assert own.aks.managed_clusters.get(group, "c1").properties.power_state.code == "Stopped"
    refusal("OperationNotAllowed", 400, lambda: own.create(group))
    own.aks.managed_clusters.begin_start(group, "c1").result()
    assert own.aks.managed_clusters.get(group, "c1").properties.power_state.code == "Running"


def test_static_credentials_can_be_forbidden(own: World) -> None:
    group = own.group()
    own.create(group, body=cluster_body(disableLocalAccounts=True)).result()
    refusal("BadRequest", 400, lambda: own.aks.managed_clusters.list_cluster_admin_credentials(group, "c1"))


def test_the_last_system_pool_stays(own: World) -> None:
    group = own.group()
    own.create(group).result()
    refusal("OperationNotAllowed", 400, lambda: own.aks.agent_pools.begin_delete(group, "c1", "core"))


def test_a_pool_comes_and_goes(own: World) -> None:
    group = own.group()
    own.create(group).result()
    pool = {"properties": {"mode": "User", "count": 1, "vmSize": "Standard_D2s_v3"}}
    own.aks.agent_pools.begin_create_or_update(group, "c1", "user", pool).result()
    assert {entry.name for entry in own.aks.agent_pools.list(group, "c1")} == {"core", "user"}
    own.aks.agent_pools.begin_delete(group, "c1", "user").result()
    assert {entry.name for entry in own.aks.agent_pools.list(group, "c1")} == {"core"}


def test_a_cluster_makes_its_node_group_and_takes_it_along(own: World) -> None:
    group = own.group()
    cluster = own.create(group).result()
    node_group = own.groups.resource_groups.get(cluster.properties.node_resource_group)
    assert node_group.managed_by == cluster.id
    own.aks.managed_clusters.begin_delete(group, "c1").result()
    assert not own.groups.resource_groups.check_existence(node_group.name)


def test_the_network_watcher_appears_by_itself(own: World) -> None:
    own.create(own.group()).result()
    assert own.groups.resource_groups.check_existence("NetworkWatcherRG")


def test_an_operation_goes_on_over_a_restart(own: World) -> None:
    group = own.group()
    token = own.create(group).continuation_token()
    own.process.kill()
    own.process.start()
    poller = own.create(group, continuation_token=token)
    assert poller.result().properties.provisioning_state == "Succeeded"


def test_a_poll_address_that_was_cut_short_is_refused(own: World) -> None:
    group = own.group()
    addresses: list[str] = []
    own.create(
        group,
        polling=False,
        raw_response_hook=lambda r: addresses.append(r.http_response.headers["Azure-AsyncOperation"]),
    )
    assert own.send("GET", addresses[0]).json()["status"]
    refusal("InvalidOperationAddress", 400, lambda: own.send("GET", addresses[0][:600]))


def test_an_operation_may_be_forgotten(own: World) -> None:
    group = own.group()
    poller = own.create(group)
    own.control("forget-operations")
    with pytest.raises(HttpResponseError) as caught:
        poller.result()
    assert caught.value.status_code == 404
    assert own.aks.managed_clusters.get(group, "c1").properties.provisioning_state in ("Creating", "Succeeded")


def test_a_real_clusters_credentials_can_be_handed_out(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: real\n"
        "clusters: [{name: real, cluster: {server: 'https://127.0.0.1:9', insecure-skip-tls-verify: true}}]\n"
        "users: [{name: real, user: {token: not-used-here}}]\n"
        "contexts: [{name: real, context: {cluster: real, user: real}}]\n"
    )
    with SandboxProcess(tmp_path / "home", speed=2000, SANDBOX_KUBECONFIG=str(kubeconfig)) as process:
        given = World(process)
        group = given.group()
        given.create(group).result()
        found = given.aks.managed_clusters.list_cluster_user_credentials(group, "c1").kubeconfigs[0]
        assert (found.name, bytes(found.value)) == ("clusterUser", kubeconfig.read_bytes())
