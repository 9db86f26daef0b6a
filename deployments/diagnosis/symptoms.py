"""What was seen of a hub, as plain data: the input of every rule. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from cloud.kubernetes_inside import Container, NodeDetail, PodDetail
from cloud.kubernetes_objects import Event, Service, VolumeClaim

#: Kubernetes keeps events for an hour; about things that have no state to compare with, only these count (seconds).
FRESH = 600.0
#: Pods that come and go with people: whether they run says nothing about the hub's own parts.
PASSING = frozenset({"singleuser-server", "binderhub-build", "user-placeholder"})


@dataclass(frozen=True)
class Symptoms:
    """One look at a hub. What nobody looked at is None or empty, and no rule concludes anything from it."""

    pods: Sequence[PodDetail] = ()
    nodes: Sequence[NodeDetail] | None = None
    events: Sequence[Event] = ()
    services: Sequence[Service] = ()
    claims: Sequence[VolumeClaim] = ()
    #: The last lines of containers in trouble, by `pod/container`.
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: The checks of the hub's own health page that fail.
    unhealthy: Sequence[str] = ()
    #: What a failed build, launch or sign-in said.
    failure: str = ""
    #: Why nobody could look: the cluster itself does not answer.
    silence: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def age(self, since: datetime | None) -> float:
        """Seconds since then; 0 where nobody knows."""
        return max(0.0, (self.now - since).total_seconds()) if since else 0.0

    def of_the_hub(self) -> Symptoms:
        """The same without people's sessions and builds."""
        return replace(self, pods=[pod for pod in self.pods if pod.component not in PASSING])

    @property
    def containers(self) -> Iterator[tuple[PodDetail, Container]]:
        for pod in self.pods:
            for container in pod.containers:
                yield pod, container

    @cached_property
    def warnings(self) -> list[Event]:
        """Warnings that still hold: what they are about exists and is not well."""
        return [event for event in self.events if event.type == "Warning" and self._holds(event)]

    def last_line(self, pod: str, container: str) -> str:
        """The last thing a container printed that says something."""
        lines = [line.strip() for line in self.logs.get(f"{pod}/{container}", ()) if line.strip()]
        return lines[-1] if lines else ""

    def born(self, about: str) -> datetime | None:
        """When the thing an event is about (kind/name) was made, where that was seen."""
        kind, _, name = about.partition("/")
        things: Mapping[str, Sequence[PodDetail | Service | NodeDetail]] = {
            "Pod": self.pods,
            "Service": self.services,
            "Node": self.nodes or (),
        }
        return next((thing.created for thing in things.get(kind, ()) if thing.name == name), None)

    def _holds(self, event: Event) -> bool:
        kind, _, name = event.about.partition("/")
        if kind == "Pod":
            return any(pod.name == name and not pod.ready and pod.phase != "Succeeded" for pod in self.pods)
        if kind == "Service":
            return any(service.name == name and not service.addresses for service in self.services)
        if kind == "PersistentVolumeClaim":
            return any(claim.name == name and claim.phase != "Bound" for claim in self.claims)
        return self.age(event.last_seen) < FRESH
