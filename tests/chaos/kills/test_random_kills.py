"""Kill -9 of everything, at random moments, over building, changing and taking down several hubs at once."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.stack import Stack
from tests.chaos.control import Control
from tests.chaos.kills.leases import Leases
from tests.chaos.kills.monkey import Monkey
from tests.chaos.kills.reader import Reader, signed_in
from tests.chaos.kills.town import Town
from tests.chaos.seed import FULL, SEED, chance
from tests.chaos.writes import Horses, made

KILLS, SECONDS, STREETS = (220, 480.0, 5) if FULL else (14, 20.0, 2)
#: The rest of a life after the last blow (seconds).
PATIENCE = 180.0
LEASE = 3.0
SETTINGS = {
    "SLIPWAY_POLL_SECONDS": "0.3",
    "SLIPWAY_LEASE_SECONDS": f"{LEASE}",
    "SLIPWAY_LIST_LAG_SECONDS": "2",
    "SLIPWAY_HELM_STUCK_SECONDS": "2",
    "SLIPWAY_CATALOGUE_SECONDS": "86400",
}


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    helm = os.environ.get("HELM_BINARY")
    home = tmp_path_factory.mktemp("kills")
    with Stack(home, speed=100, workers=2, helm=Path(helm) if helm else None, extra_env=SETTINGS) as stack:
        stack.start()
        yield stack


def test_nothing_is_lost_doubled_or_stuck_however_often_everything_is_killed(stack: Stack) -> None:
    begun = time.monotonic()
    control, horses = Control(stack), Horses(stack)
    horses.ask("prepare")
    before = len(control.journal())
    town = Town(horses, STREETS, stack.address, signed_in(stack.address, "admin", stack.passwords["admin"]))
    monkey = Monkey(stack, control, chance("kills"), KILLS, SECONDS)
    leases = Leases(stack.place.home / "slipway.sqlite3")
    rage = threading.Thread(target=monkey.rage, name="monkey")
    rage.start()
    try:
        town.live(rage.is_alive, PATIENCE)
    finally:
        monkey.stop()
        rage.join()
        leases.stop()
    operations = town.ask("standing")["operations"]
    assert {row["status"] for row in operations} == {"succeeded"}, operations
    rows = control.journal()[before:]
    twice = {str(what): count for what, count in made(rows).items() if count > 1 and "<guest>" not in what.path}
    assert twice == {}
    left = town.ask("left")
    assert left == {"secrets": [], "resources": []}
    ours = [each for each in control("azure/resources") if "slipway-deployment" in (each["tags"] or {})]
    assert ours == []
    for row in operations:
        assert_read_whole(town.readers[row["id"]], row["event_count"])
        state = town.ask("state", operation=row["id"])
        assert state["numbers"] == list(range(1, row["event_count"] + 1))
    told = ", ".join(f"{count} × {kind}" for kind, count in monkey.tally.most_common())
    print(f"\nseed {SEED}: {sum(monkey.tally.values())} kills ({told}) in {time.monotonic() - begun:.0f} s")
    print(f"{len(operations)} runs of {len(town.houses)} hubs, all ended well by themselves")
    print(f"longest time a run stayed with a dead holder: {leases.longest:.1f} s with leases of {LEASE:g} s")
    horses.end()


def assert_read_whole(reader: Reader, count: int) -> None:
    """Each line once and in order, over all the connections of one open page."""
    assert reader.ended.wait(20), f"{reader.operation} was never told of its end"
    assert reader.numbers == list(range(1, count + 1)), Counter(reader.numbers).most_common(3)
