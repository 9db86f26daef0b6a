"""Troubles that a test wishes for come about as real ones do, and end when they are taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.kubernetes.driving import Cluster, balanced, deployment

Wish = Callable[..., None]


@pytest.fixture
def wish(cluster: Cluster, namespace: str) -> Iterator[Wish]:
    """Wishes a trouble in this test's namespace; all are healed at the end."""

    def wishing(**trouble: Any) -> None:
        cluster.sandbox.control("kubernetes/symptoms", {"cluster": cluster.key, "namespace": namespace} | trouble)

    yield wishing
    cluster.sandbox.control("kubernetes/symptoms", method="DELETE")


def heal(cluster: Cluster) -> None:
    cluster.sandbox.control("kubernetes/symptoms", method="DELETE")


def pods(cluster: Cluster, namespace: str) -> list[Any]:
    found: list[Any] = cluster.core.list_namespaced_pod(namespace).items
    return found


def make_pod(cluster: Cluster, namespace: str, **spec: Any) -> None:
    containers = [{"name": "c", "image": "example/c:1"}, {"name": "second", "image": "example/second:1"}]
    body = {"metadata": {"name": "p"}, "spec": {"containers": containers} | spec}
    cluster.core.create_namespaced_pod(namespace, body)


def runs(cluster: Cluster, namespace: str) -> bool:
    return [pod.status.phase for pod in pods(cluster, namespace)] == ["Running"]


def told(cluster: Cluster, namespace: str, reason: str) -> str:
    events = cluster.core.list_namespaced_event(namespace).items
    return next((event.message for event in events if event.reason == reason), "")


def test_a_running_pod_is_thrown_out_once_and_replaced(cluster: Cluster, namespace: str, wish: Wish) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    cluster.until(lambda: runs(cluster, namespace))
    wish(kind="Evicted", message="The node was low on resource: ephemeral-storage.")
    phases = lambda: sorted(pod.status.phase for pod in pods(cluster, namespace))  # noqa: E731
    cluster.until(lambda: phases() == ["Failed", "Running"])
    thrown_out = next(pod for pod in pods(cluster, namespace) if pod.status.phase == "Failed")
    assert thrown_out.status.reason == "Evicted" and "ephemeral-storage" in thrown_out.status.message
    assert any(each.type == "DisruptionTarget" for each in thrown_out.status.conditions)


def test_an_init_container_fails_and_its_own_log_says_why(cluster: Cluster, namespace: str, wish: Wish) -> None:
    wish(kind="InitError", message="fatal: Remote branch spring not found")
    make_pod(cluster, namespace, initContainers=[{"name": "git-clone", "image": "alpine/git"}])
    status = lambda: (pods(cluster, namespace)[0].status.init_container_statuses or [None])[0]  # noqa: E731
    cluster.until(lambda: status() and status().last_state.terminated)
    assert status().state.waiting.reason == "CrashLoopBackOff"
    log = cluster.core.read_namespaced_pod_log("p", namespace, container="git-clone")
    assert log == "fatal: Remote branch spring not found\n"
    heal(cluster)
    cluster.until(lambda: runs(cluster, namespace))


def test_a_volume_that_cannot_be_mounted_holds_its_pod(cluster: Cluster, namespace: str, wish: Wish) -> None:
    wish(kind="FailedAttachVolume", message='Multi-Attach error for volume "pvc-1"')
    make_pod(cluster, namespace)
    cluster.until(lambda: "Multi-Attach" in told(cluster, namespace, "FailedAttachVolume"))
    heal(cluster)
    cluster.until(lambda: runs(cluster, namespace))


def test_pods_that_are_refused_leave_an_event_with_who_wanted_them(
    cluster: Cluster, namespace: str, wish: Wish
) -> None:
    wish(kind="FailedCreate", message='admission webhook "validation.gatekeeper.sh" denied the request: no')
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    cluster.until(lambda: "validation.gatekeeper.sh" in told(cluster, namespace, "FailedCreate"))
    assert pods(cluster, namespace) == []


def test_a_service_waits_for_its_address_in_silence_or_with_a_word(
    cluster: Cluster, namespace: str, wish: Wish
) -> None:
    wish(service="silent", kind="AddressPending")
    wish(service="told", kind="AddressPending", message="PublicIPCountLimitReached: too many")
    for name in ("silent", "told"):
        cluster.core.create_namespaced_service(namespace, balanced(name, f"{name}-{namespace}"))
    cluster.until(lambda: "PublicIPCountLimitReached" in told(cluster, namespace, "SyncLoadBalancerFailed"))
    read = cluster.core.read_namespaced_service
    assert not any(read(name, namespace).status.load_balancer.ingress for name in ("silent", "told"))
    heal(cluster)
    cluster.until(lambda: all(read(name, namespace).status.load_balancer.ingress for name in ("silent", "told")))


def test_a_disk_that_cannot_be_made_leaves_its_claim_pending(cluster: Cluster, namespace: str, wish: Wish) -> None:
    wish(claim="data", kind="ProvisioningFailed", message="SkuNotAvailable: not in this region")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    cluster.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "data"}, "spec": spec})
    make_pod(cluster, namespace, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    cluster.until(lambda: "SkuNotAvailable" in told(cluster, namespace, "ProvisioningFailed"))
    heal(cluster)
    cluster.until(lambda: runs(cluster, namespace))


@pytest.mark.parametrize(
    ("kind", "condition", "value"),
    [("DiskPressure", "DiskPressure", "True"), ("MemoryPressure", "MemoryPressure", "True"),
     ("NotReady", "Ready", "Unknown")],
)  # fmt: skip
def test_a_machine_in_trouble_says_so_and_takes_no_pods(
    kind: str, condition: str, value: str, cluster: Cluster, wish: Wish
) -> None:
    name = cluster.core.list_node().items[0].metadata.name
    wish(node=name, kind=kind)

    def says(wanted: str) -> bool:
        found = cluster.core.read_node(name)
        return {each.type: each.status for each in found.status.conditions}[condition] == wanted

    cluster.until(lambda: says(value))
    assert cluster.core.read_node(name).spec.taints
    heal(cluster)
    cluster.until(lambda: says("True" if condition == "Ready" else "False"))
    assert not cluster.core.read_node(name).spec.taints


def test_pods_that_run_are_replaced_by_ones_with_the_symptom(cluster: Cluster, namespace: str, wish: Wish) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    cluster.until(lambda: runs(cluster, namespace))
    wish(kind="ImagePullBackOff", pod="web-", replace=True)

    def reason() -> str:
        found = pods(cluster, namespace)
        waiting = found[0].status.container_statuses[0].state.waiting if found else None
        return waiting.reason if waiting else ""

    cluster.until(lambda: reason() == "ImagePullBackOff")


def test_each_container_has_a_log_of_its_own_and_prints_what_it_is_told(cluster: Cluster, namespace: str) -> None:
    make_pod(cluster, namespace)
    cluster.until(lambda: runs(cluster, namespace))
    asked = {"cluster": cluster.key, "namespace": namespace, "pod": "p", "container": "second", "lines": ["one", "two"]}
    assert cluster.sandbox.control("kubernetes/lines", asked) == {"pods": ["p"]}
    read = cluster.core.read_namespaced_pod_log
    assert read("p", namespace, container="second") == "second: started example/second:1\none\ntwo\n"
    assert "one" not in read("p", namespace, container="c")


def test_a_log_is_cut_off_after_so_many_bytes_and_stamped_finer_than_seconds(cluster: Cluster, namespace: str) -> None:
    make_pod(cluster, namespace)
    cluster.until(lambda: runs(cluster, namespace))
    read = cluster.core.read_namespaced_pod_log
    assert read("p", namespace, container="c", limit_bytes=5) == "c: st"
    stamp = read("p", namespace, container="c", timestamps=True).split(" ")[0]
    assert stamp.endswith("Z") and "." in stamp
