"""The image registry as the binder and its builds meet it, over the wire: Docker Hub, or one with its own host."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.hubs.installed import Installed
from sandbox.hubs.other_registry import Denied, OtherRegistry
from sandbox.hubs.world import World

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
DOCKER_HUB = "https://registry-1.docker.io"


@dataclass(frozen=True)
class Login:
    url: str
    username: str
    password: str


def login(hub: Installed) -> Login:
    """Where and as whom the binder talks to a registry, by BinderHub's own rules."""
    settings = hub.config_of("DockerRegistry")
    auths = hub.docker_config.get("auths") or {}
    first = next(iter(auths), DOCKER_HUB_KEY)
    first = first if "://" in first else f"https://{first}"
    url = settings.get("url") or (DOCKER_HUB if first == DOCKER_HUB_KEY else first)
    host = re.sub(r"^https?://", "", url).split("/")[0]
    keys = [url, host] + ([DOCKER_HUB_KEY] if host.endswith((".docker.io", ".docker.com")) else [])
    encoded = next((auths[key].get("auth", "") for key in keys if key in auths), "")
    username, _, password = base64.b64decode(encoded).decode().partition(":")
    return Login(url, settings.get("username") or username, settings.get("password") or password)


def push_login(hub: Installed, image: str) -> Login:
    """As whom the builder's Docker pushes: by the registry in the image's name, not by the binder's settings."""
    host = registry_of(image)
    auths = hub.docker_config.get("auths") or {}
    keys = [DOCKER_HUB_KEY] if host == DOCKER_HUB else [host, host.removeprefix("https://")]
    encoded = next((auths[key].get("auth", "") for key in keys if key in auths), "")
    username, _, password = base64.b64decode(encoded).decode().partition(":")
    return Login(host, username, password)


def registry_of(image: str) -> str:
    """The registry that an image's name means; none named means Docker Hub."""
    first = image.split("/")[0]
    named = "/" in image and ("." in first or ":" in first or first == "localhost")
    return DOCKER_HUB if not named or first == "docker.io" else f"https://{first}"


def repository_of(image: str) -> str:
    """The name without registry and tag, as BinderHub cuts it (`_get_image_basename_and_tag`)."""
    name = image.rsplit(":", 1)[0]
    if re.fullmatch("[a-z0-9]{4,40}/[a-z0-9._-]{2,255}", name):
        return name
    return "/".join(name.split("/")[1:])


class Registry:
    def __init__(self, world: World) -> None:
        self.world = world

    async def image_found(self, hub: Installed, image: str) -> bool:
        """Whether the image is there already. Raises Denied when the registry does not let the binder look."""
        account = login(hub)
        repository = repository_of(image)
        if account.url != DOCKER_HUB:
            token_url = str(hub.config_of("DockerRegistry").get("token_url") or "")
            other = OtherRegistry(self.world, account.url, account.username, account.password, token_url)
            return await other.found(repository, image.rsplit(":", 1)[-1])
        await self._actions(account, repository, "pull")
        return bool(self.world.core.services["dockerhub"].has_image(repository, image.rsplit(":", 1)[-1]))

    async def push(self, hub: Installed, image: str) -> None:
        """Raises Denied with what Docker prints."""
        account = push_login(hub, image)
        if account.url != DOCKER_HUB:
            name, _, tag = image.removeprefix("https://").rpartition(":")
            other = OtherRegistry(self.world, account.url, account.username, account.password)
            return await other.push(name.partition("/")[2], tag)
        name = image.rsplit(":", 1)[0].removeprefix("docker.io/")
        if "push" not in await self._actions(account, name if "/" in name else f"library/{name}", "pull,push"):
            raise Denied("denied: requested access to the resource is denied")
        self.world.core.services["dockerhub"].push_image(name, image.rsplit(":", 1)[-1])
        return None

    async def _actions(self, account: Login, repository: str, wanted: str) -> list[str]:
        """What Docker Hub's token for this account allows. Raises Denied when it gives none."""
        answer = await self._token(account, repository, wanted)
        if answer.status_code == 401:
            raise Denied("unauthorized: incorrect username or password")
        if answer.status_code == 429:
            raise Denied("toomanyrequests: You have reached your pull rate limit.")
        if answer.status_code != 200:
            raise Denied(f"received unexpected HTTP status: {answer.status_code}")
        claims = _claims(str(answer.json().get("token") or ""))
        return [action for entry in claims.get("access") or [] for action in entry.get("actions") or []]

    async def _token(self, account: Login, repository: str, wanted: str) -> httpx.Response:
        query = {"service": "registry.docker.io", "scope": f"repository:{repository}:{wanted}"}
        auth = httpx.BasicAuth(account.username, account.password) if account.username else None
        try:
            url = f"{self.world.config.origin}/dockerhub-auth/token"
            return await self.world.client.get(url, params=query, auth=auth)
        except httpx.HTTPError as error:
            raise Denied(f"dial tcp: {error}") from error


def _claims(token: str) -> dict[str, Any]:
    """A token's payload, unchecked: the registry has just signed it."""
    try:
        payload = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims


__all__ = ["Denied", "Login", "Registry", "login", "push_login", "registry_of", "repository_of"]
