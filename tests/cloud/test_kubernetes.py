"""A cluster's API by the official client."""

import tempfile
from pathlib import Path

import pytest

from cloud.errors import Conflict, InvalidRequest, SignInFailed, Throttled, Unavailable
from cloud.kubeconfig import read
from cloud.kubernetes import LOG_BYTES, KubernetesCluster
from cloud.kubernetes_objects import pod, workload
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess


def test_nodes_become_ready_and_say_their_version(cluster: KubernetesCluster) -> None:
    nodes = until(lambda: [node for node in cluster.nodes() if node.ready])
    assert nodes[0].version.startswith("v1.")
    assert nodes[0].created is not None


def test_a_namespace_is_made_once(cluster: KubernetesCluster) -> None:
    assert cluster.namespace("demo") is None
    made = cluster.create_namespace("demo", {"slipway-deployment": "abc"})
    assert made.labels["slipway-deployment"] == "abc"
    with pytest.raises(Conflict):
        cluster.create_namespace("demo")


def test_a_namespace_is_deleted_in_its_own_time_and_twice_is_fine(cluster: KubernetesCluster) -> None:
    cluster.create_namespace("demo")
    cluster.delete_namespace("demo")
    until(lambda: cluster.namespace("demo") is None)
    cluster.delete_namespace("demo")


def test_nothing_of_the_credentials_is_left_on_disk(kubeconfig: bytes) -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    with KubernetesCluster(kubeconfig) as cluster:
        cluster.version()
        fresh = [path for path in Path(tempfile.gettempdir()).iterdir() if path not in before and path.is_file()]
        assert not [path for path in fresh if b"PRIVATE KEY" in path.read_bytes() or b"BEGIN CERT" in path.read_bytes()]


def test_a_client_that_is_gone_leaves_no_open_file(kubeconfig: bytes) -> None:
    with KubernetesCluster(kubeconfig) as cluster:
        cluster.version()
    del cluster
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with KubernetesCluster(kubeconfig) as another:
            another.version()
        del another
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_access_never_shows_its_secrets(kubeconfig: bytes) -> None:
    access = read(kubeconfig)
    assert repr(access) == f"Access(server={access.server!r})"


def test_credentials_that_cannot_be_read_are_not_quoted() -> None:
    with pytest.raises(InvalidRequest) as caught:
        KubernetesCluster(b"users: [canary-secret")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_wrong_credentials_are_a_failed_sign_in(kubeconfig: bytes) -> None:
    token = read(kubeconfig).token
    with KubernetesCluster(kubeconfig.replace(token.encode(), b"wrong")) as cluster, pytest.raises(SignInFailed):
        cluster.nodes()


@pytest.mark.parametrize(
    ("kind", "error"),
    [("throttled", Throttled), ("unavailable", Unavailable), ("html", Unavailable), ("garbage", Unavailable)],
)
def test_bad_days_have_their_errors(
    sandbox: SandboxProcess, cluster: KubernetesCluster, kind: str, error: type[Exception]
) -> None:
    sandbox.fault("/k8s/.*/nodes", kind, count=10)
    with pytest.raises(error):
        cluster.nodes()


def test_a_broken_answer_never_passes_for_absent(sandbox: SandboxProcess, cluster: KubernetesCluster) -> None:
    sandbox.fault("/k8s/.*/namespaces/demo", "custom", status=404, body="<html></html>")
    with pytest.raises(Unavailable):
        cluster.namespace("demo")


def test_a_cluster_that_nobody_answers_for_is_unavailable(kubeconfig: bytes) -> None:
    nowhere = kubeconfig.replace(read(kubeconfig).server.encode(), b"https://127.0.0.1:1")
    with KubernetesCluster(nowhere) as cluster, pytest.raises(Unavailable):
        cluster.nodes()


def test_the_log_of_a_pod_that_is_not_there_is_empty(cluster: KubernetesCluster) -> None:
    assert cluster.pod_log("default", "nobody") == []


def test_a_log_too_long_to_be_read_at_once_is_read_from_its_end(
    sandbox: SandboxProcess, cluster: KubernetesCluster
) -> None:
    sandbox.fault("tailLines=500", "custom", status=200, body="2026-03-02T10:00:00Z " + "x" * LOG_BYTES)
    sandbox.fault("tailLines=50&", "custom", status=200, body="2026-03-02T10:00:01.5Z the newest line\n")
    found = cluster.container_log("default", "hub", "hub")
    assert [(line.text, line.number) for line in found.lines] == [("the newest line", 1_772_445_601_500_000)]


def test_the_log_of_a_container_that_is_not_there_says_so(cluster: KubernetesCluster) -> None:
    found = cluster.container_log("default", "nobody", "hub")
    assert found.lines == () and "nobody" in found.problem


def test_one_pod_is_found_or_not(cluster: KubernetesCluster) -> None:
    assert cluster.pod_detail("default", "nobody") is None


def test_a_pod_says_why_it_is_not_ready() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    status = {"phase": "Pending", "containerStatuses": [{"ready": False, "state": {"waiting": waiting}}]}
    found = pod({"metadata": {"name": "hub-1"}, "spec": {"containers": [{}]}, "status": status})
    assert (found.reason, found.message, found.ready) == ("ImagePullBackOff", "Back-off pulling image", False)


def test_a_pod_that_fits_nowhere_says_so() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: cpu"}
    found = pod({"metadata": {"name": "hub-1"}, "status": {"phase": "Pending", "conditions": [condition]}})
    assert (found.reason, found.message) == ("Unschedulable", "0/1 nodes: cpu")


def test_a_workload_whose_change_was_not_seen_yet_is_not_ready() -> None:
    item = {"metadata": {"name": "hub", "generation": 2}, "spec": {"replicas": 1}}
    assert workload("Deployment", item | {"status": {"observedGeneration": 1, "readyReplicas": 1}}).ready == 0
    done = {"observedGeneration": 2, "readyReplicas": 1, "updatedReplicas": 1}
    assert workload("Deployment", item | {"status": done}).ready == 1
