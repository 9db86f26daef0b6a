"""The inside of a hub, as a worker keeps it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from deployments.inside import wanting
from deployments.models import Deployment, Look

#: What stands behind the hub's own address in that of each page.
PAGES: dict[str, list[str]] = {
    "inside": [],
    "inside-history": [],
    "inside-pod": ["hub-6c9f"],
    "inside-log": ["hub-6c9f"],
}
POD = {
    "name": "hub-6c9f", "component": "hub", "status": "ImagePullBackOff", "ready": False, "ready_count": 0, "count": 1,
    "unplaced": False, "restarts": 3, "node": "aks-core-1", "created": "2026-03-02T10:00:00+00:00",
}  # fmt: skip
SESSION = POD | {"name": "jupyter-ada", "component": "singleuser-server", "status": "Pending", "unplaced": True}
DIAGNOSIS = {
    "code": "image-refused", "what": "The registry does not hand out an image.", "why": "It does not know our token.",
    "fix": "Give the hub a new token.", "evidence": ["hub-6c9f: <pull access denied>"],
}  # fmt: skip
CONTAINER = {
    "name": "hub", "image": "quay.io/jupyterhub/k8s-hub:4.2.0", "init": False, "state": "waiting",
    "reason": "CrashLoopBackOff", "message": "back-off 20s", "ready": False, "restarts": 3, "since": None,
    "ended": None,
    "last": {"reason": "Error", "message": "", "code": 1, "at": "2026-03-02T10:00:00+00:00"},
    "requests": {"cpu": "200m"}, "limits": {"memory": "1Gi"}, "variables": ["HUB_TOKEN"], "mounts": ["/srv from pvc"],
}  # fmt: skip
OVERVIEW = {
    "diagnoses": [DIAGNOSIS], "silence": "", "pods": [POD, SESSION], "more_pods": 4,
    "nodes": [{"name": "aks-core-1", "ready": True, "reason": "KubeletReady", "message": "", "version": "v1.34.3",
               "created": "2026-03-02T09:00:00+00:00", "pool": "core", "size": "Standard_D4s_v5", "closed": False,
               "pressures": [{"kind": "DiskPressure", "value": "True", "reason": "", "message": "kubelet is full"}],
               "taints": [], "room": {"cpu": "3860m", "memory": "13963Mi"}}],
    "services": [{"name": "proxy-public", "type": "LoadBalancer", "addresses": [], "annotations": {}, "created": None}],
    "claims": [{"name": "hub-db-dir", "phase": "Pending", "volume": ""}],
    "events": [{"about": "Pod/hub-6c9f", "type": "Warning", "reason": "Failed", "message": "Error: ErrImagePull",
                "count": 5, "last_seen": "2026-03-02T10:29:12+00:00"}],
}  # fmt: skip


def with_cluster(hub: Deployment) -> Deployment:
    hub.resources.create(kind=wanting.CLUSTER, name="course", cloud_id="/clusters/course", seen_at=timezone.now())
    return hub


def url(hub: Deployment, page: str = "inside", *more: str, query: str = "") -> str:
    return reverse(f"deployments:{page}", args=[hub.id, *(more or PAGES.get(page, []))]) + query


def fill(hub: Deployment, subject: str, data: dict[str, Any], problem: str = "") -> None:
    """What a worker would have kept."""
    now = timezone.now()
    values = {"wanted_until": now + timedelta(minutes=1), "looked_at": now, "data": data, "problem": problem}
    Look.objects.update_or_create(
        deployment=hub, subject=subject, defaults=values | {"due_at": now + timedelta(hours=1)}
    )


def log_data(*lines: str, **more: Any) -> dict[str, Any]:
    moment = "2026-03-02T10:00:00+00:00"
    numbered = [[1000 + number, moment, line] for number, line in enumerate(lines)]
    containers = [{"name": "hub", "init": False, "restarts": 2}, {"name": "side", "init": False, "restarts": 0}]
    data = {"lines": numbered, "full": False, "pod": POD, "container": "hub", "containers": containers}
    return data | {"problem": "", "gone": False} | more
