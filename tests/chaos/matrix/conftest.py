"""One simulated cloud and one database for each process that runs these tests."""

from __future__ import annotations

from tests.worker.conftest import cloud, make_hub, quick

__all__ = ["cloud", "make_hub", "quick"]
