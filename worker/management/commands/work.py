"""`manage.py work`: one RQ worker."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import time
from typing import Any

import django_rq
import redis
from django.core.management.base import BaseCommand
from rq import Worker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.worker import DequeueStrategy

from deployments.heartbeat import WORKER_TTL
from portal.refusals import require_none
from worker.runner import winding_up

log = logging.getLogger(__name__)

#: A lost Redis is looked for so often (seconds).
AGAIN_AFTER = 2.0

#: From a worker to its work-horse: come to an end.
WIND_UP = signal.SIGUSR1

#: Loaded before the fork, so that each job's process shares them instead of loading them again (0.5 s, 80 MiB).
PRELOADED = (
    "azure.identity",
    "azure.keyvault.secrets",
    "azure.mgmt.compute",
    "azure.mgmt.containerservice",
    "azure.mgmt.resource.resources",
    "azure.mgmt.resource.subscriptions",
    "httpx_sse",
    "kubernetes.client",
    "ruamel.yaml",
    "worker.inside.looks",
    "worker.plans",
    "worker.runner",
)


class SteadyWorker(Worker):
    """Looks for a lost Redis every two seconds: RQ itself would wait up to a minute longer than Redis is away.

    Told to stop, it has its work-horse finish what it is doing: a job may be minutes long.
    """

    max_connection_wait_time = AGAIN_AFTER
    asked_to_stop = False

    def handle_warm_shutdown_request(self) -> None:
        self.asked_to_stop = True
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.horse_pid, WIND_UP)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(WIND_UP, lambda *_: winding_up.set())


class Command(BaseCommand):
    help = "Moves operations and does chores until told to stop. Run as many as you like."

    def handle(self, *args: Any, **options: Any) -> None:
        require_none()
        for module in PRELOADED:
            importlib.import_module(module)
        signal.signal(WIND_UP, signal.SIG_IGN)  # until a work-horse that was just forked is ready for it
        # What is loaded stays: a collector that went over it in each job would make a copy of it for each.
        gc.collect()
        gc.freeze()
        try:
            while not self._work():
                time.sleep(AGAIN_AFTER)
        except StopRequested:
            return

    @staticmethod
    def _work() -> bool:
        """Works until told to stop; False when RQ has given up by itself, as it does when it loses Redis in mid-job."""
        queues = [django_rq.get_queue(name) for name in ("operations", "chores")]
        try:
            worker = SteadyWorker(
                queues, connection=queues[0].connection, serializer=JSONSerializer, worker_ttl=WORKER_TTL
            )
            # Round robin: a busy workshop must not keep the catalogue from being refreshed.
            worker.work(with_scheduler=False, dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
        except redis.RedisError as error:
            log.warning("Redis was lost, this worker begins anew: %s", error)
            return False
        return worker.asked_to_stop
