"""Real steps, interrupted at a chosen moment: what a person, or a bad day, does in the middle of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deployments.models import Operation
from deployments.spec import HubSpec
from worker.hub import HubContext
from worker.plans import plan_of
from worker.step import Found, State, Step

#: Called with the step's context; True when it struck, False to be called again at the next occasion.
Blow = Callable[[HubContext], bool]
BEFORE, AFTER = "before", "after"


class Interrupted(Step[HubContext]):
    """The step itself, struck once at each moment: between its first look and what follows, and after its first write.

    One that writes nothing is struck when it is done instead. Until its blow has struck a step is not done.
    """

    def __init__(self, step: Step[Any], moments: Sequence[str], blow: Blow) -> None:
        self.step, self.left, self.blow = step, list(moments), blow
        self.name, self.title, self.after, self.remedies = step.name, step.title, step.after, step.remedies
        self.expected, self.deadline = step.expected, step.deadline

    def check(self, ctx: HubContext) -> Found:
        found = self.step.check(ctx)
        if self._next(BEFORE) or (found.state is State.READY and self._next(AFTER)):
            self._strike(ctx)
        if self.left and found.state is State.READY:
            return Found.changing("not struck yet", wait=0.0)
        return found

    def apply(self, ctx: HubContext) -> None:
        self.step.apply(ctx)
        if self._next(AFTER):
            self._strike(ctx)

    def concerns(self, spec: HubSpec) -> bool:
        return self.step.concerns(spec)

    def abort(self, ctx: HubContext) -> None:
        self.step.abort(ctx)

    def _next(self, moment: str) -> bool:
        return self.left[:1] == [moment]

    def _strike(self, ctx: HubContext) -> None:
        moment = self.left.pop(0)
        if not self.blow(ctx):
            self.left.insert(0, moment)


def interrupted(moments: Sequence[str], blow: Blow, only: str = "") -> Callable[[Operation], list[Step[Any]]]:
    """The operation's real plan, each step of it (or only one) struck at those moments."""
    wrapped: dict[str, Interrupted] = {}

    def plans(operation: Operation) -> list[Step[Any]]:
        plan = plan_of(operation)
        for step in plan:
            wrapped.setdefault(step.name, Interrupted(step, moments if only in ("", step.name) else (), blow))
        return [wrapped[step.name] for step in plan]

    return plans
