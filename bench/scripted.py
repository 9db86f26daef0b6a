"""What the portal's own code does for a measurement, run as `manage.py shell -c` in the stack's environment."""

from __future__ import annotations

import json
from typing import Any

from bench.table import BenchFailed
from bootstrap.stack import Stack

REQUEST = """
from accounts.models import SpendingPolicy, User
from deployments import demo
from dataclasses import replace
import json
SpendingPolicy.objects.get_or_create(group=None, defaults=dict(max_hubs=1000, max_monthly_cost=100000))
researcher = User.objects.get(username="researcher")
spec = demo.choose(researcher, "slipwaydemo")
made = []
for number in range({count}):
    name = f"{prefix}-{{number}}"
    described = replace(spec, name=name, node_count=1, image_prefix=f"{{name}}-")
    hub = demo.request(researcher, described, "dckr_pat_demo")
    made.append(str(hub.id))
print(json.dumps(made))
"""

APPROVE = """
import json, time
from accounts.models import User
from deployments import services
from deployments.models import Deployment
admin, began = User.objects.get(username="admin"), time.time()
for hub in Deployment.objects.filter(id__in={hubs}):
    services.approve(admin, hub, 1)
print(json.dumps([began, time.time()]))
"""

FILL = """
import json
from datetime import timedelta
from uuid import uuid4
from django.utils import timezone
from accounts.models import User
from deployments.models import Deployment, Event, HealthCheck, Operation, SpecRevision, StepRun
from deployments import demo
researcher = User.objects.get(username="researcher")
spec = demo.choose(researcher, "slipwaydemo")
now = timezone.now()
lifecycles = ["ready"] * 7 + ["requested", "stopped", "deleted"]
last = None
for number in range({hubs}):
    lifecycle = lifecycles[number % len(lifecycles)]
    hub = Deployment.objects.create(id=uuid4(), owner=researcher, name=f"filled-{{number}}", address="http://127.9.9.9/",
        lifecycle=lifecycle, keep_until=spec.keep_until, monthly_cost=100, currency="GBP", last_outcome="succeeded")
    revision = SpecRevision.objects.create(deployment=hub, number=1, data=spec.to_json(), author=researcher)
    if lifecycle == "requested":
        continue
    operation = Operation.objects.create(deployment=hub, revision=revision, kind="provision", status="succeeded",
        requested_by=researcher, started_at=now - timedelta(minutes=6), finished_at=now, event_count={events})
    for position in range(12):
        StepRun.objects.create(operation=operation, name=f"step-{{position}}", title=f"Step {{position}}",
            position=position, state="done", started_at=now, finished_at=now)
    Event.objects.bulk_create(Event(operation=operation, number=n + 1, at=now, message=f"Line {{n}} of the log")
        for n in range({events}))
    HealthCheck.objects.bulk_create(HealthCheck(deployment=hub, at=now - timedelta(minutes=5 * n), health="healthy")
        for n in range(288))
    if lifecycle == "ready":
        last = [str(hub.id), str(operation.id)]
print(json.dumps(last))
"""

#: Everything that a script of one's own needs for the same hub: names, the body for Azure, the values for Helm.
INGREDIENTS = """
import json
from cloud.azure.clusters import ClusterRequest, cluster_body
from deployments.models import Deployment, Operation, StepRun
from deployments.pools import wanted_pools
from worker.hub import HubContext
found = []
for hub in Deployment.objects.filter(id__in={hubs}):
    operation = Operation(deployment=hub, revision=hub.revision, kind="provision")
    ctx = HubContext(operation=operation, fence=0, run=StepRun(operation=operation))
    spec, names, profile = ctx.spec, ctx.names, ctx.profile
    request = ClusterRequest(spec.subscription_id, names.group, names.cluster, spec.region, names.dns_label,
        spec.kubernetes_version, spec.tier, wanted_pools(spec), names.tags)
    found.append(dict(subscription=spec.subscription_id, region=spec.region, group=names.group, cluster=names.cluster,
        release=names.release, body=cluster_body(request), values=ctx.values(), address=ctx.address,
        repository=profile.chart_repository, version=spec.chart_version, ca_file=profile.chart_ca_bundle))
print(json.dumps(found))
"""

REFRESH = "from deployments.dispatch import send; send('chores', 'worker.jobs.refresh_catalogue')"


def requests(stack: Stack, count: int, prefix: str) -> list[str]:
    """Ids of so many requests that wait for review."""
    return list(_shell(stack, REQUEST.format(count=count, prefix=prefix)))


def fill(stack: Stack, hubs: int, events: int) -> tuple[str, str]:
    """Fills the portal with hubs that have a past; one hub's id, and its operation's."""
    hub, operation = _shell(stack, FILL.format(hubs=hubs, events=events))
    return hub, operation


def approve(stack: Stack, hubs: list[str]) -> tuple[float, float]:
    """Approves them one after the other; the moments of the first and the last."""
    first, last = _shell(stack, APPROVE.format(hubs=hubs))
    return first, last


def ingredients(stack: Stack, hubs: list[str]) -> list[dict[str, Any]]:
    """For `bench.bare` and `bench.floor`, secrets included: pass it on through a pipe only."""
    return list(json.loads(_run(stack, INGREDIENTS.format(hubs=hubs), "worker").splitlines()[-1]))


def refresh_catalogue(stack: Stack) -> None:
    _run(stack, REFRESH)


def _shell(stack: Stack, script: str) -> Any:
    return json.loads(_run(stack, script).splitlines()[-1])


def _run(stack: Stack, script: str, identity: str = "web") -> str:
    done = stack.manage("shell", "-v", "0", "-c", script, identity=identity)
    if done.returncode:
        raise BenchFailed(done.stderr[-2000:])
    return done.stdout
