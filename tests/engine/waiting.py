"""A job for a real RQ worker: it moves what never comes to its end, for ten minutes."""

from __future__ import annotations

from tests.engine.plans import Waits
from worker.context import Context
from worker.runner import Runner


def wait() -> None:
    Runner(lambda _operation: (Waits(),), Context).run(limit=8, budget=600.0)
