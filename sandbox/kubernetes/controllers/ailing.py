"""Pods that fail as a test or a demo wished, in the ways real ones do."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.controllers import pod_status
from sandbox.kubernetes.controllers.look import Look

Body = dict[str, Any]
BROKEN = {"ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff", "CreateContainerConfigError", "InvalidImageName",
          "CreateContainerError", "RunContainerError"}  # fmt: skip
CRASH_SECONDS, FIRST_BACK_OFF, LONGEST_BACK_OFF = 2, 10, 300


def is_broken(pod: Body) -> bool:
    """Whether a container waits for something that will not come by itself."""
    states = (item["state"].get("waiting") or {} for item in pod["status"].get("containerStatuses") or [])
    return any(state.get("reason") in BROKEN for state in states)


def act(look: Look, pod: Body, wish: Body) -> bool:
    """Plays the symptom; False leaves the pod to its normal life."""
    kind, message = wish["kind"], wish.get("message") or ""
    if kind in ("ImagePullBackOff", "ErrImagePull"):
        return _no_image(look, pod, message)
    if kind in ("CrashLoopBackOff", "OOMKilled", "Error"):
        return _crash(look, pod, "OOMKilled" if kind == "OOMKilled" else "Error", message)
    if kind == "NotReady":
        return _never_ready(look, pod, message)
    if kind == "Evicted":
        text = message or "The node was low on resource: memory."
        look.status("pods", pod, pod["status"] | {"phase": "Failed", "reason": "Evicted", "message": text})
        look.event(pod, "Evicted", text, "kubelet", warning=True)
        return True
    if kind in BROKEN:
        _wait(look, pod, kind, message or f"{kind}: the container cannot be made")
        look.event(pod, "Failed", f"Error: {message or kind}", "kubelet", warning=True)
        return True
    return False


def _wait(look: Look, pod: Body, reason: str, message: str) -> Body:
    state = {"waiting": {"reason": reason, "message": message}}
    conditions = [_not_ready(item) for item in pod["status"]["conditions"]]
    changed = {"containerStatuses": pod_status.statuses(pod, state), "conditions": conditions}
    return look.status("pods", pod, pod["status"] | changed)


def _not_ready(item: Body) -> Body:
    if item["type"] not in ("Ready", "ContainersReady") or item["status"] == "False":
        return item
    return item | {"status": "False", "reason": "ContainersNotReady"}


def _no_image(look: Look, pod: Body, message: str) -> bool:
    if pod["status"]["phase"] == "Running":
        return False
    image = pod["spec"]["containers"][0]["image"]
    why = message or (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": pull access denied,'
        " repository does not exist or may require authorization"
    )
    if not look.elapsed(pod, "bad-pull", 4):
        look.event(pod, "Pulling", f'Pulling image "{image}"', "kubelet")
    elif not look.elapsed(pod, "bad-pull-back-off", 10):
        look.event(pod, "Failed", f'Failed to pull image "{image}": {why}', "kubelet", warning=True)
        look.event(pod, "Failed", "Error: ErrImagePull", "kubelet", warning=True)
        _wait(look, pod, "ErrImagePull", why)
    else:
        look.event(pod, "BackOff", f'Back-off pulling image "{image}"', "kubelet")
        _wait(look, pod, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
    return True


def _crash(look: Look, pod: Body, reason: str, message: str) -> bool:
    """Starts, ends, waits longer each time. The first start is the pod's normal one."""
    status = pod["status"]["containerStatuses"][0]
    count = status["restartCount"]
    if pod["status"]["phase"] == "Pending":
        return False
    if "running" in status["state"]:
        if look.elapsed(pod, f"crash-{count}", CRASH_SECONDS):
            _fall(look, pod, reason, message)
        return True
    back_off = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2**count)
    if look.elapsed(pod, f"back-off-{count}", back_off, at_least=0.2):
        _again(look, pod, count + 1)
    return True


def _fall(look: Look, pod: Body, reason: str, message: str) -> None:
    now, name = look.clock.iso(), pod["spec"]["containers"][0]["name"]
    code = 137 if reason == "OOMKilled" else 1
    terminated = {"exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now}
    uid, meta = pod["metadata"]["uid"], pod["metadata"]
    look.cluster.logs.append(uid, message or f"{name}: stopped ({reason}, exit code {code})")
    text = f"back-off restarting failed container={name} pod={meta['name']}_{look.namespace}({uid})"
    changed = _wait(look, pod, "CrashLoopBackOff", text)
    ended = [item | {"lastState": {"terminated": terminated}} for item in changed["status"]["containerStatuses"]]
    changed = look.status("pods", changed, changed["status"] | {"containerStatuses": ended})
    text = f"Back-off restarting failed container {name} in pod {meta['name']}_{look.namespace}({uid})"
    look.event(changed, "BackOff", text, "kubelet", warning=True, again=True)


def _again(look: Look, pod: Body, count: int) -> None:
    look.cluster.logs.restarted(pod["metadata"]["uid"])
    state = {"running": {"startedAt": look.clock.iso()}}
    items = [item | {"restartCount": count} for item in pod_status.statuses(pod, state)]
    look.status("pods", pod, pod["status"] | {"containerStatuses": items})


def _never_ready(look: Look, pod: Body, message: str) -> bool:
    if pod["status"]["phase"] != "Running":
        return False
    text = message or "Readiness probe failed: HTTP probe failed with statuscode: 503"
    if not look.elapsed(pod, "unhealthy", 1):
        look.event(pod, "Unhealthy", text, "kubelet", warning=True)
    items = [item | {"ready": False} for item in pod["status"]["containerStatuses"]]
    conditions = [_not_ready(item) for item in pod["status"]["conditions"]]
    look.status("pods", pod, pod["status"] | {"containerStatuses": items, "conditions": conditions})
    return True
