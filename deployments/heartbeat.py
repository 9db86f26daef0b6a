"""Signs of life of the scheduler, in Redis: each beat says who beats and when. Workers have RQ's own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from rq import Worker
from rq.worker import BaseWorker

from deployments.metering import connect, process, text

BEATS = "slipway:scheduler"
#: A scheduler tells of itself so often; one silent for longer is dead; what is older than a day is forgotten (seconds).
EVERY, SILENCE, FORGOTTEN = 5.0, 30.0, 86_400.0
#: An idle RQ worker tells of itself every minute; one silent for longer is dead.
WORKER_TTL, WORKER_SILENCE = 75, timedelta(seconds=150)


@dataclass(frozen=True)
class Beat:
    """Who beat last, and how many seconds ago."""

    who: str
    ago: float

    @property
    def alive(self) -> bool:
        return self.ago < SILENCE

    @property
    def host(self) -> str:
        return self.who.rpartition(":")[0]


class Heart:
    """One scheduler's beats: told every few seconds, however often it is asked to."""

    def __init__(self) -> None:
        self._redis, self._next = connect(), 0.0

    def beat(self) -> None:
        """:raises redis.RedisError: Redis is away."""
        if time.monotonic() >= self._next:
            self._redis.hset(BEATS, process(), str(time.time()))
            self._next = time.monotonic() + EVERY

    def stop(self) -> None:
        """The scheduler ends as it should: whoever comes next is not its second."""
        self._redis.hdel(BEATS, process())


def schedulers(client: redis.Redis | None = None) -> list[Beat]:
    """Every scheduler that was heard of within a day, the latest first."""
    client, now = client or connect(), time.time()
    found = []
    for who, at in client.hgetall(BEATS).items():
        beat = Beat(text(who), max(0.0, now - float(at)))
        if beat.ago > FORGOTTEN:
            client.hdel(BEATS, who)
        else:
            found.append(beat)
    return sorted(found, key=lambda beat: beat.ago)


def workers(client: redis.Redis | None = None) -> list[BaseWorker]:
    """RQ's workers that told of themselves lately."""
    now = datetime.now(UTC)
    return [
        worker
        for worker in Worker.all(connection=client or connect())
        if worker.last_heartbeat and now - _aware(worker.last_heartbeat) < WORKER_SILENCE
    ]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
