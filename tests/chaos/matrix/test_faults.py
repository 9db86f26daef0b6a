"""Every call to the outside × every fault: the run goes on by itself, or ends in words that a person can act on."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.models import Event
from tests.chaos.matrix.calls import known
from tests.chaos.matrix.faults import FAULTS
from tests.chaos.matrix.lives import LIVES, Life
from tests.chaos.matrix.sweep import Sweep
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_call_of_a_life_survives(
    fault: str, life: str, make_hub: MadeHub, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    cases = {call: FAULTS[fault] for call in known()[life] if FAULTS[fault].concerns(call)}
    sweep = Sweep(cloud, people["researcher"], cases)
    LIVES[life](Life(make_hub, people, cloud, sweep.drive))
    bad = [str(strike) for strike in sweep.strikes.values() if strike.is_bad]
    missed = [str(call) for call in cases if call not in sweep.strikes]
    from collections import Counter

    print(
        fault,
        life,
        len(cases),
        Counter(s.verdict if not s.is_bad else "bad" for s in sweep.strikes.values()),
        "missed",
        len(missed),
    )
    for line in bad:
        print("   BAD", line)
    assert not bad, "\n".join(bad)
    assert not missed, "\n".join(missed)
