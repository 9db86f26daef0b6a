"""One simulated cloud and one database for each process that runs these tests."""

from __future__ import annotations

import pytest

from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import cloud, make_hub, quick, secure

__all__ = ["cloud", "make_hub", "quick", "secure"]


@pytest.fixture(autouse=True)
def clean_slate(cloud: SandboxProcess, secure: None) -> None:
    """What an earlier life had laid down and never met is not this one's."""
    cloud.control("azure/outcomes", {"clear": True})
    cloud.control("kubernetes/symptoms", method="DELETE")
