"""Deployments and ReplicaSets: a ReplicaSet for each template, replaced step by step."""

from __future__ import annotations

import math
from typing import Any

from sandbox.kubernetes.admission import suffix
from sandbox.kubernetes.controllers.look import (
    Look,
    condition,
    hash_of,
    is_active,
    is_ready,
    owner_of,
    pod_from,
    ready_count,
)  # fmt: skip

Body = dict[str, Any]
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"


def reconcile(look: Look) -> None:
    for deployment in look.list("deployments"):
        if not deployment["metadata"].get("deletionTimestamp"):
            _deployment(look, deployment)
    for replica_set in look.list("replicasets"):
        if not replica_set["metadata"].get("deletionTimestamp"):
            _replica_set(look, replica_set)


def _deployment(look: Look, deployment: Body) -> None:
    sets = look.owned("replicasets", deployment)
    wanted = hash_of(deployment["spec"]["template"])
    current = next((item for item in sets if item["metadata"]["labels"].get(HASH) == wanted), None)
    olds = [item for item in sets if item is not current]
    if current is None:
        current = _new_set(look, deployment, wanted, _next_revision(sets))
    elif olds and _revision(current) < max(_revision(item) for item in olds):
        current = _annotated(look, current, _next_revision(sets))
    if current is None:
        return
    if not deployment["spec"].get("paused"):
        current = _roll(look, deployment, current, olds)
    _forget_history(look, deployment, olds)
    _note_revision(look, deployment, _revision(current))
    latest = look.get("deployments", deployment["metadata"]["name"]) or deployment
    _deployment_status(look, latest, current, olds)


def _revision(replica_set: Body) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


def _next_revision(sets: list[Body]) -> int:
    return 1 + max((_revision(item) for item in sets), default=0)


def _annotated(look: Look, replica_set: Body, revision: int) -> Body:
    meta = replica_set["metadata"]
    annotations = (meta.get("annotations") or {}) | {REVISION: str(revision)}
    return look.put("replicasets", replica_set | {"metadata": meta | {"annotations": annotations}})


def _note_revision(look: Look, deployment: Body, revision: int) -> None:
    meta = deployment["metadata"]
    annotations = meta.get("annotations") or {}
    if annotations.get(REVISION) != str(revision):
        changed = annotations | {REVISION: str(revision)}
        look.put("deployments", deployment | {"metadata": meta | {"annotations": changed}})


def _new_set(look: Look, deployment: Body, wanted: str, revision: int) -> Body | None:
    template, spec = deployment["spec"]["template"], deployment["spec"]
    meta = template.get("metadata") or {}
    labels = (meta.get("labels") or {}) | {HASH: wanted}
    selector = spec["selector"] | {"matchLabels": (spec["selector"].get("matchLabels") or {}) | {HASH: wanted}}
    body = {
        "metadata": {
            "name": f"{deployment['metadata']['name']}-{wanted}",
            "labels": labels,
            "annotations": {REVISION: str(revision)},
            "ownerReferences": owner_of(deployment),
        },
        "spec": {"replicas": 0, "selector": selector, "template": template | {"metadata": meta | {"labels": labels}}},
    }
    return look.create("replicasets", body, deployment)


def _roll(look: Look, deployment: Body, current: Body, olds: list[Body]) -> Body:
    """Moves replicas from the old sets to the current one as far as the strategy allows now."""
    spec = deployment["spec"]
    desired, total = spec["replicas"], sum(item["spec"]["replicas"] for item in [current, *olds])
    if spec["strategy"]["type"] == "Recreate":
        for old in olds:
            _scale(look, deployment, old, 0)
        if any(look.owned("pods", old) for old in olds):
            return current
        return _scale(look, deployment, current, desired)
    rolling = spec["strategy"]["rollingUpdate"]
    surge, missing = (
        _part(rolling["maxSurge"], desired, math.ceil),
        _part(rolling["maxUnavailable"], desired, math.floor),
    )
    if not surge and not missing:
        missing = 1
    now = current["spec"]["replicas"]
    target = desired if now >= desired else min(desired, now + max(0, desired + surge - total))
    current = _scale(look, deployment, current, target)
    _shrink(look, deployment, current, olds, desired - missing)
    return current


def _shrink(look: Look, deployment: Body, current: Body, olds: list[Body], least: int) -> None:
    """Takes from the old sets what is not needed to keep `least` pods available."""
    ready = _ready(look, current)
    for old in sorted(olds, key=lambda item: _ready(look, item)):
        have, old_ready = old["spec"]["replicas"], _ready(look, old)
        others = ready + sum(_ready(look, item) for item in olds if item is not old)
        keep = min(have, max(0, min(least - others, old_ready)))
        if keep < have:
            _scale(look, deployment, old, keep)


def _part(value: Any, whole: int, rounding: Any) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return int(rounding(whole * int(value[:-1]) / 100))
    return int(value)


def _ready(look: Look, replica_set: Body) -> int:
    return ready_count(look.owned("pods", replica_set))


def _scale(look: Look, deployment: Body, replica_set: Body, replicas: int) -> Body:
    before = replica_set["spec"]["replicas"]
    if before == replicas:
        return replica_set
    name = replica_set["metadata"]["name"]
    verb = "up" if replicas > before else "down"
    text = f"Scaled {verb} replica set {name} from {before} to {replicas}"
    look.event(deployment, "ScalingReplicaSet", text, "deployment-controller")
    meta = replica_set["metadata"] | {"generation": replica_set["metadata"]["generation"] + 1}
    spec = replica_set["spec"] | {"replicas": replicas}
    return look.put("replicasets", replica_set | {"metadata": meta, "spec": spec})


def _forget_history(look: Look, deployment: Body, olds: list[Body]) -> None:
    idle = [item for item in olds if not item["spec"]["replicas"] and not item["status"].get("replicas")]
    idle.sort(key=_revision)
    for old in idle[: max(0, len(idle) - deployment["spec"]["revisionHistoryLimit"])]:
        look.delete("replicasets", old)


def _deployment_status(look: Look, deployment: Body, current: Body, olds: list[Body]) -> None:
    mine = look.owned("pods", current)
    pods = mine + [pod for old in olds for pod in look.owned("pods", old)]
    live, updated = [pod for pod in pods if is_active(pod)], [pod for pod in mine if is_active(pod)]
    desired, ready = deployment["spec"]["replicas"], ready_count(live)
    status: Body = {"observedGeneration": deployment["metadata"]["generation"]}
    counts = {
        "replicas": len(live),
        "updatedReplicas": len(updated),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, desired - ready),
    }
    status |= {key: value for key, value in counts.items() if value}
    done = len(updated) == desired == len(live) and ready == desired
    status["conditions"] = _conditions(look, deployment, current, done, ready)
    look.status("deployments", deployment, status)


def _conditions(look: Look, deployment: Body, current: Body, done: bool, ready: int) -> list[Body]:
    spec, now, name = deployment["spec"], look.clock.iso(), current["metadata"]["name"]
    least = spec["replicas"]
    if spec["strategy"]["type"] == "RollingUpdate":
        least -= _part(spec["strategy"]["rollingUpdate"]["maxUnavailable"], spec["replicas"], math.floor)
    if ready >= least:
        texts = (True, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        texts = (False, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    available = condition(deployment, "Available", *texts, now)
    phase = f"progress-{name}-{ready}"
    if done:
        texts = (True, "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
        look.restart_timer(deployment, phase)
    elif look.elapsed(deployment, phase, spec["progressDeadlineSeconds"]):
        texts = (False, "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    else:
        texts = (True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    progressing = condition(deployment, "Progressing", *texts, now)
    return [_timed(deployment, item, now) for item in (available, progressing)]


def _timed(deployment: Body, item: Body, now: str) -> Body:
    """Deployments' conditions carry a lastUpdateTime as well."""
    return item if "lastUpdateTime" in item else item | {"lastUpdateTime": now}


def _replica_set(look: Look, replica_set: Body) -> None:
    pods = [pod for pod in look.owned("pods", replica_set) if is_active(pod)]
    desired = replica_set["spec"]["replicas"]
    for _ in range(desired - len(pods)):
        name = f"{replica_set['metadata']['name']}-{suffix()}"
        pod = look.create("pods", pod_from(replica_set["spec"]["template"], replica_set, name=name), replica_set)
        if pod is None:
            break
        look.event(replica_set, "SuccessfulCreate", f"Created pod: {name}", "replicaset-controller")
    for pod in sorted(pods, key=is_ready)[: max(0, len(pods) - desired)]:
        look.delete("pods", pod)
        text = f"Deleted pod: {pod['metadata']['name']}"
        look.event(replica_set, "SuccessfulDelete", text, "replicaset-controller")
    _replica_set_status(look, replica_set)


def _replica_set_status(look: Look, replica_set: Body) -> None:
    pods = [pod for pod in look.owned("pods", replica_set) if is_active(pod)]
    ready = ready_count(pods)
    counts = {"fullyLabeledReplicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
    status = {"replicas": len(pods), "observedGeneration": replica_set["metadata"]["generation"]}
    look.status("replicasets", replica_set, status | {key: value for key, value in counts.items() if value})
