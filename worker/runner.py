"""Moves many operations side by side for a bounded time: what one RQ job does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

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


class Runner:
    """Claims what is due, moves it in a small pool, keeps the leases meanwhile, returns when nothing is due."""

    def __init__(self, plans: engine.Plans, context: Callable[..., Context], width: int = WIDTH) -> None:
        self.plans, self.context, self.width = plans, context, width
        self._held: dict[UUID, int] = {}
        self._lock = threading.Lock()

    def run(self, limit: int, budget: float) -> int:
        """Works for about `budget` seconds, on `limit` operations at the most at a time; returns the passes made."""
        end, passes = time.monotonic() + budget, 0
        stop = threading.Event()
        keeper = threading.Thread(target=self._keep_leases, args=(stop,), name="lease-keeper", daemon=True)
        keeper.start()
        try:
            with ThreadPoolExecutor(self.width, thread_name_prefix="pass") as pool:
                running: set[Future[None]] = set()
                while True:
                    room = min(limit, self.width) - len(running)
                    claimed = engine.claim(room) if room > 0 and time.monotonic() < end else []
                    for operation_id, fence in claimed:
                        self._hold(operation_id, fence)
                        running.add(pool.submit(self._advance, operation_id, fence))
                    passes += len(claimed)
                    if running:
                        _done, running = wait(running, timeout=NAP, return_when=FIRST_COMPLETED)
                    elif time.monotonic() >= end or not self._sleep_until_due(end):
                        return passes
        finally:
            stop.set()
            keeper.join()

    def _hold(self, operation_id: UUID, fence: int) -> None:
        with self._lock:
            self._held[operation_id] = fence

    def _advance(self, operation_id: UUID, fence: int) -> None:
        """One pass; whatever goes wrong with one operation stays with it."""
        try:
            operation = Operation.objects.select_related("deployment", "revision").get(id=operation_id)
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

    @staticmethod
    def _sleep_until_due(end: float) -> bool:
        """Naps while something is due soon; False when nothing is."""
        soon = timezone.now() + timedelta(seconds=LINGER)
        waiting = Operation.objects.filter(status=OperationStatus.RUNNING, next_due_at__lte=soon)
        if not waiting.filter(lease_until=None).exists():
            return False
        time.sleep(max(0.0, min(NAP, settings.SLIPWAY_POLL_SECONDS, end - time.monotonic())))
        return True
