"""Shared looks: one answers for many, and only what has changed is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cloud.errors import Throttled, Unavailable
from deployments import broker
from deployments.models import Operation, StepRun
from tests.engine.plans import one_pass, operation_of, states
from worker import leases
from worker.context import Context
from worker.lookouts import Attendant, Lookouts, anything_waits
from worker.step import Found, Step, Watch

pytestmark = pytest.mark.usefixtures("valkey")


class Sky:
    """What a look shows, how often it was taken, and what it fails with."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}
        self.looks = 0
        self.trouble: Exception | None = None

    def look(self, _about: str) -> dict[str, str]:
        self.looks += 1
        if self.trouble:
            raise self.trouble
        return dict(self.marks)


class Coming(Step[Context]):
    """Ready once the sky shows it to be; watched until then."""

    name, title, expected = "cluster", "Cluster", 300

    def __init__(self, sky: Sky, lookouts: Lookouts) -> None:
        self.sky, self.lookouts = sky, lookouts

    def check(self, ctx: Context) -> Found:
        thing = ctx.operation.deployment.name
        mark = self.sky.marks.setdefault(thing, "Creating")
        if mark == "Succeeded":
            return Found.ready("there")
        return Found.changing("coming", watch=self.lookouts.watch("sky:north", thing, mark))


@pytest.fixture
def sky(settings: Any, valkey: object) -> Iterator[Sky]:
    settings.SLIPWAY_POLL_SECONDS = 0.0
    yield Sky()
    broker.client().delete("slipway:lookout:sky:north")


@pytest.fixture
def lookouts(sky: Sky) -> Lookouts:
    made = Lookouts({"sky": sky.look})
    made.attended = 1
    return made


@pytest.fixture
def step(sky: Sky, lookouts: Lookouts) -> Coming:
    return Coming(sky, lookouts)


def waiting(people: dict[str, Any], step: Coming, count: int = 1) -> list[Operation]:
    """Operations that wait for their cluster, which should be there about now."""
    names = [f"hub-{number}" for number in range(count)]
    begun = [one_pass(operation_of(people["researcher"], name=name), (step,)) for name in names]
    StepRun.objects.update(started_at=timezone.now() - timedelta(seconds=step.expected))
    return begun


def due(*operations: Operation) -> list[bool]:
    found = set(Operation.objects.due().values_list("id", flat=True))
    return [operation.id in found for operation in operations]


def test_what_is_watched_is_not_due_for_a_look_of_its_own(people: dict[str, Any], step: Coming) -> None:
    (operation,) = waiting(people, step)
    assert operation.next_due_at > timezone.now() + timedelta(seconds=60)
    assert anything_waits()


def test_one_look_answers_for_all_and_only_what_has_changed_becomes_due(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts
) -> None:
    made = waiting(people, step, 5)
    sky.marks["hub-3"] = "Succeeded"
    before = sky.looks
    assert Attendant(lookouts).tick() == 1
    assert sky.looks == before + 1
    assert due(*made) == [False, False, False, True, False]


def test_what_has_become_due_looks_for_itself_and_goes_on(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts
) -> None:
    (operation,) = waiting(people, step)
    sky.marks["hub-0"] = "Succeeded"
    Attendant(lookouts).tick()
    one_pass(operation, (step,))
    assert states(operation) == {"cluster": "done"}
    assert not anything_waits()


def test_what_the_look_does_not_show_any_more_has_changed(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts
) -> None:
    (operation,) = waiting(people, step)
    del sky.marks["hub-0"]
    Attendant(lookouts).tick()
    assert due(operation) == [True]


def test_a_look_that_does_not_agree_yet_is_not_relied_upon(lookouts: Lookouts, sky: Sky) -> None:
    sky.marks["hub"] = "Succeeded"
    assert lookouts.watch("sky:north", "hub", "Creating") is None
    assert lookouts.watch("sky:north", "not shown", "Creating") is None
    assert lookouts.watch("sky:north", "hub", "Succeeded") == Watch("sky:north", "hub", "Succeeded")


def test_without_an_attendant_everybody_looks_for_himself(
    people: dict[str, Any], step: Coming, lookouts: Lookouts
) -> None:
    lookouts.attended = 0
    (operation,) = waiting(people, step)
    assert operation.next_due_at < timezone.now() + timedelta(seconds=20)
    assert not anything_waits()


def test_what_a_worker_holds_just_then_is_seen_at_the_next_look(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts
) -> None:
    waiting(people, step)
    Operation.objects.update(next_due_at=timezone.now())
    held = dict(leases.claim(1))
    sky.marks["hub-0"] = "Succeeded"
    attendant = Attendant(lookouts)
    assert attendant.tick() == 0
    leases.give_back(held)
    assert attendant.tick() == 1


def test_a_lease_that_has_run_out_hides_nothing(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts
) -> None:
    (operation,) = waiting(people, step)
    Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sky.marks["hub-0"] = "Succeeded"
    assert Attendant(lookouts).tick() == 1
    assert due(operation) == [True]


def test_two_processes_do_not_take_the_same_look(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts, settings: Any
) -> None:
    waiting(people, step)
    settings.SLIPWAY_POLL_SECONDS = 5.0
    before = sky.looks
    Attendant(lookouts).tick()
    Attendant(lookouts).tick()
    assert sky.looks == before + 1


def test_a_look_that_fails_again_and_again_lets_everybody_look_for_himself(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts
) -> None:
    (operation,) = waiting(people, step)
    sky.trouble = Unavailable("The list cannot be had.")
    attendant = Attendant(lookouts)
    assert [attendant.tick() for _ in range(3)] == [0, 0, 1]
    assert due(operation) == [True]


def test_a_look_that_is_throttled_is_not_taken_before_its_time(
    people: dict[str, Any], step: Coming, sky: Sky, lookouts: Lookouts
) -> None:
    waiting(people, step)
    sky.trouble, before = Throttled("Slow down.", delay=60.0), sky.looks
    attendant = Attendant(lookouts)
    for _ in range(4):
        attendant.tick()
    assert sky.looks == before + 1
