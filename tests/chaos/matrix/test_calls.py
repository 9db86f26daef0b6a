"""No call to the outside is forgotten: whatever a step asks is in the list from which the faults are made."""

from __future__ import annotations

import os
from typing import Any

import pytest

from deployments import services
from deployments.models import Operation
from tests.chaos.matrix.calls import LIST, keep, known
from tests.chaos.matrix.clockwork import Clockwork
from tests.chaos.matrix.lives import LIVES, Life, built_and_taken_down, succeeded
from tests.chaos.matrix.recorder import Recorder
from tests.chaos.seed import FULL
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub

#: A life that wants runs to fail has so many tries at each.
TRIES = 5


#: `make test` lives the shortest one.
TRIED = LIVES if FULL else {"docker-hub": built_and_taken_down}


@pytest.mark.parametrize("name", TRIED)
def test_every_call_that_a_life_makes_is_in_the_list(
    name: str, make_hub: MadeHub, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    recorder = Recorder(cloud)
    work = Clockwork(recorder.wrap)

    def drive(operation: Operation, until: Any = lambda: False, good: Any = succeeded) -> Operation:
        for _ in range(TRIES):
            work.drive(operation, until)
            if until() or good(operation):
                return operation
            services.retry(people["researcher"], operation)
            operation.refresh_from_db()
        raise AssertionError(f"{operation} never comes to its end: {operation.error_message}")

    TRIED[name](Life(make_hub, people, cloud, drive))
    if FULL and os.environ.get("SLIPWAY_RECORD"):
        keep(name, recorder.calls)
    missing = sorted(str(call) for call in recorder.calls - {call for calls in known().values() for call in calls})
    told = "\n".join(missing)
    assert not missing, (
        f"New calls. Add them to {LIST.name} (its head says how) and let every fault strike them:\n{told}"
    )
