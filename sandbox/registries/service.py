"""All registries that have a host of their own: `core.services["registries"]`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.azure.store import Store
from sandbox.core import Core
from sandbox.registries import addresses, other_host
from sandbox.registries.azure_host import AzureHost
from sandbox.registries.hosts import Host
from sandbox.registries.listeners import Listeners


class Registries:
    def __init__(self, core: Core) -> None:
        self.core = core
        self.listeners = Listeners(core, self)

    def wanted(self) -> dict[str, str]:
        """Loopback address → what it is derived from, of every registry there is."""
        names = [other_host.place(name) for name in other_host.entries(self.core)] + Store(self.core).registries.keys()
        return {addresses.ip_of(name): name for name in names}

    def at(self, ip: str) -> Host | None:
        return self.named(self.wanted().get(ip, ""))

    def named(self, name: str) -> Host | None:
        """The registry of Azure's with that name, or the other one at that place; None while it is not up."""
        others = other_host.entries(self.core)
        entry = others.get(name.removeprefix("other/")) if name.startswith("other/") else None
        if entry is not None:
            return other_host.make(self.core, entry)
        known = Store(self.core).registries.get(name.lower())
        record: dict[str, Any] | None = Store(self.core).resources.get(known["id"].lower()) if known else None
        if record is None or record["body"]["properties"]["provisioningState"] != "Succeeded":
            return None
        return AzureHost(self.core, record["body"], record["private"]["admin"])

    def opened(self, name: str) -> None:
        """Somebody may connect from now on; it is answered once the listener's loop gets to it."""
        self.listeners.open(addresses.ip_of(name))

    def is_ours(self, host: str) -> bool:
        """Whether an image's host is one of those that only exist here."""
        return host.startswith("127.") and host.endswith(f":{self.core.config.port}")

    def pull_refusal(self, image: str, identity: str, logins: list[tuple[str, str]]) -> str:
        """Why a node cannot pull an image, in containerd's words; "" when it can, or the image lives elsewhere.

        `identity` is the nodes' own in the directory, `logins` are those of the pod's pull secrets for this host.
        """
        server, _, rest = image.partition("/")
        if not self.is_ours(server):
            return ""
        host, (repository, _, tag) = self.at(server.split(":")[0]), rest.partition(":")
        failed = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
        if host is None:
            reason = f"dial tcp {server}: connect: connection refused"
            return f'{failed}failed to do request: Head "https://{server}/v2/{repository}/manifests/{tag}": {reason}'
        if not _may_pull(host, repository, identity, logins):
            query = f"scope={quote(f'repository:{repository}:pull', safe='')}&service={server}"
            return (
                f"{failed}failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
                f"https://{server}{host.token_path}?{query}: 401 Unauthorized"
            )
        return "" if host.shelf.has_image(repository, tag or "latest") else f"{failed}{image}: not found"


def _may_pull(host: Host, repository: str, identity: str, logins: list[tuple[str, str]]) -> bool:
    names = ["", *(username for username, password in logins if host.knows(username, password))]
    if any("pull" in host.actions(name, repository) for name in names):
        return True
    return isinstance(host, AzureHost) and bool(identity) and host.lets_pull(identity)
