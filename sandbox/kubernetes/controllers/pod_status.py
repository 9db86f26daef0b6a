"""The parts of a pod's status that the kubelet writes."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.kubernetes.controllers.look import Look, condition

Body = dict[str, Any]


def conditions(look: Look, pod: Body, *, ready: bool, started: bool) -> list[Body]:
    """The five conditions of a pod that has a node."""
    now, names = look.clock.iso(), " ".join(item["name"] for item in pod["spec"]["containers"])
    unready = ("", "") if ready else ("ContainersNotReady", f"containers with unready status: [{names}]")
    first = ("", "")
    if not started and pod["spec"].get("initContainers"):
        waiting = " ".join(item["name"] for item in pod["spec"]["initContainers"])
        first = ("ContainersNotInitialized", f"containers with incomplete status: [{waiting}]")
    rows = (
        ("PodReadyToStartContainers", started, "", ""),
        ("Initialized", not first[0], *first),
        ("Ready", ready, *unready),
        ("ContainersReady", ready, *unready),
        ("PodScheduled", True, "", ""),
    )
    made = [condition(pod, kind, value, reason, text, now) for kind, value, reason, text in rows]
    return [{key: value for key, value in item.items() if value != ""} for item in made]


def statuses(pod: Body, state: Body, ready: bool = False, field: str = "containers") -> list[Body]:
    """A status for each container, all in one state; restart counts and last states stay."""
    key = "containerStatuses" if field == "containers" else "initContainerStatuses"
    olds = {item["name"]: item for item in pod["status"].get(key) or []}
    return [_status(container, state, ready, olds.get(container["name"]) or {}) for container in pod["spec"][field]]


def _status(container: Body, state: Body, ready: bool, old: Body) -> Body:
    image = container["image"]
    running = "running" in state
    digest = hashlib.sha256(image.encode()).hexdigest()
    return {
        "name": container["name"],
        "state": state,
        "lastState": old.get("lastState") or {},
        "ready": ready,
        "started": running,
        "restartCount": old.get("restartCount", 0),
        "image": image,
        "imageID": f"{image.split('@')[0]}@sha256:{digest}" if running or "terminated" in state else "",
    }
