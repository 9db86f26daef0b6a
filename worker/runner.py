"""Moves many operations side by side for a bounded time: what one RQ job does."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from deployments.models import Operation
from worker import engine, leases
from worker.context import Context
from worker.lanes import Lane
from worker.lookouts import Attendant

log = logging.getLogger(__name__)

#: Operations moved at once; they mostly wait for answers. Azure's SDK keeps as many connections open.
WIDTH = 10
#: A job goes on while something is due so soon (seconds): cheaper than another fork.
LINGER = 2.0
#: Longest sleep between two looks for due work within one job (seconds).
NAP = 0.2
#: Set when this process is to come to its end: jobs finish what they are moving, and no more.
winding_up = threading.Event()
#: Somebody's wish to cancel what waits for its turn is noticed within so many seconds.
NOTICE = 1.0


class Aside(Protocol):
    """What a job does besides moving operations, in threads of its own."""

    def serve(self, more: bool) -> int:
        """Takes up what is due, if there may be more of it; returns at once, with how many are under way."""

    def stay(self, seconds: float) -> bool:
        """Whether something will be due within so many seconds."""


class Runner:
    """Claims what is due, moves it in two lanes, keeps the leases meanwhile, returns when nothing is due.

    Steps that need much of this machine's CPU go in a lane one wider than it has cores (each also waits for answers),
    first come, first served: more of them at once would take as long and much more memory. Whoever waits there holds up
    nobody else.
    """

    def __init__(
        self,
        plans: engine.Plans,
        context: Callable[..., Context],
        width: int = WIDTH,
        asides: Sequence[Aside] = (),
        heavy_width: int = 0,
    ) -> None:
        self.plans, self.context, self.width, self.asides = plans, context, width, asides
        self._held: dict[UUID, int] = {}
        self._lock = threading.Lock()
        self._moved = threading.Event()
        self._light = Lane("pass", width, lambda operation, fence: self._advance(operation, fence, heavy=False))
        self._heavy = Lane(
            "heavy", heavy_width or _cores() + 1, lambda operation, fence: self._advance(operation, fence, heavy=True)
        )
        self._attendant = _attendant(context)
        self._claim_at = self._notice_at = self._serve_at = 0.0
        self._aside, self._goes_on = 0, True
        self._parent = os.getppid()

    def run(self, limit: int, budget: float, gives_way: Callable[[], bool] = lambda: False) -> int:
        """Works for about `budget` seconds, on `limit` light operations at the most at a time; returns the passes made.

        As long as something aside is under way operations are moved beside it: a chore holds nobody up. It ends sooner
        when nothing is due, when it `gives_way` to something else, or when the process is to end.
        """
        self._gives_way = gives_way
        stop = threading.Event()
        keeper = threading.Thread(target=self._keep_leases, args=(stop,), name="lease-keeper", daemon=True)
        keeper.start()
        try:
            with ExitStack() as stack:
                for helper in (self._attendant, self._light, self._heavy):
                    if helper is not None:
                        stack.enter_context(helper)
                return self._work(limit, time.monotonic() + budget)
        finally:
            stop.set()
            keeper.join()

    def load(self) -> int:
        """How many operations this job holds."""
        return self._light.load() + self._heavy.load()

    def _work(self, limit: int, end: float) -> int:
        passes = 0
        while True:
            more, aside = self._serve(end)
            if more or aside:
                passes += self._take(limit)
                self._notice()
            else:
                self._hand_back(self._light.withdraw() | self._heavy.withdraw())
            if self.load():
                self._moved.wait(self._nap())
                self._moved.clear()
            elif aside:
                time.sleep(self._nap())
            elif not more or not self._due_soon():
                return passes
            else:
                time.sleep(min(self._nap(), max(0.0, end - time.monotonic())))

    def _serve(self, end: float) -> tuple[bool, int]:
        """Whether the job goes on, and how much is under way aside: seen to once a nap, not after each pass."""
        if time.monotonic() >= self._serve_at:
            self._serve_at = time.monotonic() + self._nap()
            self._goes_on = time.monotonic() < end and not self._is_over() and not self._gives_way()
            self._aside = sum(each.serve(self._goes_on) for each in self.asides)
        return self._goes_on, self._aside

    def _is_over(self) -> bool:
        """Whether the process is to end, or has outlived the worker that started it, whose place another has by now."""
        return winding_up.is_set() or os.getppid() != self._parent

    def _take(self, limit: int) -> int:
        """Claims as many as there is room for: some at a time, and not again at once when there were fewer."""
        most = min(limit, 2 * self.width)
        room = most - self._light.load()
        if room < max(1, most // 4) or time.monotonic() < self._claim_at:
            return 0
        claimed = leases.claim(room)
        if len(claimed) < room:
            self._claim_at = time.monotonic() + self._nap()
        for operation_id, fence in claimed:
            with self._lock:
                self._held[operation_id] = fence
            self._light.put(operation_id, fence)
        return len(claimed)

    def _notice(self) -> None:
        """Lets go of what waits for its turn in vain: the next pass stops it."""
        if time.monotonic() < self._notice_at:
            return
        self._notice_at = time.monotonic() + NOTICE
        if waiting := self._heavy.waiting():
            self._hand_back(self._heavy.withdraw(leases.unwanted(waiting)))

    def _hand_back(self, unmoved: Mapping[UUID, int]) -> None:
        if unmoved:
            leases.give_back(unmoved)
            with self._lock:
                for operation_id in unmoved:
                    self._held.pop(operation_id, None)

    def _advance(self, operation_id: UUID, fence: int, heavy: bool) -> None:
        """One pass; whatever goes wrong with one operation stays with it."""
        waits = False
        try:
            operation = Operation.objects.select_related("deployment", "revision").get(id=operation_id)
            with bound_contextvars(operation=str(operation_id), deployment=str(operation.deployment_id)):
                plan = self.plans(operation)
                each = engine.Pass(operation, fence, plan, self.context, patience=self._patience(), heavy=heavy)
                waits = each.go()
        except Exception:
            # The lease runs out by itself and the next claim finds the cloud as it is.
            log.exception("The pass over operation %s broke off", operation_id)
            connection.close()
        finally:
            if waits:
                self._heavy.put(operation_id, fence)
            else:
                with self._lock:
                    self._held.pop(operation_id, None)
            self._moved.set()

    def _patience(self) -> float:
        """Listening to one hub may take longer while the lane has room."""
        return 5.0 if self._light.load() <= self.width // 2 else 1.0

    def _keep_leases(self, stop: threading.Event) -> None:
        while not stop.wait(settings.SLIPWAY_LEASE_SECONDS / 3):
            with self._lock:
                held = dict(self._held)
            try:
                leases.renew(held)
            except Exception:
                log.exception("Leases could not be renewed")
                connection.close()
        connection.close()

    def _due_soon(self) -> bool:
        if self._attendant is not None and self._attendant.waiting:
            return True
        soon = timezone.now() + timedelta(seconds=LINGER)
        waiting = Operation.objects.unheld().filter(next_due_at__lte=soon)
        return waiting.exists() or any(each.stay(LINGER) for each in self.asides)

    @staticmethod
    def _nap() -> float:
        return min(NAP, settings.SLIPWAY_POLL_SECONDS)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _attendant(context: Callable[..., Context]) -> Attendant | None:
    """Who takes the shared looks that steps of such a context wait for."""
    lookouts = getattr(context, "lookouts", None)
    return Attendant(lookouts) if lookouts is not None else None
