"""How the end of a step or a run is told."""

from __future__ import annotations

import logging
from typing import Any

from cloud.errors import PermanentError, SlipwayError
from deployments.models import Operation, StepRun
from deployments.states import Outcome
from worker.context import Context
from worker.step import Step

log = logging.getLogger(__name__)


def explained(step: Step[Any], ctx: Context, error: SlipwayError) -> SlipwayError:
    """What the step makes of its failure; to look for the cause must not hide that there is one."""
    try:
        return step.explain(ctx, error)
    except SlipwayError:
        return error
    except Exception:
        log.exception("The cause of a failure of step %s could not be looked for", step.name)
        return error


def told(failed: StepRun) -> dict[str, str]:
    """What the operation repeats of its failed step; the code is only known in the pass in which it failed."""
    error: SlipwayError | None = getattr(failed, "failure", None)
    values = {"error_message": failed.error_message, "error_remedy": failed.error_remedy}
    if error is not None:
        values |= {"error_code": error.code[:100], "correlation_id": error.correlation_id[:100]}
    return values


def reference(also: StepRun | None, operation: Operation) -> dict[str, str]:
    """Azure's reference of what kept a failure from being put right, where the failure itself has none."""
    worse: SlipwayError | None = getattr(also, "failure", None)
    if worse is None or not worse.correlation_id or operation.correlation_id:
        return {}
    return {"correlation_id": worse.correlation_id[:100]}


def last_line(outcome: Outcome, failed: StepRun, also: StepRun | None) -> str:
    if outcome is Outcome.ROLLED_BACK:
        return f"“{failed.title}” failed. The hub serves what it served before."
    if also is not None:
        return f"“{failed.title}” failed, and so did “{also.title}”: the hub may not serve. Try again, or take it down."
    return f"Stopped at “{failed.title}”. Retry goes on from there."


def apology(reference: str) -> SlipwayError:
    return PermanentError(
        "Something went wrong inside Slipway itself; this is our mistake, not yours.",
        f"Try again. If it happens again, tell the people who run this portal the reference {reference}.",
        code=f"bug-{reference}",
    )


def too_long(step: Step[Any], summary: str) -> SlipwayError:
    minutes = max(1, step.deadline // 60)
    standing = f" It last said: {summary}." if summary else ""
    return PermanentError(
        f"“{step.title}” was not finished after {minutes} minutes.{standing}",
        "Try again to give it more time, or take the hub down.",
        code="DeadlineExceeded",
    )
