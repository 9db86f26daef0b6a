"""The database or the disk is away for a while: nothing is lost, nothing is done twice, nobody is told of a bug."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from bootstrap.machine import ROOT
from deployments.models import Event, Operation
from deployments.states import OperationStatus, StepState
from tests.cloud.waiting import until
from tests.engine.plans import Made, lines, one_pass, operation_of, states, to_the_end
from tests.environment import database_in_use
from tests.outages import DatabaseOutage, away, disk_full, held

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
Begin = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def outage(db: None) -> Iterator[DatabaseOutage]:
    """The test database's; this thread does not wait for its end."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA busy_timeout = 20")
    yield away(database_in_use())
    connection.close()


class Shaken(Made):
    """The database goes away while the step works, and is back when the error has come."""

    outage: DatabaseOutage
    times = 1

    def apply(self, ctx: Any) -> None:
        super().apply(ctx)
        if self.times:
            self.times -= 1
            with self.outage():
                ctx.log("This cannot be written now.")


def test_a_database_that_is_away_in_mid_step_is_no_bug_of_the_step(
    people: dict[str, Any], outage: DatabaseOutage
) -> None:
    step = Shaken("thing", {}, looks=1)
    step.outage = outage
    operation = operation_of(people["researcher"])
    with pytest.raises(OperationalError):
        one_pass(operation, (step,))
    assert states(operation) == {"thing": StepState.WORKING}
    Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    to_the_end(operation, (step,))
    assert (operation.status, step.applied) == (OperationStatus.SUCCEEDED, 1)
    assert not any("went wrong inside" in line for line in lines(operation.id))


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """`begin()` starts a worker in a process of its own; the lease is half a second."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        quick = {"SLIPWAY_LEASE_SECONDS": "0.5", "SLIPWAY_POLL_SECONDS": "0.02", "DATABASE_URL": database_in_use()}
        command = [sys.executable, "-m", "tests.engine.horse", str(tmp_path), "group", "cluster"]
        started.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **quick}, stderr=subprocess.PIPE))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def says(worker: subprocess.Popen[bytes], words: str) -> Callable[[], bool]:
    """Whether the worker's log has these words by now."""
    assert worker.stderr is not None
    os.set_blocking(worker.stderr.fileno(), False)
    heard: list[bytes] = []

    def heard_it() -> bool:
        heard.append(worker.stderr.read() or b"" if worker.stderr else b"")
        return words.encode() in b"".join(heard)

    return heard_it


def check_whole(operation: Operation, folder: Path) -> None:
    """Succeeded, made once, and no line missing."""
    until(lambda: Operation.objects.filter(id=operation.id, status=OperationStatus.SUCCEEDED).exists())
    operation.refresh_from_db()
    made = {path.name.split(".")[1]: len(path.read_text().split()) for path in folder.glob(f"{operation.id}.*.made")}
    assert made == {"group": 1, "cluster": 1}
    numbers = list(Event.objects.filter(operation=operation).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, operation.event_count + 1))


def test_a_worker_outlives_a_database_that_is_held_by_somebody_else(
    tmp_path: Path, people: dict[str, Any], begin: Begin
) -> None:
    operation = operation_of(people["researcher"])
    (tmp_path / "group.hold").write_text("before")
    worker = begin()
    until(lambda: (tmp_path / "group.held").exists())
    with held(database_in_use())():
        (tmp_path / "group.hold").unlink()
        until(lambda: list(tmp_path.glob("*.group.made")))  # it has made the thing, and cannot say so
    check_whole(operation, tmp_path)
    assert worker.poll() in (None, 0)


def test_a_full_disk_stops_a_run_only_until_there_is_room_again(
    tmp_path: Path, people: dict[str, Any], begin: Begin
) -> None:
    operation = operation_of(people["researcher"])
    (tmp_path / "group.hold").write_text("after")
    worker = begin()
    until(lambda: (tmp_path / "group.held").exists())
    with disk_full([worker.pid]):
        (tmp_path / "group.hold").unlink()
        # Where the database is a file, nothing can be told; else the next step says that it has no room.
        broke_off = says(worker, "broke off")
        until(lambda: broke_off() or any("on is full" in line for line in lines(operation.id)))
    check_whole(operation, tmp_path)
    assert worker.poll() in (None, 0)


def test_what_the_full_disk_keeps_a_step_from_writing_is_tried_again(people: dict[str, Any]) -> None:
    class Cramped(Made):
        full = True

        def apply(self, ctx: Any) -> None:
            if self.full:
                self.full = False
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/var/lib/slipway/helm/tmp")
            super().apply(ctx)

    operation = one_pass(operation_of(people["researcher"]), (Cramped("thing", {}),))
    assert operation.status == OperationStatus.RUNNING
    assert any("on is full" in line for line in lines(operation.id))
    to_the_end(operation, (Made("thing", {}),))
    assert operation.status == OperationStatus.SUCCEEDED
