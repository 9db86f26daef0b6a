"""What somebody changes by hand is told on the hub's page as a sentence, and put back by a run that makes it agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cloud.azure import clusters, groups, node_pools, registries
from cloud.azure.clusters import NodePool
from deployments import outside, services
from deployments.errors import TooLate
from deployments.models import Deployment, Discrepancy
from deployments.states import DiscrepancyKind, Lifecycle, OperationKind, OperationStatus
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import SUBSCRIPTION
from tests.worker.driving import Drive
from tests.worker.test_survey import look, told
from tests.worker.test_survey import no_lag as no_lag
from worker.hub import HubContext

pytestmark = pytest.mark.django_db(transaction=True)
Built = Callable[..., Deployment]
SIZE = "Standard_D2s_v5"


def place(hub: Deployment) -> tuple[Any, str, str, str]:
    return outside.azure(), SUBSCRIPTION, hub.names.group, hub.names.cluster


def at_rest(hub: Deployment) -> None:
    """Waits until Azure has done what it was asked."""
    until(lambda: (found := clusters.get_cluster(*place(hub))) and found.state == "Succeeded")
    until(lambda: all(pool.state == "Succeeded" for pool in node_pools.list_pools(*place(hub))))


def more_nodes(hub: Deployment) -> None:
    node_pools.put_pool(*place(hub), NodePool("core", "System", 3, SIZE))


def strange_nodes(hub: Deployment) -> None:
    node_pools.put_pool(*place(hub), NodePool("extra", "User", 1, SIZE))


def switched_off(hub: Deployment) -> None:
    clusters.stop_cluster(*place(hub))


def another_tier(hub: Deployment) -> None:
    clusters.update_cluster(*place(hub), kubernetes_version="1.34.3", tier="Standard")


def without_namespace(hub: Deployment) -> None:
    kubernetes = HubContext.only_looking(hub).kubernetes()
    kubernetes.delete_namespace(hub.names.namespace)
    until(lambda: kubernetes.namespace(hub.names.namespace) is None)


def uninstalled(hub: Deployment) -> None:
    ctx = HubContext.only_looking(hub)
    ctx.helm.uninstall(ctx.kubeconfig(), ctx.names.release, ctx.names.namespace)


def other_settings(hub: Deployment, change: Callable[[dict[str, Any]], None] | None = None) -> None:
    ctx = HubContext.only_looking(hub)
    profile, values = ctx.profile, dict[str, Any](ctx.values())
    (change or per_repository)(values)
    ctx.helm.upgrade_install(
        ctx.kubeconfig(), ctx.names.release, ctx.names.namespace, "binderhub", profile.chart_repository,
        ctx.spec.chart_version, values, ca_file=profile.chart_ca_bundle,
    )  # fmt: skip


def per_repository(values: dict[str, Any]) -> None:
    values["config"]["BinderHub"]["per_repo_quota"] = 3


def much_at_once(hub: Deployment) -> None:
    for change in (other_settings, another_tier, more_nodes, strange_nodes):
        change(hub)
        at_rest(hub)


HANDIWORK: dict[str, tuple[Callable[[Deployment], None], list[str]]] = {
    "much at once": (
        much_at_once,
        [
            "The cluster is in the Standard tier instead of Free.",
            "The nodes “core”: 3 nodes instead of 1 node.",
            "There are nodes “extra” (1 node, Standard_D2s_v5) that nobody asked for here.",
            "BinderHub runs with other settings than described: config.BinderHub.per_repo_quota.",
        ],
    ),
    "switched off": (
        switched_off,
        ["Its machines were switched off outside of Slipway, so nobody can use the hub."],
    ),
    "without its namespace": (without_namespace, ["The hub's namespace was deleted, and BinderHub with it."]),
    "uninstalled": (uninstalled, ["BinderHub was uninstalled."]),
}


def drifted(hub: Deployment) -> Discrepancy:
    """What the next survey tells, which it must."""
    look()
    found = told(hub.id)
    assert found is not None and found.kind == DiscrepancyKind.DRIFTED
    return found


@pytest.mark.parametrize("case", HANDIWORK)
def test_what_was_changed_by_hand_is_told_and_put_back(
    case: str, built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    change, sentences = HANDIWORK[case]
    change(hub)
    at_rest(hub)
    found = drifted(hub)
    assert [each["what"] for each in found.details] == sentences and found.mends
    operation = drive(services.put_back(people["researcher"], hub))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert httpx.get(f"{hub.address}services/binder/health").json()["ok"]
    assert told(hub.id) is None
    look()
    assert told(hub.id) is None


def test_a_hub_put_back_is_taken_down_without_a_trace(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    without_namespace(hub)
    drive(services.put_back(people["researcher"], hub))
    operation = drive(services.tear_down(people["researcher"], hub, hub.name))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert operation.result["receipt"]["complete"] and not operation.result["receipt"]["left_alone"]


def test_a_registry_deleted_by_hand_is_made_anew_with_a_new_password(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built(registry="acr", docker_username="", secrets={})
    registry = (outside.azure(), SUBSCRIPTION, hub.names.group, hub.names.registry)
    registries.delete_registry(*registry)
    until(lambda: registries.get_registry(*registry) is None)
    found = drifted(hub)
    assert "is gone, with all images in it" in found.details[0]["what"]
    operation = drive(services.put_back(people["researcher"], hub))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    look()
    assert told(hub.id) is None


def test_nodes_that_come_and_go_by_need_are_no_drift(built: Built) -> None:
    hub = built(user_node_size=SIZE, user_nodes_min=0, user_nodes_max=3)
    user = NodePool("user", "User", 2, SIZE, min_count=0, max_count=3)
    node_pools.put_pool(*place(hub), user)
    at_rest(hub)
    assert [pool.count for pool in node_pools.list_pools(*place(hub)) if pool.name == "user"] == [2]
    look()
    assert told(hub.id) is None


def test_another_range_of_nodes_that_come_and_go_is_drift(built: Built) -> None:
    hub = built(user_node_size=SIZE, user_nodes_min=0, user_nodes_max=3)
    node_pools.put_pool(*place(hub), NodePool("user", "User", 0, SIZE, min_count=0, max_count=9))
    at_rest(hub)
    assert drifted(hub).details[0]["what"] == "The nodes “user”: 0 to 9 nodes instead of 0 to 3 nodes."


def test_a_stopped_hub_that_somebody_switched_on_is_told_and_switched_off_again(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    drive(services.stop(people["researcher"], hub))
    look()
    assert told(hub.id) is None
    clusters.start_cluster(*place(hub))
    at_rest(hub)
    assert "They cost money" in drifted(hub).details[0]["what"]
    operation = drive(services.put_back(people["researcher"], hub))
    hub.refresh_from_db()
    assert (operation.kind, operation.status) == (OperationKind.STOP, OperationStatus.SUCCEEDED)
    assert hub.lifecycle == Lifecycle.STOPPED and told(hub.id) is None


def test_without_the_tag_the_way_out_is_told_and_nothing_is_touched(built: Built) -> None:
    hub = built()
    groups.create_group(outside.azure(), SUBSCRIPTION, hub.names.group, "uksouth", {"cost-centre": "42"})
    found = drifted(hub)
    assert not found.mends
    assert f"slipway-deployment={hub.id}" in found.details[0]["remedy"]


def test_a_newer_kubernetes_cannot_be_put_back_and_the_remedy_says_what_can(built: Built) -> None:
    hub = built()
    clusters.update_cluster(*place(hub), kubernetes_version="1.35.1", tier="Free")
    at_rest(hub)
    found = drifted(hub)
    assert found.details[0]["what"] == "Kubernetes 1.35.1 runs instead of 1.34.3." and not found.mends
    assert "Azure cannot go back" in found.details[0]["remedy"]


def test_what_azure_is_at_work_on_is_not_told(built: Built, cloud: SandboxProcess) -> None:
    hub = built()
    cloud.control("azure/outcomes", {"name": "core", "stuck": True})
    more_nodes(hub)
    look()
    assert told(hub.id) is None


def test_a_cluster_that_does_not_answer_leaves_what_was_told(built: Built, cloud: SandboxProcess) -> None:
    hub = built()
    more_nodes(hub)
    at_rest(hub)
    first = drifted(hub)
    cloud.fault("/api/v1/namespaces/", "unavailable", count=99)
    look()
    assert told(hub.id) == first


def test_what_is_left_as_it_is_is_asked_about_again_when_it_is_another_thing(
    built: Built, people: dict[str, Any]
) -> None:
    hub = built()
    more_nodes(hub)
    at_rest(hub)
    drifted(hub)
    services.leave_as_is(people["researcher"], hub)
    assert drifted(hub).accepted_by == people["researcher"]
    log = hub.operations.get().events
    assert log.filter(by=people["researcher"], message__contains="3 nodes instead of 1 node").exists()
    with pytest.raises(TooLate):
        services.leave_as_is(people["researcher"], hub)
    uninstalled(hub)
    assert drifted(hub).accepted_by is None


def test_it_is_told_once_in_the_log_however_often_it_is_seen(built: Built) -> None:
    hub = built()
    more_nodes(hub)
    at_rest(hub)
    for _ in range(3):
        drifted(hub)
    assert hub.operations.get().events.filter(message__startswith="Changed by hand").count() == 1


def test_no_value_of_a_setting_is_told(built: Built) -> None:
    hub = built()

    def another_password(values: dict[str, Any]) -> None:
        values["registry"]["password"] = "canary-9f"

    other_settings(hub, another_password)
    details = str(drifted(hub).details)
    assert "registry.password" in details and "canary-9f" not in details
