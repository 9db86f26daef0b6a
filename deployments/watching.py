"""Who watches which operation in this process, and one Redis subscriber that wakes them all.

An operation that is watched is read once per wake for all of its viewers, at most ten times a second. Redis carries
nothing but "look now": without it the database is looked at every two seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from django.db import connections

from accounts.models import User
from deployments import events, metering
from deployments.log import lines_after
from deployments.models import Operation

log = logging.getLogger(__name__)

Lines = list[dict[str, Any]]
Result = TypeVar("Result")

BATCH_SECONDS, POLL_SECONDS, CALM_SECONDS = 0.1, 2.0, 15.0
#: Notes a slow viewer may lag behind before it is let go; its browser resumes where it was.
MOST_NOTES = 50
CHUNK = 500

# Threads of our own: Django's own thread for a request would hold a database connection for as long as a page is open.
_readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="stream")


@dataclass(frozen=True)
class Snapshot:
    """An operation as it stood: the lines asked for, how many there are, and a fingerprint of its steps."""

    lines: Lines
    count: int
    status: str
    final: bool
    fingerprint: tuple[Any, ...]

    def is_over(self, last: int) -> bool:
        """Whether nothing comes after line `last`."""
        return self.final and last >= self.count


@dataclass(frozen=True)
class Note:
    """New lines for viewers; whether a step or status changed; the snapshot once the operation is over."""

    lines: Lines
    changed: bool
    end: Snapshot | None


class Gone:
    """The viewer was let go."""


@dataclass(eq=False)
class Viewer:
    """One open page. It is given notes; one that does not keep up is let go."""

    operation_id: UUID
    _notes: asyncio.Queue[Note] = field(default_factory=lambda: asyncio.Queue(MOST_NOTES))
    _overflowed: bool = False

    def give(self, note: Note) -> None:
        try:
            self._notes.put_nowait(note)
        except asyncio.QueueFull:
            self._overflowed = True

    async def next(self) -> Note | Gone:
        return Gone() if self._overflowed else await self._notes.get()


@dataclass(eq=False)
class Watched:
    """One operation with its viewers and the task that reads it for them."""

    operation_id: UUID
    viewers: set[Viewer] = field(default_factory=set)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Watchers:
    """Everybody who watches, in one event loop."""

    def __init__(self) -> None:
        self._watched: dict[UUID, Watched] = {}
        self._listener: asyncio.Task[None] | None = None
        self._subscribed = False
        # The event loop itself holds tasks only weakly: one that still closes its connection must not be collected.
        self._ending: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def viewer(self, operation_id: UUID) -> Iterator[Viewer]:
        """A viewer that is told of everything that happens from now on."""
        viewer = Viewer(operation_id)
        watched = self._watched.get(operation_id) or self._begin(operation_id)
        watched.viewers.add(viewer)
        metering.level("slipway_viewers", +1)
        try:
            yield viewer
        finally:
            metering.level("slipway_viewers", -1)
            watched.viewers.discard(viewer)
            if not watched.viewers:
                self._stop(watched)

    def _begin(self, operation_id: UUID) -> Watched:
        watched = self._watched[operation_id] = Watched(operation_id)
        watched.task = asyncio.create_task(self._read(watched))
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        return watched

    def _stop(self, watched: Watched) -> None:
        if self._watched.get(watched.operation_id) is watched:
            del self._watched[watched.operation_id]
        if watched.task:
            self._end(watched.task)
        if not self._watched and self._listener:
            self._end(self._listener)
            self._listener = None
            self._subscribed = False

    def _end(self, task: asyncio.Task[None]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        task.cancel()

    async def _read(self, watched: Watched) -> None:
        """Reads what is new whenever somebody says so, and gives it to every viewer."""
        last, seen = -1, None
        while True:
            try:
                snapshot = await look(watched.operation_id, last, CHUNK)
            except Exception:
                log.exception("The live log could not be read; it is tried again.")
                await asyncio.sleep(POLL_SECONDS)
                continue
            # The first look only finds out where the log stands: viewers replay up to there by themselves.
            changed = seen is not None and snapshot.fingerprint != seen
            last = snapshot.lines[-1]["number"] if snapshot.lines else max(last, 0)
            end = snapshot if snapshot.is_over(last) else None
            if seen is None or snapshot.lines or changed:
                _give(watched, Note(snapshot.lines, changed, end))
            seen = snapshot.fingerprint
            if len(snapshot.lines) < CHUNK:
                await self._wait(watched)

    async def _wait(self, watched: Watched) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watched.woken.wait(), CALM_SECONDS if self._subscribed else POLL_SECONDS)
            await asyncio.sleep(BATCH_SECONDS)
        watched.woken.clear()

    async def _listen(self) -> None:
        """Turns Redis' messages into wakes; a lost Redis is looked for again every two seconds."""
        while True:
            try:
                await self._subscription()
            except (redis.RedisError, OSError) as error:
                log.warning("Live logs poll the database, Redis is away: %s", error)
            self._subscribed = False
            self._wake_all()
            await asyncio.sleep(POLL_SECONDS)

    async def _subscription(self) -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        async with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(events.CHANNEL)
            self._subscribed = True
            self._wake_all()  # what was said before we listened
            while True:
                if message := await pubsub.get_message(timeout=None):
                    self._wake(message["data"])

    def _wake(self, payload: bytes) -> None:
        with contextlib.suppress(ValueError):
            if watched := self._watched.get(UUID(payload.decode())):
                watched.woken.set()

    def _wake_all(self) -> None:
        for watched in self._watched.values():
            watched.woken.set()


def _give(watched: Watched, note: Note) -> None:
    for viewer in list(watched.viewers):
        viewer.give(note)


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Watchers] = WeakKeyDictionary()


def watchers() -> Watchers:
    """The running event loop's watchers."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loop:
        _of_loop[loop] = Watchers()
    return _of_loop[loop]


async def look(operation_id: UUID, after: int, limit: int) -> Snapshot:
    """The operation now, with up to `limit` lines after that number; none at all for -1, but the newest."""
    return await in_thread(partial(_look, operation_id, after, limit))


def _look(operation_id: UUID, after: int, limit: int) -> Snapshot:
    # The status is read before the lines: a final one read here has all of its lines in the database already.
    operation = Operation.objects.get(id=operation_id)
    found = lines_after(operation, after if after >= 0 else max(0, operation.event_count - 1), limit)
    lines = [
        {"number": e.number, "at": e.at.isoformat(), "level": e.level, "step": e.step, "message": e.message}
        for e in found
    ]
    steps = operation.steps.values_list("name", "state", "summary", "attempts", "error_message")
    fingerprint = (operation.status, operation.cancel_requested, tuple(steps))
    return Snapshot(lines, operation.event_count, operation.status, operation.is_final, fingerprint)


async def permitted(operation_id: UUID, user_id: int, session: str) -> bool:
    """Whether the person is still signed in and may still see the operation."""
    return await in_thread(partial(_permitted, operation_id, user_id, session))


def _permitted(operation_id: UUID, user_id: int, session: str) -> bool:
    user = signed_in(user_id, session)
    if user is None:
        return False
    return Operation.objects.visible_to(user).filter(id=operation_id).exists()


def signed_in(user_id: int, session: str) -> User | None:
    """The person, while that session of theirs lasts."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    user = User.objects.filter(id=user_id, is_active=True).first()
    return user if user is not None and store.exists(session) else None


async def in_thread(read: Callable[[], Result]) -> Result:
    """Reads from the database in a thread that keeps no connection."""

    def reading() -> Result:
        try:
            return read()
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(_readers, reading)
