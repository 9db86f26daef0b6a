"""Azure's limits shared out: in turn, no turn cut off, a pause for one subscription alone. With a clock of our own."""

from __future__ import annotations

import pytest

from cloud.azure.limits import PAUSE, Limits, LocalLedger, Rate, subscription_of, turn
from cloud.errors import Queued

ONE, OTHER = "5117a000-0000-4000-8000-00000000c001", "5117a000-0000-4000-8000-00000000c002"
#: Three at once (a quarter of the bucket is kept for turns that have begun), then two a second.
SLOW = {"read": Rate(4, 2), "write": Rate(4, 2), "delete": Rate(4, 2)}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits(SLOW, LocalLedger(clock))


def url(subscription: str = ONE) -> str:
    return f"https://management.azure.com/subscriptions/{subscription}/resourceGroups/x?api-version=2022-01-01"


def wait_of(limits: Limits, who: str, requests: int = 1, method: str = "GET", subscription: str = ONE) -> float:
    """Seconds that this hub is told to wait; 0 when its turn has gone through."""
    try:
        with turn(who):
            for _ in range(requests):
                limits.enter(method, url(subscription))
    except Queued as queued:
        assert queued.delay is not None
        return queued.delay
    return 0.0


def test_a_bucket_lets_so_many_begin_at_once_and_tells_the_next_when(limits: Limits) -> None:
    assert [wait_of(limits, f"hub-{number}") for number in range(3)] == [0.0, 0.0, 0.0]
    assert [wait_of(limits, f"hub-{number}") for number in range(3, 6)] == [0.5, 1.0, 1.5]


def test_whoever_comes_back_at_its_moment_begins(limits: Limits, clock: Clock) -> None:
    waits = {number: wait_of(limits, f"hub-{number}") for number in range(8)}
    for number in range(3, 8):
        clock.now = 1000.0 + waits[number]
        assert wait_of(limits, f"hub-{number}") == 0.0


def test_who_comes_too_early_keeps_its_place(limits: Limits, clock: Clock) -> None:
    waits = [wait_of(limits, f"hub-{number}") for number in range(5)]
    clock.now += 0.25
    assert wait_of(limits, "hub-4") == waits[4] - 0.25


def test_newcomers_do_not_push_before_those_who_wait(limits: Limits, clock: Clock) -> None:
    first = [wait_of(limits, f"old-{number}") for number in range(6)]
    assert all(wait_of(limits, f"new-{number}") > first[-1] for number in range(20))
    clock.now += first[-1]
    assert wait_of(limits, "old-5") == 0.0


def test_a_turn_that_has_begun_is_not_cut_off(limits: Limits) -> None:
    assert wait_of(limits, "hub-0", requests=20) == 0.0
    assert wait_of(limits, "hub-1") > 5.0


def test_the_next_pay_beforehand_what_turns_use_to_take(limits: Limits, clock: Clock) -> None:
    for number in range(40):
        wait_of(limits, f"before-{number}", requests=4)
        clock.now += 100
    waits = [wait_of(limits, f"hub-{number}", requests=4) for number in range(6)]
    assert waits[-1] - waits[-2] == pytest.approx(2.0, rel=0.05)


def test_in_the_long_run_no_more_is_asked_than_the_rate_allows(limits: Limits, clock: Clock) -> None:
    for number in range(40):
        wait_of(limits, f"before-{number}", requests=3)
        clock.now += 10
    asked, waits, end = 0, {f"hub-{number}": 0.0 for number in range(10)}, clock.now + 100
    while clock.now < end:
        for who, moment in waits.items():
            if moment <= clock.now:
                wait = wait_of(limits, who, requests=3)
                asked += 0 if wait else 3
                waits[who] = clock.now + (wait or 0.01)
        clock.now += 0.01
    assert asked <= 4 + 2 * 100 + 3
    assert asked >= 2 * 100 * 0.95


def test_a_429_stops_its_subscription_for_as_long_as_azure_says_and_no_other(limits: Limits, clock: Clock) -> None:
    limits.refused(url(), 30.0)
    assert wait_of(limits, "hub-0") >= 30.0
    assert wait_of(limits, "hub-0", method="PUT") >= 30.0
    assert wait_of(limits, "hub-1", subscription=OTHER) == 0.0
    clock.now += 29.9
    assert wait_of(limits, "late-comer") > 0.0


def test_a_429_stops_turns_that_have_begun_too(limits: Limits) -> None:
    with turn("hub-0"):
        limits.enter("GET", url())
        limits.refused(url(), 30.0)
        with pytest.raises(Queued):
            limits.enter("GET", url())


def test_after_a_pause_they_come_one_after_the_other(limits: Limits) -> None:
    for number in range(8):
        wait_of(limits, f"hub-{number}")
    limits.refused(url(), 10.0)
    assert [wait_of(limits, f"hub-{number}") for number in range(3)] == [10.0, 10.5, 11.0]


def test_a_429_that_names_no_time_stops_for_a_moment(limits: Limits) -> None:
    limits.refused(url(), None)
    assert wait_of(limits, "hub-0") == pytest.approx(PAUSE)


def test_reads_writes_and_deletes_have_buckets_of_their_own(limits: Limits) -> None:
    for number in range(10):
        wait_of(limits, f"hub-{number}")
    assert wait_of(limits, "writer", method="PUT") == 0.0
    assert wait_of(limits, "deleter", method="DELETE") == 0.0


def test_what_is_about_no_subscription_is_not_limited(limits: Limits) -> None:
    assert subscription_of("https://management.azure.com/subscriptions?api-version=2022-12-01") is None
    limits.enter("GET", "https://management.azure.com/subscriptions?api-version=2022-12-01")


@pytest.mark.parametrize("text", ["", "250", "0/5", "5/0", "many/few"])
def test_a_rate_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Rate.of(text)
