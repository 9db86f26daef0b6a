"""Kill -9 before and after each write to the outside: the same run finishes, and everything was made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.seed import FULL
from tests.chaos.stacks import stack_of
from tests.chaos.writes import Horses, Ordeal, made

SHORT = {"SLIPWAY_LEASE_SECONDS": "0.5", "SLIPWAY_HELM_STUCK_SECONDS": "0.3"}


@pytest.fixture(scope="module")
def ordeal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    home = tmp_path_factory.mktemp("chaos")
    with stack_of(home, **SHORT) as stack:
        stack.start()
        for name in ("sweep", "worker", "web"):
            stack.kill(name, family=True)
        horses = Horses(stack)
        # `make chaos` dies at every object that Helm makes; `make test` at a few of them.
        yield Ordeal(stack, horses, helm_share=1 if FULL else 16)
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
