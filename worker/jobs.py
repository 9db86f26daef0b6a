"""RQ entry points. They take ids at the most, and let no traceback with values reach Redis."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, Self
from uuid import uuid4

from django.db import close_old_connections, connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from deployments import cataloguing, grounds, metering, outside, upkeep
from deployments.dispatch import are_waiting

if TYPE_CHECKING:
    from worker.runner import Aside

log = logging.getLogger(__name__)
P = ParamSpec("P")


#: A job lasts no longer than this (seconds).
LONGEST_JOB = 180.0
#: It gives way to a chore that waits after the first of these (seconds), with a crowd of so many operations after the
#: second: each job signs in anew, to Azure and to every cluster.
SHORTEST_JOB, CROWDED_JOB, CROWD = 20.0, 40.0, 10


class JobFailed(Exception):
    """All that RQ may keep of a failure: the reference under which the (redacted) log has the rest."""


def entry(job: Callable[P, None]) -> Callable[P, None]:
    """Makes a function an RQ job whose failure records hold nothing but a reference."""

    @functools.wraps(job)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        close_old_connections()
        try:
            with bound_contextvars(job=job.__name__):
                job(*args, **kwargs)
        except Exception:
            reference = uuid4().hex[:8]
            log.exception("Job %s failed, reference %s", job.__name__, reference)
            raise JobFailed(f"See the worker's log, reference {reference}.") from None
        finally:
            close_old_connections()
            metering.flush()  # this process is about to end without saying goodbye

    return guarded


def on_exception(*_args: Any) -> bool:
    """RQ's own handling goes on: the record holds a JobFailed only."""
    return True


@entry
def run_due(limit: int = 50, budget: float = LONGEST_JOB) -> None:
    """Moves every operation that is due, for about `budget` seconds, and looks at what pages want to see."""
    from worker.inside.looks import Looks

    with Looks() as looks:
        _move(limit, budget, looks)


def chore(job: Callable[P, None]) -> Callable[P, None]:
    """An entry point that holds up nobody: operations are moved and looks served beside it, and after it until another
    chore waits."""

    @functools.wraps(job)
    def beside_operations(*args: P.args, **kwargs: P.kwargs) -> None:
        from worker.inside.looks import Looks

        with Chore(functools.partial(job, *args, **kwargs)) as doing, Looks(doing) as looks:
            _move(50, LONGEST_JOB, doing, looks, patient=False)

    return entry(beside_operations)


class Chore:
    """Something that takes its time, in a thread of its own; `with` waits for its end and raises what it raised."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="chore")
        self._work = work

    def __enter__(self) -> Self:
        self._future = self._pool.submit(self._do)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        self._future.result()

    def serve(self, more: bool) -> int:
        return int(not self._future.done())

    def stay(self, seconds: float) -> bool:
        return False

    def _do(self) -> None:
        try:
            self._work()
        finally:
            connection.close()


def _move(limit: int, budget: float, *asides: Aside, patient: bool = True) -> None:
    """Moves operations beside something else, for as long as a job should last: to a chore a patient one gives way
    after a while, another at once."""
    from worker.hub import HubContext
    from worker.plans import plan_of
    from worker.runner import Runner

    runner, began = Runner(plan_of, HubContext, asides=asides), time.monotonic()

    def gives_way() -> bool:
        least = CROWDED_JOB if runner.load() >= CROWD else SHORTEST_JOB
        return not (patient and time.monotonic() - began < least) and are_waiting("chores")

    runner.run(limit, budget, gives_way)


@chore
def refresh_catalogue() -> None:
    """Looks anew at what Azure offers."""
    cataloguing.refresh(outside.azure(), outside.profile())


@chore
def refresh_region(subscription_id: str, region: str) -> None:
    """Looks anew at one region, whose quota has just changed."""
    cataloguing.refresh_region(outside.azure(), outside.profile(), subscription_id, region)


@chore
def register_providers(subscription_id: str) -> None:
    """Switches on what hubs need in a subscription, because somebody asked for it."""
    try:
        grounds.register(outside.azure(), subscription_id)
    finally:
        cataloguing.follow_registration(outside.azure(), outside.profile(), subscription_id)


@chore
def follow_registrations() -> None:
    """Looks again at subscriptions in which Azure is switching something on."""
    for subscription_id in grounds.changing():
        cataloguing.follow_registration(outside.azure(), outside.profile(), subscription_id)


@chore
def purge_unused_secrets() -> None:
    """Purges the secrets of rejected and broken requests."""
    upkeep.drop_abandoned_requests(timezone.now() - timedelta(minutes=10))
    upkeep.purge_unused_secrets(outside.vault())


@chore
def check_health() -> None:
    """Looks whether hubs serve."""
    from worker.chores import health

    health.check_health()


@chore
def check_up() -> None:
    """Looks inside hubs for what is wrong with them."""
    from worker.chores import checkups

    checkups.check_up()


@chore
def mind_ends() -> None:
    """Warns owners of the last day, and takes down what was not kept longer."""
    from worker.chores import ends

    ends.mind_ends(timezone.localdate())


@chore
def archive_logs() -> None:
    """Packs logs of runs that ended long ago."""
    from worker.chores import logs

    logs.archive_logs()


@chore
def send_letters() -> None:
    """Writes to owners about what was decided and what came of it."""
    from worker.chores import letters

    letters.send_letters()


@chore
def keep_tags() -> None:
    """Tells Azure the last day of hubs that are kept longer than it was told."""
    from worker.chores import tags

    tags.keep_tags()


@chore
def examine(reference: str, probe: str) -> None:
    """Looks at what only a worker may see, for `manage.py doctor`."""
    from worker.doctor import asking

    asking.answer(reference, probe)


@chore
def survey() -> None:
    """Compares the cloud with our records."""
    from worker.chores import survey

    survey.survey()
