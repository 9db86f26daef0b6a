"""Health over time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from deployments.models import Deployment, HealthCheck
from deployments.states import Health
from deployments.strip import HALF_HOURS, Strip, strips

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HalfHours = Callable[[list[tuple[datetime, str]]], Strip]


@pytest.fixture
def half_hours(make_hub: Callable[..., Deployment]) -> HalfHours:
    """The last day of a hub that was looked at so."""

    def shown(looks: list[tuple[datetime, str]]) -> Strip:
        hub = make_hub("my-course")
        HealthCheck.objects.bulk_create(HealthCheck(deployment=hub, at=at, health=health) for at, health in looks)
        return strips(hub, NOW)[0]

    return shown


def looks(*ill: int) -> list[tuple[datetime, str]]:
    """One every five minutes of the last day; `ill` are the numbers of those that found the hub silent."""
    return [
        (NOW - timedelta(minutes=5 * (number + 1)), Health.UNHEALTHY if number in ill else Health.HEALTHY)
        for number in range(288)
    ]


def test_a_day_is_told_in_half_hours_the_newest_last(half_hours: HalfHours) -> None:
    strip = half_hours(looks(0))
    assert len(strip.slots) == HALF_HOURS
    assert [slot.health for slot in strip.slots[-2:]] == [Health.HEALTHY, Health.UNHEALTHY]
    assert strip.slots[-1].told == "11:30: not answering in 1 of 6 looks"


def test_a_day_without_trouble_is_told_in_a_few_words(half_hours: HalfHours) -> None:
    assert half_hours(looks()).told == "healthy in all of 288 looks"


def test_a_strip_in_words_says_how_much_and_when_it_was_worst(half_hours: HalfHours) -> None:
    assert half_hours(looks(12, 13, 100)).told == "healthy in 99 % of 288 looks; not answering most at 10:30"


def test_where_nobody_looked_nothing_is_claimed(half_hours: HalfHours) -> None:
    strip = half_hours([])
    assert strip.told == "nobody has looked yet" and strip.slots[0].told == "12:00: nobody looked"


def test_looks_from_before_the_day_do_not_count(half_hours: HalfHours) -> None:
    assert half_hours([(NOW - timedelta(hours=25), Health.UNHEALTHY)]).told == "nobody has looked yet"
