"""A cluster outlives the sandbox's process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.kubernetes.driving import Cluster, Release, balanced
from tests.sandbox_process import SandboxProcess


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path / "home") as process:
        yield process


def test_releases_pods_and_addresses_survive_a_kill(own_sandbox: SandboxProcess, tmp_path: Path) -> None:
    cluster = Cluster(own_sandbox, "lasting")
    release = Release(cluster, "kept", tmp_path)
    release.install("--wait", "--timeout", "30s")
    cluster.core.create_namespaced_service("kept", balanced("named", "lasting-label"))
    read = cluster.core.read_namespaced_service
    address = cluster.until(lambda: read("named", "kept").status.load_balancer.ingress)[0].ip
    before = [pod.metadata.uid for pod in cluster.core.list_namespaced_pod("kept").items]
    own_sandbox.kill()
    own_sandbox.start()
    assert [revision["status"] for revision in release.history()] == ["deployed"]
    assert [pod.metadata.uid for pod in cluster.core.list_namespaced_pod("kept").items] == before
    assert read("named", "kept").status.load_balancer.ingress[0].ip == address
    release.install("--set", "tag=2", "--wait", "--timeout", "30s")
    assert release.tag() == "2"


def test_versions_go_on_rising_after_a_restart(own_sandbox: SandboxProcess) -> None:
    cluster = Cluster(own_sandbox, "rising")
    before = int(cluster.core.list_namespace().metadata.resource_version)
    own_sandbox.restart()
    assert int(cluster.core.list_namespace().metadata.resource_version) > before
