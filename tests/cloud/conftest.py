"""The real SDK clients and the real Helm, against one sandbox over TLS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.azure.session import AzureSession
from cloud.profile import AzureCloud, load
from tests.sandbox_process import SandboxProcess


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
