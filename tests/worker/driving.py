"""Moves one operation to its end with the real plans, in this very thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection
from django.utils import timezone

from deployments.models import Operation
from deployments.states import OperationStatus, StepState
from worker import engine, leases
from worker.hub import HubContext
from worker.plans import plan_of

PATIENCE = 60.0
Result = TypeVar("Result")


class Drive:
    """`drive(operation)` moves it to its end; `drive(operation, until="cluster")` until that step has begun."""

    def __init__(self, plans: engine.Plans = plan_of) -> None:
        self.plans = plans

    def __call__(self, operation: Operation, *, until: str = "") -> Operation:
        return self.until(operation, (lambda: self._begun(operation, until)) if until else (lambda: False))

    def until(self, operation: Operation, reached: Callable[[], bool]) -> Operation:
        deadline = time.monotonic() + PATIENCE
        operation.refresh_from_db()
        while not operation.is_final and not reached():
            assert time.monotonic() < deadline, f"{operation} stands still: {operation.steps.values('name', 'summary')}"
            self.visit(operation)
        return operation

    def visit(self, operation: Operation) -> None:
        """One pass when it is due, a moment's sleep when it is not."""
        if not Operation.objects.due().filter(id=operation.id).exists():
            time.sleep(0.01)
        for claimed, fence in leases.claim(1):
            current = Operation.objects.select_related("deployment", "revision").get(id=claimed)
            engine.Pass(current, fence, self.plans(current), HubContext, timezone.now, patience=5.0).go()
        operation.refresh_from_db()

    @staticmethod
    def _begun(operation: Operation, step: str) -> bool:
        return operation.steps.filter(name=step).exclude(state=StepState.PENDING).exists()


def at_once(work: Callable[[], Result], count: int = 3) -> list[Result]:
    """What so many threads return that begin the work in the same moment."""
    together = threading.Barrier(count)

    def begin(_number: int) -> Result:
        together.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def succeeded(operation: Operation) -> bool:
    return operation.status == OperationStatus.SUCCEEDED
