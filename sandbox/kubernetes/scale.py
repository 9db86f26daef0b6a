"""The scale subresource of Deployments, StatefulSets and ReplicaSets."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.errors import bad_request

Body = dict[str, Any]


def shown(body: Body) -> Body:
    meta = body["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    selector = ",".join(f"{key}={value}" for key, value in body["spec"]["selector"].get("matchLabels", {}).items())
    status = {"replicas": (body.get("status") or {}).get("replicas", 0), "selector": selector}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": kept,
        "spec": {"replicas": body["spec"]["replicas"]},
        "status": status,
    }


def changed(body: Body, scale: Body) -> Body:
    """The workload with the replicas that a Scale, or a patch of one, asks for."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        raise bad_request("spec.replicas: Invalid value: must be greater than or equal to 0")
    version = (scale.get("metadata") or {}).get("resourceVersion") or body["metadata"]["resourceVersion"]
    meta = body["metadata"] | {"resourceVersion": version}
    return body | {"metadata": meta, "spec": body["spec"] | {"replicas": replicas}}
