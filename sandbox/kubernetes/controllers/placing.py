"""The scheduler: which node a pod goes to, and why none will do."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sandbox.kubernetes.controllers import nodes
from sandbox.kubernetes.controllers.look import Look, condition
from sandbox.kubernetes.quantities import number, requests

Body = dict[str, Any]
SCHEDULE_SECONDS = 0.5


def reconcile(look: Look) -> None:
    """Places the pods of one namespace that have no node yet."""
    waiting = [pod for pod in look.list("pods") if _waits(pod)]
    look.cluster.waiting.discard(look.namespace)
    if not waiting:
        return
    room = _Room(look)
    for pod in sorted(waiting, key=lambda item: -int(item["spec"].get("priority") or 0)):
        if look.elapsed(pod, "schedule", SCHEDULE_SECONDS):
            _place(look, pod, room)


def _waits(pod: Body) -> bool:
    return not pod["spec"].get("nodeName") and not pod["metadata"].get("deletionTimestamp")


class _Room:
    """What is left on each node."""

    def __init__(self, look: Look) -> None:
        self.nodes = look.store.list("nodes")
        self.free: dict[str, list[float]] = {}
        for node in self.nodes:
            left = node["status"]["allocatable"]
            self.free[node["metadata"]["name"]] = [number(left["cpu"]), number(left["memory"]), number(left["pods"])]
        for pod in look.store.list("pods"):
            if pod["spec"].get("nodeName") in self.free and pod["status"]["phase"] not in ("Succeeded", "Failed"):
                self.take(pod["spec"]["nodeName"], pod["spec"])

    def take(self, name: str, spec: Body) -> None:
        cpu, memory = requests(spec)
        self.free[name] = [left - used for left, used in zip(self.free[name], (cpu, memory, 1), strict=True)]

    def lacks(self, name: str, spec: Body) -> list[str]:
        cpu, memory = requests(spec)
        left = self.free[name]
        short = [("Insufficient cpu", cpu > left[0] + 1e-9), ("Insufficient memory", memory > left[1]),
                 ("Too many pods", left[2] < 1)]  # fmt: skip
        return [text for text, missing in short if missing]


def _place(look: Look, pod: Body, room: _Room) -> None:
    wish = look.symptom(pod)
    if wish and wish["kind"] == "Unschedulable":
        return _fail(look, pod, wish.get("message") or "0/1 nodes are available: 1 Insufficient cpu.")
    if missing := _missing_claim(look, pod):
        return _fail(look, pod, f'0/1 nodes are available: persistentvolumeclaim "{missing}" not found. not found')
    if _awaits_volume(look, pod):
        return None
    reasons: Counter[str] = Counter()
    fits = []
    for node in room.nodes:
        name = node["metadata"]["name"]
        why = _misfit(pod["spec"], node) or room.lacks(name, pod["spec"])
        reasons.update(why)
        if not why:
            fits.append(name)
    if not fits:
        return _fail(look, pod, _no_node(len(room.nodes), reasons))
    best = max(fits, key=lambda name: room.free[name][0])
    room.take(best, pod["spec"])
    return _bind(look, pod, best)


def _no_node(total: int, reasons: Counter[str]) -> str:
    if not total:
        return "no nodes available to schedule pods"
    listed = ", ".join(f"{count} {text}" for text, count in sorted(reasons.items()))
    return (
        f"0/{total} nodes are available: {listed}. preemption: 0/{total} nodes are available:"
        f" {total} No preemption victims found for incoming pod."
    )


def _bind(look: Look, pod: Body, node: str) -> None:
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": look.clock.iso(),
    }
    status = pod["status"] | {"conditions": [scheduled]}
    placed = look.put("pods", pod | {"spec": pod["spec"] | {"nodeName": node}, "status": status})
    where = f"{look.namespace}/{pod['metadata']['name']}"
    look.event(placed, "Scheduled", f"Successfully assigned {where} to {node}", pod["spec"]["schedulerName"])


def _fail(look: Look, pod: Body, message: str) -> None:
    look.cluster.waiting.add(look.namespace)
    failed = condition(pod, "PodScheduled", False, "Unschedulable", message, look.clock.iso())
    if failed in (pod["status"].get("conditions") or []):
        return
    pod = look.status("pods", pod, pod["status"] | {"conditions": [failed]})
    look.event(pod, "FailedScheduling", message, pod["spec"]["schedulerName"], warning=True)


def claims(pod: Body) -> list[str]:
    """The names of the volume claims a pod mounts."""
    named = (volume.get("persistentVolumeClaim") or {} for volume in pod["spec"].get("volumes") or [])
    return [claim["claimName"] for claim in named if claim.get("claimName")]


def _missing_claim(look: Look, pod: Body) -> str:
    return next((name for name in claims(pod) if look.get("persistentvolumeclaims", name) is None), "")


def _awaits_volume(look: Look, pod: Body) -> bool:
    """Whether a volume is still being made; the scheduler then waits without a word."""
    found = (look.get("persistentvolumeclaims", name) for name in claims(pod))
    return any(claim is not None and claim["status"]["phase"] != "Bound" for claim in found)


def _misfit(spec: Body, node: Body) -> list[str]:
    if not nodes.is_ready(node):
        return ["node(s) had untolerated taint {node.kubernetes.io/not-ready: }"]
    if untolerated := [taint for taint in node["spec"].get("taints") or [] if not _tolerated(spec, taint)]:
        taint = untolerated[0]
        return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value') or ''}}}"]
    if not _selected(spec, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    return []


def suits(spec: Body, node: Body, daemon: bool = False) -> bool:
    """Whether a node is meant for such pods, room aside. Daemons tolerate a node that is not ready yet."""
    taints = [taint for taint in node["spec"].get("taints") or [] if not _tolerated(spec, taint)]
    return not taints and _selected(spec, node) and (daemon or nodes.is_ready(node))


def _tolerated(spec: Body, taint: Body) -> bool:
    if taint["effect"] == "PreferNoSchedule":
        return True
    return any(_tolerates(item, taint) for item in spec.get("tolerations") or [])


def _tolerates(toleration: Body, taint: Body) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or "")


def _selected(spec: Body, node: Body) -> bool:
    labels = node["metadata"]["labels"]
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    terms = _required(spec)
    return not terms or any(_term(term, node) for term in terms)


def _required(spec: Body) -> list[Body]:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms: list[Body] = required.get("nodeSelectorTerms") or []
    return terms


def _term(term: Body, node: Body) -> bool:
    meta = node["metadata"]
    by_label = all(_expression(item, meta["labels"].get(item["key"])) for item in term.get("matchExpressions") or [])
    return by_label and all(_expression(item, meta["name"]) for item in term.get("matchFields") or [])


def _expression(item: Body, value: str | None) -> bool:
    operator, values = item["operator"], item.get("values") or []
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) == (operator == "Exists")
    if operator in ("Gt", "Lt"):
        return value is not None and (int(value) > int(values[0])) == (operator == "Gt")
    return (value in values) == (operator == "In")


def pinned(node: str) -> Body:
    """The affinity that holds a daemon's pod to its node."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def wanted_node(pod: Body) -> str:
    """The node a daemon's pod is held to."""
    for term in _required(pod["spec"]):
        for field in term.get("matchFields") or []:
            return str(field["values"][0])
    return str(pod["spec"].get("nodeName", ""))
