"""Kill -9 of everything, at random moments, over building, changing and taking down several hubs at once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bootstrap.stack import Stack
from tests.chaos.control import Control
from tests.chaos.kills.leases import Leases
from tests.chaos.kills.monkey import Monkey
from tests.chaos.kills.reader import Reader, signed_in
from tests.chaos.kills.town import Town
from tests.chaos.seed import FULL, SEED, chance
from tests.chaos.stacks import stack_of
from tests.chaos.writes import Horses, made

KILLS, SECONDS, STREETS = (220, 420.0, 5) if FULL else (12, 12.0, 2)
#: The rest of all lives after the last blow (seconds).
PATIENCE = 300.0 if FULL else 180.0
#: In full with leases as long as real ones; then what comes on top of one at the most (seconds).
LEASE, TAKEN_OVER = 12.0 if FULL else 3.0, 3.0
SETTINGS = {
    "SLIPWAY_POLL_SECONDS": "0.3",
    "SLIPWAY_LEASE_SECONDS": f"{LEASE}",
    "SLIPWAY_LIST_LAG_SECONDS": "2",
    "SLIPWAY_HELM_STUCK_SECONDS": "2",
}


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("kills")
    with stack_of(home, speed=100, workers=2, **SETTINGS) as stack:
        stack.start()
        yield stack


@pytest.fixture
def town(stack: Stack) -> Iterator[Town]:
    horses = Horses(stack)
    horses.ask("prepare")
    yield Town(horses, STREETS, stack.address, signed_in(stack.address, "admin", stack.passwords["admin"]))
    horses.end()


def test_nothing_is_lost_doubled_or_stuck_however_often_everything_is_killed(
    stack: Stack, town: Town, record_property: Callable[[str, Any], None]
) -> None:
    control, begun = Control(stack), time.monotonic()
    before = len(control.journal())
    monkey = Monkey(stack, control, chance("kills"), KILLS, SECONDS)
    leases = Leases(stack.place.database)
    try:
        with ThreadPoolExecutor(1, "monkey") as alone:
            rage = alone.submit(monkey.rage)
            try:
                town.live(lambda: not rage.done(), PATIENCE)
            finally:
                monkey.stop()
                rage.result()
    finally:
        leases.stop()
    told = f"seed {SEED}: {sum(monkey.tally.values())} kills, {dict(monkey.tally.most_common())}"
    runs = town.ask("standing")["operations"]
    assert {run["status"] for run in runs} == {"succeeded"}, (told, runs)
    assert_made_once(control.journal()[before:], told)
    assert_nothing_is_left(control, town, told)
    for run in runs:
        assert_told_whole(town, run, told)
    record_property("figures", told)
    record_property(
        "figures", f"{len(runs)} runs of {len(town.houses)} hubs in {time.monotonic() - begun:.0f} s, all ended well"
    )
    record_property("figures", f"longest dead lease: {leases.longest:.1f} s, with leases of {LEASE:g} s")
    if FULL:
        assert sum(monkey.tally.values()) >= 200, told
        assert leases.longest < LEASE + TAKEN_OVER, told


def assert_made_once(rows: list[dict[str, Any]], told: str) -> None:
    """A hub is launched on when it is built and when it is changed: guests are counted elsewhere."""
    twice = {what: count for what, count in made(rows).items() if count > 1 and "<guest>" not in what.path}
    assert twice == {}, told


def assert_nothing_is_left(control: Control, town: Town, told: str) -> None:
    assert town.ask("left") == {"secrets": [], "resources": []}, told
    tagged = [each["id"] for each in control("azure/resources") if "slipway-deployment" in (each["tags"] or {})]
    assert tagged == [], told


def assert_told_whole(town: Town, run: dict[str, Any], told: str) -> None:
    """Each line once and in order: in the database, and over all the connections of one open page."""
    numbers = list(range(1, run["event_count"] + 1))
    assert town.ask("state", operation=run["id"])["numbers"] == numbers, (told, run)
    reader: Reader = town.readers[run["id"]]
    assert reader.ended.wait(20), (told, run, "the page was never told of its end")
    assert reader.numbers == numbers, (told, run, Counter(reader.numbers).most_common(3))
