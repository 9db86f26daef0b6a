"""RQ entry points. They take ids at the most, and let no traceback with values reach Redis."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec
from uuid import uuid4

from django.db import close_old_connections
from django.utils import timezone

from deployments import catalogue, outside, upkeep

log = logging.getLogger(__name__)
P = ParamSpec("P")


class JobFailed(Exception):
    """All that RQ may keep of a failure: the reference under which the (redacted) log has the rest."""


def entry(job: Callable[P, None]) -> Callable[P, None]:
    """Makes a function an RQ job whose failure records hold nothing but a reference."""

    @functools.wraps(job)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        close_old_connections()
        try:
            job(*args, **kwargs)
        except Exception:
            reference = uuid4().hex[:8]
            log.exception("Job %s failed, reference %s", job.__name__, reference)
            raise JobFailed(f"See the worker's log, reference {reference}.") from None
        finally:
            close_old_connections()

    return guarded


def on_exception(*_args: Any) -> bool:
    """RQ's own handling goes on: the record holds a JobFailed only."""
    return True


@entry
def run_due(limit: int = 50, budget: float = 20.0) -> None:
    """Moves every operation that is due, for about `budget` seconds."""
    from worker.hub import HubContext
    from worker.plans import plan_of
    from worker.runner import Runner

    Runner(plan_of, HubContext).run(limit, budget)


@entry
def refresh_catalogue() -> None:
    """Looks anew at what Azure offers."""
    catalogue.refresh(outside.azure(), outside.profile())


@entry
def refresh_region(subscription_id: str, region: str) -> None:
    """Looks anew at one region, whose quota has just changed."""
    catalogue.refresh_region(outside.azure(), outside.profile(), subscription_id, region)


@entry
def purge_unused_secrets() -> None:
    """Purges the secrets of rejected and broken requests."""
    upkeep.drop_abandoned_requests(timezone.now() - timedelta(minutes=10))
    upkeep.purge_unused_secrets(outside.vault())
