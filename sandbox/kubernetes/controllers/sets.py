"""StatefulSets, DaemonSets and Jobs."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.controllers import placing
from sandbox.kubernetes.controllers.look import (
    Look,
    condition,
    hash_of,
    is_active,
    is_ready,
    pod_from,
    ready_count,
)  # fmt: skip

Body = dict[str, Any]
REVISION = "controller-revision-hash"
#: What the controller has every daemon tolerate.
DAEMON_TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect}
    for key, effect in (
        ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
    )
]  # fmt: skip


def reconcile(look: Look) -> None:
    for resource, act in (("statefulsets", _stateful_set), ("daemonsets", _daemon_set), ("jobs", _job)):
        for body in look.list(resource):
            if not body["metadata"].get("deletionTimestamp"):
                act(look, body)


def _stateful_set(look: Look, owner: Body) -> None:
    name, desired = owner["metadata"]["name"], owner["spec"]["replicas"]
    revision = f"{name}-{hash_of(owner['spec']['template'])}"
    parallel = owner["spec"]["podManagementPolicy"] == "Parallel"
    pods = {pod["metadata"]["name"]: pod for pod in look.owned("pods", owner)}
    for index in range(desired):
        pod = pods.get(f"{name}-{index}")
        if pod is None:
            pod = _stateful_pod(look, owner, index, revision)
        if not parallel and (pod is None or not is_ready(pod)):
            break
    _end_surplus(look, owner, pods, revision)
    _stateful_status(look, owner, revision)


def _stateful_pod(look: Look, owner: Body, index: int, revision: str) -> Body | None:
    name = f"{owner['metadata']['name']}-{index}"
    labels = {
        REVISION: revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(index),
    }
    body = pod_from(owner["spec"]["template"], owner, labels, name)
    claims = owner["spec"].get("volumeClaimTemplates") or []
    if claims:
        volumes = [_claimed(look, claim, name) for claim in claims]
        body["spec"] = body["spec"] | {"volumes": (body["spec"].get("volumes") or []) + volumes}
    made = look.create("pods", body, owner)
    if made is not None:
        text = f"create Pod {name} in StatefulSet {owner['metadata']['name']} successful"
        look.event(owner, "SuccessfulCreate", text, "statefulset-controller")
    return made


def _claimed(look: Look, claim: Body, pod: str) -> Body:
    name = f"{claim['metadata']['name']}-{pod}"
    if look.get("persistentvolumeclaims", name) is None:
        look.create("persistentvolumeclaims", {"metadata": claim["metadata"] | {"name": name}, "spec": claim["spec"]})
    return {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}}


def _end_surplus(look: Look, owner: Body, pods: dict[str, Body], revision: str) -> None:
    """Scales down from the top; replaces one outdated pod when the rest is ready."""

    def number(pod: Body) -> int:
        return int(pod["metadata"]["name"].rsplit("-", 1)[1])

    ordered = sorted(pods.values(), key=number, reverse=True)
    for pod in ordered:
        if number(pod) >= owner["spec"]["replicas"]:
            look.delete("pods", pod)
    if owner["spec"]["updateStrategy"]["type"] == "OnDelete":
        return
    outdated = [pod for pod in ordered if pod["metadata"]["labels"].get(REVISION) != revision]
    waiting = [pod for pod in ordered if not is_ready(pod) and pod not in outdated]
    if outdated and not waiting:
        look.delete("pods", outdated[0])


def _stateful_status(look: Look, owner: Body, revision: str) -> None:
    pods = [pod for pod in look.owned("pods", owner) if is_active(pod)]
    updated = [pod for pod in pods if pod["metadata"]["labels"].get(REVISION) == revision]
    ready, desired = ready_count(pods), owner["spec"]["replicas"]
    done = len(updated) == desired == len(pods) and ready == desired
    before = (owner.get("status") or {}).get("currentRevision") or revision
    status = {
        "observedGeneration": owner["metadata"]["generation"],
        "replicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "updatedReplicas": len(updated),
        "currentReplicas": len(updated) if done or before == revision else len(pods) - len(updated),
        "currentRevision": revision if done else before,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    look.status("statefulsets", owner, status)


def _daemon_set(look: Look, owner: Body) -> None:
    spec = owner["spec"]["template"]["spec"]
    spec = spec | {"tolerations": [*(spec.get("tolerations") or []), *DAEMON_TOLERATIONS]}
    machines = look.store.list("nodes")
    nodes = [node["metadata"]["name"] for node in machines if placing.suits(spec, node, daemon=True)]
    revision = hash_of(owner["spec"]["template"])
    pods = [pod for pod in look.owned("pods", owner) if pod["status"]["phase"] not in ("Succeeded", "Failed")]
    by_node = {placing.wanted_node(pod): pod for pod in pods}
    for name in nodes:
        if name not in by_node:
            body = pod_from(owner["spec"]["template"], owner, {REVISION: revision})
            look.create("pods", body | {"spec": spec | {"affinity": placing.pinned(name)}}, owner)
    # A taint keeps new daemons away; only one of effect NoExecute would end those that run.
    there = {node["metadata"]["name"] for node in machines}
    for name, pod in by_node.items():
        if name not in there:
            look.delete("pods", pod)
    outdated = [pod for pod in pods if pod["metadata"]["labels"].get(REVISION) != revision]
    if outdated and all(is_ready(pod) for pod in pods if pod not in outdated):
        look.delete("pods", outdated[0])
    _daemon_status(look, owner, len(nodes), revision)


def _daemon_status(look: Look, owner: Body, desired: int, revision: str) -> None:
    pods = [pod for pod in look.owned("pods", owner) if is_active(pod)]
    ready = ready_count(pods)
    status = {
        "observedGeneration": owner["metadata"]["generation"],
        "desiredNumberScheduled": desired,
        "currentNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "numberReady": ready,
        "numberAvailable": ready,
        "updatedNumberScheduled": sum(pod["metadata"]["labels"].get(REVISION) == revision for pod in pods),
    }
    if desired > ready:
        status["numberUnavailable"] = desired - ready
    look.status("daemonsets", owner, status)


def _job(look: Look, job: Body) -> None:
    pods = look.owned("pods", job)
    succeeded = sum(pod["status"]["phase"] == "Succeeded" for pod in pods)
    failed = sum(pod["status"]["phase"] == "Failed" for pod in pods)
    active = len(pods) - succeeded - failed
    status = dict(job.get("status") or {})
    if status.get("completionTime") or any(item["type"] == "Failed" for item in status.get("conditions", [])):
        return
    completions, limit = job["spec"]["completions"], job["spec"]["backoffLimit"]
    now = look.clock.iso()
    status |= {"startTime": status.get("startTime", now), "active": active, "succeeded": succeeded, "failed": failed}
    if succeeded >= completions:
        done = [condition(job, name, True, "CompletionsReached", "Reached expected number of succeeded pods", now)
                for name in ("SuccessCriteriaMet", "Complete")]  # fmt: skip
        status |= {"completionTime": now, "conditions": done}
        look.event(job, "Completed", "Job completed", "job-controller")
    elif failed > limit:
        text = "Job has reached the specified backoff limit"
        status["conditions"] = [condition(job, "Failed", True, "BackoffLimitExceeded", text, now)]
        look.event(job, "BackoffLimitExceeded", text, "job-controller", warning=True)
    elif not job["spec"].get("suspend"):
        for _ in range(min(job["spec"]["parallelism"], completions - succeeded) - active):
            look.create("pods", pod_from(job["spec"]["template"], job, {"job-name": job["metadata"]["name"]}), job)
    look.status("jobs", job, {key: value for key, value in status.items() if value != 0})
