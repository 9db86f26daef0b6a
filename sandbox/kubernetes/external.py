"""The external cluster: a real API server whose objects are mirrored, and kubelets played where none run.

The same kubelet and load-balancer controllers act on the mirror; what they write goes to the real server.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.core import Core
from sandbox.kubernetes.admission import Gate
from sandbox.kubernetes.controllers import balancers, kubelet, nodes
from sandbox.kubernetes.controllers.look import Look
from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.kinds import BY_RESOURCE, Kind
from sandbox.kubernetes.real_api import RealApi, path_of
from sandbox.kubernetes.store import Body, Store

if TYPE_CHECKING:
    from sandbox.kubernetes.clusters import Clusters

KEY = "external"
MIRRORED = (
    "namespaces", "nodes", "pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes",
    "deployments", "statefulsets", "daemonsets", "replicasets", "events",
)  # fmt: skip
#: A node is given up when its lease is 40 s old.
LEASE_SECONDS = 10.0
PAUSE_SECONDS = 0.05


class RealGate(Gate):
    """Writes to the real server; the mirror shows the answer at once."""

    def __init__(self, store: Store, core: Core, api: RealApi) -> None:
        super().__init__(store, core.clock)
        self._api = api

    def create(self, kind: Kind, namespace: str, body: Body, manager: str = "", dry_run: bool = False) -> Body:
        full = body | {"apiVersion": kind.api_version, "kind": kind.kind}
        meta = {key: value for key, value in body["metadata"].items() if key not in ("uid", "creationTimestamp")}
        made = self._api.call("POST", path_of(kind, namespace), full | {"metadata": meta})
        return self.store.mirror(kind.resource, made)

    def settle(self, kind: Kind, body: Body) -> Body:
        return self.replace(kind, body)

    def replace(self, kind: Kind, body: Body, subresource: str = "") -> Body:
        """PUT. A conflict is no error: the watch brings the newer object, and with it another look."""
        meta = body["metadata"]
        path = path_of(kind, meta.get("namespace", ""), meta["name"], subresource)
        try:
            answer = self._api.call("PUT", path, body)
        except ApiError as error:
            if error.code in (404, 409):
                return body
            raise
        return self.store.mirror(kind.resource, answer)

    def delete(self, kind: Kind, body: Body, options: Body | None = None) -> tuple[Body, bool]:
        meta = body["metadata"]
        with contextlib.suppress(ApiError):
            self._api.call("DELETE", path_of(kind, meta.get("namespace", ""), meta["name"]), options or {})
        return body, False


class RealLook(Look):
    """A look whose writes reach the real cluster."""

    gate: RealGate

    @property
    def region(self) -> str:
        return next((str(self.clusters.about(key)["region"]) for key in self.clusters.keys()), "")

    def put(self, resource: str, body: Body) -> Body:
        return self.gate.replace(BY_RESOURCE[resource], body)

    def status(self, resource: str, body: Body, status: Body) -> Body:
        if body.get("status") == status:
            return body
        return self.gate.replace(BY_RESOURCE[resource], body | {"status": status}, "status")

    def end(self, pod: Body) -> None:
        self.gate.delete(BY_RESOURCE["pods"], pod, {"gracePeriodSeconds": 0})

    def write_event(self, body: Body) -> None:
        with contextlib.suppress(ApiError):
            self.gate.create(BY_RESOURCE["events"], body["metadata"]["namespace"], body)


async def run(clusters: Clusters, api: RealApi) -> None:
    """Mirrors until cancelled; with hubs on, plays the kubelets too."""
    cluster = clusters.external
    async with asyncio.TaskGroup() as group:
        for resource in MIRRORED:
            group.create_task(api.follow(BY_RESOURCE[resource], cluster.store))
        if clusters.core.config.hubs:
            group.create_task(_renew_leases(clusters, api))
            group.create_task(_play(clusters))


async def _play(clusters: Clusters) -> None:
    cluster = clusters.external
    while True:
        clusters.wake.clear()
        for namespace in sorted(cluster.dirty | cluster.timers.ring()):
            cluster.dirty.discard(namespace)
            with contextlib.suppress(ApiError):
                _look_at(RealLook(clusters, cluster, namespace))
        await asyncio.sleep(PAUSE_SECONDS)
        due = cluster.timers.next()
        left = max(0.0, due - clusters.core.clock.now()) if due else None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(clusters.wake.wait(), left)


def _look_at(look: RealLook) -> None:
    if look.namespace == "":
        for key in look.clusters.keys():
            nodes.bring_up(look, look.clusters.about(key))
        return
    for claim in look.list("persistentvolumeclaims"):
        _offer_volume(look, claim)
    kubelet.reconcile(look)
    balancers.reconcile(look)


def _offer_volume(look: RealLook, claim: Body) -> None:
    """A volume made for the claim; the real volume controller binds the two."""
    name = f"pvc-{claim['metadata']['uid']}"
    if claim["spec"].get("volumeName") or look.store.get("persistentvolumes", "", name):
        return
    reference = {key: claim["metadata"][key] for key in ("namespace", "name", "uid")}
    spec = {
        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
        "accessModes": claim["spec"]["accessModes"],
        "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1"} | reference,
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": claim["spec"].get("storageClassName") or "",
        "hostPath": {"path": f"/volumes/{name}"},
    }
    look.gate.create(BY_RESOURCE["persistentvolumes"], "", {"metadata": {"name": name}, "spec": spec})


async def _renew_leases(clusters: Clusters, api: RealApi) -> None:
    while True:
        played = [node["metadata"]["name"] for node in clusters.external.store.list("nodes") if nodes.is_played(node)]
        for name in played:
            with contextlib.suppress(ApiError):
                await asyncio.to_thread(_renew, api, name)
        await asyncio.sleep(LEASE_SECONDS if played else 1.0)


def _renew(api: RealApi, node: str) -> None:
    kind, space = BY_RESOURCE["leases"], "kube-node-lease"
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec: dict[str, Any] = {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": now}
    head = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    try:
        lease = api.call("GET", path_of(kind, space, node))
    except ApiError as error:
        if error.code == 404:
            api.call("POST", path_of(kind, space), head | {"metadata": {"name": node}, "spec": spec})
        return
    api.call("PUT", path_of(kind, space, node), lease | {"spec": spec})
