"""What a teardown meets and does not touch."""

from __future__ import annotations

from deployments.naming import OWNER_TAG
from deployments.states import Level
from worker.hub import HubContext
from worker.step import Found

OTHERS = f"Its tag {OWNER_TAG} is missing or another's, so it does not belong to this hub."


def left_alone(ctx: HubContext, kind: str, name: str, why: str) -> Found:
    """Notes, once, what is not touched and why; for this run it is dealt with."""
    known: list[dict[str, str]] = ctx.operation.result.get("left_alone", [])
    note = {"kind": kind, "name": name, "why": why}
    if note not in known:
        ctx.log(f"Left alone: {kind} {name}. {why}", Level.WARNING)
        ctx.keep_result(left_alone=[*known, note])
    return Found.ready(f"{name} was left alone: {why}")
