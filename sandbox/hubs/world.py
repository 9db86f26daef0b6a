"""What all parts of the hubs share: the clusters, the ledger, and who answers at which address."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.core import Core
from sandbox.hubs.installed import Installed
from sandbox.hubs.ledger import Ledger
from sandbox.kubernetes import kinds

#: Real seconds below which no time limit falls, however fast the clock runs.
LEAST_PATIENCE = 2.0
LABEL = "service.beta.kubernetes.io/azure-dns-label-name"


@dataclass(frozen=True)
class Place:
    """What a public address leads to: the Service `proxy-public` or `binder` of one namespace."""

    cluster: str
    namespace: str
    service: str
    uid: str


class World:
    """One per sandbox process."""

    def __init__(self, core: Core) -> None:
        self.core, self.clock, self.config = core, core.clock, core.config
        self.clusters: Any = core.services["kubernetes"]
        self.ledger = Ledger(core)
        #: Images that only the nodes have, where no registry is used.
        self.images = core.state.bucket("hubs.images")
        self.places: dict[str, Place] = {}
        self.health: dict[str, tuple[float, bool, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def hub(self, cluster: str, namespace: str) -> Installed | None:
        """None when the cluster is gone."""
        if cluster not in self.clusters.keys():
            return None
        return Installed(self.clusters.objects(cluster), cluster, namespace)

    def at(self, address: str) -> Installed | None:
        place = self.places.get(address)
        return self.hub(place.cluster, place.namespace) if place else None

    @property
    def client(self) -> httpx.AsyncClient:
        """For what a hub's pods ask of the outside world: Docker Hub and GitHub, over TLS as anybody."""
        if self._client is None:
            context = ssl.create_default_context(cadata=self.core.ca_pem.decode())
            # The server at the other end is this very process: a kept connection would hold up its shutdown.
            limits = httpx.Limits(max_keepalive_connections=0)
            agent = {"user-agent": "Mozilla/5.0 (compatible; pycurl)"}  # what Tornado's client says of itself
            self._client = httpx.AsyncClient(verify=context, timeout=10, limits=limits, headers=agent)
        return self._client

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs work that outlives the request that started it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._client is not None:
            await self._client.aclose()

    def patience(self, seconds: float, least: float = LEAST_PATIENCE) -> float:
        """A time limit of so many simulated seconds, but never so short that this machine itself is too slow."""
        return max(least, self.clock.scaled(seconds))

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(self.clock.scaled(seconds))

    async def glance(self) -> None:
        """Between two looks at something that changes by itself."""
        await asyncio.sleep(max(0.02, self.clock.scaled(0.5)))

    def create_pod(self, hub: Installed, pod: dict[str, Any]) -> dict[str, Any]:
        """Raises kubernetes.errors.ApiError, with code 409 when there is one of that name."""
        gate = self.clusters.live[hub.cluster].gate
        created: dict[str, Any] = gate.create(kinds.BY_RESOURCE["pods"], hub.namespace, pod)
        return created

    def delete_pod(self, hub: Installed, name: str) -> None:
        pod = hub.get("pods", name)
        if pod is not None:
            gate = self.clusters.live[hub.cluster].gate
            gate.delete(kinds.BY_RESOURCE["pods"], pod, {"gracePeriodSeconds": 0})

    def reach(self, origin: Installed, url: str) -> tuple[Installed, str] | None:
        """The hub that a pod of `origin` would talk to at this URL, and the path; None when nothing answers.

        Inside a cluster a Service's name resolves in its own namespace; anything else must be a public address.
        """
        parts = urlsplit(url)
        name, _, rest = (parts.hostname or "").partition(".")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        space = rest.split(".")[0] if rest else origin.namespace
        neighbour = self.hub(origin.cluster, space)
        if neighbour and neighbour.get("services", name) and rest in ("", space, f"{space}.svc", _local(space)):
            return (neighbour, parts.path) if _leads_to_hub(neighbour, name, port, parts.scheme) else None
        return self._public(parts.hostname or "", port, parts.path)

    def _public(self, host: str, port: int, path: str) -> tuple[Installed, str] | None:
        for address, place in self.places.items():
            if place.service != "proxy-public":
                continue
            hub = self.hub(place.cluster, place.namespace)
            if hub is None or not hub.serves("proxy-public"):
                continue
            here = host == address and port == self.config.hub_port
            if here or host == self._public_name(hub):
                return hub, path
        return None

    def _public_name(self, hub: Installed) -> str:
        """The name that Azure would give the address: <label>.<region>.cloudapp.azure.com."""
        service = hub.get("services", "proxy-public") or {"metadata": {}}
        label = (service["metadata"].get("annotations") or {}).get(LABEL)
        region = self.clusters.about(hub.cluster)["region"]
        return f"{label}.{region}.cloudapp.azure.com" if label else ""


def _local(namespace: str) -> str:
    return f"{namespace}.svc.cluster.local"


def _leads_to_hub(hub: Installed, service: str, port: int, scheme: str) -> bool:
    """Whether the Service forwards plain HTTP on that port to the hub (or to the proxy before it)."""
    if service == "hub":
        return port == 8081 and hub.serves("hub")
    if service not in ("proxy-public", "proxy-http") or scheme != "http" or not hub.service_port(service, port):
        return False
    by_autohttps = service == "proxy-public" and hub.get("deployments", "autohttps") is not None
    # The autohttps pod answers plain HTTP with a redirect to a name that its certificate does not bear.
    return not by_autohttps and hub.serves(service)


def stable_number(text: str, below: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % below
