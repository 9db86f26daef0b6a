"""The controllers: what is wished for comes true over time, fails as wished, and is cleaned up."""

from __future__ import annotations

import hashlib
from typing import Any

from kubernetes import client, watch

from tests.sandbox.kubernetes.driving import Cluster, balanced, deployment
from tests.sandbox_process import SandboxProcess


def phases(cluster: Cluster, namespace: str) -> list[str]:
    return [pod.status.phase for pod in cluster.core.list_namespaced_pod(namespace).items]


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "example/c:1"}]} | spec}


def until_ready(cluster: Cluster, namespace: str, count: int = 1, name: str = "web") -> None:
    read = cluster.apps.read_namespaced_deployment_status
    cluster.until(lambda: (read(name, namespace).status.ready_replicas or 0) == count)


def waiting_reason(cluster: Cluster, namespace: str, name: str) -> str:
    statuses = cluster.core.read_namespaced_pod(name, namespace).status.container_statuses or []
    waiting = statuses[0].state.waiting if statuses else None
    return waiting.reason if waiting else ""


def test_nodes_show_what_kubectl_would_show(cluster: Cluster) -> None:
    node = cluster.ready_nodes()[0]
    assert node.status.node_info.kubelet_version == "v1.34.2"
    assert node.metadata.labels["agentpool"] == "system"
    assert node.status.capacity["cpu"] == "2"
    assert node.status.allocatable["cpu"] == "1900m"


def test_pool_labels_and_taints_reach_the_nodes(sandbox: SandboxProcess) -> None:
    labels = {"hub.jupyter.org/node-purpose": "user"}
    made = Cluster(sandbox, "tainted", pools=[{"name": "users", "labels": labels, "taints": ["users=only:NoSchedule"]}])
    node = made.until(lambda: made.core.list_node().items)[0]
    assert node.metadata.labels["hub.jupyter.org/node-purpose"] == "user"
    assert (node.spec.taints[0].key, node.spec.taints[0].value, node.spec.taints[0].effect) == (
        "users", "only", "NoSchedule")  # fmt: skip


def test_a_deployment_gets_its_pods(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment(replicas=3))
    until_ready(cluster, namespace, 3)
    assert phases(cluster, namespace) == ["Running"] * 3


def test_a_pod_tells_its_story_in_events(cluster: Cluster, namespace: str) -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "example/never-pulled-before:1"
    cluster.apps.create_namespaced_deployment(namespace, body)
    until_ready(cluster, namespace)
    expected = {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulling", "Pulled", "Created", "Started"}
    assert expected <= cluster.reasons(namespace)


def test_scaling_down_ends_pods(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment(replicas=3))
    until_ready(cluster, namespace, 3)
    cluster.apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 1}})
    cluster.until(lambda: len(phases(cluster, namespace)) == 1)


def test_a_rolling_update_keeps_the_old_pod_until_the_new_one_is_ready(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    until_ready(cluster, namespace)
    wish = {"namespace": namespace, "pod": "web-", "kind": "ImagePullBackOff"}
    cluster.sandbox.control("kubernetes/symptoms", wish)
    try:
        image = [{"name": "c", "image": "example/c:2"}]
        change = {"spec": {"template": {"spec": {"containers": image}}}}
        cluster.apps.patch_namespaced_deployment("web", namespace, change)
        cluster.until(lambda: sorted(phases(cluster, namespace)) == ["Pending", "Running"])
        assert cluster.apps.read_namespaced_deployment("web", namespace).status.available_replicas == 1
    finally:
        cluster.sandbox.control("kubernetes/symptoms", method="DELETE")
    cluster.until(lambda: phases(cluster, namespace) == ["Running"])


def test_a_stateful_set_makes_numbered_pods_with_volumes(cluster: Cluster, namespace: str) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    body = deployment("db", serviceName="db", replicas=2, volumeClaimTemplates=[claim]) | {"kind": "StatefulSet"}
    cluster.apps.create_namespaced_stateful_set(namespace, body)
    read = cluster.apps.read_namespaced_stateful_set_status
    cluster.until(lambda: read("db", namespace).status.ready_replicas == 2)
    assert [item.metadata.name for item in cluster.core.list_namespaced_pod(namespace).items] == ["db-0", "db-1"]
    claims = cluster.core.list_namespaced_persistent_volume_claim(namespace).items
    found = {item.metadata.name: item.status.phase for item in claims}
    assert found == {"data-db-0": "Bound", "data-db-1": "Bound"}


def test_a_daemon_set_has_a_pod_on_each_node(cluster: Cluster, namespace: str) -> None:
    body = deployment("agent") | {"kind": "DaemonSet"}
    del body["spec"]["replicas"]
    cluster.apps.create_namespaced_daemon_set(namespace, body)
    cluster.until(lambda: cluster.apps.read_namespaced_daemon_set_status("agent", namespace).status.number_ready == 2)
    nodes = {item.spec.node_name for item in cluster.core.list_namespaced_pod(namespace).items}
    assert len(nodes) == 2


def test_a_job_completes(cluster: Cluster, namespace: str) -> None:
    batch = client.BatchV1Api(cluster.api)
    spec = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "example/c:1"}]}
    batch.create_namespaced_job(namespace, {"metadata": {"name": "once"}, "spec": {"template": {"spec": spec}}})
    cluster.until(lambda: batch.read_namespaced_job_status("once", namespace).status.succeeded == 1)


def test_a_server_runs_until_it_is_deleted_though_it_need_not_restart(cluster: Cluster, namespace: str) -> None:
    once = [{"name": "c", "image": "example/c:1"}]
    cluster.core.create_namespaced_pod(namespace, pod("notebook", restartPolicy="OnFailure"))
    batch = client.BatchV1Api(cluster.api)
    spec = {"restartPolicy": "Never", "containers": once}
    cluster.until(lambda: phases(cluster, namespace) == ["Running"])
    batch.create_namespaced_job(namespace, {"metadata": {"name": "later"}, "spec": {"template": {"spec": spec}}})
    cluster.until(lambda: batch.read_namespaced_job_status("later", namespace).status.succeeded == 1)
    assert cluster.core.read_namespaced_pod("notebook", namespace).status.phase == "Running"


def test_a_pod_too_big_for_every_node_waits_and_says_why(cluster: Cluster, namespace: str) -> None:
    greedy = {"name": "c", "image": "example/c:1", "resources": {"requests": {"cpu": "9"}}}
    cluster.core.create_namespaced_pod(namespace, pod(containers=[greedy]))
    cluster.until(lambda: "FailedScheduling" in cluster.reasons(namespace))
    messages = [event.message for event in cluster.core.list_namespaced_event(namespace).items]
    assert any("0/2 nodes are available: 2 Insufficient cpu" in message for message in messages)
    assert phases(cluster, namespace) == ["Pending"]


def test_room_that_is_set_free_is_used(cluster: Cluster, namespace: str) -> None:
    half = {"name": "c", "image": "example/c:1", "resources": {"requests": {"memory": "4Gi"}}}
    for name in ("one", "two", "three"):
        cluster.core.create_namespaced_pod(namespace, pod(name, containers=[half]))
    cluster.until(lambda: sorted(phases(cluster, namespace)) == ["Pending", "Running", "Running"])
    running = [item for item in cluster.core.list_namespaced_pod(namespace).items if item.status.phase == "Running"]
    cluster.core.delete_namespaced_pod(running[0].metadata.name, namespace)
    cluster.until(lambda: phases(cluster, namespace) == ["Running", "Running"])


def test_a_pod_waits_for_the_secret_it_mounts(cluster: Cluster, namespace: str) -> None:
    volume = {"name": "v", "secret": {"secretName": "late"}}
    cluster.core.create_namespaced_pod(namespace, pod(volumes=[volume]))
    cluster.until(lambda: "FailedMount" in cluster.reasons(namespace))
    cluster.core.create_namespaced_secret(namespace, {"metadata": {"name": "late"}})
    cluster.until(lambda: phases(cluster, namespace) == ["Running"])


def test_a_pod_waits_for_a_socket_until_somebody_listens_there(cluster: Cluster, namespace: str) -> None:
    socket = "/var/run/dind/docker.sock"
    listener = {"name": "dind", "image": "example/c:1", "args": ["dockerd", f"-H unix://{socket}"]}
    node = cluster.ready_nodes()[0].metadata.name
    volume = {"name": "s", "hostPath": {"path": socket, "type": "Socket"}}
    cluster.core.create_namespaced_pod(namespace, pod("build", volumes=[volume], nodeName=node))
    cluster.until(lambda: "FailedMount" in cluster.reasons(namespace))
    assert waiting_reason(cluster, namespace, "build") == "ContainerCreating"
    cluster.core.create_namespaced_pod(namespace, pod("dind", containers=[listener], nodeName=node))
    cluster.until(lambda: cluster.core.read_namespaced_pod("build", namespace).status.phase == "Running")


def test_an_image_that_cannot_be_pulled_backs_off(cluster: Cluster, namespace: str) -> None:
    wish = {"namespace": namespace, "kind": "ImagePullBackOff", "message": "no such image"}
    cluster.sandbox.control("kubernetes/symptoms", wish)
    try:
        cluster.core.create_namespaced_pod(namespace, pod())
        cluster.until(lambda: waiting_reason(cluster, namespace, "p") == "ImagePullBackOff")
        messages = [event.message for event in cluster.core.list_namespaced_event(namespace).items]
        assert any("no such image" in message for message in messages)
    finally:
        cluster.sandbox.control("kubernetes/symptoms", method="DELETE")
    cluster.until(lambda: phases(cluster, namespace) == ["Running"])


def test_a_crashing_container_is_restarted_and_backs_off(cluster: Cluster, namespace: str) -> None:
    cluster.sandbox.control("kubernetes/symptoms", {"namespace": namespace, "kind": "OOMKilled"})
    try:
        cluster.core.create_namespaced_pod(namespace, pod())
        cluster.until(lambda: waiting_reason(cluster, namespace, "p") == "CrashLoopBackOff")
        status = cluster.core.read_namespaced_pod("p", namespace).status.container_statuses[0]
        assert status.last_state.terminated.reason == "OOMKilled"
        read = cluster.core.read_namespaced_pod
        cluster.until(lambda: read("p", namespace).status.container_statuses[0].restart_count >= 1)
    finally:
        cluster.sandbox.control("kubernetes/symptoms", method="DELETE")


def test_a_pods_log_can_be_read(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_pod(namespace, pod())
    cluster.until(lambda: phases(cluster, namespace) == ["Running"])
    log = cluster.until(lambda: cluster.core.read_namespaced_pod_log("p", namespace, tail_lines=1))
    assert log == "c: started example/c:1\n"


def test_a_load_balancer_gets_the_address_of_its_dns_label(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_service(namespace, balanced("web", "known-label"))
    read = cluster.core.read_namespaced_service
    points = cluster.until(lambda: read("web", namespace).status.load_balancer.ingress)
    digest = hashlib.sha256(b"known-label.uksouth").digest()
    assert points[0].ip == "127." + ".".join(str(1 + byte % 254) for byte in digest[:3])
    assert {"EnsuringLoadBalancer", "EnsuredLoadBalancer"} <= cluster.reasons(namespace)


def test_a_deleted_load_balancer_sets_its_label_free(cluster: Cluster, namespace: str) -> None:
    core = cluster.core
    core.create_namespaced_service(namespace, balanced("one", "moving-label"))
    cluster.until(lambda: core.read_namespaced_service("one", namespace).status.load_balancer.ingress)
    core.delete_namespaced_service("one", namespace)
    core.create_namespaced_service(namespace, balanced("two", "moving-label"))
    cluster.until(lambda: core.read_namespaced_service("two", namespace).status.load_balancer.ingress)


def test_deleting_a_deployment_ends_what_it_owns(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    until_ready(cluster, namespace)
    cluster.apps.delete_namespaced_deployment("web", namespace)
    cluster.until(lambda: not phases(cluster, namespace))
    assert cluster.apps.list_namespaced_replica_set(namespace).items == []


def test_a_foreground_deletion_waits_for_the_dependents(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    until_ready(cluster, namespace)
    cluster.apps.delete_namespaced_deployment("web", namespace, propagation_policy="Foreground")
    cluster.until(lambda: not cluster.apps.list_namespaced_deployment(namespace).items)
    assert phases(cluster, namespace) == []


def test_an_orphaning_deletion_leaves_the_dependents(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    until_ready(cluster, namespace)
    cluster.apps.delete_namespaced_deployment("web", namespace, propagation_policy="Orphan")
    cluster.until(lambda: not cluster.apps.list_namespaced_deployment(namespace).items)
    assert phases(cluster, namespace) == ["Running"]


def test_a_namespace_empties_and_goes(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    cluster.core.create_namespaced_service(namespace, balanced("web", "going-label"))
    until_ready(cluster, namespace)
    cluster.core.delete_namespace(namespace)
    assert cluster.core.read_namespace(namespace).status.phase == "Terminating"
    names = lambda: {item.metadata.name for item in cluster.core.list_namespace().items}  # noqa: E731
    cluster.until(lambda: namespace not in names())


def test_a_claims_volume_goes_with_it(cluster: Cluster, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    core = cluster.core
    core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "data"}, "spec": spec})
    core.create_namespaced_pod(namespace, pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    cluster.until(lambda: phases(cluster, namespace) == ["Running"])
    volume = core.read_namespaced_persistent_volume_claim("data", namespace).spec.volume_name
    core.delete_namespace(namespace)
    cluster.until(lambda: volume not in {item.metadata.name for item in core.list_persistent_volume().items})


def test_starting_a_stopped_cluster_brings_its_pods_back(sandbox: SandboxProcess) -> None:
    made = Cluster(sandbox, "paused")
    made.make_namespace("work")
    made.apps.create_namespaced_deployment("work", deployment())
    until_ready(made, "work")
    before = made.core.list_namespaced_pod("work").items[0].metadata.name
    names = lambda: [item.metadata.name for item in made.core.list_namespaced_pod("work").items]  # noqa: E731
    sandbox.control("kubernetes/clusters/paused/power", {"running": False})
    sandbox.control("kubernetes/clusters/paused/power", {"running": True})
    made.until(lambda: names() not in ([], [before]))
    until_ready(made, "work")


def test_a_followed_log_ends_with_its_pod(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_pod(namespace, pod())
    cluster.until(lambda: phases(cluster, namespace) == ["Running"])
    stream = watch.Watch().stream(cluster.core.read_namespaced_pod_log, "p", namespace)
    assert next(stream) == "c: started example/c:1"
    cluster.core.delete_namespaced_pod("p", namespace)
    assert list(stream) == []


def test_the_log_before_a_restart_can_be_read(cluster: Cluster, namespace: str) -> None:
    wish = {"namespace": namespace, "kind": "CrashLoopBackOff", "message": "ValueError: no hub_url"}
    cluster.sandbox.control("kubernetes/symptoms", wish)
    try:
        cluster.core.create_namespaced_pod(namespace, pod())
        read = cluster.core.read_namespaced_pod
        cluster.until(lambda: (read("p", namespace).status.container_statuses or [None])[0])
        cluster.until(lambda: read("p", namespace).status.container_statuses[0].restart_count)
        assert "ValueError: no hub_url" in cluster.core.read_namespaced_pod_log("p", namespace, previous=True)
    finally:
        cluster.sandbox.control("kubernetes/symptoms", method="DELETE")
