"""This process's way to the outside world: its profile of endpoints, its identity, the portal's vault.

Made lazily: the web process loads no SDK when it starts, and a worker opens no connection before it forks.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from cloud.profile import AzureCloud, load
from deployments.naming import Names
from deployments.spec import HubSpec

if TYPE_CHECKING:
    from cloud.azure.session import AzureSession
    from cloud.keyvault import SecretVault


@cache
def profile() -> AzureCloud:
    return load(os.environ)


def hub_address(spec: HubSpec, names: Names) -> str:
    """The one address of a hub: its own domain, or the one its DNS label gives it. Ends with a slash."""
    return profile().domain_url(spec.domain) if spec.domain else profile().hub_url(names.dns_label, spec.region)


def record_name(spec: HubSpec, names: Names) -> str:
    """The name that Azure gives a hub's address: what a domain of one's own must be an alias of."""
    return profile().public_name(names.dns_label, spec.region)


def record(spec: HubSpec, names: Names) -> str:
    """The record of a domain of one's own as it is written in a zone; "" without one."""
    return f"{spec.domain}. CNAME {record_name(spec, names)}." if spec.domain else ""


def registry_host(spec: HubSpec, names: Names) -> str:
    """The host that a hub's images are pushed to; empty for Docker Hub, which is no part of an image's name."""
    if spec.registry == "acr":
        return profile().acr_login_server(names.registry)
    return spec.registry_address


@cache
def azure() -> AzureSession:
    from cloud.azure.session import AzureSession
    from deployments.limits import limits

    return AzureSession.from_environment(profile(), os.environ, limits())


@cache
def vault() -> SecretVault:
    """The one vault that holds every hub's secrets."""
    from cloud.keyvault import SecretVault

    url = os.environ.get("AZURE_KEY_VAULT_URL")
    if not url:
        raise ImproperlyConfigured("Set AZURE_KEY_VAULT_URL to the vault that the portal keeps secrets in.")
    return SecretVault(azure(), url)


def vault_name() -> str:
    """The vault's name: the first part of its host, or, in the sandbox, the last of its path."""
    address = urlsplit(os.environ.get("AZURE_KEY_VAULT_URL", ""))
    return address.path.strip("/").rsplit("/", 1)[-1] or (address.hostname or "").partition(".")[0]
