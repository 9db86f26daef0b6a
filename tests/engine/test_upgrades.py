"""A worker of another version takes a run over in the middle: its plan may have a step more, or one less."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.machine import ROOT
from deployments.models import Event, Operation
from deployments.states import OperationStatus, StepState
from tests.cloud.waiting import until
from tests.engine.plans import Made, one_pass, operation_of, states, to_the_end
from tests.environment import database_in_use

pytestmark = pytest.mark.usefixtures("valkey")


def test_a_step_that_the_new_version_has_more_is_done_and_the_others_are_not_done_again(
    people: dict[str, Any],
) -> None:
    world: dict[str, int] = {}
    first, last = Made("first", world), Made("last", world, after=("first",), looks=3)
    operation = one_pass(operation_of(people["researcher"]), (first, last))
    between = Made("between", world, after=("first",))
    to_the_end(operation, (first, between, Made("last", world, after=("first", "between"))))
    assert operation.status == OperationStatus.SUCCEEDED
    assert (first.applied, between.applied, last.applied) == (1, 1, 1)


def test_a_step_more_before_one_that_was_done_already_is_still_done(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    first, last, open_one = Made("first", world), Made("last", world, after=("first",)), Made("open", world, looks=9)
    operation = one_pass(operation_of(people["researcher"]), (first, last, open_one))
    assert states(operation)["last"] == StepState.DONE
    between = Made("between", world, after=("first",))
    world["open"] = 0
    to_the_end(operation, (first, between, Made("last", world, after=("between",)), open_one))
    assert operation.status == OperationStatus.SUCCEEDED
    assert (between.applied, last.applied) == (1, 1)


def test_the_page_shows_the_steps_in_the_new_versions_order(people: dict[str, Any]) -> None:
    world: dict[str, int] = {}
    plan = (Made("first", world), Made("last", world, looks=3))
    operation = one_pass(operation_of(people["researcher"]), plan)
    to_the_end(operation, (plan[0], Made("between", world), plan[1]))
    assert list(operation.steps.values_list("name", flat=True)) == ["first", "between", "last"]


@pytest.mark.parametrize("looks", [0, 9])
def test_a_step_that_the_new_version_has_no_more_holds_up_nobody(people: dict[str, Any], looks: int) -> None:
    world: dict[str, int] = {}
    old = (Made("lost", world, looks=9), Made("last", world, after=("lost",)))
    operation = one_pass(operation_of(people["researcher"]), old)
    # Steps may name others that only some plans have.
    new = (Made("last", world, after=("lost",), looks=looks),)
    to_the_end(operation, new)
    assert operation.status == OperationStatus.SUCCEEDED
    assert states(operation) == {"lost": StepState.STOPPED, "last": StepState.DONE}


def test_a_run_whose_failed_step_the_new_version_has_no_more_can_be_tried_again(people: dict[str, Any]) -> None:
    from deployments import services
    from tests.engine.plans import Waits

    operation = operation_of(people["researcher"])
    to_the_end(operation, (Failing("lost", {}), Waits()))
    services.retry(people["researcher"], operation)
    to_the_end(operation, (Made("kept", {}),))
    assert operation.status == OperationStatus.SUCCEEDED


class Failing(Made):
    def apply(self, ctx: Any) -> None:
        from cloud.errors import PermanentError

        raise PermanentError("It cannot be done.")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """`worker("a", "b")` is a process of the version whose plan has these steps."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*steps: str) -> subprocess.Popen[bytes]:
        quick = {"SLIPWAY_LEASE_SECONDS": "0.5", "SLIPWAY_POLL_SECONDS": "0.02", "DATABASE_URL": database_in_use()}
        command = [sys.executable, "-m", "tests.engine.horse", str(tmp_path), *steps]
        started.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **quick}))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("group", "cluster"), ("group", "registry", "cluster")),
        (("group", "registry", "cluster"), ("group", "cluster")),
    ],
)
def test_a_worker_replaced_in_mid_run_by_another_version_loses_and_doubles_nothing(
    before: tuple[str, ...],
    after: tuple[str, ...],
    tmp_path: Path,
    people: dict[str, Any],
    worker: Callable[..., subprocess.Popen[bytes]],
) -> None:
    operation = operation_of(people["researcher"])
    held = before[1]
    (tmp_path / f"{held}.hold").write_text("before")
    old = worker(*before)
    until(lambda: (tmp_path / f"{held}.held").exists())
    old.kill()
    old.wait()
    (tmp_path / f"{held}.hold").unlink()
    worker(*after)
    until(lambda: Operation.objects.filter(id=operation.id, status=OperationStatus.SUCCEEDED).exists())
    made = {path.name.split(".")[1]: len(path.read_text().split()) for path in tmp_path.glob(f"{operation.id}.*.made")}
    assert made == dict.fromkeys(after, 1)
    operation.refresh_from_db()
    numbers = list(Event.objects.filter(operation=operation).values_list("number", flat=True))
    assert numbers == list(range(1, operation.event_count + 1))
