"""A simulated cloud for each test: a life that breaks off leaves its hub to no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import a_cloud, make_hub, quick, secure

__all__ = ["make_hub", "quick", "secure"]


@pytest.fixture
def cloud(tmp_path: Path, valkey: object) -> Iterator[SandboxProcess]:
    with a_cloud(tmp_path / "cloud") as process:
        yield process


@pytest.fixture(autouse=True)
def by_https(secure: None) -> None:
    """The hubs of these lives are reached as real ones are."""
