"""The real SDK clients and the real Helm, against one sandbox over TLS."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.azure.session import AzureSession
from cloud.helm import Helm
from cloud.kubernetes import KubernetesCluster
from cloud.profile import AzureCloud, load
from tests.sandbox_process import SandboxProcess, helm_binary


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> Iterator[SandboxProcess]:
    """The sandbox, without faults left over."""
    yield sandbox_process
    sandbox_process.clear_faults()


@pytest.fixture(scope="session")
def profile(sandbox_process: SandboxProcess) -> AzureCloud:
    return load(sandbox_process.worker_env)


@pytest.fixture(scope="session")
def az(sandbox_process: SandboxProcess, profile: AzureCloud) -> AzureSession:
    """Signed in as the worker."""
    return AzureSession.from_environment(profile, sandbox_process.worker_env)


@pytest.fixture(scope="session")
def web_az(sandbox_process: SandboxProcess, profile: AzureCloud) -> AzureSession:
    """Signed in as the web process, which may only set secrets."""
    return AzureSession.from_environment(profile, sandbox_process.web_env)


@pytest.fixture(scope="session")
def helm_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("helm")


@pytest.fixture
def helm(helm_home: Path) -> Helm:
    return Helm(helm_binary(), helm_home, stuck_after=0.5)


@pytest.fixture
def kubeconfig(sandbox_process: SandboxProcess) -> Iterator[bytes]:
    """The credentials of a cluster of its own, which is there at once."""
    key = f"t{uuid.uuid4().hex[:8]}"
    sandbox_process.control("kubernetes/clusters", {"name": key, "pools": [{"vmSize": "Standard_D4s_v5", "count": 2}]})
    yield sandbox_process.read(f"kubernetes/clusters/{key}/kubeconfig")
    sandbox_process.control(f"kubernetes/clusters/{key}", method="DELETE")


@pytest.fixture
def cluster(kubeconfig: bytes) -> Iterator[KubernetesCluster]:
    with KubernetesCluster(kubeconfig) as cluster:
        yield cluster
