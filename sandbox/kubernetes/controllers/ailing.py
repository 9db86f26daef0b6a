"""Pods that fail as a test or a demo wished, in the ways real ones do."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.controllers import chatter, pod_status
from sandbox.kubernetes.controllers.look import Look, condition

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
    if kind == "InitError":
        return _no_beginning(look, pod, message)
    if kind == "Evicted":
        return _thrown_out(look, pod, wish)
    if kind in BROKEN:
        _wait(look, pod, kind, message or f"{kind}: the container cannot be made")
        look.event(pod, "Failed", f"Error: {message or kind}", "kubelet", warning=True)
        return True
    return False


def _thrown_out(look: Look, pod: Body, wish: Body) -> bool:
    """One pod that runs, or as many as the wish counts: those that take their place would follow them for ever."""
    if pod["status"]["phase"] != "Running" or wish.get("struck", 0) >= wish.get("count", 1):
        return False
    wish["struck"] = wish.get("struck", 0) + 1
    text = wish.get("message") or "The node was low on resource: memory."
    target = condition(pod, "DisruptionTarget", True, "TerminationByKubelet", text, look.clock.iso())
    conditions = [*(_not_ready(item) for item in pod["status"]["conditions"]), target]
    changed = {"phase": "Failed", "reason": "Evicted", "message": text, "conditions": conditions}
    look.event(pod, "Evicted", text, "kubelet", warning=True)
    look.status("pods", pod, pod["status"] | changed)
    return True


def _no_beginning(look: Look, pod: Body, message: str) -> bool:
    """The first init container ends with a mistake each time it is tried."""
    first = (pod["spec"].get("initContainers") or [None])[0]
    if first is None or pod["status"]["phase"] != "Pending":
        return False
    if not look.elapsed(pod, "init", CRASH_SECONDS):
        return True
    meta, now, name = pod["metadata"], look.clock.iso(), first["name"]
    text = f"back-off restarting failed container={name} pod={meta['name']}_{look.namespace}({meta['uid']})"
    ended = {"exitCode": 128, "reason": "Error", "startedAt": now, "finishedAt": now}
    status = pod["status"]["initContainerStatuses"][0]
    if not status.get("lastState"):
        look.cluster.logs.append(meta["uid"], name, message or f"{name}: exit code 128")
        look.event(pod, "BackOff", f"Back-off restarting failed container {name}", "kubelet", warning=True)
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        failed = status | {"state": state, "lastState": {"terminated": ended}, "restartCount": 1}
        others = pod["status"]["initContainerStatuses"][1:]
        look.status("pods", pod, pod["status"] | {"initContainerStatuses": [failed, *others]})
    return True


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
    look.cluster.logs.append(uid, name, message or f"{name}: stopped ({reason}, exit code {code})")
    text = f"back-off restarting failed container={name} pod={meta['name']}_{look.namespace}({uid})"
    changed = _wait(look, pod, "CrashLoopBackOff", text)
    ended = [item | {"lastState": {"terminated": terminated}} for item in changed["status"]["containerStatuses"]]
    changed = look.status("pods", changed, changed["status"] | {"containerStatuses": ended})
    text = f"Back-off restarting failed container {name} in pod {meta['name']}_{look.namespace}({uid})"
    look.event(changed, "BackOff", text, "kubelet", warning=True, again=True)


def _again(look: Look, pod: Body, count: int) -> None:
    uid = pod["metadata"]["uid"]
    for container in pod["spec"]["containers"]:
        look.cluster.logs.restarted(uid, container["name"])
        for line in chatter.said_on_start(container):
            look.cluster.logs.append(uid, container["name"], line)
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
