"""A sandbox with one cluster, a real Kubernetes client and a real Helm pointed at it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.kubernetes.driving import Cluster, Release
from tests.sandbox_process import SandboxProcess

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("kubernetes-sandbox")) as process:
        yield process


@pytest.fixture(scope="session")
def cluster(sandbox: SandboxProcess) -> Iterator[Cluster]:
    """Two nodes of two cores each, shared by tests that keep to namespaces of their own."""
    made = Cluster(sandbox, "shared", pools=[{"name": "system", "count": 2}])
    made.until(lambda: len(made.ready_nodes()) == 2)
    yield made
    made.close()


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """A new namespace where pods may be made."""
    name = f"space-{next(_numbers)}"
    cluster.make_namespace(name)
    return name


@pytest.fixture
def release(cluster: Cluster, tmp_path: Path) -> Release:
    """A small chart, not installed yet, in a namespace that does not exist yet."""
    return Release(cluster, f"release-{next(_numbers)}", tmp_path)
