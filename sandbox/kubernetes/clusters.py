"""The clusters there are, and their objects as other areas read them."""

from __future__ import annotations

import asyncio
from typing import Any

from sandbox.core import Core
from sandbox.kubernetes import bootstrap, credentials, external
from sandbox.kubernetes.admission import Gate
from sandbox.kubernetes.controllers import nodes
from sandbox.kubernetes.controllers.look import Look
from sandbox.kubernetes.logs import PodLogs
from sandbox.kubernetes.real_api import RealApi
from sandbox.kubernetes.store import Body, Change, Store
from sandbox.kubernetes.timers import Timers
from sandbox.state import State

CLUSTERS = "kubernetes.clusters"
OBJECTS = "kubernetes.objects"
#: Changes that no controller waits for.
QUIET = {"events", "leases", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "networkpolicies"}


class Objects:
    """A read-only view of one cluster's objects."""

    def __init__(self, store: Store, logs: PodLogs) -> None:
        self._store, self._logs = store, logs

    def get(self, resource: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        return self._store.get(resource, namespace, name)

    def list(self, resource: str, namespace: str | None = None) -> list[dict[str, Any]]:
        return self._store.list(resource, namespace)

    def append_pod_log(self, namespace: str, pod: str, line: str) -> None:
        """A line of the pod's first container."""
        body = self._store.get("pods", namespace, pod)
        if body is not None:
            self._logs.append(body["metadata"]["uid"], body["spec"]["containers"][0]["name"], line)


class Cluster:
    """One cluster at run time."""

    def __init__(self, key: str, core: Core, logs: PodLogs, wake: asyncio.Event, state: State | None = None) -> None:
        self.key, self.clock, self.logs = key, core.clock, logs
        self.store = Store(key, (state or core.state).bucket(OBJECTS))
        self.gate: Gate = Gate(self.store, core.clock)
        self.timers = Timers(core.clock)
        self.dirty: set[str] = set(self.store.namespaces()) | {""}
        #: Namespaces with pods that found no room.
        self.waiting: set[str] = set()
        #: (node, image) pairs that need no pulling again.
        self.pulled: set[tuple[str, str]] = set()
        self._wake = wake
        self.store.listen(self._changed)

    def _changed(self, change: Change) -> None:
        if change.resource in QUIET or change.last.get("type") == "helm.sh/release.v1":
            return
        meta = change.last["metadata"]
        self.touch(meta["name"] if change.resource == "namespaces" else change.namespace)
        if change.after is None:
            self.timers.forget(meta["uid"])
        if change.resource == "nodes":
            self.dirty.update(self.store.namespaces())
        elif change.resource == "pods" and change.after is None:
            self.dirty.update(self.waiting)

    def touch(self, namespace: str) -> None:
        self.dirty.add(namespace)
        self._wake.set()


class Clusters:
    """`core.services["kubernetes"]`: AKS makes and removes clusters here, hubs read their objects."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.wake = asyncio.Event()
        self.logs = PodLogs(core.clock)
        self.symptoms: list[dict[str, Any]] = []
        self._bucket = core.state.bucket(CLUSTERS)
        self.api = RealApi(core.config.kubeconfig) if core.config.kubeconfig else None
        self.external = Cluster(external.KEY, core, self.logs, self.wake, State(":memory:"))
        if self.api is not None:
            self.external.gate = external.RealGate(self.external.store, core, self.api)
        self.live: dict[str, Cluster] = {key: self._open(key) for key in self.keys()}

    def _open(self, key: str) -> Cluster:
        """With a real cluster given, every key means that one."""
        return self.external if self.api else Cluster(key, self.core, self.logs, self.wake)

    def ensure(self, key: str, *, name: str, region: str, version: str, pools: list[dict[str, Any]]) -> None:
        """Makes the cluster, or changes its version and pools."""
        old = self._bucket.get(key)
        wanted = {"name": name, "region": region, "version": version.removeprefix("v"), "pools": pools}
        if old is not None and old | wanted == old:
            return
        self._bucket.put(key, (old or {"running": True, "token": credentials.new_token()}) | wanted)
        if key not in self.live:
            self.live[key] = self._open(key)
            if self.api is None:
                bootstrap.fill(self.live[key].gate)
        self.live[key].touch("")

    def remove(self, key: str) -> None:
        cluster = self.live.pop(key, None)
        if cluster is not None and cluster is not self.external:
            cluster.store.wipe()
        self._bucket.delete(key)
        self.wake.set()

    def set_power(self, key: str, running: bool) -> None:
        old = self._bucket.get(key)
        if old is None or old["running"] == running:
            return
        self._bucket.put(key, old | {"running": running})
        cluster = self.live[key]
        if not running and cluster is not self.external:
            nodes.power_off(Look(self, cluster, ""))
        cluster.dirty.update(["", *cluster.store.namespaces()])
        self.wake.set()

    def kubeconfig(self, key: str) -> bytes:
        if self.core.config.kubeconfig is not None:
            return self.core.config.kubeconfig.read_bytes()
        about = self.about(key)
        server = f"{self.core.config.origin}/k8s/{key}"
        return credentials.kubeconfig(server, about["name"], key, self.core.ca_pem, about["token"])

    def wake_all(self) -> None:
        """Makes the controllers look at everything."""
        for cluster in self.live.values():
            cluster.dirty.update(["", *cluster.store.namespaces()])
        self.wake.set()

    def about(self, key: str) -> Body:
        """name, region, version, pools, running, token. Raises KeyError when there is no such cluster."""
        found = self._bucket.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def objects(self, key: str) -> Objects:
        cluster = self.live[key]
        return Objects(cluster.store, cluster.logs)

    def keys(self) -> list[str]:
        return self._bucket.keys()
