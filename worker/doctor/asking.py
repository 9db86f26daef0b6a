"""Asks a worker, wherever it runs, to look at what only it may see; the answer comes back through Redis."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import redis

from deployments.dispatch import send
from deployments.metering import connect
from worker.doctor import azure
from worker.doctor.findings import Finding, looked

ANSWER = "slipway:doctor:"
KEPT, GLANCE = 600, 0.2  # seconds


def ask(probe: str, patience: float) -> list[Finding]:
    """What a worker finds; a worker that does not answer is a finding too."""
    reference = uuid4().hex
    try:
        client = connect()
        client.ping()
        send("chores", "worker.jobs.examine", reference, probe)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if answer := client.getdel(f"{ANSWER}{reference}"):
                return [Finding(**each) for each in json.loads(answer)]
            time.sleep(GLANCE)
    except (redis.RedisError, OSError):
        pass  # the queue's own finding says so
    what = f"No worker answered within {patience:.0f} s: what it may do in Azure was not looked at."
    left = f" The probe {probe} is still in the vault." if probe else ""
    remedy = "Mend what is said of queue and workers; then run this again, or with --here in a worker's place."
    return [Finding.error("worker's identity", what + left, remedy)]


def answer(reference: str, probe: str) -> None:
    """Looks, and leaves the findings for whoever asked."""
    found = [each.as_dict() for each in examine(probe)]
    connect().set(f"{ANSWER}{reference}", json.dumps(found), ex=KEPT)


def examine(probe: str) -> list[Finding]:
    """The worker's part, in this very process."""
    return [finding for part, look in azure.looks(probe).items() for finding in looked(part, look)]
