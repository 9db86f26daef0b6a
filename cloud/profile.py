"""One description of a cloud: every address and every rule that differs between Azure's clouds and the sandbox."""

import hashlib
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from cloud.errors import InvalidRequest

CHART_REPOSITORY = "https://hub.jupyter.org/helm-chart/"
CHART_VERSION = "1.0.0-0.dev.git.3958.haf9ca8b1"
#: Everything that is sent a credential. The chart repository is not: a sandbox may hand out the real chart.
ADDRESS_FIELDS = (
    "authority",
    "arm",
    "prices",
    "docker_hub_auth",
    "docker_hub_registry",
    "github",
    "github_api",
    "hub_address",
)


@dataclass(frozen=True, slots=True)
class AzureCloud:
    """Where a cloud answers. Refuses to be built with a weakened safeguard unless it never leaves this machine."""

    name: str
    authority: str
    arm: str
    vault_suffix: str
    hub_address: str
    azure_portal: str
    arm_scope: str = "https://management.azure.com/.default"
    prices: str = "https://prices.azure.com/api/retail/prices"
    docker_hub_auth: str = "https://auth.docker.io"
    docker_hub_registry: str = "https://registry-1.docker.io"
    docker_hub_service: str = "registry.docker.io"
    github: str = "https://github.com"
    github_api: str = "https://api.github.com"
    #: A public resolver that speaks JSON over HTTPS, as Google's, Cloudflare's and Alibaba's do.
    dns: str = "https://dns.google/resolve"
    chart_repository: str = CHART_REPOSITORY
    chart_version: str = CHART_VERSION
    hub_https: bool = True
    #: The name that Azure gives a hub's address, which a domain of one's own must lead to.
    label_name: str = "{label}.{region}.cloudapp.azure.com"
    #: A hub's address on a domain of one's own.
    domain_address: str = "https://{domain}/"
    #: Host (and port) of an Azure Container Registry by its name.
    acr_host: str = "{name}.azurecr.io"
    currency: str = "GBP"
    ca_bundle: str | None = None
    instance_discovery: bool = True
    verify_challenge_resource: bool = True

    def __post_init__(self) -> None:
        weakened = self._weakened_safeguards()
        strangers = self._addresses_beyond_this_machine()
        if weakened and strangers:
            raise InvalidRequest(
                f"The cloud profile {self.name!r} sets {', '.join(weakened)}, which is only safe when every address is "
                f"on this machine; these are not: {', '.join(strangers)}.",
                "Use such a profile for the sandbox only; for a real cloud set AZURE_CLOUD=public, china or usgov.",
            )

    @classmethod
    def public(cls) -> Self:
        """Azure as most of the world knows it."""
        return cls(
            name="AzureCloud",
            authority="https://login.microsoftonline.com",
            arm="https://management.azure.com",
            vault_suffix="vault.azure.net",
            hub_address="https://{label}.{region}.cloudapp.azure.com/",
            azure_portal="https://portal.azure.com",
        )

    @classmethod
    def china(cls) -> Self:
        """Azure operated by 21Vianet; it has no public price list that we can read."""
        return cls(
            name="AzureChinaCloud",
            authority="https://login.chinacloudapi.cn",
            arm="https://management.chinacloudapi.cn",
            arm_scope="https://management.chinacloudapi.cn/.default",
            vault_suffix="vault.azure.cn",
            hub_address="https://{label}.{region}.cloudapp.chinacloudapi.cn/",
            label_name="{label}.{region}.cloudapp.chinacloudapi.cn",
            dns="https://dns.alidns.com/resolve",
            azure_portal="https://portal.azure.cn",
            acr_host="{name}.azurecr.cn",
            prices="",
            currency="CNY",
        )

    @classmethod
    def us_government(cls) -> Self:
        """Azure for the US government."""
        return cls(
            name="AzureUSGovernment",
            authority="https://login.microsoftonline.us",
            arm="https://management.usgovcloudapi.net",
            arm_scope="https://management.usgovcloudapi.net/.default",
            vault_suffix="vault.usgovcloudapi.net",
            hub_address="https://{label}.{region}.cloudapp.usgovcloudapi.net/",
            label_name="{label}.{region}.cloudapp.usgovcloudapi.net",
            azure_portal="https://portal.azure.us",
            acr_host="{name}.azurecr.us",
            currency="USD",
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Build from the content of a profile file; unknown or missing fields are named in the error."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InvalidRequest(
                f"The cloud profile has fields nobody knows: {', '.join(unknown)}.",
                "Remove them, or correct their spelling.",
            )
        try:
            return cls(**values)
        except TypeError as exc:
            raise InvalidRequest(f"The cloud profile is incomplete: {exc}.", "Add what is missing.") from exc

    def as_dict(self) -> dict[str, Any]:
        """The fields as a profile file holds them."""
        return asdict(self)

    def hub_url(self, label: str, region: str) -> str:
        """The public address of the hub with this DNS label; known before anything exists, ends with a slash."""
        numbers = _loopback_numbers(f"{label}.{region}")
        return self.hub_address.format(label=label, region=region, **numbers).rstrip("/") + "/"

    def domain_url(self, domain: str) -> str:
        """The public address of a hub with a domain of its own; ends with a slash."""
        return self.domain_address.format(domain=domain, **_loopback_numbers(domain)).rstrip("/") + "/"

    def public_name(self, label: str, region: str) -> str:
        """The name that a person's own domain must be an alias of; known before anything exists."""
        return self.label_name.format(label=label, region=region)

    def acr_login_server(self, name: str) -> str:
        """The host of an Azure Container Registry, known before it exists; no scheme, perhaps a port."""
        return self.acr_host.format(name=name, **_loopback_numbers(name))

    @property
    def chart_ca_bundle(self) -> str | None:
        """The CA that vouches for the chart repository; None for one on the open internet."""
        return self.ca_bundle if is_loopback(self.chart_repository) else None

    def vault_url(self, vault: str) -> str:
        """The usual address of a vault; what ARM says in `vaultUri` is the truth."""
        return f"https://{vault}.{self.vault_suffix}/"

    def _weakened_safeguards(self) -> list[str]:
        found = []
        if not self.verify_challenge_resource:
            found.append("verify_challenge_resource=false")
        if self.ca_bundle:
            found.append("ca_bundle")
        if not self.instance_discovery:
            found.append("instance_discovery=false")
        return found

    def _addresses_beyond_this_machine(self) -> list[str]:
        values = {name: str(getattr(self, name)) for name in ADDRESS_FIELDS}
        return [f"{name} ({value})" for name, value in values.items() if value and not is_loopback(self._sample(value))]

    @staticmethod
    def _sample(address: str) -> str:
        for placeholder in ("{h1}", "{h2}", "{h3}"):
            address = address.replace(placeholder, "1")
        return address


def _loopback_numbers(name: str) -> dict[str, int]:
    """Three numbers for a loopback address of this name's own, as the sandbox gives one to each public name."""
    digest = hashlib.sha256(name.encode()).digest()
    return {f"h{n + 1}": 1 + digest[n] % 254 for n in range(3)}


def is_loopback(url: str) -> bool:
    """Whether a URL cannot leave this machine; a name other than localhost could mean anybody."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(environ: Mapping[str, str]) -> AzureCloud:
    """The cloud the operator chose: a file in AZURE_CLOUD_PROFILE, else AZURE_CLOUD (public, china, usgov).

    AZURE_CURRENCY, DNS_OVER_HTTPS, CHART_REPOSITORY and CHART_VERSION, when set, win over what the profile says.
    """
    cloud = _chosen(environ)
    wanted = {
        "currency": "AZURE_CURRENCY",
        "dns": "DNS_OVER_HTTPS",
        "chart_repository": "CHART_REPOSITORY",
        "chart_version": "CHART_VERSION",
    }
    changes: dict[str, Any] = {field: environ[name] for field, name in wanted.items() if environ.get(name)}
    return replace(cloud, **changes) if changes else cloud


def _chosen(environ: Mapping[str, str]) -> AzureCloud:
    path = environ.get("AZURE_CLOUD_PROFILE")
    if path:
        return AzureCloud.from_mapping(_profile_file(Path(path)))
    clouds = {"public": AzureCloud.public, "china": AzureCloud.china, "usgov": AzureCloud.us_government}
    chosen = environ.get("AZURE_CLOUD", "public").lower()
    if chosen not in clouds:
        raise InvalidRequest(f"AZURE_CLOUD is {chosen!r}, which is no cloud.", f"Set it to one of {', '.join(clouds)}.")
    return clouds[chosen]()


def _profile_file(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InvalidRequest(
            f"The cloud profile {path} cannot be read: {exc}.", "Check the path in AZURE_CLOUD_PROFILE."
        ) from exc
    if not isinstance(content, dict):
        raise InvalidRequest(f"The cloud profile {path} is not a JSON object.", "Write one object with the fields.")
    return content
