"""Certificates of hubs with HTTPS: Traefik in the pod `autohttps`, and the authority that it asks.

Traefik asks when its pod starts or is told other names. Where that fails it does not ask again
(traefik/traefik#9405, jupyterhub/zero-to-jupyterhub-k8s#2150): somebody has to start its pod anew.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from typing import Any

import trustme
import yaml

from sandbox import tls
from sandbox.dns import zone
from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.world import World

BUCKET = "hubs.certificates"
LIFETIME, RENEWED_BEFORE = timedelta(days=90), timedelta(days=30)
#: How long it takes to be asked, to be looked at, and to get the certificate.
ASKING_SECONDS = 8
ISSUER = "Let's Encrypt (simulated)"


class Certificates:
    """One per sandbox process. What was given out is kept, as the chart keeps it in a Secret."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._given = world.core.state.bucket(BUCKET)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._shown: dict[str, str] = {}
        self._asked: set[tuple[str, tuple[str, ...]]] = set()
        #: How often the authority says no from now on.
        self.refusals = 0
        self._authority: trustme.CA | None = None

    def context(self, hub: Installed) -> ssl.SSLContext:
        """What the hub's address shows: its certificate, or Traefik's own, which nobody trusts, while it has none."""
        context = self._contexts.get(hub.key)
        if context is None:
            context = self._contexts[hub.key] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("traefik.default", common_name="TRAEFIK DEFAULT CERT").configure_cert(context)
        self._show(hub.key, context)
        return context

    def look_after(self, hub: Installed) -> None:
        """Asks for a certificate where a new pod, or other names, make Traefik do so; renews one in time."""
        pod, hosts = _traefik(hub), hosts_of(hub)
        if pod is None or not hosts:
            return
        given = self._given.get(hub.key)
        if given and (given["held"] or (given["hosts"] == hosts and not self._ends_soon(given))):
            return
        turn = (str(pod["metadata"]["uid"]), tuple(hosts))
        if turn not in self._asked:
            self._asked.add(turn)
            self.world.spawn(self._ask(hub, pod["metadata"]["name"], hosts))

    def give(self, key: str, hosts: list[str], days: float = LIFETIME.days, held: bool = False) -> None:
        """Signs one for these names. One that is held stays until the hub goes."""
        now = datetime.fromtimestamp(self.world.clock.now(), UTC)
        until = now + timedelta(days=days)
        since = min(now, until - LIFETIME / 2) - timedelta(hours=1)
        leaf = self._signer().issue_cert(*hosts, not_before=since, not_after=until)
        pem = leaf.private_key_and_cert_chain_pem.bytes().decode()
        self._given.put(key, {"hosts": hosts, "until": until.timestamp(), "pem": pem, "held": held})
        if key in self._contexts:
            self._show(key, self._contexts[key])

    def forget(self, key: str) -> None:
        for known in (self._contexts, self._shown):
            known.pop(key, None)
        self._given.delete(key)

    def known(self) -> list[str]:
        return self._given.keys()

    def _show(self, key: str, context: ssl.SSLContext) -> None:
        given = self._given.get(key)
        if given is None or self._shown.get(key) == given["pem"]:
            return
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(given["pem"].encode())
            file.flush()
            context.load_cert_chain(file.name)
        self._shown[key] = given["pem"]

    async def _ask(self, hub: Installed, pod: str, hosts: list[str]) -> None:
        await self.world.pause(ASKING_SECONDS)
        troubles = [f"[{host}] {trouble}" for host in hosts if (trouble := self._trouble(hub, host))]
        if not troubles:
            return self.give(hub.key, hosts)
        names = " ".join(hosts)
        line = (
            f'time="{self.world.clock.iso()}" level=error msg="Unable to obtain ACME certificate for domains'
            f' \\"{",".join(hosts)}\\": unable to generate a certificate for the domains [{names}]: error: one or more'
            f' domains had a problem:\\n{"; ".join(troubles)}" providerName=default.acme'
        )
        return hub.objects.append_pod_log(hub.namespace, pod, line)

    def _trouble(self, hub: Installed, host: str) -> str:
        """What the authority finds wrong when it looks for the hub under that name; "" for nothing."""
        if self.refusals:
            self.refusals -= 1
            return "acme: error: 503 :: urn:ietf:params:acme:error:serverInternal :: Service busy; retry later."
        addresses = [host] if _is_address(host) else zone.resolve(self.world.core, host).addresses
        places = [self.world.places.get(address) for address in addresses]
        found = [(place.cluster, place.namespace) for place in places if place]
        if (hub.cluster, hub.namespace) in found:
            return ""
        if found:
            url = f"http://{host}/.well-known/acme-challenge/"
            return f"acme: error: 403 :: urn:ietf:params:acme:error:unauthorized :: Invalid response from {url}: 404"
        return (
            f"acme: error: 400 :: urn:ietf:params:acme:error:dns :: DNS problem: NXDOMAIN looking up A for {host}"
            " - check that a DNS record exists for this domain"
        )

    def _ends_soon(self, given: Body) -> bool:
        return float(given["until"]) - self.world.clock.now() < RENEWED_BEFORE.total_seconds()

    def _signer(self) -> trustme.CA:
        if self._authority is None:
            root = tls.authority(self.world.config.home)
            self._authority = trustme.CA(parent_cert=root, path_length=0, organization_name=ISSUER)
        return self._authority


def is_secure(hub: Installed | None) -> bool:
    """Whether the hub was installed with HTTPS by the chart's own pod."""
    return hub is not None and hub.get("deployments", "autohttps") is not None


def hosts_of(hub: Installed) -> list[str]:
    """The names that Traefik was told to get a certificate for."""
    config = (hub.get("configmaps", "autohttps") or {}).get("data") or {}
    routers: dict[str, Any] = ((yaml.safe_load(config.get("dynamic.yaml") or "") or {}).get("http") or {}).get(
        "routers"
    ) or {}
    domains = [entry for router in routers.values() for entry in (router.get("tls") or {}).get("domains") or []]
    return [name for entry in domains for name in (entry["main"], *(entry.get("sans") or []))]


def _traefik(hub: Installed) -> Body | None:
    """Its newest pod that runs."""
    running = [pod for pod in hub.pods(component="autohttps") if pod["status"].get("phase") == "Running"]
    running = [pod for pod in running if not pod["metadata"].get("deletionTimestamp")]
    return max(running, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
