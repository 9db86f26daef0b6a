"""Where registries answer: a loopback address of its own for each, on the sandbox's own port, over TLS."""

from __future__ import annotations

import hashlib

from sandbox.config import Config
from sandbox.core import Core
from sandbox.registries.distribution import Shelf


def ip_of(name: str) -> str:
    """Always the same for one name, as the profile's `acr_host` says."""
    digest = hashlib.sha256(name.lower().encode()).digest()
    return "127." + ".".join(str(1 + byte % 254) for byte in digest[:3])


def login_server(config: Config, name: str) -> str:
    """What an image's name begins with: host and port."""
    return f"{ip_of(name)}:{config.port}"


def shelf(core: Core, name: str) -> Shelf:
    """The images of the registry with this name."""
    return Shelf(core, f"registry.{name.lower()}")
