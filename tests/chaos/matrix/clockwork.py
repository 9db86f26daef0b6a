"""Moves operations with the real plans in this very thread, by a clock that skips whatever would only be waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from deployments import broker
from deployments.models import Operation
from worker import engine, leases
from worker.hub import HubContext
from worker.plans import plan_of
from worker.step import Step

#: Real seconds that one operation may take here.
PATIENCE = 240.0
#: The cloud is a process of its own: it needs a moment now and then.
BREATH = 0.003
Wrap = Callable[[Step[Any]], Step[Any]]


class Clock:
    """The time; `skip_to` makes it later."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return timezone.now() + self._ahead

    def skip_to(self, moment: datetime) -> None:
        self._ahead += max(timedelta(), moment - self())


class Clockwork:
    """`drive(operation)` moves it to its end; each step is first handed to `wrap`."""

    def __init__(self, wrap: Wrap = lambda step: step) -> None:
        self.clock, self.wrap, self.visits = Clock(), wrap, 0

    def drive(self, operation: Operation, until: Callable[[], bool] = lambda: False) -> Operation:
        deadline = time.monotonic() + PATIENCE
        operation.refresh_from_db()
        while not operation.is_final and not until():
            assert time.monotonic() < deadline, f"{operation} stands still: {operation.steps.values('name', 'summary')}"
            self.visit(operation)
        return operation

    def visit(self, operation: Operation) -> None:
        """One pass, at the moment it is due."""
        self.clock.skip_to(operation.next_due_at)
        forget_limits()
        time.sleep(BREATH)
        self.visits += 1
        for claimed, fence in leases.claim(1, self.clock):
            current = Operation.objects.select_related("deployment", "revision").get(id=claimed)
            plan = tuple(self.wrap(step) for step in plan_of(current))
            engine.Pass(current, fence, plan, HubContext, self.clock, patience=5.0).go()
        operation.refresh_from_db()


def forget_limits() -> None:
    """Azure's limits go by another clock: for them too the time has passed."""
    client = broker.client()
    if kept := client.keys("slipway:azure:*"):
        client.delete(*kept)


class Wrapped(Step[HubContext]):
    """A step, and what happens before and after each of its looks and deeds."""

    def __init__(self, inner: Step[Any]) -> None:
        self.inner = inner
        self.name, self.title, self.after, self.remedies = inner.name, inner.title, inner.after, inner.remedies
        self.expected, self.deadline, self.doubts = inner.expected, inner.deadline, inner.doubts

    def check(self, ctx: HubContext) -> Any:
        return self.around(ctx, lambda: self.inner.check(ctx))

    def apply(self, ctx: HubContext) -> None:
        self.around(ctx, lambda: self.inner.apply(ctx))

    def abort(self, ctx: HubContext) -> None:
        self.around(ctx, lambda: self.inner.abort(ctx))

    def around(self, ctx: HubContext, work: Callable[[], Any]) -> Any:
        return work()
