"""What a person looks at inside a hub: pods with their containers, nodes with their pressures; no secret's content.

Of environment variables only the names are read, of volumes only where they come from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cloud.kubernetes_objects import created, has_condition, moment, name_of

Json = Mapping[str, Any]

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
#: Conditions of a node that mean trouble when they are true.
PRESSURES = ("DiskPressure", "MemoryPressure", "PIDPressure", "NetworkUnavailable")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a container ended; `code` is what its program returned, 137 when it was killed."""

    reason: str
    message: str
    code: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Container:
    """One program of a pod; state waiting, running or terminated, "" before the node has looked at it."""

    name: str
    image: str
    init: bool
    state: str
    reason: str
    message: str
    ready: bool
    restarts: int
    since: datetime | None
    ended: Ending | None
    last: Ending | None
    requests: dict[str, str]
    limits: dict[str, str]
    variables: tuple[str, ...]
    mounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing Kubernetes says about an object; value True, False or Unknown, `since` when it became so."""

    kind: str
    value: str
    reason: str
    message: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder mounted into a pod, and what it comes from (a disk, a secret, a folder of the node …)."""

    name: str
    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class PodDetail:
    """A pod with all that a person may want to know of it."""

    name: str
    phase: str
    ready: bool
    reason: str
    message: str
    node: str
    component: str
    created: datetime | None
    deleting: datetime | None
    address: str
    priority: str
    containers: tuple[Container, ...]
    conditions: tuple[Condition, ...]
    volumes: tuple[Volume, ...]
    tolerations: tuple[str, ...]

    @property
    def restarts(self) -> int:
        return sum(container.restarts for container in self.containers)

    @property
    def status(self) -> str:
        """What kubectl shows in its column STATUS."""
        if self.deleting:
            return "Terminating"
        if self.reason:
            return self.reason
        return _beginning(self.containers) or _running(self.containers, self.ready) or self.phase

    @property
    def waits_for_node(self) -> bool:
        """Nobody has found a node for it yet."""
        return any(each.kind == "PodScheduled" and each.value == "False" for each in self.conditions)

    @property
    def changed(self) -> datetime | None:
        """When Kubernetes last said something new of it."""
        return max((each.since for each in self.conditions if each.since), default=self.created)


@dataclass(frozen=True, slots=True)
class NodeDetail:
    """A machine with its pressures, taints and what it has room for."""

    name: str
    ready: bool
    reason: str
    message: str
    version: str
    created: datetime | None
    pool: str
    size: str
    pressures: tuple[Condition, ...]
    taints: tuple[str, ...]
    closed: bool
    room: dict[str, str]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a container printed. Numbers rise with time and are the same whoever reads when."""

    number: int
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class ContainerLog:
    """What a container printed; `problem` says in Kubernetes' words why there is nothing."""

    lines: tuple[LogLine, ...]
    problem: str = ""


def pod_detail(item: Json) -> PodDetail:
    meta, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    return PodDetail(
        name=name_of(item),
        phase=status.get("phase", ""),
        ready=has_condition(item, "Ready"),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        node=spec.get("nodeName") or "",
        component=(meta.get("labels") or {}).get("component", ""),
        created=created(item),
        deleting=moment(meta.get("deletionTimestamp")),
        address=status.get("podIP") or "",
        priority=spec.get("priorityClassName") or "",
        containers=_containers(spec, status),
        conditions=tuple(_condition(entry) for entry in status.get("conditions") or []),
        volumes=tuple(_volume(entry) for entry in spec.get("volumes") or []),
        tolerations=tuple(_toleration(entry) for entry in spec.get("tolerations") or []),
    )


def _beginning(containers: tuple[Container, ...]) -> str:
    """How far the init containers are; "" once they are done."""
    first = [each for each in containers if each.init]
    for number, each in enumerate(first):
        if each.ended and not each.ended.code:
            continue
        if each.ended:
            return f"Init:{each.ended.reason or f'ExitCode:{each.ended.code}'}"
        if each.state == "waiting" and each.reason not in ("", "PodInitializing"):
            return f"Init:{each.reason}"
        if each.state:
            return f"Init:{number}/{len(first)}"
    return ""


def _running(containers: tuple[Container, ...], ready: bool) -> str:
    """What the first of the pod's own containers says that does not simply run; "" when all do."""
    own = [each for each in containers if not each.init]
    stuck = next((each for each in own if each.state == "waiting" and each.reason), None)
    ended = next((each.ended for each in own if each.ended), None)
    if stuck:
        return stuck.reason
    if ended and not (ended.reason == "Completed" and ready):
        return ended.reason or f"ExitCode:{ended.code}"
    return ""


def node_detail(item: Json) -> NodeDetail:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    labels = item["metadata"].get("labels") or {}
    conditions = [_condition(entry) for entry in status.get("conditions") or []]
    ready = next((entry for entry in conditions if entry.kind == "Ready"), Condition("Ready", "Unknown", "", ""))
    return NodeDetail(
        name=name_of(item),
        ready=ready.value == "True",
        reason=ready.reason,
        message=ready.message,
        version=(status.get("nodeInfo") or {}).get("kubeletVersion", ""),
        created=created(item),
        pool=labels.get("kubernetes.azure.com/agentpool") or labels.get("agentpool", ""),
        size=labels.get("node.kubernetes.io/instance-type", ""),
        pressures=tuple(entry for entry in conditions if entry.kind in PRESSURES and entry.value == "True"),
        taints=tuple(_taint(entry) for entry in spec.get("taints") or []),
        closed=bool(spec.get("unschedulable")),
        room={key: str(value) for key, value in (status.get("allocatable") or {}).items()},
    )


def container_log(text: str) -> ContainerLog:
    """Reads a log that was asked for with timestamps: a line's number is its moment in microseconds.

    Of lines with one and the same moment the later ones count on.
    """
    lines: list[LogLine] = []
    for line in text.split("\n"):
        stamp, _, said = line.partition(" ")
        at = moment(stamp)
        if at is not None:
            last = lines[-1].number if lines else 0
            lines.append(LogLine(max(last + 1, (at - EPOCH) // MICROSECOND), at, said))
    return ContainerLog(tuple(lines))


def _containers(spec: Json, status: Json) -> tuple[Container, ...]:
    found: list[Container] = []
    for field, states in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
        known = {entry["name"]: entry for entry in status.get(states) or []}
        init = field == "initContainers"
        found += [_container(entry, known.get(entry["name"]) or {}, init) for entry in spec.get(field) or []]
    return tuple(found)


def _container(spec: Json, status: Json, init: bool) -> Container:
    states: dict[str, Json] = status.get("state") or {}
    state, about = next(iter(states.items()), ("", {}))
    resources = spec.get("resources") or {}
    return Container(
        name=spec["name"],
        image=spec.get("image", ""),
        init=init,
        state=state,
        reason=about.get("reason", ""),
        message=about.get("message", ""),
        ready=bool(status.get("ready")),
        restarts=status.get("restartCount", 0),
        since=moment(about.get("startedAt")),
        ended=_ending(about) if state == "terminated" else None,
        last=_last(status),
        requests={key: str(value) for key, value in (resources.get("requests") or {}).items()},
        limits={key: str(value) for key, value in (resources.get("limits") or {}).items()},
        variables=tuple(entry["name"] for entry in spec.get("env") or []),
        mounts=tuple(f"{entry['mountPath']} from {entry['name']}" for entry in spec.get("volumeMounts") or []),
    )


def _last(status: Json) -> Ending | None:
    ended = (status.get("lastState") or {}).get("terminated")
    return _ending(ended) if ended else None


def _ending(ended: Json) -> Ending:
    reason, message = ended.get("reason", ""), ended.get("message", "")
    return Ending(reason, message, ended.get("exitCode", 0), moment(ended.get("finishedAt")))


def _condition(entry: Json) -> Condition:
    about = entry.get("reason") or "", entry.get("message") or "", moment(entry.get("lastTransitionTime"))
    return Condition(entry["type"], entry.get("status", "Unknown"), *about)


def _volume(entry: Json) -> Volume:
    kind = next((key for key in entry if key != "name"), "")
    about = entry.get(kind) or {}
    keys = ("claimName", "secretName", "path", "name", "driver")
    return Volume(entry["name"], kind, next((str(about[key]) for key in keys if about.get(key)), ""))


def _toleration(entry: Json) -> str:
    what = f"{entry.get('key') or 'everything'}"
    value = f"={entry['value']}" if entry.get("value") else ""
    return f"{what}{value}{':' + entry['effect'] if entry.get('effect') else ''}"


def _taint(entry: Json) -> str:
    value = f"={entry['value']}" if entry.get("value") else ""
    return f"{entry['key']}{value}:{entry.get('effect', '')}"
