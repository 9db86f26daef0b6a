"""The hub coming up: its address, its pods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cloud.kubernetes import Event, Pod
from deployments.diagnosis import Symptoms
from deployments.diagnosis.cluster import ADDRESS_PATIENCE
from worker.hub import HubContext
from worker.step import Found
from worker.steps.cause import Diagnosed
from worker.steps.cluster import InCluster

KIND = "public address"
PUBLIC_SERVICE = "proxy-public"


class Address(Diagnosed, InCluster):
    """The load balancer has a public address."""

    name, title, after, expected, deadline = "address", "Public address", ("nodes", "release"), 40, 20 * 60
    calm = ADDRESS_PATIENCE

    def look(self, ctx: HubContext) -> Found:
        kubernetes, namespace = ctx.kubernetes(), ctx.names.namespace
        service = next((each for each in kubernetes.services(namespace) if each.name == PUBLIC_SERVICE), None)
        if service is not None and service.addresses:
            ctx.seen(KIND, ctx.address, service.addresses[0])
            return Found.ready(f"{service.addresses[0]} for {ctx.address}")
        trouble = _warning(kubernetes.events(namespace), PUBLIC_SERVICE)
        return self.waiting(ctx, "waiting for Azure to give one", alarm=trouble)

    def relevant(self, symptoms: Symptoms) -> Symptoms:
        """The services and what was said of them; that pods run is another step's business."""
        return replace(symptoms, pods=(), nodes=None, claims=(), logs={})


class Workloads(Diagnosed, InCluster):
    """Everything the chart made runs."""

    name, title, after, expected, deadline = "workloads", "Hub starting", ("nodes", "release"), 90, 25 * 60

    def look(self, ctx: HubContext) -> Found:
        ready, summary = all_ready(ctx)
        if ready:
            return Found.ready(summary)
        return self.waiting(ctx, summary, alarm=_trouble(ctx.kubernetes().pods(ctx.names.namespace)))


def all_ready(ctx: HubContext) -> tuple[bool, str]:
    """Whether every workload of the hub runs as it was last described, and a sentence of how many pods do."""
    workloads = ctx.kubernetes().workloads(ctx.names.namespace)
    ready, wanted = sum(each.ready for each in workloads), sum(each.desired for each in workloads)
    done = bool(workloads) and all(each.ready >= each.desired for each in workloads)
    return done, f"{ready} of {wanted} pods ready"


def _trouble(pods: Iterable[Pod]) -> str:
    """The first pod that says why it does not start."""
    stuck = [pod for pod in pods if not pod.ready and pod.reason and pod.reason not in WAITING]
    return "; ".join(f"{pod.name}: {pod.reason}. {pod.message}".strip() for pod in stuck[:1])


#: What a pod says on its way up.
WAITING = frozenset({"ContainerCreating", "PodInitializing", "Pending", "ContainersNotReady"})


def _warning(events: list[Event], name: str) -> str:
    told = [event.message for event in events if event.type == "Warning" and event.about.endswith(f"/{name}")]
    return told[-1] if told else ""
