"""Registries with a host of their own, as a hub's binder and builds meet them: over TLS, by the registry protocol."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import urljoin

import httpx

from sandbox.hubs.world import World

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = b"{}"


class Denied(Exception):
    """The registry's own words for why it will not."""


class OtherRegistry:
    """One registry, asked as one account; both are what was installed."""

    def __init__(self, world: World, url: str, username: str, password: str, token_url: str = "") -> None:
        self.world, self.url, self.token_url = world, url.rstrip("/"), token_url
        self.auth = httpx.BasicAuth(username, password) if username else None

    async def found(self, repository: str, tag: str) -> bool:
        """Whether the image is there. Raises Denied when the account may not look."""
        path = f"/v2/{repository}/manifests/{tag}"
        answer = await self._ask("GET", path, f"repository:{repository}:pull", headers={"Accept": MANIFEST})
        if answer.status_code not in (200, 404):
            raise Denied(_words(answer))
        return answer.status_code == 200

    async def push(self, repository: str, tag: str) -> None:
        """Stores an image with nothing in it. Raises Denied with what Docker prints."""
        scope, digest = f"repository:{repository}:pull,push", f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"
        begun = await self._ask("POST", f"/v2/{repository}/blobs/uploads/", scope)
        if begun.status_code != 202:
            raise Denied(_words(begun))
        upload = httpx.URL(urljoin(f"{self.url}/", begun.headers["location"])).copy_merge_params({"digest": digest})
        await self._ask("PUT", str(upload), scope, content=CONFIG)
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(CONFIG), "digest": digest}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
        content, headers = json.dumps(manifest).encode(), {"Content-Type": MANIFEST}
        path = f"/v2/{repository}/manifests/{tag}"
        stored = await self._ask("PUT", path, scope, content=content, headers=headers)
        if stored.status_code != 201:
            raise Denied(_words(stored))

    async def _ask(self, method: str, path: str, scope: str, **options: Any) -> httpx.Response:
        """Asks; once more with what the registry wants of those who ask."""
        headers = options.pop("headers", {})
        address = urljoin(f"{self.url}/", path)
        client = self.world.client
        try:
            answer = await client.request(method, address, headers=headers, **options)
            if answer.status_code != 401:
                return answer
            kind, _, rest = answer.headers.get("www-authenticate", "").partition(" ")
            if kind.lower() == "basic":
                return await client.request(method, address, headers=headers, auth=self.auth, **options)
            headers = headers | {"Authorization": f"Bearer {await self._token(rest, scope)}"}
            return await client.request(method, address, headers=headers, **options)
        except httpx.HTTPError as error:
            raise Denied(f'Get "{self.url}/v2/": dial tcp: {error}') from error

    async def _token(self, challenge: str, scope: str) -> str:
        told = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = {"scope": scope} | ({"service": told["service"]} if "service" in told else {})
        answer = await self.world.client.get(self.token_url or told.get("realm", ""), params=query, auth=self.auth)
        if answer.status_code != 200:
            raise Denied("unauthorized: incorrect username or password")
        content = answer.json()
        return str(content.get("token") or content.get("access_token") or "")


def _words(answer: httpx.Response) -> str:
    if answer.status_code in (401, 403):
        return "denied: requested access to the resource is denied"
    return f"received unexpected HTTP status: {answer.status_code}"
