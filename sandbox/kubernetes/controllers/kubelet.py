"""The kubelets: pull, start, become ready, fail as wished, and end."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.kubernetes.controllers import ailing, chatter, mounts, nodes, pod_status
from sandbox.kubernetes.controllers.look import Look

Body = dict[str, Any]
MOUNT_SECONDS, READY_SECONDS, END_SECONDS, JOB_SECONDS = 1.5, 5, 3, 5


def reconcile(look: Look) -> None:
    for pod in look.list("pods"):
        if pod["metadata"].get("deletionTimestamp"):
            _end(look, pod)
        elif pod["spec"].get("nodeName") and pod["status"]["phase"] in ("Pending", "Running"):
            _step(look, pod)


def _end(look: Look, pod: Body) -> None:
    meta, node = pod["metadata"], pod["spec"].get("nodeName")
    if node and meta["deletionGracePeriodSeconds"] != 0 and not look.elapsed(pod, "end", END_SECONDS):
        for container in pod["spec"]["containers"]:
            look.event(pod, "Killing", f"Stopping container {container['name']}", "kubelet")
        return
    if meta.get("finalizers"):
        return
    look.end(pod)
    look.cluster.logs.forget(meta["uid"])


def _step(look: Look, pod: Body) -> None:
    node = look.store.get("nodes", "", pod["spec"]["nodeName"])
    if node is None or not nodes.is_ready(node):
        return
    if "startTime" not in pod["status"]:
        pod = _accept(look, pod, node)
    wish = look.symptom(pod)
    if wish is not None and ailing.act(look, pod, wish):
        return
    if pod["status"]["phase"] == "Pending" or ailing.is_broken(pod):
        _start(look, pod)
    elif not _is_up(pod) and look.elapsed(pod, "ready", READY_SECONDS):
        _become_ready(look, pod)
    elif _ends_by_itself(pod) and look.elapsed(pod, "complete", JOB_SECONDS):
        _complete(look, pod)


def _is_up(pod: Body) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"]["conditions"])


def _accept(look: Look, pod: Body, node: Body) -> Body:
    address = next(item["address"] for item in node["status"]["addresses"] if item["type"] == "InternalIP")
    status = pod["status"] | {
        "startTime": look.clock.iso(),
        "hostIP": address,
        "hostIPs": [{"ip": address}],
        "conditions": pod_status.conditions(look, pod, ready=False, started=False),
        "containerStatuses": pod_status.statuses(pod, {"waiting": {"reason": "ContainerCreating"}}),
    }
    if pod["spec"].get("initContainers"):
        status["containerStatuses"] = pod_status.statuses(pod, {"waiting": {"reason": "PodInitializing"}})
        waiting = {"waiting": {"reason": "PodInitializing"}}
        status["initContainerStatuses"] = pod_status.statuses(pod, waiting, field="initContainers")
    return look.status("pods", pod, status)


def pull_seconds(image: str) -> float:
    """6 to 20 simulated seconds, always the same for one image."""
    return 6 + hashlib.sha256(image.encode()).digest()[0] % 15


def _start(look: Look, pod: Body) -> None:
    """From scheduled to running: volumes, images, init containers, containers."""
    if why := mounts.trouble(look, pod):
        attaching = (look.symptom(pod) or {}).get("kind") == "FailedAttachVolume"
        reason, by = ("FailedAttachVolume", "attachdetach-controller") if attaching else ("FailedMount", "kubelet")
        look.event(pod, reason, why, by, warning=True)
        return
    if not look.elapsed(pod, "mount", MOUNT_SECONDS):
        return
    containers = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]
    for container in containers:
        if not _pulled(look, pod, container):
            return
    _run(look, pod, containers)


def _pulled(look: Look, pod: Body, container: Body) -> bool:
    image, node = container["image"], pod["spec"]["nodeName"]
    have = (node, image) in look.cluster.pulled
    if have and container["imagePullPolicy"] != "Always":
        return True
    seconds = 1.0 if have else pull_seconds(image)
    if not look.elapsed(pod, f"pull-{image}", seconds):
        look.event(pod, "Pulling", f'Pulling image "{image}"', "kubelet")
        return False
    if not have:
        look.cluster.pulled.add((node, image))
        text = f'Successfully pulled image "{image}" in {seconds:g}s ({seconds:g}s including waiting).'
        look.event(pod, "Pulled", text, "kubelet")
    return True


def _run(look: Look, pod: Body, containers: list[Body]) -> None:
    for container in containers:
        look.event(pod, "Created", f"Created container: {container['name']}", "kubelet")
        look.event(pod, "Started", f"Started container {container['name']}", "kubelet")
    now, address = look.clock.iso(), pod["status"].get("podIP") or _address(look)
    status = pod["status"] | {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": pod_status.conditions(look, pod, ready=False, started=True),
        "containerStatuses": pod_status.statuses(pod, {"running": {"startedAt": now}}),
    }
    if pod["spec"].get("initContainers"):
        ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
        status["initContainerStatuses"] = pod_status.statuses(pod, ended, ready=True, field="initContainers")
    look.restart_timer(pod, "ready")
    look.status("pods", pod, status)
    for container, line in chatter.on_start(pod):
        look.cluster.logs.append(pod["metadata"]["uid"], container, line)


def _address(look: Look) -> str:
    taken = {pod["status"].get("podIP") for pod in look.store.list("pods")}
    numbers = iter(range(10, 256 * 250))
    return next(text for number in numbers if (text := f"10.244.{number // 250}.{number % 250 + 1}") not in taken)


def _become_ready(look: Look, pod: Body) -> None:
    running = [item | {"ready": True} for item in pod["status"]["containerStatuses"]]
    conditions = pod_status.conditions(look, pod, ready=True, started=True)
    look.status("pods", pod, pod["status"] | {"conditions": conditions, "containerStatuses": running})
    for container, line in chatter.on_ready(pod):
        look.cluster.logs.append(pod["metadata"]["uid"], container, line)


def _ends_by_itself(pod: Body) -> bool:
    """Whether its program has an end: a Job's or a Helm hook's has, a server's runs until its pod is deleted."""
    meta = pod["metadata"]
    hook = "helm.sh/hook" in (meta.get("annotations") or {})
    job = any(owner["kind"] == "Job" for owner in meta.get("ownerReferences") or [])
    return pod["spec"]["restartPolicy"] != "Always" and (job or hook)


def _complete(look: Look, pod: Body) -> None:
    now = look.clock.iso()
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
    conditions = pod_status.conditions(look, pod, ready=False, started=True)
    changed = {"phase": "Succeeded", "containerStatuses": pod_status.statuses(pod, ended), "conditions": conditions}
    look.status("pods", pod, pod["status"] | changed)
