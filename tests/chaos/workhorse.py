"""Work-horses by the dozen: one process that has everything loaded, and forks a child for each life of a worker.

Started with a worker's environment; reads one JSON command a line, answers one JSON object a line. An RQ worker does
the same for each job, only that its loading takes seconds, which a hundred deaths cannot each afford.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import django

#: Loaded once, before the first fork.
HEAVY = (
    "azure.identity",
    "azure.mgmt.containerservice",
    "azure.mgmt.resource",
    "azure.keyvault.secrets",
    "kubernetes.client",
    "httpx_sse",
    "worker.plans",
    "worker.hub",
    "worker.runner",
)


def main() -> None:
    django.setup()
    for name in HEAVY:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # killed children are reaped by the kernel
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(_answer(command)), flush=True)


def _answer(command: dict[str, Any]) -> dict[str, Any]:
    from django.db import connections

    does: dict[str, Callable[..., dict[str, Any]]] = {
        "work": work,
        "state": state,
        "request": request,
        "tear_down": tear_down,
        "prepare": prepare,
        "build": build,
        "change": change,
        "standing": standing,
        "left": left,
    }
    try:
        return does[command.pop("do")](**command)
    except Exception:
        return {"error": traceback.format_exc()}
    finally:
        connections.close_all()  # a child must not inherit one


def work() -> dict[str, Any]:
    """Forks a worker that works until it is killed; answers its process id."""
    child = os.fork()
    if child:
        return {"pid": child}
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _toil()
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _toil() -> None:
    from worker.hub import HubContext
    from worker.plans import plan_of
    from worker.runner import Runner

    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(devnull, 1)
    while True:
        Runner(plan_of, HubContext).run(limit=50, budget=60.0)
        time.sleep(0.03)


def request() -> dict[str, Any]:
    """A researcher's request and an administrator's approval, as `manage.py demo` makes them."""
    from accounts.models import User
    from deployments import cataloguing, demo, outside, services

    cataloguing.refresh(outside.azure(), outside.profile())
    researcher, admin = (User.objects.get(username=name) for name in ("researcher", "admin"))
    spec = demo.choose(researcher, "slipwaydemo")
    deployment = demo.request(researcher, spec, "dckr_pat_demo")
    operation = services.approve(admin, deployment, 1)
    return {"deployment": str(deployment.id), "operation": str(operation.id)}


def tear_down(deployment: str) -> dict[str, Any]:
    from accounts.models import User
    from deployments import services
    from deployments.models import Deployment

    found = Deployment.objects.get(id=deployment)
    operation = services.tear_down(User.objects.get(username="researcher"), found, found.name)
    return {"operation": str(operation.id)}


def prepare() -> dict[str, Any]:
    """Fills the catalogue, and lets everybody have as many hubs as they like."""
    from accounts.models import SpendingPolicy
    from deployments import cataloguing, outside

    cataloguing.refresh(outside.azure(), outside.profile())
    SpendingPolicy.objects.get_or_create(
        group=None, defaults={"max_hubs": 1000, "max_days": 90, "max_monthly_cost": 10**6}
    )
    return {}


def build(name: str) -> dict[str, Any]:
    """A hub of that name, requested and approved; asked twice, it is one."""
    from accounts.models import User
    from deployments import demo, services
    from deployments.models import Deployment, Operation

    researcher, admin = (User.objects.get(username=each) for each in ("researcher", "admin"))
    hub = Deployment.objects.filter(owner=researcher, name=name).first()
    if hub is None:
        spec = replace(demo.choose(researcher, "slipwaydemo"), name=name)
        hub = services.request_hub(researcher, uuid4(), spec, {services.DOCKER_TOKEN: "dckr_pat_demo"})
    operation = Operation.objects.filter(deployment=hub).first() or services.approve(admin, hub, 1)
    return {"deployment": str(hub.id), "operation": str(operation.id)}


def change(deployment: str) -> dict[str, Any]:
    """A node more, and another limit."""
    from accounts.models import User
    from deployments import services
    from deployments.models import Deployment

    hub = Deployment.objects.get(id=deployment)
    spec = replace(hub.revision.spec, node_count=hub.revision.spec.node_count + 1, most_sessions=9)
    services.change(User.objects.get(username="admin"), hub, hub.revision.number, spec, {})
    return {"operation": str(hub.operations.order_by("-created_at")[0].id)}


def standing() -> dict[str, Any]:
    """How all runs stand."""
    from deployments.models import Operation

    fields = ("id", "kind", "status", "error_message", "event_count")
    rows = Operation.objects.order_by("created_at").values(*fields)
    return {"operations": [{**row, "id": str(row["id"])} for row in rows]}


def left() -> dict[str, Any]:
    """What should be gone with the hubs: secrets in the vault, lines of the ledger."""
    from deployments import outside
    from deployments.models import Resource

    resources = Resource.objects.filter(gone_at=None).values_list("kind", "cloud_id")
    return {"secrets": outside.vault().names() + outside.vault().deleted_names(), "resources": list(resources)}


def state(operation: str) -> dict[str, Any]:
    """How a run stands, and its log's numbers."""
    from deployments.models import Event, Operation

    found = Operation.objects.get(id=operation)
    numbers = list(Event.objects.filter(operation=found).order_by("number").values_list("number", flat=True))
    runs = Operation.objects.filter(deployment=found.deployment_id, kind=found.kind).count()
    return {
        "status": found.status,
        "error": found.error_message,
        "event_count": found.event_count,
        "numbers": numbers,
        "runs": runs,
        "fence": found.fence,
        "receipt": found.result.get("receipt"),
        "proof": found.result.get("proof"),
        "steps": {run.name: run.state for run in found.steps.all()},
    }


if __name__ == "__main__":
    main()
