"""People's servers: a pod each, its progress, and its end."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from sandbox.hubs.installed import Body, Installed, is_ready
from sandbox.hubs.world import World
from sandbox.kubernetes import kinds
from sandbox.kubernetes.errors import ApiError

#: Real seconds that a server may always idle, however fast the clock runs.
LEAST_IDLE = 5.0
SAFE = set("abcdefghijklmnopqrstuvwxyz0123456789")


class Progress:
    """What a starting server tells those who wait for it."""

    def __init__(self) -> None:
        self.events: list[Body] = []
        self.changed = asyncio.Event()

    def say(self, message: str, percent: int, **more: Any) -> None:
        self.events.append({"progress": percent, "message": message, **more})
        self.changed.set()
        self.changed = asyncio.Event()

    @property
    def over(self) -> bool:
        return bool(self.events) and bool(self.events[-1].get("ready") or self.events[-1].get("failed"))


class Spawner:
    def __init__(self, world: World) -> None:
        self.world = world
        self.progress: dict[str, Progress] = {}

    def server(self, hub: Installed, user: str, name: str = "") -> Body | None:
        found = self.world.ledger.user(hub, user)
        return ((found or {}).get("servers") or {}).get(name)

    def start(self, hub: Installed, user: str, name: str, options: Body) -> None:
        """Makes the pod and returns; `progress` tells the rest. Raises ApiError when Kubernetes refuses the pod."""
        pod = self._pod(hub, user, name, options)
        self._claim(hub, pod)
        self.world.create_pod(hub, pod)
        now = self.world.clock.now()
        server = {
            "name": name,
            "pod": pod["metadata"]["name"],
            "ready": False,
            "started": now,
            "last_activity": now,
            "token": options.get("token") or secrets.token_hex(16),
            "image": options.get("image", ""),
            "repo_url": options.get("repo_url", ""),
        }
        self._record(hub, user, name, server)
        progress = self.progress[self._key(hub, user, name)] = Progress()
        progress.say("Server requested", 0)
        progress.say("Spawning server...", 50)
        self.world.spawn(self._watch(hub, user, name, progress))

    def stop(self, hub: Installed, user: str, name: str = "") -> None:
        server = self.server(hub, user, name)
        if server is None:
            return
        self._record(hub, user, name, None)
        self.progress.pop(self._key(hub, user, name), None)
        self.world.delete_pod(hub, server["pod"])

    def touch(self, hub: Installed, user: str, name: str = "") -> None:
        """Somebody used the server: the culler's clock starts anew."""
        server = self.server(hub, user, name)
        if server is not None:
            self._record(hub, user, name, server | {"last_activity": self.world.clock.now()})

    def cull(self) -> None:
        """Stops idle servers as the hub's culler does; with `cull.users` their users go too."""
        for key, user in self.world.ledger.all_users():
            cluster, namespace, _ = key.split("/", 2)
            hub = self.world.hub(cluster, namespace)
            if hub is None or not (user.get("servers") or {}):
                continue
            self._cull_user(hub, user)

    def _cull_user(self, hub: Installed, user: Body) -> None:
        rules = hub.values.get("cull") or {}
        for name, server in list(user["servers"].items()):
            pod = hub.get("pods", server["pod"])
            idle = self._longer_than(server["last_activity"], rules.get("timeout") or 3600)
            old = bool(rules.get("maxAge")) and self._longer_than(server["started"], rules["maxAge"])
            if pod is None or (rules.get("enabled") and (idle or old)):
                self.stop(hub, user["name"], name)
                if rules.get("users"):
                    self.world.ledger.delete_user(hub, user["name"])

    def _longer_than(self, since: float, seconds: float) -> bool:
        return self.world.clock.now() - since > self.world.patience(seconds, LEAST_IDLE)

    async def _watch(self, hub: Installed, user: str, name: str, progress: Progress) -> None:
        limit = float(hub.values.get("singleuser", {}).get("startTimeout") or 300)
        deadline = self.world.clock.now() + self.world.patience(limit)
        told: set[str] = set()
        while server := self.server(hub, user, name):
            if self.world.hub(hub.cluster, hub.namespace) is None:
                return
            if self._observe(hub, server, progress, told):
                self._record(hub, user, name, server | {"ready": True})
                url = f"{hub.base_url}user/{user}/" + (f"{name}/" if name else "")
                progress.say(f"Server ready at {url}", 100, ready=True, url=url)
                return
            if self.world.clock.now() > deadline:
                self.stop(hub, user, name)
                message = f"Spawn failed: pod {hub.namespace}/{server['pod']} did not start in {limit:.0f} seconds!"
                progress.say(message, 100, failed=True)
                return
            await self.world.glance()
        if not progress.over:
            progress.say("Spawn failed: the server was stopped while it started", 100, failed=True)

    def _observe(self, hub: Installed, server: Body, progress: Progress, told: set[str]) -> bool:
        """Passes the pod's events on; whether it is ready."""
        for event in hub.objects.list("events", hub.namespace):
            if event["involvedObject"].get("name") == server["pod"] and event["metadata"]["name"] not in told:
                told.add(event["metadata"]["name"])
                progress.say(f"{event.get('lastTimestamp') or ''} [{event['type']}] {event['message']}", 70)
        pod = hub.get("pods", server["pod"])
        return pod is not None and is_ready(pod)

    def _record(self, hub: Installed, user: str, name: str, server: Body | None) -> None:
        found = self.world.ledger.user(hub, user)
        if found is None:
            return
        others = {key: value for key, value in (found.get("servers") or {}).items() if key != name}
        servers = others | ({name: server} if server else {})
        self.world.ledger.put_user(hub, found | {"servers": servers, "last_activity": self.world.clock.now()})

    def _key(self, hub: Installed, user: str, name: str) -> str:
        return f"{hub.key}{user}/{name}"

    def waiting(self, hub: Installed, user: str, name: str = "") -> Progress | None:
        return self.progress.get(self._key(hub, user, name))

    def _pod(self, hub: Installed, user: str, name: str, options: Body) -> Body:
        single = hub.values.get("singleuser") or {}
        default = single.get("image") or {}
        slug = escaped(user) + (f"--{escaped(name)}" if name else "")
        container = {
            "name": "notebook",
            "image": options.get("image") or f"{default.get('name')}:{default.get('tag')}",
            "ports": [{"name": "notebook-port", "containerPort": 8888}],
            "resources": _resources(single),
        }
        spec: Body = {"containers": [container], "restartPolicy": "OnFailure", "automountServiceAccountToken": False}
        if (single.get("storage") or {}).get("type") == "dynamic":
            spec["volumes"] = [{"name": "home", "persistentVolumeClaim": {"claimName": f"claim-{slug}"}}]
        tolerations = ((hub.values.get("scheduling") or {}).get("userPods") or {}).get("tolerations")
        return {
            "metadata": {"name": f"jupyter-{slug}"[:63].rstrip("-"), "labels": _labels(hub, user)},
            "spec": spec | ({"tolerations": tolerations} if tolerations else {}),
        }

    def delete_claim(self, hub: Installed, user: str) -> None:
        """KubeSpawner's `delete_pvc`, which is its default: a person who is deleted leaves no volume behind."""
        claim = hub.get("persistentvolumeclaims", f"claim-{escaped(user)}")
        if claim is not None:
            gate = self.world.clusters.live[hub.cluster].gate
            gate.delete(kinds.BY_RESOURCE["persistentvolumeclaims"], claim)

    def _claim(self, hub: Installed, pod: Body) -> None:
        """The person's own volume, made the first time and kept."""
        volumes = pod["spec"].get("volumes") or []
        name = volumes[0]["persistentVolumeClaim"]["claimName"] if volumes else ""
        if not name or hub.get("persistentvolumeclaims", name):
            return
        storage = hub.values["singleuser"]["storage"]
        claim = {
            "metadata": {"name": name, "labels": pod["metadata"]["labels"]},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": storage.get("capacity") or "10Gi"}},
            },
        }
        gate = self.world.clusters.live[hub.cluster].gate
        gate.create(kinds.BY_RESOURCE["persistentvolumeclaims"], hub.namespace, claim)


def escaped(name: str) -> str:
    """A user name as it stands in a pod's: other letters become -hh, as KubeSpawner writes them."""
    kept = SAFE | {"-"}
    return "".join(letter if letter in kept else f"-{ord(letter):x}" for letter in name.lower())


def _labels(hub: Installed, user: str) -> Body:
    release = (hub.values.get("Release") or {}).get("Name", hub.namespace)
    return {
        "app": "jupyterhub",
        "component": "singleuser-server",
        "release": release,
        "heritage": "jupyterhub",
        "hub.jupyter.org/username": escaped(user)[:63].strip("-"),
        "hub.jupyter.org/network-access-hub": "true",
    }


def _resources(single: Body) -> Body:
    found: Body = {}
    for key, wanted in (("requests", "guarantee"), ("limits", "limit")):
        pairs = {name: (single.get(name) or {}).get(wanted) for name in ("cpu", "memory")}
        amounts = {name: _quantity(value) for name, value in pairs.items() if value}
        if amounts:
            found[key] = amounts
    return found


def _quantity(value: Any) -> str:
    """JupyterHub's 1G means 2^30 bytes."""
    text = str(value)
    return f"{text}i" if text[-1:] in "KMGT" else text


__all__ = ["ApiError", "Progress", "Spawner", "escaped"]
