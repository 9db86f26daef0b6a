"""A simulated cloud for each test: a life that breaks off leaves its hub to no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import a_cloud, make_hub, quick, secure

__all__ = ["make_hub", "quick", "secure"]


@pytest.fixture
def cloud(tmp_path: Path, valkey: object) -> Iterator[SandboxProcess]:
    with a_cloud(tmp_path / "cloud") as process:
        yield process


@pytest.fixture(autouse=True)
def hard_days(secure: None, quick: None, settings: Any) -> None:
    """The hubs are reached as real ones are. Many troubles follow one another: the time between two is not a step's."""
    settings.SLIPWAY_POLL_SECONDS = 0.002
