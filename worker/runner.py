"""Moves many operations side by side for a bounded time: what one RQ job does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from deployments.models import Operation
from deployments.states import OperationStatus
from worker import engine
from worker.context import Context

log = logging.getLogger(__name__)

#: Operations moved at once; they mostly wait for answers from outside.
WIDTH = 8
#: A job goes on while something is due so soon (seconds): cheaper than another fork.
LINGER = 2.0
#: Longest sleep between two looks for due work within one job (seconds).
NAP = 0.2


class Aside(Protocol):
    """What a job does besides moving operations, in threads of its own."""

    def serve(self, more: bool) -> int:
        """Takes up what is due, if there may be more of it; returns at once, with how many are under way."""

    def stay(self, seconds: float) -> bool:
        """Whether something will be due within so many seconds."""


class Runner:
    """Claims what is due, moves it in a small pool, keeps the leases meanwhile, returns when nothing is due."""

    def __init__(
        self,
        plans: engine.Plans,
        context: Callable[..., Context],
        width: int = WIDTH,
        asides: Sequence[Aside] = (),
    ) -> None:
        self.plans, self.context, self.width, self.asides = plans, context, width, asides
        self._held: dict[UUID, int] = {}
        self._lock = threading.Lock()

    def run(self, limit: int, budget: float) -> int:
        """Works for about `budget` seconds, on `limit` operations at the most at a time; returns the passes made.

        As long as something aside is under way operations are moved beside it: a chore holds nobody up.
        """
        stop = threading.Event()
        keeper = threading.Thread(target=self._keep_leases, args=(stop,), name="lease-keeper", daemon=True)
        keeper.start()
        try:
            with ThreadPoolExecutor(self.width, thread_name_prefix="pass") as pool:
                return self._work(pool, limit, time.monotonic() + budget)
        finally:
            stop.set()
            keeper.join()

    def _work(self, pool: ThreadPoolExecutor, limit: int, end: float) -> int:
        running: set[Future[None]] = set()
        passes = 0
        while True:
            more = time.monotonic() < end
            aside = sum(each.serve(more) for each in self.asides)
            room = min(limit, self.width) - len(running)
            claimed = engine.claim(room) if room > 0 and (more or aside) else []
            for operation_id, fence in claimed:
                self._hold(operation_id, fence)
                running.add(pool.submit(self._advance, operation_id, fence))
            passes += len(claimed)
            if running:
                _done, running = wait(running, timeout=NAP, return_when=FIRST_COMPLETED)
            elif aside:
                time.sleep(self._nap())
            elif not more or not self._due_soon():
                return passes
            else:
                time.sleep(min(self._nap(), max(0.0, end - time.monotonic())))

    def _hold(self, operation_id: UUID, fence: int) -> None:
        with self._lock:
            self._held[operation_id] = fence

    def _advance(self, operation_id: UUID, fence: int) -> None:
        """One pass; whatever goes wrong with one operation stays with it."""
        try:
            operation = Operation.objects.select_related("deployment", "revision").get(id=operation_id)
            with bound_contextvars(operation=str(operation_id), deployment=str(operation.deployment_id)):
                plan = self.plans(operation)
                engine.Pass(operation, fence, plan, self.context, patience=self._patience()).go()
        except Exception:
            # The lease runs out by itself and the next claim finds the cloud as it is.
            log.exception("The pass over operation %s broke off", operation_id)
        finally:
            with self._lock:
                self._held.pop(operation_id, None)
            connection.close()

    def _patience(self) -> float:
        """Listening to one hub may take longer while the pool has room."""
        with self._lock:
            return 5.0 if len(self._held) <= self.width // 2 else 1.0

    def _keep_leases(self, stop: threading.Event) -> None:
        while not stop.wait(settings.SLIPWAY_LEASE_SECONDS / 3):
            with self._lock:
                held = dict(self._held)
            try:
                engine.renew(held)
            except Exception:
                log.exception("Leases could not be renewed")
        connection.close()

    def _due_soon(self) -> bool:
        soon = timezone.now() + timedelta(seconds=LINGER)
        waiting = Operation.objects.filter(status=OperationStatus.RUNNING, next_due_at__lte=soon)
        return waiting.filter(lease_until=None).exists() or any(each.stay(LINGER) for each in self.asides)

    @staticmethod
    def _nap() -> float:
        return min(NAP, settings.SLIPWAY_POLL_SECONDS)
