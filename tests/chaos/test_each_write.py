"""Kill -9 before and after each write to the outside: the same run finishes, and everything was made once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.stack import Stack
from tests.chaos.seed import FULL
from tests.chaos.writes import Horses, Ordeal, made

#: `make chaos` dies at every object that Helm makes; `make test` at a few of them.
SETTINGS = {
    "SLIPWAY_POLL_SECONDS": "0.05",
    "SLIPWAY_LEASE_SECONDS": "0.5",
    "SLIPWAY_LIST_LAG_SECONDS": "0.3",
    "SLIPWAY_HELM_STUCK_SECONDS": "0.3",
    "SLIPWAY_CATALOGUE_SECONDS": "86400",
}


@pytest.fixture(scope="module")
def ordeal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    helm = os.environ.get("HELM_BINARY")
    home = tmp_path_factory.mktemp("chaos")
    with Stack(home, speed=1000, helm=Path(helm) if helm else None, extra_env=SETTINGS) as stack:
        stack.start()
        for name in ("sweep", "worker", "web"):
            stack.kill(name, family=True)
        horses = Horses(stack)
        yield Ordeal(stack, horses, helm_share=1 if FULL else 9)
        horses.end()


def test_a_hub_is_built_and_taken_down_through_a_death_on_either_side_of_every_write(ordeal: Ordeal) -> None:
    asked = ordeal.horses.ask("request")
    before = len(ordeal.control.journal())
    built = ordeal.run(asked["operation"], patience=600 if FULL else 120)
    assert (built["status"], built["runs"]) == ("succeeded", 1), built
    assert built["numbers"] == list(range(1, built["event_count"] + 1))
    assert built["proof"]["repository"] == "binder-examples/requirements"
    rows = ordeal.control.journal()[before:]
    things = made(rows)
    assert {what: count for what, count in things.items() if count > 1} == {}
    assert any("<guest>" in what.path for what in things)
    assert ordeal.one_sided() == set()
    removed = ordeal.run(ordeal.horses.ask("tear_down", deployment=asked["deployment"])["operation"], patience=600)
    assert (removed["status"], removed["runs"]) == ("succeeded", 1), removed
    assert removed["numbers"] == list(range(1, removed["event_count"] + 1))
    assert removed["receipt"]["complete"], removed["receipt"]
    assert ordeal.one_sided() == set()
    print(f"\n{ordeal.table()}\n{len(ordeal.deaths)} deaths")
