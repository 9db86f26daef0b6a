"""Shared looks: one call to the outside answers for everything that waits there, and only what has changed is moved."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cloud.errors import SlipwayError, Throttled
from deployments import broker
from deployments.models import Operation, StepRun
from deployments.states import OperationStatus, StepState
from worker import pace
from worker.shared import Shared
from worker.step import Watch

log = logging.getLogger(__name__)

#: Thing → what the look shows of it. What it does not show has the mark "".
Marks = Mapping[str, str]
#: A look that failed so often in a row tells nothing: whoever waits for it looks by itself again.
PATIENCE = 3
#: A look that takes long (a list of thousands) is taken so many times more rarely than it takes.
REST = 5.0


class Lookouts:
    """The shared looks of this process, each named `kind:what it is about`."""

    def __init__(self, kinds: Mapping[str, Callable[[str], Marks]]) -> None:
        self._kinds = kinds
        self._shared = Shared()
        #: How many attendants are at work here; without one nobody would see a change.
        self.attended = 0

    def look(self, lookout: str, max_age: float) -> Marks:
        kind, _, about = lookout.partition(":")
        return self._shared.get(lookout, max_age, partial(self._kinds[kind], about))

    def watch(self, lookout: str, thing: str, mark: str) -> Watch | None:
        """A watch for the thing, provided that somebody attends to it and that the look agrees by now.

        A list may lag behind what one has just made, or not show it at all: then each looks for itself as ever.
        """
        if not self.attended:
            return None
        try:
            shown = self.look(lookout, settings.SLIPWAY_POLL_SECONDS).get(thing)
        except SlipwayError:
            return None
        return Watch(lookout, thing, mark) if shown == mark else None


@dataclass(frozen=True)
class Waiter:
    """A step that waits until the look shows another mark for its thing."""

    run: int
    operation: UUID
    thing: str
    mark: str
    began: datetime | None
    expected: int


@dataclass
class _Turn:
    """When a look was last taken, what it took, how often it has failed in a row."""

    at: float = float("-inf")
    took: float = 0.0
    not_before: float = float("-inf")
    failures: int = 0


@dataclass
class Attendant:
    """Takes the shared looks for whatever waits; `with` keeps a thread at it."""

    lookouts: Lookouts
    now: Callable[[], datetime] = timezone.now
    #: How many steps waited at the last tick.
    waiting: int = 0
    _turns: dict[str, _Turn] = field(default_factory=lambda: defaultdict(_Turn))
    _name: str = field(default_factory=lambda: uuid4().hex)

    def __enter__(self) -> Attendant:
        self._stop = threading.Event()
        self.waiting = _on_lookout().count()
        self._thread = threading.Thread(target=self._attend, name="lookout", daemon=True)
        self.lookouts.attended += 1
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.lookouts.attended -= 1
        self._stop.set()
        self._thread.join()
        for lookout in self._turns:
            broker.resign(_office(lookout), self._name)

    def _attend(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self.tick()
                except Exception:
                    log.exception("The shared looks broke off; the next comes soon")
                    connection.close()
                self._stop.wait(settings.SLIPWAY_POLL_SECONDS)
        finally:
            connection.close()

    def tick(self) -> int:
        """Takes the looks whose time has come; returns how many operations have become due."""
        waiters = _waiting()
        self.waiting = sum(map(len, waiters.values()))
        return sum(self._look(lookout, some) for lookout, some in waiters.items() if self._is_time(lookout, some))

    def _is_time(self, lookout: str, waiters: Sequence[Waiter]) -> bool:
        """As often as the one of them needs that is nearest to its end; by one process alone."""
        turn, now = self._turns[lookout], self.now()
        rest = min(pace.pause(pace.seconds_between(each.began, now), each.expected) for each in waiters)
        rest = max(rest, REST * turn.took)
        if time.monotonic() < max(turn.not_before, turn.at + rest - settings.SLIPWAY_POLL_SECONDS / 2):
            return False
        turn.at = time.monotonic()
        return broker.leads(_office(lookout), self._name, min(1.5 * rest, settings.SLIPWAY_LEASE_SECONDS))

    def _look(self, lookout: str, waiters: Sequence[Waiter]) -> int:
        turn = self._turns[lookout]
        try:
            marks = self.lookouts.look(lookout, max_age=0.0)
        except Throttled as error:
            turn.not_before = time.monotonic() + (error.delay or pace.SLOWEST)
            return 0
        except SlipwayError as error:
            turn.failures += 1
            log.warning("The shared look %s told nothing (%s times): %s", lookout, turn.failures, error)
            return _wake(waiters, self.now()) if turn.failures >= PATIENCE else 0
        turn.took, turn.failures = time.monotonic() - turn.at, 0
        return _wake([each for each in waiters if marks.get(each.thing, "") != each.mark], self.now())


def _office(lookout: str) -> str:
    return f"slipway:lookout:{lookout}"


def anything_waits() -> bool:
    """Whether some step waits for a shared look; an attendant is wanted then."""
    return _on_lookout().exists()


def _on_lookout() -> QuerySet[StepRun]:
    running = StepRun.objects.filter(lookout__isnull=False, state=StepState.WORKING)
    return running.filter(operation__status=OperationStatus.RUNNING)


def _waiting() -> dict[str, list[Waiter]]:
    """All that wait and that no worker holds at the moment, by their lookout."""
    found: dict[str, list[Waiter]] = defaultdict(list)
    rows = _on_lookout().filter(operation__in=Operation.objects.unheld())
    columns = ("lookout", "id", "operation_id", "thing", "mark", "started_at", "expected_seconds")
    for lookout, *about in rows.values_list(*columns):
        found[lookout].append(Waiter(*about))
    return found


def _wake(waiters: Sequence[Waiter], now: datetime) -> int:
    """Makes their operations due, all at once; one that a worker holds by now is left for the next look."""
    if not waiters:
        return 0
    with transaction.atomic():
        free = Operation.objects.unheld().filter(id__in=[each.operation for each in waiters])
        ids = list(free.select_for_update(skip_locked=True).values_list("id", flat=True))
        runs = StepRun.objects.filter(id__in=[each.run for each in waiters], operation__in=ids)
        runs.update(lookout=None, next_due_at=now)
        return Operation.objects.filter(id__in=ids).update(next_due_at=now)
