"""What a run stands on is away for a while in its middle: Redis, the database, the disk. It goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import redis

from bootstrap.stack import Stack
from tests.chaos.control import Control
from tests.chaos.seed import FULL
from tests.chaos.stacks import stack_of
from tests.chaos.writes import FINAL, Horses
from tests.cloud.waiting import until
from tests.outages import disk_full, held

PATIENCE = 90.0
#: How long it is away; the longer one outlasts what SQLite waits for a lock (20 s).
SECONDS = 24.0 if FULL else 3.0
Outage = Callable[[Stack], AbstractContextManager[None]]


@contextmanager
def flushed(stack: Stack) -> Iterator[None]:
    """Redis forgets everything, again and again."""
    with redis.Redis(unix_socket_path=str(stack.place.socket)) as server:
        for _ in range(5):
            server.flushall()
            time.sleep(SECONDS / 10)
    yield


@contextmanager
def without_redis(stack: Stack) -> Iterator[None]:
    stack.kill("valkey")
    yield
    stack.start("valkey")


@contextmanager
def database_locked(stack: Stack) -> Iterator[None]:
    with held(stack.place.database)():
        yield


@contextmanager
def without_room(stack: Stack) -> Iterator[None]:
    """For the portal's own programs; the queue's server keeps its data elsewhere."""
    with disk_full([pid for name, pid in stack.pids().items() if name not in ("sandbox", "valkey")]):
        yield


OUTAGES: dict[str, Outage] = {
    "FLUSHALL": flushed,
    "Redis away": without_redis,
    "database locked": database_locked,
    "disk full": without_room,
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("outages")
    with stack_of(home) as stack:
        stack.start()
        yield stack


@pytest.fixture(scope="module")
def horses(stack: Stack) -> Iterator[Horses]:
    horses = Horses(stack)
    horses.ask("prepare")
    yield horses
    horses.end()


def ended(horses: Horses, operation: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = horses.ask("state", operation=operation)
        return found if found["status"] in FINAL else None

    return until(look, PATIENCE)


@pytest.mark.parametrize("name", OUTAGES if FULL else ["FLUSHALL"])
def test_a_run_goes_on_by_itself_when_what_was_away_is_back(
    name: str, stack: Stack, horses: Horses, record_property: Callable[[str, Any], None]
) -> None:
    control, hub = Control(stack), name.lower().replace(" ", "-")
    control("faults", {"path": f"/managedClusters/{hub}(\\?|$)", "method": "PUT", "kind": "hold"})
    asked = horses.ask("build", name=hub)
    (request,) = until(lambda: control("held"), PATIENCE)
    with OUTAGES[name](stack):
        control("held", {"number": request["number"]})
        until(lambda: [each for each in control("held") if each["when"] == "after"])
        control("held", {})
        time.sleep(SECONDS)  # it is away for so long, whatever the run makes of it
    begun = time.monotonic()
    assert stack.dead() == {}, "nobody has to start anything anew"
    built = ended(horses, asked["operation"])
    seconds = time.monotonic() - begun
    assert built["status"] == "succeeded", built
    assert built["numbers"] == list(range(1, built["event_count"] + 1))
    puts = [row for row in control.journal() if row["method"] == "PUT" and row["path"].endswith(f"Clusters/{hub}")]
    assert [row["status"] for row in puts] == [201]
    removed = ended(horses, horses.ask("tear_down", deployment=asked["deployment"])["operation"])
    assert removed["receipt"]["complete"], removed
    record_property("figures", f"{name} for {SECONDS:g} s in mid-run: the hub was ready {seconds:.0f} s after its end")
