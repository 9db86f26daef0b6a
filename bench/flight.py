"""The measured process of bench.engine: `python -m bench.flight <operations> <seconds> shared|own`."""

from __future__ import annotations

import json
import random
import resource
import statistics
import sys
import threading
import time
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import django

#: Seconds after which nothing is left of the beginning, in which all come at once.
SETTLE = 20.0
#: Seconds that a cluster takes, and the steps before and after it.
CLUSTER, BEFORE, AFTER = 300.0, ("group",), ("namespace", "address")


def main(operations: int, seconds: float, how: str) -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    Flight(operations, shared=how == "shared").measure(seconds)


class Flight:
    """So many operations, each as far on its way as it happens to be; one that ends is replaced by a new one."""

    def __init__(self, operations: int, shared: bool) -> None:
        from worker.lookouts import Lookouts

        self.operations, self.shared = operations, shared
        #: Operation → when its cluster is ready (monotonic); what changes is known here to the millisecond.
        self.ready: dict[str, float] = {}
        self.lags: list[float] = []
        self.looks, self.landed = 0, 0
        self.lock, self.over = threading.Lock(), threading.Event()
        self.lookouts = Lookouts({"clouds": self._look})

    def measure(self, seconds: float) -> None:
        from django.conf import settings

        from worker.context import Context
        from worker.runner import Runner

        flight = self

        class Aloft(Context):
            lookouts: ClassVar[Any] = flight.lookouts if flight.shared else None

        plan = self._plan()
        self._take_off()
        replacer = threading.Thread(target=self._replace, daemon=True)
        replacer.start()
        self._until_all_have_begun(lambda: Runner(lambda _operation: plan, Aloft).run(limit=50, budget=2.0))
        Runner(lambda _operation: plan, Aloft).run(limit=50, budget=SETTLE)  # what became ready while they began
        with self.lock:
            self.lags.clear()
            self.looks = 0
        began, before = time.monotonic(), time.process_time()
        while time.monotonic() < began + seconds:
            Runner(lambda _operation: plan, Aloft).run(limit=50, budget=20.0)
        taken, used = time.monotonic() - began, time.process_time() - before
        self.over.set()
        replacer.join()
        self._tell(taken, used, settings.SLIPWAY_POLL_SECONDS)

    def _tell(self, seconds: float, cpu: float, poll: float) -> None:
        lags = sorted(self.lags)
        told = {
            "median": statistics.median(lags),
            "p99": lags[int(len(lags) * 0.99)],
            "slowest": lags[-1],
            "moved": len(lags),
            "seconds": seconds,
            "cpu": cpu,
            "looks": self.looks,
            "poll": poll,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(told))

    def _plan(self) -> tuple[Any, ...]:
        from bench.steps import Quick, Waiting

        cluster = Waiting(self)
        before = tuple(Quick(name) for name in BEFORE)
        after = tuple(Quick(name, after=("cluster",)) for name in AFTER)
        return (*before, cluster, *after)

    def _look(self, _about: str) -> dict[str, str]:
        """What a list call tells of all of them; parsing it as JSON is a part of what is measured."""
        with self.lock:
            self.looks += 1
            now = time.monotonic()
            entries = [{"id": key, "state": _state(at, now)} for key, at in self.ready.items()]
        return {entry["id"]: entry["state"] for entry in json.loads(json.dumps(entries))}

    def begun(self, operation: UUID) -> bool:
        return str(operation) in self.ready

    def begin(self, operation: UUID) -> None:
        with self.lock:
            self.ready[str(operation)] = time.monotonic() + CLUSTER

    def state(self, operation: UUID) -> str:
        with self.lock:
            self.looks += not self.shared
            return _state(self.ready[str(operation)], time.monotonic())

    def arrived(self, operation: UUID) -> None:
        """Its worker has seen that the cluster is ready, and moves on."""
        with self.lock:
            self.lags.append(time.monotonic() - self.ready.pop(str(operation)))
            self.landed += 1

    def _take_off(self) -> None:
        """The first ones: anywhere on their way, as if they had come one after the other for ever."""
        made = _make(self.operations)
        now, wall = time.monotonic(), _now()
        with self.lock:
            for operation in made:
                spent = random.uniform(0, CLUSTER)
                self.ready[str(operation)] = now + CLUSTER - spent
        _set_out(made, wall)

    def _until_all_have_begun(self, work: Any) -> None:
        from deployments.models import StepRun

        while StepRun.objects.filter(name="cluster", state="working").count() < 0.95 * self.operations:
            work()

    def _replace(self) -> None:
        from django.db import connection

        replaced = 0
        while not self.over.wait(1.0):
            with self.lock:
                wanted, replaced = self.landed - replaced, self.landed
            if wanted > 0:
                _make(wanted)
        connection.close()


def _state(at: float, now: float) -> str:
    return "Succeeded" if at <= now else "Creating"


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()


def _set_out(operations: list[UUID], now: Any) -> None:
    """They do not all come in the first second."""
    from deployments.models import Operation

    for number, operation in enumerate(operations):
        Operation.objects.filter(id=operation).update(next_due_at=now + timedelta(milliseconds=10 * number))


def _make(count: int) -> list[UUID]:
    """Hubs with an operation each, all of one researcher."""
    from accounts.models import User
    from deployments.models import Deployment, Operation, SpecRevision
    from deployments.spec import HubSpec

    owner, _ = User.objects.get_or_create(username="bench")
    spec = HubSpec(
        name="bench", purpose="bench", subscription_id="s", region="uksouth", node_size="Standard_D2s_v5",
        node_count=1, kubernetes_version="1.34.2", docker_username="bench", image_prefix="x-",
        keep_until=date.today() + timedelta(days=3), chart_version="1",
    )  # fmt: skip
    ids = [uuid4() for _ in range(count)]
    about = {"owner": owner, "address": "http://127.1.1.1/", "keep_until": spec.keep_until, "lifecycle": "provisioning"}
    hubs = Deployment.objects.bulk_create(Deployment(id=each, name=each.hex[:20], **about) for each in ids)
    revisions = SpecRevision.objects.bulk_create(
        SpecRevision(deployment=hub, number=1, data=spec.to_json(), author=owner) for hub in hubs
    )
    made = Operation.objects.bulk_create(
        Operation(deployment=hub, revision=revision, kind="provision", requested_by=owner)
        for hub, revision in zip(hubs, revisions, strict=True)
    )
    return [each.id for each in made]


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
