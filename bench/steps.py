"""Made-up steps for bench.flight. Imported once Django is set up."""

from __future__ import annotations

from typing import Any

from worker.context import Context
from worker.step import Found, Step, Watch


class Quick(Step[Context]):
    """Done at the first look."""

    def __init__(self, name: str, after: tuple[str, ...] = ()) -> None:
        self.name, self.title, self.after = name, name.title(), after

    def check(self, ctx: Context) -> Found:
        return Found.ready("there")


class Waiting(Step[Context]):
    """A cluster that takes five minutes; watched where looks are shared."""

    name, title, after, expected, deadline = "cluster", "Cluster", ("group",), 300, 3600

    def __init__(self, flight: Any) -> None:
        self.flight = flight

    def check(self, ctx: Context) -> Found:
        operation = ctx.operation.id
        if not self.flight.begun(operation):
            return Found.absent()
        if self.flight.state(operation) == "Succeeded":
            self.flight.arrived(operation)
            return Found.ready("there")
        return Found.changing(
            "Azure is making the cluster", watch=self._watch(operation) if self.flight.shared else None
        )

    def apply(self, ctx: Context) -> None:
        ctx.intend("cluster", f"/clusters/{ctx.operation.id}", "cluster")
        self.flight.begin(ctx.operation.id)

    def _watch(self, operation: Any) -> Watch | None:
        watched: Watch | None = self.flight.lookouts.watch("clouds:all", str(operation), "Creating")
        return watched
