"""A given real cluster without machines: it is handed out, mirrored, and its pods are played.

The "real" one is a second sandbox whose controllers are off: an API server and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.kubernetes.driving import Cluster, balanced
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("real")
    with SandboxProcess(home, SANDBOX_CONTROLLERS="off", SANDBOX_HUBS="off") as process:
        yield Cluster(process, "real")


@pytest.fixture(scope="module")
def player(real: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("player")
    kubeconfig = home / "given"
    kubeconfig.write_bytes(real.kubeconfig)
    with SandboxProcess(home, SANDBOX_KUBECONFIG=str(kubeconfig)) as process:
        yield Cluster(process, "demo", pools=[{"name": "pool", "count": 1}])


@pytest.fixture
def space(real: Cluster, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("_", "-")[:60].rstrip("-")
    real.core.create_namespace({"metadata": {"name": name}})
    real.core.create_namespaced_service_account(name, {"metadata": {"name": "default"}})
    return str(name)


def placed_pod(node: str) -> dict[str, Any]:
    spec = {"nodeName": node, "containers": [{"name": "c", "image": "example/c:1"}]}
    return {"metadata": {"name": "p"}, "spec": spec}


def test_the_given_credentials_are_handed_out(real: Cluster, player: Cluster) -> None:
    assert player.kubeconfig == real.kubeconfig


def test_nodes_come_up_and_keep_their_leases(real: Cluster, player: Cluster) -> None:
    node = real.until(real.ready_nodes)[0].metadata.name
    path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}"
    assert real.until(lambda: real.raw("GET", path))["spec"]["holderIdentity"] == node


def test_a_placed_pod_runs(real: Cluster, player: Cluster, space: str) -> None:
    node = real.until(real.ready_nodes)[0].metadata.name
    real.core.create_namespaced_pod(space, placed_pod(node))
    read = real.core.read_namespaced_pod
    real.until(lambda: read("p", space).status.phase == "Running")
    real.until(lambda: read("p", space).status.container_statuses[0].ready)


def test_a_deleted_pod_goes(real: Cluster, player: Cluster, space: str) -> None:
    node = real.until(real.ready_nodes)[0].metadata.name
    real.core.create_namespaced_pod(space, placed_pod(node))
    real.until(lambda: real.core.read_namespaced_pod("p", space).status.phase == "Running")
    real.core.delete_namespaced_pod("p", space)
    real.until(lambda: not real.core.list_namespaced_pod(space).items)


def test_a_load_balancer_gets_its_address(real: Cluster, player: Cluster, space: str) -> None:
    real.core.create_namespaced_service(space, balanced("web", "real-label"))
    read = real.core.read_namespaced_service
    assert real.until(lambda: read("web", space).status.load_balancer.ingress)[0].ip.startswith("127.")


def test_a_deleted_load_balancer_is_let_go(real: Cluster, player: Cluster, space: str) -> None:
    real.core.create_namespaced_service(space, balanced("web", "leaving-label"))
    real.until(lambda: real.core.read_namespaced_service("web", space).status.load_balancer.ingress)
    real.core.delete_namespaced_service("web", space)
    real.until(lambda: not real.core.list_namespaced_service(space).items)


def test_a_claim_is_offered_a_volume(real: Cluster, player: Cluster, space: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    made = real.core.create_namespaced_persistent_volume_claim(space, {"metadata": {"name": "data"}, "spec": spec})
    volume = real.until(lambda: real.core.read_persistent_volume(f"pvc-{made.metadata.uid}"))
    assert volume.spec.claim_ref.name == "data"


def test_removing_the_simulated_cluster_leaves_the_real_one(
    real: Cluster, player: Cluster, space: str, tmp_path: Path
) -> None:
    player.sandbox.control("kubernetes/clusters", {"name": "second"})
    player.sandbox.control("kubernetes/clusters/second", method="DELETE")
    assert space in {item.metadata.name for item in real.core.list_namespace().items}
