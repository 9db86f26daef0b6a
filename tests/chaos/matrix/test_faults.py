"""Every call to the outside × every fault: the run goes on by itself, or ends in words that a person can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from deployments import outside
from tests.chaos.matrix.calls import SOMETIMES, Call, known
from tests.chaos.matrix.faults import ALL, COURSES, REFUSALS, TRANSIENT, UNHEARD, Fault, course
from tests.chaos.matrix.lives import LIVES, Life, built_and_taken_down
from tests.chaos.matrix.sweep import Strike, Sweep
from tests.chaos.seed import FULL, SEED, chance
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub

#: In `make test` each call of a short life suffers one fault of these.
SHORT = ("provision", "teardown")
SAMPLE = tuple(fault for fault in (*TRANSIENT, *REFUSALS) if fault.name != "silence")
Faults = Mapping[Call, Sequence[Fault]]
Suffer = Callable[[Callable[[Life], None], Faults], None]


@pytest.fixture
def suffer(
    make_hub: MadeHub,
    people: dict[str, Any],
    cloud: SandboxProcess,
    record_property: Callable[[str, Any], None],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> Suffer:
    """`suffer(live, faults)` lives it until every fault has struck, or none of the rest strikes any more.

    It says which case ended badly, was never met, or left something behind.
    """

    def lived(live: Callable[[Life], None], faults: Faults) -> None:
        if any(fault.rule["kind"] == "silent" for each in faults.values() for fault in each):
            monkeypatch.setenv("SLIPWAY_ANSWER_SECONDS", "0.3")
        if any(fault.lasts for each in faults.values() for fault in each):
            settings.SLIPWAY_POLL_SECONDS = 1.0  # what does not pass is waited for until the step's time is up
        strikes, wrong, left = list[Strike](), list[str](), faults
        while not wrong:
            sweep = Sweep(cloud, people["researcher"], left)
            try:
                live(Life(make_hub, people, cloud, sweep.drive))
            except AssertionError as broken:  # its hub stands as it is: another life would meet it
                wrong.append(f"the life broke off: {broken}")
            else:
                wrong += [f"left behind: {thing}" for thing in left_behind(cloud)]
            sweep.disarm()  # the next life has its own
            strikes += sweep.strikes.values()
            left = unmet(left, sweep)
            if not sweep.strikes or not owed(left):
                break
        for fault, verdicts in counted(strikes).items():
            record_property("matrix", [fault, verdicts])
        wrong += [str(strike) for strike in strikes if strike.is_bad]
        wrong += [f"never met: {fault.name} → {call}" for call in owed(left) for fault in left[call]]
        assert not wrong, f"seed {SEED}:\n" + "\n".join(wrong)

    return lived


def unmet(faults: Faults, sweep: Sweep) -> Faults:
    left = {call: [fault for fault in each if (call, fault) not in sweep.strikes] for call, each in faults.items()}
    return {call: each for call, each in left.items() if each}


def owed(left: Faults) -> list[Call]:
    """Calls that every life of this kind makes."""
    return [call for call in left if call not in known()[SOMETIMES]]


def counted(strikes: Iterable[Strike]) -> dict[str, dict[str, int]]:
    """fault → how often which verdict; all that is bad under one word."""
    found: dict[str, Counter[str]] = {}
    for strike in strikes:
        found.setdefault(strike.fault.name, Counter())["bad" if strike.is_bad else strike.verdict] += 1
    return {fault: dict(counts) for fault, counts in found.items()}


def left_behind(cloud: SandboxProcess) -> list[str]:
    """What bears a hub's tag, and secrets: all hubs are gone by now."""
    tagged = [each["id"] for each in cloud.control("azure/resources") if "slipway-deployment" in (each["tags"] or {})]
    return tagged + outside.vault().names() + outside.vault().deleted_names()


def suffered_by(calls: Iterable[Call], faults: Sequence[Fault]) -> Faults:
    concerned = {call: [fault for fault in faults if fault.concerns(call)] for call in calls}
    return {call: each for call, each in concerned.items() if each}


def test_every_fault_is_in_one_course() -> None:
    assert sorted(name for names in COURSES.values() for name in names) == sorted(fault.name for fault in ALL)


if FULL:

    @pytest.mark.parametrize("life", LIVES)
    @pytest.mark.parametrize("name", COURSES)
    def test_every_call_of_a_life_survives(name: str, life: str, suffer: Suffer) -> None:
        faults, calls = course(name), [*known()[life], *known()[SOMETIMES]]
        if any(fault.lasts for fault in faults):
            # It takes a step's whole time: one call of each step is enough to see how that ends.
            calls = list({(call.operation, call.step): call for call in calls}.values())
        suffer(LIVES[life], suffered_by(calls, faults))

else:

    def test_every_call_of_a_short_life_survives_some_fault(suffer: Suffer) -> None:
        draw = chance("faults")
        calls = [call for call in [*known()["docker-hub"], *known()[SOMETIMES]] if call.operation in SHORT]
        drawn = {call: [draw.choice([fault for fault in SAMPLE if fault.concerns(call)])] for call in calls}
        suffer(built_and_taken_down, drawn)

    def test_what_nobody_was_told_is_survived_while_a_cluster_is_given_up(suffer: Suffer) -> None:
        suffer(LIVES["given-up"], suffered_by(known()["given-up"], UNHEARD))
