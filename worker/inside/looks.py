"""Fills in wanted looks beside whatever a job does, in threads of its own: somebody waits for them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol, Self
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from cloud.errors import PermanentError, SignInFailed, SlipwayError
from deployments.inside import subjects, wanting
from deployments.models import Deployment, Look
from deployments.redaction import redact
from worker.inside.hub import Inside
from worker.inside.sights import SIGHTS

log = logging.getLogger(__name__)

#: Looks at once. Who began one and has not ended it after so long is taken for dead (seconds).
WIDTH, LEASE = 8, 20.0
#: From one look to the next, by kind (seconds); what has ended does not change any more.
PAUSES = {"overview": 3.0, "pod": 2.0, "log": 1.0, "history": 15.0}
ENDED, TROUBLE = 30.0, 5.0


class Work(Protocol):
    """What else a job does, for whose sake it goes on."""

    def serve(self, more: bool) -> int:
        """How much of it is under way."""


class Looks:
    """One job's looks. A hub's client is made once and used by all looks of the job."""

    def __init__(self, beside: Work | None = None) -> None:
        self._beside = beside
        self._pool = ThreadPoolExecutor(WIDTH, thread_name_prefix="look")
        self._running: set[Future[None]] = set()
        self._hubs: dict[UUID, Inside] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for hub in self._hubs.values():
            hub.close()

    def serve(self, more: bool) -> int:
        """Begins what is due, as long as the job goes on anyway; how many looks are under way."""
        self._running = {each for each in self._running if not each.done()}
        if more or (self._beside is not None and self._beside.serve(False)):
            now = timezone.now()
            if wanting.work(now):
                wanting.forget(now)
                for look in claim(WIDTH - len(self._running)):
                    self._running.add(self._pool.submit(self._fill, look, self._inside(look.deployment)))
        return len(self._running)

    def stay(self, seconds: float) -> bool:
        """While somebody looks, another job would only have to sign in anew."""
        return wanting.wanted(timezone.now())

    def _inside(self, hub: Deployment) -> Inside:
        if hub.id not in self._hubs:
            self._hubs[hub.id] = Inside(hub)
        return self._hubs[hub.id]

    @staticmethod
    def _fill(look: Look, inside: Inside) -> None:
        try:
            fill(look, inside)
        except Exception:
            # The lease runs out by itself, and somebody looks again.
            log.exception("The look %s broke off", look)
        finally:
            connection.close()


def claim(room: int) -> Iterator[Look]:
    """Takes up to so many looks that are due; each goes to one worker alone."""
    now = timezone.now()
    found = wanting.due(now).order_by("due_at").select_related("deployment__serving") if room > 0 else ()
    for look in list(found[:room]) if found else []:
        until = now + timedelta(seconds=LEASE)
        if Look.objects.filter(id=look.id, due_at=look.due_at).update(due_at=until):
            look.due_at = until
            yield look


def fill(look: Look, inside: Inside) -> None:
    """Looks, keeps what was seen or why nothing was, and wakes the page."""
    subject = subjects.read(look.subject)
    if subject is None:
        look.delete()
        return
    before = look.data
    try:
        if why := wanting.closed(look.deployment):
            raise PermanentError(why)
        data, problem = SIGHTS[subject.kind](inside, subject, before), ""
    except SlipwayError as error:
        if isinstance(error, SignInFailed):
            inside.renew()
        data, problem = before, _said(error)
    except Exception:
        reference = uuid4().hex[:8]
        log.exception("A bug in the look %s, reference %s", look, reference)
        data, problem = before, f"Something went wrong inside Slipway itself. Its log has the reference {reference}."
    _keep(look, data, problem, ENDED if subject.previous else TROUBLE if problem else PAUSES[subject.kind])


def _keep(look: Look, data: dict[str, Any], problem: str, pause: float) -> None:
    """Unless somebody else has the look by now."""
    now = timezone.now()
    values = {"looked_at": now, "problem": problem, "due_at": now + timedelta(seconds=pause)}
    if data != look.data:
        values["data"] = data
    if Look.objects.filter(id=look.id, due_at=look.due_at).update(**values):
        wanting.tell(look)


def _said(error: SlipwayError) -> str:
    return redact(" ".join(part for part in (error.user_message, error.remedy) if part))
