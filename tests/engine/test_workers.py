"""Workers that die, freeze, work side by side, or outlive their parents."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import django_rq
import pytest
from django.db import connection

from bootstrap.machine import ROOT
from deployments.models import Event, Operation
from deployments.states import OperationStatus
from tests.cloud.waiting import until
from tests.engine.filed import Filed
from tests.engine.plans import Waits, lines, operation_of
from tests.environment import database_in_use
from worker import jobs, leases
from worker.context import Context
from worker.runner import Runner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
STEPS = ("group", "cluster")
Begin = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """`begin()` starts a worker in a process of its own; the lease is half a second."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**environ: str) -> subprocess.Popen[bytes]:
        quick = {"SLIPWAY_LEASE_SECONDS": "0.5", "SLIPWAY_POLL_SECONDS": "0.02", "DATABASE_URL": database_in_use()}
        command = [sys.executable, "-m", "tests.engine.horse", str(tmp_path), *STEPS]
        worker = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **quick, **environ})
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.send_signal(signal.SIGCONT)
        worker.kill()
        worker.wait()


@pytest.fixture
def operation(people: dict[str, Any]) -> Operation:
    return operation_of(people["researcher"])


def hold(folder: Path, step: str, side: str) -> None:
    (folder / f"{step}.hold").write_text(side)


def let_go(folder: Path, step: str) -> None:
    (folder / f"{step}.hold").unlink()


def held(folder: Path, step: str) -> bool:
    return (folder / f"{step}.held").exists()


def stands_still(process: subprocess.Popen[bytes]) -> bool:
    """Whether all of its threads have stopped: the signal reaches them one after the other."""
    stats = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def ended(operation: Operation) -> bool:
    operation.refresh_from_db()
    return operation.status == OperationStatus.SUCCEEDED


def made(folder: Path, operation: Operation, step: str) -> list[str]:
    path = folder / f"{operation.id}.{step}.made"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize(("side", "step"), [("before", "group"), ("after", "group"), ("after", "cluster")])
def test_what_a_killed_worker_began_another_finishes_once(
    side: str, step: str, tmp_path: Path, operation: Operation, begin: Begin
) -> None:
    hold(tmp_path, step, side)
    first = begin()
    until(lambda: held(tmp_path, step))
    first.kill()
    first.wait()
    let_go(tmp_path, step)
    begin()
    until(lambda: ended(operation))
    assert [len(made(tmp_path, operation, name)) for name in STEPS] == [1, 1]
    numbers = list(Event.objects.filter(operation=operation).values_list("number", flat=True))
    assert numbers == list(range(1, operation.event_count + 1))


def test_a_work_horse_that_outlives_its_parent_is_refused_every_record(
    tmp_path: Path, operation: Operation, begin: Begin
) -> None:
    hold(tmp_path, "group", "after")
    old = begin()
    until(lambda: held(tmp_path, "group"))
    old.send_signal(signal.SIGSTOP)  # nobody renews its lease, and it is not dead
    until(lambda: stands_still(old))
    let_go(tmp_path, "group")
    new = begin()
    until(lambda: ended(operation))
    new.wait(10)
    before = lines(operation.id)
    old.send_signal(signal.SIGCONT)
    old.wait(10)
    assert lines(operation.id) == before
    assert not any(str(old.pid) in line for line in before)
    assert [len(made(tmp_path, operation, name)) for name in STEPS] == [1, 1]


def test_two_workers_side_by_side_do_each_thing_once(tmp_path: Path, people: dict[str, Any], begin: Begin) -> None:
    operations = [operation_of(people["researcher"], name=f"hub-{number}") for number in range(12)]
    workers = [begin(), begin()]
    until(lambda: all([ended(operation) for operation in operations]))
    assert all(len(made(tmp_path, operation, step)) == 1 for operation in operations for step in STEPS)
    assert [worker.wait(10) for worker in workers] == [0, 0]


def test_a_living_worker_keeps_its_lease_however_long_a_step_takes(
    tmp_path: Path, operation: Operation, begin: Begin
) -> None:
    hold(tmp_path, "group", "before")
    begin()
    until(lambda: held(tmp_path, "group"))
    operation.refresh_from_db()
    fence, lease = operation.fence, operation.lease_until
    # Two renewals later a lease that nobody kept would have run out.
    until(lambda: _renewed_twice(operation, lease))
    assert leases.claim(5) == []
    let_go(tmp_path, "group")
    until(lambda: ended(operation))
    assert operation.fence == fence


def _renewed_twice(operation: Operation, lease: Any) -> bool:
    operation.refresh_from_db()
    return bool(operation.lease_until and lease and (operation.lease_until - lease).total_seconds() > 0.5)


def test_a_pass_that_breaks_off_stays_alone_with_it(tmp_path: Path, people: dict[str, Any]) -> None:
    broken, whole = (operation_of(people["researcher"], name=name) for name in ("broken", "whole"))

    def plans(operation: Operation) -> tuple[Filed, ...]:
        if operation.id == broken.id:
            raise RuntimeError("no plan for this one")
        return (Filed("group", tmp_path),)

    Runner(plans, Context).run(limit=8, budget=0.2)
    assert ended(whole)
    assert not ended(broken)


def test_one_slow_hub_does_not_hold_up_the_others(tmp_path: Path, people: dict[str, Any]) -> None:
    slow = operation_of(people["researcher"], name="slow")
    others = [operation_of(people["researcher"], name=f"quick-{number}") for number in range(5)]
    hold(tmp_path, "slow", "before")

    def plans(operation: Operation) -> tuple[Filed, ...]:
        return (Filed("slow" if operation.id == slow.id else "quick", tmp_path),)

    seen: list[bool] = []

    def finish_when_others_have() -> None:
        """Lets the slow one go: had the others waited for it, nobody ever would."""
        try:
            until(lambda: all([ended(operation) for operation in others]))
            seen.append(ended(slow))
        finally:
            let_go(tmp_path, "slow")
            connection.close()

    watcher = threading.Thread(target=finish_when_others_have)
    watcher.start()
    Runner(plans, Context).run(limit=8, budget=5.0)
    watcher.join()
    assert seen == [False]
    assert ended(slow)


def test_the_runner_returns_when_nothing_is_due() -> None:
    assert Runner(lambda _operation: (), Context).run(limit=8, budget=600.0) == 0


def test_a_runner_gives_way_though_something_is_due_soon(people: dict[str, Any]) -> None:
    operation = operation_of(people["researcher"])
    Runner(lambda _operation: (Waits(),), Context).run(limit=8, budget=600.0, gives_way=lambda: bool(moved(operation)))
    operation.refresh_from_db()
    assert (operation.status, operation.lease_until) == (OperationStatus.RUNNING, None)


def moved(operation: Operation) -> int:
    return operation.steps.count()


def test_a_worker_told_to_stop_finishes_its_pass_and_not_its_job(operation: Operation) -> None:
    environ = {"DATABASE_URL": database_in_use(), "SLIPWAY_INSECURE_HTTP": "1"}
    command = [sys.executable, "manage.py", "work"]
    django_rq.get_queue("operations").empty()  # a real job of an earlier test would move it by a real plan
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}) as worker:
        try:
            django_rq.get_queue("operations").enqueue("tests.engine.waiting.wait", job_id=uuid4().hex)
            until(lambda: moved(operation), 60)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(20) == 0
        finally:
            worker.kill()
    operation.refresh_from_db()
    assert (operation.status, operation.lease_until) == (OperationStatus.RUNNING, None)


class Errand:
    """Something aside that is under way until it is told to end."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def serve(self, more: bool) -> int:
        return int(not self.over.is_set())

    def stay(self, seconds: float) -> bool:
        return False


def test_operations_are_moved_while_a_chore_takes_its_time(tmp_path: Path, people: dict[str, Any]) -> None:
    errand = Errand()
    runner = Runner(lambda _operation: (Filed("group", tmp_path),), Context, asides=[errand])
    working = threading.Thread(target=lambda: (runner.run(limit=8, budget=0.0), connection.close()))
    working.start()
    operation = operation_of(people["researcher"])  # comes when the chore has long begun
    until(lambda: ended(operation))
    assert working.is_alive()
    errand.over.set()
    working.join(5)
    assert not working.is_alive()


def test_a_chore_that_fails_is_told_of_after_the_others_were_served() -> None:
    def break_off() -> None:
        raise ValueError("no such region")

    with pytest.raises(ValueError, match="no such region"), jobs.Chore(break_off) as doing:
        Runner(lambda _operation: (), Context, asides=[doing]).run(limit=8, budget=0.0)
