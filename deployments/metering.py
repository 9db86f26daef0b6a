"""Figures that only grow, counted where things happen and added up in Redis: every process on every machine counts.

A process keeps its counts for a moment and sends them together. RQ's work-horses come and go by the thousand: none of
them could be asked. Redis may lose everything: then the figures begin at nought again, as Prometheus expects of a
counter. Facts that the database knows are not counted here (`portal/metrics.py` reads them).
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import redis
from django.conf import settings

from cloud import calls

log = logging.getLogger(__name__)

#: Redis hashes: what was counted, and what each process has open just now.
TOTALS, LEVELS = "slipway:totals", "slipway:levels"
#: A count waits so long for company; a level is told again so often, and forgotten when it was not (seconds).
PATIENCE, REPEAT, FORGOTTEN = 2.0, 15.0, 60.0

SHORT = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LONG = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0)


@dataclass(frozen=True)
class Metric:
    """One figure: what kind it is, what it tells, by which labels it is split."""

    kind: Literal["counter", "histogram", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS = {
    "slipway_outside_calls_total": Metric(
        "counter", "Calls to Azure, clusters, Helm, registries and hubs.", ("service", "code")
    ),
    "slipway_outside_call_seconds": Metric("histogram", "How long those calls took.", ("service",), SHORT),
    "slipway_step_seconds": Metric("histogram", "How long finished steps took.", ("kind", "step", "state"), LONG),
    "slipway_leases_taken_over_total": Metric("counter", "Runs taken over from a worker that went silent."),
    "slipway_http_requests_total": Metric("counter", "Requests the portal answered.", ("method", "code")),
    "slipway_http_request_seconds": Metric("histogram", "How long answers took to begin.", (), SHORT),
    "slipway_viewers": Metric("gauge", "Live logs open in browsers."),
}


class Meter:
    """This process's counts that are on their way. Thread-safe; a forked child begins with none."""

    def __init__(self) -> None:
        self._redis: redis.Redis | None = None
        self.forget()

    def forget(self) -> None:
        """Drops everything: after a fork it is the parent's to tell, and the parent's connection."""
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, float] = defaultdict(float)
        self._levels: defaultdict[str, float] = defaultdict(float)
        self._timer: threading.Timer | None = None
        self._redis = None

    def add(self, key: str, amount: float) -> None:
        with self._lock:
            self._waiting[key] += amount
            self._soon(PATIENCE)

    def level(self, key: str, change: float) -> None:
        with self._lock:
            self._levels[key] += change
            self._soon(PATIENCE)

    def flush(self) -> None:
        """Sends what waits. Without Redis it waits on: there are only so many different figures."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            waiting, self._waiting = self._waiting, defaultdict(float)
            levels = dict(self._levels)
        if not waiting and not levels:
            return
        try:
            self._send(waiting, levels)
        except (redis.RedisError, OSError) as error:
            log.debug("Figures wait until Redis answers: %s", error)
            with self._lock:
                self._redis = None
                for key, amount in waiting.items():
                    self._waiting[key] += amount
                self._soon(REPEAT)

    def _send(self, waiting: dict[str, float], levels: dict[str, float]) -> None:
        # Held here too: a client that nobody holds any more closes its connections, whoever still uses one.
        client = self._redis = self._redis or connect()
        pipe = client.pipeline(transaction=False)
        for key, amount in waiting.items():
            pipe.hincrbyfloat(TOTALS, key, amount)
        for key, value in levels.items():
            pipe.hset(LEVELS, f"{key}\n{process()}", f"{value} {time.time()}")
        pipe.execute()
        with self._lock:
            self._levels = defaultdict(float, {key: value for key, value in self._levels.items() if value})
            if self._levels:
                self._soon(REPEAT)

    def _soon(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = threading.Timer(seconds, self.flush)
            self._timer.daemon = True
            self._timer.start()


_meter = Meter()
os.register_at_fork(after_in_child=_meter.forget)
atexit.register(_meter.flush)
flush, forget = _meter.flush, _meter.forget


def count(name: str, amount: float = 1, **labels: str) -> None:
    """The counter grows."""
    _meter.add(key_of(name, labels), amount)


def observe(name: str, seconds: float, **labels: str) -> None:
    """The histogram has one more."""
    bucket = next((str(limit) for limit in METRICS[name].buckets if seconds <= limit), "+Inf")
    _meter.add(key_of(name, {**labels, "le": bucket}), 1)
    _meter.add(key_of(name, {**labels, "le": "sum"}), seconds)


def level(name: str, change: float) -> None:
    """What this process has open becomes more or less."""
    _meter.level(key_of(name, {}), change)


def count_outside_calls() -> None:
    """From now on every call that `cloud/` makes counts."""
    calls.listen(_outside)


def totals() -> Iterator[tuple[str, dict[str, str], float]]:
    """Name, labels and value of everything counted so far, by all processes; `le` is one bucket alone, or `sum`.

    :raises redis.RedisError: Redis is away.
    """
    for raw, value in connect().hgetall(TOTALS).items():
        name, labels = json.loads(raw)
        if name in METRICS:  # an older version may have counted something else
            yield name, labels, float(value)


def levels() -> dict[str, float]:
    """What all living processes have open together, by the figure's name."""
    found: dict[str, float] = {}
    client = connect()
    for raw, told in client.hgetall(LEVELS).items():
        value, at = told.split()
        if time.time() - float(at) > FORGOTTEN:
            client.hdel(LEVELS, raw)
            continue
        name, _labels = json.loads(text(raw).partition("\n")[0])
        found[name] = found.get(name, 0.0) + float(value)
    return found


def connect() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def text(raw: bytes | str) -> str:
    """What redis-py answers, which it types as either."""
    return raw.decode() if isinstance(raw, bytes) else raw


def process() -> str:
    """This process among all of the installation's."""
    return f"{socket.gethostname()}:{os.getpid()}"


def key_of(name: str, labels: dict[str, str]) -> str:
    return json.dumps([name, dict(sorted(labels.items()))], separators=(",", ":"))


def _outside(service: str, code: str, seconds: float) -> None:
    count("slipway_outside_calls_total", service=service, code=code)
    observe("slipway_outside_call_seconds", seconds, service=service)
