"""One sandbox, one cluster, and hubs installed by real Helm."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sandbox.hubs.hub import Body, Cluster, Hub, packed
from tests.sandbox_process import SandboxProcess

SPEED = 5000


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox"), speed=SPEED) as process:
        yield process


@pytest.fixture(scope="package")
def cluster(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return Cluster(sandbox, "hubs", tmp_path_factory.mktemp("cluster"))


@pytest.fixture(scope="package")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("chart"))


NUMBERS = itertools.count(1)


@pytest.fixture
def install(cluster: Cluster, archive: Path) -> Iterator[Callable[..., Hub]]:
    """`install({change of the values})` gives a hub of its own, taken down after the test."""
    hubs: list[Hub] = []

    def installed(change: Body | None = None, *, wait: str = "services/binder/versions") -> Hub:
        hub = Hub(cluster, archive, f"hub{next(NUMBERS)}")
        hubs.append(hub)
        hub.install(change or {})
        if wait:
            hub.wait(wait)
        return hub

    yield installed
    cluster.heal()
    for hub in hubs:
        hub.remove()


@pytest.fixture(scope="package")
def good(cluster: Cluster, archive: Path) -> Hub:
    """A hub with nothing wrong, shared by tests that leave it as it was."""
    hub = Hub(cluster, archive, "good")
    hub.install({})
    hub.wait()
    return hub
