"""Small duties: service accounts, endpoints, disruption budgets, garbage, and namespaces that end."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.controllers.look import Look, condition, is_active, is_ready
from sandbox.kubernetes.kinds import BY_RESOURCE
from sandbox.kubernetes.selectors import selector_matches

Body = dict[str, Any]
NAMESPACE_SECONDS = 5


def accounts(look: Look) -> None:
    """Each namespace has a default service account and the cluster's CA."""
    if look.get("serviceaccounts", "default") is None:
        look.create("serviceaccounts", {"metadata": {"name": "default"}})
    if look.get("configmaps", "kube-root-ca.crt") is None:
        data = {"ca.crt": look.clusters.core.ca_pem.decode()}
        look.create("configmaps", {"metadata": {"name": "kube-root-ca.crt"}, "data": data})


def endpoints(look: Look) -> None:
    for service in look.list("services"):
        selector = service["spec"].get("selector")
        if not selector or service["metadata"].get("deletionTimestamp"):
            continue
        pods = [pod for pod in look.list("pods") if _serves(pod, selector)]
        subsets = _subsets(service, pods)
        name = service["metadata"]["name"]
        old = look.get("endpoints", name)
        if old is None:
            look.create("endpoints", {"metadata": {"name": name}} | ({"subsets": subsets} if subsets else {}))
        elif old.get("subsets", []) != subsets:
            look.put("endpoints", {key: value for key, value in old.items() if key != "subsets"} | {"subsets": subsets})
    for body in look.list("endpoints"):
        if look.get("services", body["metadata"]["name"]) is None:
            look.delete("endpoints", body)


def _serves(pod: Body, selector: Body) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return is_ready(pod) and is_active(pod) and all(labels.get(key) == value for key, value in selector.items())


def _subsets(service: Body, pods: list[Body]) -> list[Body]:
    if not pods:
        return []
    addresses = [{"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": {
        "kind": "Pod", "namespace": pod["metadata"]["namespace"], "name": pod["metadata"]["name"],
        "uid": pod["metadata"]["uid"]}} for pod in pods]  # fmt: skip
    ports = [
        {key: port[key] for key in ("name", "port", "protocol") if key in port} for port in service["spec"]["ports"]
    ]
    return [{"addresses": addresses, "ports": ports}]


def budgets(look: Look) -> None:
    for budget in look.list("poddisruptionbudgets"):
        selector = budget["spec"].get("selector")
        pods = [p for p in look.list("pods") if selector_matches(selector, p["metadata"].get("labels") or {})]
        healthy, expected = sum(is_ready(pod) for pod in pods), len(pods)
        wanted = _wanted(budget["spec"], expected)
        allowed = max(0, healthy - wanted)
        reason = "SufficientPods" if allowed else "InsufficientPods"
        status = {
            "observedGeneration": budget["metadata"]["generation"],
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "expectedPods": expected,
            "disruptionsAllowed": allowed,
            "conditions": [condition(budget, "DisruptionAllowed", bool(allowed), reason, "", look.clock.iso())],
        }
        look.status("poddisruptionbudgets", budget, status)


def _wanted(spec: Body, expected: int) -> int:
    most = spec.get("maxUnavailable")
    value = spec.get("minAvailable", 1) if most is None else most
    number = -(-expected * int(value[:-1]) // 100) if isinstance(value, str) and value.endswith("%") else int(value)
    return number if most is None else max(0, expected - number)


def garbage(look: Look) -> None:
    """Deletes what has lost its owners, and finishes foreground and orphaning deletions."""
    everything = list(look.store.everything_in(look.namespace))
    uids = {body["metadata"]["uid"] for _, body in everything}
    children: dict[str, list[tuple[str, Body]]] = {}
    for resource, body in everything:
        owners = [owner["uid"] for owner in body["metadata"].get("ownerReferences") or []]
        for uid in owners:
            children.setdefault(uid, []).append((resource, body))
        if owners and not uids.intersection(owners) and not _lives_elsewhere(look, body):
            look.delete(resource, body)
    for resource, body in everything:
        if body["metadata"].get("deletionTimestamp"):
            _finish(look, resource, body, children.get(body["metadata"]["uid"], []))


def _lives_elsewhere(look: Look, body: Body) -> bool:
    return any(owner["kind"] == "Node" for owner in body["metadata"]["ownerReferences"])


def _finish(look: Look, resource: str, body: Body, children: list[tuple[str, Body]]) -> None:
    finalizers = body["metadata"].get("finalizers") or []
    if "foregroundDeletion" in finalizers:
        for child_resource, child in children:
            look.delete(child_resource, child, "Foreground" if child_resource == "replicasets" else None)
        if not children:
            _let_go(look, resource, body, "foregroundDeletion")
    elif "orphan" in finalizers:
        for child_resource, child in children:
            meta = {key: value for key, value in child["metadata"].items() if key != "ownerReferences"}
            look.put(child_resource, child | {"metadata": meta})
        _let_go(look, resource, body, "orphan")


def _let_go(look: Look, resource: str, body: Body, finalizer: str) -> None:
    now = look.get(resource, body["metadata"]["name"])
    if now is not None:
        meta = now["metadata"]
        left = [item for item in meta["finalizers"] if item != finalizer]
        look.gate.settle(BY_RESOURCE[resource], now | {"metadata": meta | {"finalizers": left}})


def ending(look: Look) -> bool:
    """Empties a namespace that is being deleted; True while it is."""
    space = look.store.get("namespaces", "", look.namespace)
    if space is None or not space["metadata"].get("deletionTimestamp"):
        return False
    if look.elapsed(space, "end", NAMESPACE_SECONDS):
        for resource, body in list(look.store.everything_in(look.namespace)):
            look.delete(resource, body)
        if not any(True for _ in look.store.everything_in(look.namespace)):
            look.gate.settle(BY_RESOURCE["namespaces"], space | {"spec": {"finalizers": []}})
    return True
