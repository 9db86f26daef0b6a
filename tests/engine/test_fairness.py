"""Many hubs, few turns: at Azure's door and at this machine's cores each has its own, and nobody starves."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from cloud.azure.limits import Limits, LocalLedger, Rate, turn
from deployments import broker, services
from deployments.limits import SharedLedger
from deployments.models import Operation
from tests.cloud.waiting import until
from tests.engine.plans import operation_of
from worker.context import Context
from worker.lanes import Lane
from worker.runner import Runner
from worker.step import Found, Step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
SUBSCRIPTION = "5117a000-0000-4000-8000-00000000f00d"
URL = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourceGroups/x"
RATES = {"read": Rate(8, 60), "write": Rate(8, 60), "delete": Rate(8, 60)}


class Named(Context):
    """Asks in its hub's name, as the real context does."""

    def turn(self) -> Any:
        return turn(self.operation.deployment.name)


class Asking(Step[Context]):
    """Reads three times, then is done."""

    def __init__(self, name: str, limits: Limits, after: tuple[str, ...] = ()) -> None:
        self.name, self.title, self.after, self.limits = name, f"Ask for {name}", after, limits

    def check(self, ctx: Context) -> Found:
        for _ in range(3):
            self.limits.enter("GET", URL)
        return Found.ready("seen")


class Busy(Step[Context]):
    """Keeps a core busy for a moment; knows how many do at once, and in which order they came."""

    name, title, heavy = "busy", "Be busy", True

    def __init__(self) -> None:
        self.now, self.most, self.order = 0, 0, list[str]()
        self.lock, self.go_on = threading.Lock(), threading.Event()

    def check(self, ctx: Context) -> Found:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.order.append(ctx.operation.deployment.name)
        self.go_on.wait(10)
        with self.lock:
            self.now -= 1
        return Found.ready("done")


class Quick(Step[Context]):
    name, title = "quick", "Be quick"

    def check(self, ctx: Context) -> Found:
        return Found.ready("done")


@pytest.fixture(autouse=True)
def quick(settings: Any) -> Iterator[None]:
    settings.SLIPWAY_POLL_SECONDS = 0.02
    yield
    for key in broker.client().scan_iter(f"slipway:azure:{SUBSCRIPTION}*"):
        broker.client().delete(key)


def made(people: dict[str, Any], count: int) -> list[Operation]:
    return [operation_of(people["researcher"], name=f"hub-{number:02}") for number in range(count)]


def running() -> int:
    return Operation.objects.filter(status="running").count()


def test_no_hub_starves_while_all_ask_about_one_subscription(people: dict[str, Any]) -> None:
    made(people, 40)
    limits = Limits(RATES, LocalLedger())
    names = ("one", "two", "three")
    plan = tuple(Asking(name, limits, after=names[:index]) for index, name in enumerate(names))
    began = time.monotonic()
    while running():
        Runner(lambda _operation: plan, Named).run(limit=50, budget=2.0)
        assert time.monotonic() - began < 60
    assert set(Operation.objects.values_list("status", flat=True)) == {"succeeded"}
    taken = [each.duration.total_seconds() for each in Operation.objects.all() if each.duration]
    assert max(taken) <= 2 * statistics.median(taken)


def test_two_processes_share_what_a_subscription_may_be_asked() -> None:
    one, other = Limits(RATES, SharedLedger()), Limits(RATES, SharedLedger())
    for number in range(3):
        for limits in (one, other):
            with turn(f"hub-{number}-{id(limits)}"):
                limits.enter("GET", URL)
    waits = [one.ledger.begin(SUBSCRIPTION, "read", RATES["read"], f"late-{number}", 1.0) for number in range(6)]
    assert waits[-1] > 0.0
    assert other.ledger.begin(SUBSCRIPTION, "read", RATES["read"], "last", 1.0) > waits[-1] - 0.01


def test_a_429_that_one_process_was_given_stops_the_other_too() -> None:
    one, other = Limits(RATES, SharedLedger()), Limits(RATES, SharedLedger())
    one.refused(URL, 20.0)
    assert 19.0 < other.ledger.begin(SUBSCRIPTION, "write", RATES["write"], "hub", 1.0) <= 20.1
    assert other.ledger.paused(SUBSCRIPTION) > 19.0


def test_a_place_in_the_shared_line_is_kept() -> None:
    ledger, rate = SharedLedger(), Rate(1, 5)
    waits = [ledger.begin(SUBSCRIPTION, "read", rate, f"hub-{number}", 1.0) for number in range(4)]
    assert waits[0] == 0.0
    again = ledger.begin(SUBSCRIPTION, "read", rate, "hub-3", 1.0)
    assert again <= waits[3]
    time.sleep(again)
    assert ledger.begin(SUBSCRIPTION, "read", rate, "hub-3", 1.0) == 0.0


def test_without_redis_each_process_keeps_to_the_limits_by_itself(settings: Any) -> None:
    rate, ledger, known = Rate(1, 0.5), SharedLedger(), settings.REDIS_URL
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    waits = [ledger.begin(SUBSCRIPTION, "read", rate, who, 1.0) for who in ("one", "two")]
    settings.REDIS_URL = known
    assert waits[0] == 0.0
    assert waits[1] > 1.0


def test_heavy_steps_go_in_turn_and_hold_up_nobody_else(people: dict[str, Any]) -> None:
    heavy = made(people, 6)
    light = [operation_of(people["researcher"], name=f"light-{number}") for number in range(4)]
    busy, plans = Busy(), {operation.id: (Quick(),) for operation in light}
    runner = Runner(lambda operation: plans.get(operation.id, (busy,)), Context, heavy_width=2)
    working = threading.Thread(target=runner.run, args=(50, 20.0))
    working.start()
    try:
        until(lambda: not Operation.objects.filter(id__in=plans, status="running").exists())
        assert Operation.objects.filter(id__in=[each.id for each in heavy], status="running").count() == 6
    finally:
        busy.go_on.set()
        until(lambda: not running())
        working.join(30)
    assert busy.most == 2


def test_a_lane_serves_in_the_order_in_which_they_came() -> None:
    served: list[UUID] = []
    ids = [uuid4() for _ in range(8)]
    with Lane("test", 1, lambda operation, _fence: served.append(operation)) as lane:
        for each in ids:
            lane.put(each, 1)
        until(lambda: not lane.load())
    assert served == ids


def test_what_waits_for_its_turn_can_be_cancelled(people: dict[str, Any]) -> None:
    operations = made(people, 3)
    busy = Busy()
    runner = Runner(lambda _operation: (busy,), Context, heavy_width=1)
    working = threading.Thread(target=runner.run, args=(50, 20.0))
    working.start()
    try:
        until(lambda: busy.now == 1)
        waiting = next(each for each in operations if each.deployment.name not in busy.order)
        services.cancel(people["researcher"], waiting)
        until(lambda: Operation.objects.get(id=waiting.id).status == "cancelled")
    finally:
        busy.go_on.set()
        until(lambda: not running())
        working.join(30)
    assert waiting.deployment.name not in busy.order
