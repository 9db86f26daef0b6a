"""`python -m bootstrap.alive web|worker|scheduler`: status 0 when this container's process does its work.

web: it answers. worker: RQ heard of a worker of this host lately. scheduler: it told of itself lately.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys

import django

from portal import environment


def web() -> bool:
    host = environment.items("ALLOWED_HOSTS", "localhost")[0].lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5)
    connection.request("GET", "/healthz", headers={"Host": host})
    return connection.getresponse().status == 200


def worker() -> bool:
    from deployments.heartbeat import workers

    return any(one.hostname == socket.gethostname() for one in workers())


def scheduler() -> bool:
    from deployments.heartbeat import schedulers

    return any(beat.alive and beat.host == socket.gethostname() for beat in schedulers())


def main() -> int:
    look = {"web": web, "worker": worker, "scheduler": scheduler}[sys.argv[1]]
    if look is not web:
        django.setup()
    return int(not look())


if __name__ == "__main__":
    sys.exit(main())
