"""`manage.py work`: one RQ worker."""

from __future__ import annotations

import importlib
from typing import Any

import django_rq
from django.core.management.base import BaseCommand
from rq import Worker
from rq.serializers import JSONSerializer
from rq.worker import DequeueStrategy

from deployments.heartbeat import WORKER_TTL
from portal.refusals import require_none

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
    """Looks for a lost Redis every two seconds: RQ itself would wait up to a minute longer than Redis is away."""

    max_connection_wait_time = 2.0


class Command(BaseCommand):
    help = "Moves operations and does chores until told to stop. Run as many as you like."

    def handle(self, *args: Any, **options: Any) -> None:
        require_none()
        for module in PRELOADED:
            importlib.import_module(module)
        queues = [django_rq.get_queue(name) for name in ("operations", "chores")]
        worker = SteadyWorker(queues, connection=queues[0].connection, serializer=JSONSerializer, worker_ttl=WORKER_TTL)
        # Round robin: a busy workshop must not keep the catalogue from being refreshed.
        worker.work(with_scheduler=False, dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
