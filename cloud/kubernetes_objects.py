"""What a person needs to know of Kubernetes' objects, read from their JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster."""

    name: str
    ready: bool
    version: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Namespace:
    """A hub's room in the cluster; phase Active or Terminating."""

    name: str
    phase: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet, and how many of its pods are ready."""

    kind: str
    name: str
    ready: int
    desired: int


@dataclass(frozen=True, slots=True)
class Pod:
    """A running part of the hub; `reason` and `message` say why it is not ready."""

    name: str
    phase: str
    ready: bool
    containers_ready: int
    containers: int
    restarts: int
    reason: str
    message: str
    node: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Service:
    """An address inside or outside the cluster; `addresses` are public ones, empty until Azure has given one."""

    name: str
    type: str
    addresses: tuple[str, ...]
    annotations: dict[str, str] = field(default_factory=dict)
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class VolumeClaim:
    """A disk asked for; phase Pending, Bound or Lost."""

    name: str
    phase: str
    volume: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something Kubernetes noted; type Normal or Warning, `about` as kind/name."""

    about: str
    type: str
    reason: str
    message: str
    count: int
    last_seen: datetime | None


def node(item: Json) -> Node:
    info = item.get("status", {}).get("nodeInfo", {})
    return Node(name_of(item), has_condition(item, "Ready"), info.get("kubeletVersion", ""), created(item))


def namespace(item: Json) -> Namespace:
    return Namespace(name_of(item), item.get("status", {}).get("phase", ""), dict(item["metadata"].get("labels") or {}))


def workload(kind: str, item: Json) -> Workload:
    status = item.get("status", {})
    if kind == "DaemonSet":
        return Workload(kind, name_of(item), status.get("numberReady", 0), status.get("desiredNumberScheduled", 0))
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 0):
        return Workload(kind, name_of(item), 0, item.get("spec", {}).get("replicas", 1))
    return Workload(kind, name_of(item), _up_to_date(status), item.get("spec", {}).get("replicas", 1))


def pod(item: Json) -> Pod:
    status = item.get("status", {})
    containers = status.get("containerStatuses") or []
    reason, message = _trouble(status)
    return Pod(
        name=name_of(item),
        phase=status.get("phase", ""),
        ready=has_condition(item, "Ready"),
        containers_ready=sum(bool(container.get("ready")) for container in containers),
        containers=len(item.get("spec", {}).get("containers") or containers),
        restarts=sum(container.get("restartCount", 0) for container in containers),
        reason=reason,
        message=message,
        node=item.get("spec", {}).get("nodeName") or "",
        created=created(item),
    )


def service(item: Json) -> Service:
    ingress = item.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    addresses = tuple(entry.get("ip") or entry.get("hostname") or "" for entry in ingress)
    annotations = dict(item["metadata"].get("annotations") or {})
    kind, given = item.get("spec", {}).get("type", ""), tuple(filter(None, addresses))
    return Service(name_of(item), kind, given, annotations, created(item))


def volume_claim(item: Json) -> VolumeClaim:
    spec = item.get("spec", {})
    return VolumeClaim(name_of(item), item.get("status", {}).get("phase", ""), spec.get("volumeName") or "")


def event(item: Json) -> Event:
    about = item.get("involvedObject") or item.get("regarding") or {}
    series = item.get("series") or {}
    seen = item.get("lastTimestamp") or series.get("lastObservedTime") or item.get("eventTime")
    return Event(
        about=f"{about.get('kind', '')}/{about.get('name', '')}",
        type=item.get("type", ""),
        reason=item.get("reason", ""),
        message=item.get("message") or item.get("note") or "",
        count=item.get("count") or series.get("count") or 1,
        last_seen=moment(seen) or created(item),
    )


def _up_to_date(status: Json) -> int:
    """Ready pods of the newest version only: right after an upgrade the old ones still answer."""
    ready = int(status.get("readyReplicas", 0))
    return min(ready, int(status.get("updatedReplicas", ready)))


def _trouble(status: Json) -> tuple[str, str]:
    """The first thing that keeps a pod from being ready."""
    every = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for container in every:
        state = container.get("state") or {}
        stuck = state.get("waiting") or (state.get("terminated") if not container.get("ready") else None) or {}
        if stuck.get("reason") not in {None, "Completed", "PodInitializing", "ContainerCreating"}:
            return stuck["reason"], stuck.get("message", "")
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return condition.get("reason", ""), condition.get("message", "")
    return status.get("reason", ""), status.get("message", "")


def has_condition(item: Json, kind: str) -> bool:
    conditions = item.get("status", {}).get("conditions") or []
    return any(entry.get("type") == kind and entry.get("status") == "True" for entry in conditions)


def name_of(item: Json) -> str:
    return str(item["metadata"]["name"])


def created(item: Json) -> datetime | None:
    return moment(item["metadata"].get("creationTimestamp"))


def moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
