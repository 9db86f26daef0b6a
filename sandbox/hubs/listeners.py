"""Sockets on the hubs' public addresses: one each, opened and closed as the load balancers say."""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sandbox.dns import zone
from sandbox.hubs.certificates import Certificates, is_secure
from sandbox.hubs.world import Place, World
from sandbox.registries.addresses import ip_of

LOG = logging.getLogger("sandbox.hubs")
#: Services whose addresses lead to a hub.
SERVICES = ("proxy-public", "binder")
KEEP_ALIVE_SECONDS = 75


class Listeners:
    """All share one application and one protocol setting; an idle listener costs a socket and nothing else."""

    def __init__(self, world: World, certificates: Certificates, app: ASGIApp) -> None:
        self.world, self.certificates = world, certificates
        self.config = uvicorn.Config(
            app, lifespan="off", ws="none", access_log=False, log_config=None, timeout_keep_alive=KEEP_ALIVE_SECONDS
        )
        self.config.load()
        self.state = ServerState()
        world.core.connections.watch(self.state)
        self._open: dict[str, asyncio.Server] = {}
        #: Addresses that speak TLS.
        self._secure: set[str] = set()
        self._seen: dict[str, tuple[int, bool]] = {}
        self._heard: dict[str, Any] = {}
        #: Set when some Service changed; whoever waits for it clears it.
        self.news = asyncio.Event()
        self._known: dict[str, dict[str, Place]] = {}
        #: cluster → namespaces of hubs with HTTPS, with an address or not yet.
        self._traefiks: dict[str, list[str]] = {}

    async def follow(self) -> None:
        """Brings the sockets in line with the addresses that the clusters' Services have."""
        wanted = self._wanted()
        if wanted != self.world.places:
            self.world.places = wanted
            self.world.ledger.recognise(place for place in wanted.values() if place.service == "proxy-public")
        secure = {address for address in wanted if is_secure(self.world.at(address))}
        for address in list(self._open):
            if address not in wanted or (address in secure) != (address in self._secure):
                self._close(address)
        for address in wanted:
            if address not in self._open:
                await self._listen(address, address in secure)
        for cluster, namespaces in self._traefiks.items():
            for namespace in namespaces:
                if (hub := self.world.hub(cluster, namespace)) is not None:
                    self.certificates.look_after(hub)

    def close(self) -> None:
        for address in list(self._open):
            self._close(address)

    def _wanted(self) -> dict[str, Place]:
        """Address → place. Looks only at clusters that changed since the last time."""
        clusters = self.world.clusters
        keys = set(clusters.keys())
        for gone in set(self._known) - keys:
            del self._known[gone], self._seen[gone], self._heard[gone], self._traefiks[gone]
        for key in keys:
            self._hear(key, clusters.live[key].store)
            stamp = (clusters.live[key].store.version, bool(clusters.about(key)["running"]))
            if self._seen.get(key) != stamp:
                self._seen[key] = stamp
                self._known[key] = _places(clusters.objects(key), key) if stamp[1] else {}
                found = clusters.objects(key).list("deployments") if stamp[1] else []
                self._traefiks[key] = [
                    each["metadata"]["namespace"] for each in found if each["metadata"]["name"] == "autohttps"
                ]
        found = {address: place for known in self._known.values() for address, place in known.items()}
        return found | self._aliases(found)

    def _aliases(self, places: dict[str, Place]) -> dict[str, Place]:
        """People's own domains: each has an address here, which leads to the hub that its record leads to."""
        core, found = self.world.core, {}
        for name in zone.made_names(core):
            for address in zone.resolve(core, name).addresses:
                if address in places:
                    found[ip_of(name)] = places[address]
        return found

    def _hear(self, key: str, store: Any) -> None:
        """Has the cluster tell of its Services; anything else is found out at the next look."""
        if self._heard.get(key) is not store:
            self._heard[key] = store
            store.listen(lambda change: self.news.set() if change.resource == "services" else None)

    async def _listen(self, address: str, secure: bool) -> None:
        loop, hub = asyncio.get_running_loop(), self.world.at(address)
        context = self.certificates.context(hub) if secure and hub is not None else None
        try:
            self._open[address] = await loop.create_server(
                self._protocol, address, self.world.config.hub_port, backlog=64, ssl=context
            )
            self._secure |= {address} if context else set()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            LOG.warning("hub address %s:%s is in use by another program", address, self.world.config.hub_port)

    def _protocol(self) -> asyncio.Protocol:
        return HttpToolsProtocol(config=self.config, server_state=self.state, app_state={})

    def _close(self, address: str) -> None:
        self._open.pop(address).close()
        self._secure.discard(address)
        for connection in list(self.state.connections):
            server = getattr(connection, "server", None)
            if server and server[0] == address:
                connection.transport.abort()


def _places(objects: Any, cluster: str) -> dict[str, Place]:
    found = {}
    for service in objects.list("services"):
        meta = service["metadata"]
        if meta["name"] not in SERVICES or service["spec"].get("type") != "LoadBalancer":
            continue
        if meta.get("deletionTimestamp"):
            continue
        for entry in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []:
            if entry.get("ip"):
                found[entry["ip"]] = Place(cluster, meta["namespace"], meta["name"], meta["uid"])
    return found
