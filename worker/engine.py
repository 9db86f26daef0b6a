"""Order, lease, retry, report. Knows no Azure: plans and contexts are handed to it."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Case, Value, When
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from cloud.errors import NotYet, PermanentError, Queued, RetryableError, SlipwayError
from deployments import metering, services
from deployments.events import FenceLost, Line, record
from deployments.models import CLOCKS_DIFFER, LONGEST_DELAY, Operation, Resource, StepRun
from deployments.redaction import redact
from deployments.states import Level, OperationStatus, Outcome, StepState
from worker import endings, pace
from worker.context import Context
from worker.step import Found, State, Step
from worker.trouble import gave_up, of_this_machine

log = logging.getLogger(__name__)

C = TypeVar("C", bound=Context)
#: Which steps an operation has.
Plans = Callable[[Operation], Sequence[Step[Any]]]

#: Longest time between two tries, in seconds.
SLOWEST_RETRY = 60.0
#: What is watched by a shared look is looked at all the same after so long, in seconds.
WATCHED_LOOK = 120.0


class Pass:
    """One worker's short visit to one operation: moves every step that can move, records, says when to come again.

    `heavy` True or False moves only the steps that are, or are not, heavy; None makes no difference.
    """

    def __init__(
        self,
        operation: Operation,
        fence: int,
        plan: Sequence[Step[Any]],
        context: Callable[..., Context],
        now: Callable[[], datetime] = timezone.now,
        patience: float = 3.0,
        heavy: bool | None = None,
    ) -> None:
        self.operation, self.fence, self.now = operation, fence, now
        self.heavy, self._awaits_turn = heavy, False
        self.plan = [step for step in plan if not step.remedies]
        self.remedies = [step for step in plan if step.remedies]
        self._places = {step.name: place for place, step in enumerate([*self.plan, *self.remedies])}
        self._context, self.patience = context, patience
        self._shared: dict[str, Any] = {}
        self.runs: dict[str, StepRun] = {}

    def go(self) -> bool:
        """Moves the operation as far as it can move now.

        True when a heavy step is next and this pass leaves those alone: the operation is still held then.
        """
        try:
            self._go()
        except FenceLost:
            # Cancelled in the middle of the pass, or a newer holder: if it is still ours, let the next pass see why.
            self._awaits_turn = False
            self._release()
        return self._awaits_turn

    def _go(self) -> None:
        self._ensure_runs(self.plan)
        failed = self._failed() or (None if self.operation.cancel_requested else self._move_all(self.plan))
        if failed is not None:
            return self._put_right(failed)
        if self.operation.cancel_requested:
            half_way = self._half_way()
            return self._turn_back(half_way) if half_way else self._stop()
        if all(self.runs[step.name].state == StepState.DONE for step in self.plan):
            return self._end(OperationStatus.SUCCEEDED, Outcome.SUCCEEDED)
        return self._release()

    def _ensure_runs(self, steps: Sequence[Step[Any]]) -> None:
        """Makes the steps' rows; a plan that has grown since the run began gets its new steps now."""
        if not self.runs:
            self.runs = {run.name: run for run in self.operation.steps.all()}
            self._follow_plan()
        missing = [
            StepRun(
                operation=self.operation,
                name=step.name,
                title=step.title,
                position=position,
                expected_seconds=step.expected,
            )
            for position, step in enumerate([*self.plan, *self.remedies])
            if step in steps and step.name not in self.runs
        ]
        if missing:
            StepRun.objects.bulk_create(missing, ignore_conflicts=True)
            made = self.operation.steps.filter(name__in=[run.name for run in missing])
            self.runs |= {run.name: run for run in made}

    def _follow_plan(self) -> None:
        """Where another version of Slipway began the run: its steps take this plan's order, and lost ones are over."""
        for name, run in self.runs.items():
            if name not in self._places:
                if run.state in (StepState.WORKING, StepState.PENDING):
                    self._write(run, None, state=StepState.STOPPED, finished_at=self.now())
            elif run.position != self._places[name]:
                self._write(run, None, position=self._places[name], lookout=run.lookout)

    def _failed(self) -> StepRun | None:
        """The step that failed in an earlier pass, while what it left is being put right."""
        return next((run for step in self.plan if (run := self.runs[step.name]).state == StepState.FAILED), None)

    def _move_all(self, steps: Sequence[Step[Any]]) -> StepRun | None:
        """Moves each step whose time has come; returns the one that failed, if any."""
        for step in steps:
            run = self.runs[step.name]
            if run.state == StepState.DONE or not self._may_begin(step) or self._is_put_off(run):
                continue
            if self.heavy is not None and step.heavy != self.heavy:
                self._awaits_turn |= step.heavy
                continue
            self._allow_for_gap(run)
            with bound_contextvars(step=step.name):
                self._move(step, run)
            if run.state == StepState.FAILED:
                return run
        return None

    def _is_put_off(self, run: StepRun) -> bool:
        """Not where the moment is so far ahead that the clock must have been set back since it was noted."""
        return self.now() < run.next_due_at <= self.now() + LONGEST_DELAY + CLOCKS_DIFFER

    def _allow_for_gap(self, run: StepRun) -> None:
        """Takes out of a step's time what nobody looked at it for: no worker was there, or a clock was set anew."""
        gap = self.now() - run.next_due_at
        if run.state == StepState.WORKING and run.started_at and abs(gap) > CLOCKS_DIFFER:
            since = run.trouble_since and run.trouble_since + gap
            self._write(run, None, started_at=run.started_at + gap, trouble_since=since, next_due_at=self.now())

    def _may_begin(self, step: Step[Any]) -> bool:
        present = [name for name in step.after if name in self.runs and name in self._places]
        return all(self.runs[name].state == StepState.DONE for name in present)

    def _put_right(self, failed: StepRun) -> None:
        """Ends as failed, once the steps that put such a failure right have done so."""
        self._awaits_turn = False
        remedies = [step for step in self.remedies if failed.name in step.remedies]
        if not remedies or self.operation.cancel_requested:
            return self._end(OperationStatus.FAILED, Outcome.FAILED, failed)
        if not self.operation.error_message:
            self._keep_failure(failed)
        self._ensure_runs(remedies)
        worse = self._move_all(remedies)
        if worse is not None:
            return self._end(OperationStatus.FAILED, Outcome.FAILED, failed, also=worse)
        if all(self.runs[step.name].state == StepState.DONE for step in remedies):
            return self._end(OperationStatus.FAILED, Outcome.ROLLED_BACK, failed)
        return self._release()

    def _half_way(self) -> StepRun | None:
        """Where a cancelled run stands, when what it did must be put right. A waiting teardown needs no such care."""
        if self.operation.deployment.operations.filter(status=OperationStatus.WAITING).exists():
            return None
        touched = {name for step in self.remedies for name in step.remedies}
        begun = [run for run in self.runs.values() if run.name in touched and run.state != StepState.PENDING]
        return max(begun, key=lambda run: run.position, default=None)

    def _turn_back(self, run: StepRun) -> None:
        """Takes the wish to cancel for a failure of the step it came in: from here on everything is put right."""
        self._give_up()
        with transaction.atomic():
            self._fail(run, PermanentError("The run was cancelled.", "Start it again whenever you like."))
            mine = Operation.objects.filter(id=self.operation.id, fence=self.fence)
            mine.update(cancel_requested=False)
        self.operation.cancel_requested = False
        self._put_right(run)

    def _keep_failure(self, failed: StepRun) -> None:
        """What happened is kept with the operation before anything is put right: that may take many passes."""
        told = endings.told(failed)
        Operation.objects.filter(id=self.operation.id, fence=self.fence).update(**told)
        self.operation.error_message = failed.error_message or failed.title
        self.operation.correlation_id = told.get("correlation_id", self.operation.correlation_id)
        for step in self.plan:
            run = self.runs[step.name]
            if run.state in (StepState.WORKING, StepState.PENDING):
                self._write(run, None, state=StepState.STOPPED, finished_at=self.now())

    def _move(self, step: Step[Any], run: StepRun) -> None:
        ctx = self._context(
            operation=self.operation,
            fence=self.fence,
            run=run,
            patience=self.patience,
            now=self.now,
            cache=self._shared,
        )
        if run.state != StepState.WORKING:
            now = self.now()
            line = Line(f"{step.title} …", step=run.name)
            self._write(run, line, state=StepState.WORKING, started_at=now, next_due_at=now)
        try:
            with ctx.turn():
                found = step.check(ctx)
                if found.state in (State.ABSENT, State.DRIFTED):
                    ctx.hold()
                    step.apply(ctx)
                    found = step.check(ctx)
            self._note(step, ctx, found)
        except RetryableError as error:
            self._again(step, ctx, error)
        except SlipwayError as error:
            self._refused(step, ctx, error)
        except (FenceLost, OperationalError, InterfaceError):
            raise  # it is another's by now, or the database is away: the next pass finds the cloud as it is
        except Exception as error:
            if trouble := of_this_machine(error):
                return self._again(step, ctx, trouble)
            reference = uuid4().hex[:8]
            log.exception("A bug in step %s of %s, reference %s", step.name, self.operation.id, reference)
            self._fail(run, endings.apology(reference))

    def _note(self, step: Step[Any], ctx: Context, found: Found) -> None:
        run = ctx.run
        if found.state is State.READY:
            line = Line(f"{step.title}: {found.summary or 'done'}", Level.SUCCESS, run.name)
            return self._write(
                run, line, state=StepState.DONE, finished_at=self.now(), summary=found.summary[:300], attempts=0
            )
        if found.state is State.FAILED:
            return self._refused(step, ctx, found.error or PermanentError(found.summary))
        if self._late(step, run):
            return self._fail(run, endings.explained(step, ctx, endings.too_long(step, found.summary or run.summary)))
        changed = bool(found.summary) and found.summary[:300] != run.summary
        news = Line(f"{step.title}: {found.summary}", step=run.name) if changed else None
        values: dict[str, Any] = {"summary": found.summary[:300] or run.summary, "attempts": 0}
        if found.watch is not None:
            values |= {"lookout": found.watch.lookout, "thing": found.watch.thing, "mark": found.watch.mark}
        return self._write(run, news, **values, next_due_at=self._next_look(step, run, found))

    def _next_look(self, step: Step[Any], run: StepRun, found: Found) -> datetime:
        spent = pace.seconds_between(run.started_at, self.now())
        seconds = pace.pause(spent, step.expected) if found.wait is None else found.wait
        if found.watch is not None:
            seconds = min(WATCHED_LOOK, max(step.deadline - spent, 0.0) + 1.0)
        return self.now() + timedelta(seconds=seconds)

    def _late(self, step: Step[Any], run: StepRun) -> bool:
        return pace.seconds_between(run.started_at, self.now()) - run.queued_seconds > step.deadline

    def _refused(self, step: Step[Any], ctx: Context, error: SlipwayError) -> None:
        """Fails; where a stranger may have given the answer, not before the same is said twice in a row."""
        is_news = redact(error.user_message)[:300] != ctx.run.summary
        if step.doubts and is_news and not self._late(step, ctx.run):
            return self._again(step, ctx, NotYet(error.user_message))
        return self._fail(ctx.run, endings.explained(step, ctx, error))

    def _again(self, step: Step[Any], ctx: Context, error: RetryableError) -> None:
        """Tries later, until the step's own deadline. Whose turn comes at a known moment comes exactly then.

        To wait for one's turn is not the step's fault: that time is not its own.
        """
        run = ctx.run
        if self._late(step, run):
            return self._fail(run, endings.explained(step, ctx, error))
        queued = isinstance(error, Queued)
        backoff = min(settings.SLIPWAY_POLL_SECONDS * 2 ** min(run.attempts, 10), SLOWEST_RETRY)
        delay = error.delay or 0.0 if queued else max(error.delay or 0.0, backoff * random.uniform(0.5, 1.0))
        delay = min(delay, LONGEST_DELAY.total_seconds())
        line = None
        if redact(error.user_message)[:300] != run.summary:
            line = Line(f"{error} Trying again.", Level.INFO if queued else Level.WARNING, run.name)
        return self._write(
            run,
            line,
            attempts=run.attempts + (not queued),
            queued_seconds=run.queued_seconds + delay * queued,
            summary=redact(error.user_message)[:300],
            next_due_at=self.now() + timedelta(seconds=delay),
        )

    def _fail(self, run: StepRun, error: SlipwayError) -> None:
        error = gave_up(error)
        line = Line(f"{run.title} failed: {error}", Level.ERROR, run.name)
        run.failure = error  # type: ignore[attr-defined]
        self._write(
            run,
            line,
            state=StepState.FAILED,
            finished_at=self.now(),
            error_message=redact(error.user_message),
            error_remedy=redact(error.remedy),
        )

    def _write(self, run: StepRun, line: Line | None, **values: Any) -> None:
        """Records a step's news together with its line, if the operation is still ours."""
        values = {"lookout": None, **values}
        with transaction.atomic():
            mine = StepRun.objects.filter(id=run.id)
            if line is not None:
                record(self.operation.id, [line], fence=self.fence)  # holds the operation's row until the end
            else:
                mine = mine.filter(operation__fence=self.fence)
            if not mine.update(**values):
                raise FenceLost(str(self.operation.id))
        for name, value in values.items():
            setattr(run, name, value)
        if "finished_at" in values and (took := run.duration) is not None:
            labels = {"kind": self.operation.kind, "step": run.name, "state": run.state}
            metering.observe("slipway_step_seconds", took.total_seconds(), **labels)
            log.info("%s: %s after %.1f s", run.title, run.state, took.total_seconds(), extra={"step": run.name})

    def _stop(self) -> None:
        """Cancels: gives up what the cloud can give up, says what is left."""
        self._give_up()
        for step in self.plan:
            run = self.runs[step.name]
            if run.state in (StepState.WORKING, StepState.PENDING):
                self._write(run, None, state=StepState.STOPPED, finished_at=self.now())
        names = Resource.objects.filter(deployment=self.operation.deployment_id, gone_at=None)
        left = ", ".join(f"{row.kind} {row.name}" for row in names)
        told = f"What exists now: {left}. Take the hub down to remove it." if left else "Nothing had been made."
        self._end(OperationStatus.CANCELLED, Outcome.CANCELLED, told=f"Cancelled. {told}")

    def _give_up(self) -> None:
        """Has the cloud stop what the steps have it doing, where it can."""
        for step in self.plan:
            if self.runs[step.name].state == StepState.WORKING:
                self._abort(step, self.runs[step.name])

    def _abort(self, step: Step[Any], run: StepRun) -> None:
        try:
            step.abort(
                self._context(operation=self.operation, fence=self.fence, run=run, now=self.now, cache=self._shared)
            )
        except SlipwayError as error:
            record(
                self.operation.id,
                [Line(f"{step.title} could not be stopped: {error}", Level.WARNING, run.name)],
                fence=self.fence,
            )

    def _end(
        self,
        status: OperationStatus,
        outcome: Outcome,
        failed: StepRun | None = None,
        told: str = "All done.",
        also: StepRun | None = None,
    ) -> None:
        """Ends the operation: its last line, its status and what follows from it, in one transaction."""
        self._awaits_turn = False
        values: dict[str, Any] = {"status": status, "finished_at": self.now(), "lease_until": None}
        if failed is not None:
            told = endings.last_line(outcome, failed, also)
            values |= endings.told(failed) | endings.reference(also, self.operation)
        level = {Outcome.SUCCEEDED: Level.SUCCESS, Outcome.FAILED: Level.ERROR}.get(outcome, Level.WARNING)
        with transaction.atomic():
            services.hold(self.operation.deployment_id)
            record(self.operation.id, [Line(told, level)], fence=self.fence)
            mine = Operation.objects.filter(id=self.operation.id, fence=self.fence, status=OperationStatus.RUNNING)
            if outcome is Outcome.SUCCEEDED and self.operation.kind in services.STOPPED_EVEN_WHEN_DONE:
                mine = mine.filter(cancel_requested=False)  # the next pass obeys
            if not mine.update(**values):
                raise FenceLost(str(self.operation.id))
            StepRun.objects.filter(operation=self.operation, state=StepState.WORKING).update(
                state=StepState.STOPPED, finished_at=self.now(), lookout=None
            )
            services.finish(self.operation, outcome)
        log.info("%s ended: %s", self.operation, status)

    def _release(self) -> None:
        """Gives the lease back and sets when to come again: at once when somebody asked to cancel meanwhile."""
        if self._awaits_turn:
            return
        open_runs = [
            run.next_due_at
            for step in [*self.plan, *self.remedies]
            if (run := self.runs.get(step.name)) is not None
            and run.state in (StepState.PENDING, StepState.WORKING)
            and self._may_begin(step)
        ]
        due = min(open_runs, default=self.now())
        Operation.objects.filter(id=self.operation.id, fence=self.fence).update(
            lease_until=None,
            next_due_at=Case(When(cancel_requested=True, then=Value(self.now())), default=Value(due)),
        )
