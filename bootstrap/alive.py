"""`python -m bootstrap.alive web|worker|queue`: status 0 when this container's process does its work.

web: it answers. worker: RQ heard of a worker of this host lately. queue: Redis answers (the sweep needs no more).
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from datetime import UTC, datetime, timedelta

from redis import Redis
from rq import Worker

from portal import environment

#: An idle RQ worker reports itself every 405 s.
SILENCE = timedelta(seconds=600)


def web() -> bool:
    host = environment.items("ALLOWED_HOSTS", "localhost")[0].lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5)
    connection.request("GET", "/healthz", headers={"Host": host})
    return connection.getresponse().status == 200


def worker() -> bool:
    here = [one for one in Worker.all(connection=_redis()) if one.hostname == socket.gethostname()]
    now = datetime.now(UTC)
    return any(one.last_heartbeat and now - _aware(one.last_heartbeat) < SILENCE for one in here)


def queue() -> bool:
    return bool(_redis().ping())


def _redis() -> Redis:
    return Redis.from_url(environment.text("REDIS_URL"))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(not {"web": web, "worker": worker, "queue": queue}[sys.argv[1]]())
