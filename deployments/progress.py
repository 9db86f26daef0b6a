"""How a hub stands: its operation, its steps, what may be done now. Read by pages, first and live alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Subquery

from deployments.models import Deployment, DeploymentQuerySet, Operation, StepRun
from deployments.preview import BINDER_PATH
from deployments.states import ENDINGS, Lifecycle, Look, OperationKind, OperationStatus, Outcome, StepState, sources

#: Runs and revisions that a hub's own page shows.
NEWEST = 20
#: A step at work counts for at most so much of its expected time: only a finished one counts whole.
ALMOST = 0.95
#: (lifecycle, the newest operation's kind, its status) → what to say of a hub that stands still on its way.
STOPPED: dict[tuple[str, str, str], str] = {
    (Lifecycle.PROVISIONING, OperationKind.PROVISION, OperationStatus.FAILED): "Build failed",
    (Lifecycle.PROVISIONING, OperationKind.PROVISION, OperationStatus.CANCELLED): "Build cancelled",
    (Lifecycle.DELETING, OperationKind.TEARDOWN, OperationStatus.FAILED): "Taking down failed",
}
#: What to say above the reason for which a run failed. A change that failed is told of in its own words.
FAILURES: dict[str, str] = {
    OperationKind.PROVISION: "The build stopped",
    OperationKind.STOP: "The hub was not stopped",
    OperationKind.START: "The hub did not start",
    OperationKind.TRY_LAUNCH: "The launch did not work",
    OperationKind.MEND: "It could not be put back",
    OperationKind.TEARDOWN: "Taking it down stopped",
    OperationKind.CLEAN_UP: "Not everything could be removed",
}


@dataclass(frozen=True)
class Progress:
    """A hub, the operation to look at, and the one that waits behind it."""

    deployment: Deployment
    operation: Operation | None
    waiting: Operation | None
    steps: list[StepRun]
    is_newest: bool
    #: The newest runs of the hub, as many as its page shows and one more.
    runs: list[Operation]

    @property
    def percent(self) -> int:
        """How far the operation is, by the time each step was expected to take."""
        if self.operation and self.operation.status == OperationStatus.SUCCEEDED:
            return 100
        total = sum(max(1, step.expected_seconds) for step in self.steps)
        return int(100 * sum(_worth(step) for step in self.steps) / total) if total else 0

    @property
    def earlier(self) -> list[Operation]:
        """The newest runs but the one that is shown."""
        return [run for run in self.runs if run != self.operation][: NEWEST + 1]

    @property
    def is_busy(self) -> bool:
        """Whether something is being done, or waits to be."""
        return any(not run.is_final for run in self.runs)

    @property
    def done_count(self) -> int:
        return sum(step.state == StepState.DONE for step in self.steps)

    @property
    def expected(self) -> timedelta:
        """How long the longest chain may take is the plan's business; this is the sum, an upper bound."""
        return timedelta(seconds=sum(step.expected_seconds for step in self.steps))

    @property
    def binder_address(self) -> str:
        return f"{self.deployment.address}{BINDER_PATH}"

    @property
    def is_ready(self) -> bool:
        return self.deployment.lifecycle == Lifecycle.READY

    @property
    def failed(self) -> Operation | None:
        operation = self.operation
        return operation if operation and operation.status == OperationStatus.FAILED else None

    @property
    def failure_title(self) -> str:
        return FAILURES.get(self.failed.kind, "") if self.failed else ""

    @property
    def stopped(self) -> Operation | None:
        """The operation, when it ended before it was done."""
        ended = (OperationStatus.FAILED, OperationStatus.CANCELLED)
        return self.operation if self.operation and self.operation.status in ended else None

    @property
    def shows_outcome(self) -> bool:
        """While a hub is built or taken down its state says it already."""
        settled = self.deployment.lifecycle in (Lifecycle.READY, Lifecycle.STOPPED)
        return settled and self.deployment.last_outcome != Outcome.NONE

    @property
    def can_cancel(self) -> bool:
        operation = self.operation
        return bool(
            operation
            and operation.status == OperationStatus.RUNNING
            and operation.kind not in ENDINGS
            and not operation.cancel_requested
        )

    @property
    def can_retry(self) -> bool:
        """New secrets that were put back are gone: they have to be typed once more."""
        forgotten = (
            self.deployment.last_outcome == Outcome.ROLLED_BACK
            and self.operation is not None
            and self.operation.kind == OperationKind.ROTATE
        )
        return bool(self.stopped and self.is_newest and not forgotten)

    @property
    def can_take_down(self) -> bool:
        return self.deployment.lifecycle in sources(Lifecycle.DELETING)

    @property
    def may_be_forgotten(self) -> bool:
        """Taking it down is the usual way: only where that has failed is another one offered on the hub's page."""
        return self.deployment.lifecycle == Lifecycle.DELETING and self.failed is not None

    @property
    def proof(self) -> dict[str, Any] | None:
        return self._result("proof")

    @property
    def has_receipt(self) -> bool:
        return self._result("receipt") is not None

    def _result(self, key: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.operation.result.get(key) if self.operation else None
        return found


def progress(deployment: Deployment, operation: Operation | None = None) -> Progress:
    """The given operation of the hub, else the running one, else the newest."""
    operations = list(deployment.operations.order_by("-created_at")[: NEWEST + 2])
    running = next((each for each in operations if each.status == OperationStatus.RUNNING), None)
    waiting = next((each for each in operations if each.status == OperationStatus.WAITING), None)
    shown = operation or running or waiting or (operations[0] if operations else None)
    steps = list(shown.steps.all()) if shown else []
    newest = bool(shown and operations and operations[0].id == shown.id)
    return Progress(deployment, shown, waiting if waiting != shown else None, steps, newest, operations)


def standing_look(lifecycle: str, kind: str, run: str) -> Look:
    """How a hub's place in its life is shown, given its newest operation's kind and status."""
    stopped = STOPPED.get((lifecycle, kind, run))
    return Look(stopped, OperationStatus.of(run).look.colour) if stopped else Lifecycle.of(lifecycle).look


def with_newest_run(hubs: DeploymentQuerySet) -> DeploymentQuerySet:
    """Each hub with its newest operation's kind and status, for lists."""
    newest = Operation.objects.filter(deployment=OuterRef("pk")).order_by("-created_at")
    return hubs.annotate(run_kind=Subquery(newest.values("kind")[:1]), run_status=Subquery(newest.values("status")[:1]))


def _worth(step: StepRun) -> float:
    expected = max(1, step.expected_seconds)
    if step.state == StepState.DONE:
        return expected
    if step.state == StepState.WORKING and step.duration:
        return min(step.duration.total_seconds(), ALMOST * expected)
    return 0
