"""Every call to the outside × every fault: the run goes on by itself, or ends in words that a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from deployments import outside
from tests.chaos.matrix.calls import SOMETIMES, Call, known
from tests.chaos.matrix.faults import FAULTS, LASTING, REFUSALS, TRANSIENT, UNHEARD, Fault
from tests.chaos.matrix.lives import LIVES, Life, built_and_taken_down
from tests.chaos.matrix.sweep import Sweep
from tests.chaos.seed import FULL, SEED, chance
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub

#: In `make test` each call of a short life suffers one fault of these.
SHORT = ("provision", "teardown")
SAMPLE = tuple(fault for fault in (*TRANSIENT, *REFUSALS) if fault.name != "silence")
Suffer = Callable[[Callable[[Life], None], Mapping[Call, Fault]], None]


@pytest.fixture
def suffer(
    make_hub: MadeHub,
    people: dict[str, Any],
    cloud: SandboxProcess,
    record_property: Callable[[str, Any], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Suffer:
    """`suffer(live, faults)` lives it, and says which case ended badly, was never met, or left something behind."""

    def lived(live: Callable[[Life], None], faults: Mapping[Call, Fault]) -> None:
        if any(fault.rule["kind"] == "silent" for fault in faults.values()):
            monkeypatch.setenv("SLIPWAY_ANSWER_SECONDS", "0.5")
        sweep = Sweep(cloud, people["researcher"], faults)
        if faults:
            live(Life(make_hub, people, cloud, sweep.drive))
        for fault, verdicts in sweep.verdicts().items():
            record_property("matrix", [fault, verdicts])
        bad = [str(strike) for strike in sweep.strikes.values() if strike.is_bad]
        bad += [f"never met: {call}" for call in faults if call not in {*sweep.strikes, *known()[SOMETIMES]}]
        bad += [f"left behind: {thing}" for thing in left_behind(cloud)]
        assert not bad, f"seed {SEED}:\n" + "\n".join(bad)

    return lived


def left_behind(cloud: SandboxProcess) -> list[str]:
    """What bears a hub's tag, and secrets: all hubs are gone by now."""
    tagged = [each["id"] for each in cloud.control("azure/resources") if "slipway-deployment" in (each["tags"] or {})]
    return tagged + outside.vault().names() + outside.vault().deleted_names()


if FULL:

    @pytest.mark.parametrize("life", LIVES)
    @pytest.mark.parametrize("name", FAULTS)
    def test_every_call_of_a_life_survives(name: str, life: str, suffer: Suffer) -> None:
        fault, calls = FAULTS[name], [*known()[life], *known()[SOMETIMES]]
        # One that lasts takes a step's whole time: one call of each step is enough to see how that ends.
        calls = list({(call.operation, call.step): call for call in calls}.values()) if fault.lasts else calls
        suffer(LIVES[life], {call: fault for call in calls if fault.concerns(call)})

else:

    def test_every_call_of_a_short_life_survives_some_fault(suffer: Suffer) -> None:
        draw = chance("faults")
        calls = [call for call in [*known()["docker-hub"], *known()[SOMETIMES]] if call.operation in SHORT]
        faults = {call: draw.choice([fault for fault in SAMPLE if fault.concerns(call)]) for call in calls}
        suffer(built_and_taken_down, faults)

    @pytest.mark.parametrize("fault", [*UNHEARD, *LASTING], ids=lambda fault: fault.name)
    def test_what_nobody_was_told_and_what_does_not_pass_is_survived_while_a_cluster_is_given_up(
        fault: Fault, suffer: Suffer
    ) -> None:
        suffer(LIVES["given-up"], {call: fault for call in known()["given-up"] if fault.concerns(call)})
