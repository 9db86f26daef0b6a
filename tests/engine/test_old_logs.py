"""Old logs are packed into archives: the same lines under the same numbers, and no reader ever sees a gap."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from deployments import archive
from deployments.archive import archive_stretch
from deployments.events import Line, record
from deployments.log import lines_after, lines_before, whole_log
from deployments.models import Deployment, Event, LogArchive, Operation
from deployments.states import Level, Lifecycle, OperationStatus
from tests.engine.plans import operation_of
from worker import chores
from worker.chores.logs import archive_logs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
LONG_AGO = timezone.now() - timedelta(days=100)


def ended(owner: Any, name: str = "hub", lines: int = 30, at: datetime = LONG_AGO, **values: Any) -> Operation:
    """A run with a log that ended at that time."""
    told = {"status": OperationStatus.SUCCEEDED, "finished_at": at, "created_at": at, **values}
    operation = operation_of(owner, name, **told)
    record(operation.id, [Line(f"Line {number} — “ready”", Level.WARNING, "pods") for number in range(1, lines + 1)])
    Event.objects.filter(operation=operation).update(at=at)
    operation.refresh_from_db()
    return operation


def lines_of(operation: Operation) -> list[tuple[object, ...]]:
    found = lines_after(Operation.objects.get(id=operation.id), 0, 10_000)
    return [(line.number, line.at, line.level, line.step, line.message) for line in found]


def numbers(operation_id: UUID) -> list[int]:
    return [line.number for line in lines_after(Operation.objects.get(id=operation_id), 0, 10_000)]


def is_due(operation: Operation) -> bool:
    return archive.due(timezone.now()).filter(id=operation.id).exists()


def test_what_a_person_decided_stays_a_line_in_its_place(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"], lines=4)
    record(operation.id, [Line("researcher asked to cancel.", by=people["researcher"]), Line("Cancelled.")])
    Event.objects.filter(operation=operation).update(at=LONG_AGO)
    before = lines_of(operation)
    assert archive_logs() == 5
    assert [line.number for line in Event.objects.filter(operation=operation)] == [5]
    assert lines_of(operation) == before and archive_logs() == 0


def test_an_archived_log_says_the_same_as_before(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"])
    before, text = lines_of(operation), "".join(whole_log(operation))
    assert archive_logs() == 30
    assert not Event.objects.filter(operation=operation).exists()
    assert lines_of(operation) == before
    assert "".join(whole_log(operation)) == text
    assert len(text.splitlines()) == 30 and "Line 30 — “ready”" in text


def test_a_page_of_lines_is_the_same_wherever_its_lines_are(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"], lines=450)
    wanted = {before: [line.number for line in lines_before(operation, before).lines] for before in (None, 451, 230, 9)}
    for archived in (0, 200, 400, 450):
        while operation.archives.count() < archived // 50:
            archive_stretch(operation.id, 50)
        assert {before: [line.number for line in lines_before(operation, before).lines] for before in wanted} == wanted
    assert wanted[None] == list(range(251, 451)) and wanted[9] == list(range(1, 9))


def test_an_archive_takes_a_fraction_of_the_room(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"], lines=1000)
    size = sum(len(line.message) for line in operation.events.all())
    archive_logs()
    assert len(LogArchive.objects.get(operation=operation).data) < size / 3


@pytest.mark.parametrize("status", [OperationStatus.SUCCEEDED, OperationStatus.FAILED, OperationStatus.CANCELLED])
def test_what_a_later_run_has_followed_is_archived_however_it_ended(people: dict[str, Any], status: str) -> None:
    operation = ended(people["researcher"], status=status)
    values = {"deployment": operation.deployment, "revision": operation.revision, "kind": "change"}
    Operation.objects.create(**values, status=OperationStatus.FAILED, finished_at=timezone.now())
    assert is_due(operation)


@pytest.mark.parametrize("status", [OperationStatus.FAILED, OperationStatus.CANCELLED])
def test_what_may_be_tried_again_is_kept_as_long_as_its_hub(people: dict[str, Any], status: str) -> None:
    operation = ended(people["researcher"], status=status)
    assert not is_due(operation)
    Deployment.objects.filter(id=operation.deployment_id).update(lifecycle=Lifecycle.DELETED)
    assert is_due(operation)


def test_what_runs_or_has_just_ended_is_kept(people: dict[str, Any], settings: Any) -> None:
    settings.SLIPWAY_LOG_DAYS = 7
    running = ended(people["researcher"], "one", status=OperationStatus.RUNNING, finished_at=None)
    recent = ended(people["researcher"], "two", at=timezone.now() - timedelta(days=6))
    past = ended(people["researcher"], "three", at=timezone.now() - timedelta(days=8))
    assert (is_due(running), is_due(recent), is_due(past)) == (False, False, True)


def test_with_no_days_set_nothing_is_archived(people: dict[str, Any], settings: Any) -> None:
    settings.SLIPWAY_LOG_DAYS = 0
    operation = ended(people["researcher"])
    assert archive_logs() == 0
    assert operation.events.count() == 30


def test_a_line_that_comes_later_has_the_next_number_and_is_archived_when_it_is_old(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"])
    archive_logs()
    assert record(operation.id, [Line("The hub answers again.")]) == 31
    assert numbers(operation.id) == list(range(1, 32))
    assert not is_due(operation)
    Event.objects.filter(operation=operation).update(at=LONG_AGO)
    assert archive_logs() == 1
    assert numbers(operation.id) == list(range(1, 32))


def test_what_is_archived_is_not_looked_at_again(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"])
    assert "worker.jobs.archive_logs" in chores.due(timezone.now())
    archive_logs()
    assert not is_due(operation)
    assert "worker.jobs.archive_logs" not in chores.due(timezone.now())


def test_a_job_stops_when_its_time_is_over_and_the_next_goes_on(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"])
    assert archive_logs(budget=0) == 0
    assert is_due(operation)
    assert archive_logs() == 30


def test_no_reader_sees_a_gap_while_a_log_is_archived(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"], lines=300)
    begun, over = threading.Barrier(4), threading.Event()

    def read() -> list[list[int]]:
        seen, last_look = [], False
        begun.wait(10)
        while not last_look:
            last_look = over.is_set()
            seen.append(numbers(operation.id))
        connection.close()
        return seen

    def pack() -> None:
        begun.wait(10)
        while archive_stretch(operation.id, 3):
            pass
        over.set()
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        pool.submit(pack).result(60)
        looks = [look for reader in readers for look in reader.result(60)]
    assert operation.archives.count() == 100 and not operation.events.exists()
    assert len(looks) > 10
    assert [look for look in looks if look != list(range(1, 301))] == []


def test_two_workers_archive_each_line_once(people: dict[str, Any]) -> None:
    operation = ended(people["researcher"], lines=300)

    def pack() -> int:
        moved = 0
        while stretch := archive_stretch(operation.id, 5):
            moved += stretch
        connection.close()
        return moved

    with ThreadPoolExecutor(2) as pool:
        moved = [each.result(60) for each in [pool.submit(pack), pool.submit(pack)]]
    assert sum(moved) == 300
    stretches = operation.archives.order_by("first").values_list("first", "last")
    assert [number for first, last in stretches for number in range(first, last + 1)] == list(range(1, 301))
