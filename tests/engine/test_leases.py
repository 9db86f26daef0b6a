"""Leases: taken once, kept while an operation is moved, never taken back up after they were given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.models import Operation
from tests.engine.plans import operation_of
from worker import leases

pytestmark = pytest.mark.usefixtures("valkey")


def several(owner: Any, count: int) -> list[Operation]:
    return [operation_of(owner, name=f"hub-{number}") for number in range(count)]


def test_a_batch_is_taken_with_as_many_queries_as_a_single_one(people: dict[str, Any]) -> None:
    several(people["researcher"], 12)
    with CaptureQueriesContext(connection) as queries:
        assert len(leases.claim(10)) == 10
    few = len(queries)
    with CaptureQueriesContext(connection) as queries:
        assert len(leases.claim(1)) == 1
    assert len(queries) == few


def test_what_has_been_due_for_longest_is_taken_first(people: dict[str, Any]) -> None:
    made, now = several(people["researcher"], 3), timezone.now()
    for operation, seconds in zip(made, (5, 60, 30), strict=True):
        Operation.objects.filter(id=operation.id).update(next_due_at=now - timedelta(seconds=seconds))
    assert [each for each, _fence in leases.claim(1)] == [made[1].id]
    assert [each for each, _fence in leases.claim(1)] == [made[2].id]


def test_what_is_taken_is_not_taken_again(people: dict[str, Any]) -> None:
    several(people["researcher"], 2)
    assert len(leases.claim(5)) == 2
    assert leases.claim(5) == []


def test_a_lease_that_was_given_back_meanwhile_is_not_kept(people: dict[str, Any]) -> None:
    operation = operation_of(people["researcher"])
    held = dict(leases.claim(1))
    Operation.objects.filter(id=operation.id).update(lease_until=None)  # its pass has ended
    leases.renew(held)
    operation.refresh_from_db()
    assert operation.lease_until is None


def test_a_lease_of_somebody_elses_is_not_kept(people: dict[str, Any]) -> None:
    operation = operation_of(people["researcher"])
    ((_id, fence),) = leases.claim(1)
    before = Operation.objects.get(id=operation.id).lease_until
    leases.renew({operation.id: fence - 1})
    assert Operation.objects.get(id=operation.id).lease_until == before


def test_what_is_handed_back_unmoved_is_as_long_due_as_it_was(people: dict[str, Any]) -> None:
    operation = operation_of(people["researcher"])
    leases.give_back(dict(leases.claim(1)))
    due = operation.next_due_at
    operation.refresh_from_db()
    assert (operation.next_due_at, operation.lease_until) == (due, None)
    assert len(leases.claim(1)) == 1
