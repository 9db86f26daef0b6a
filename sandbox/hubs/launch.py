"""How a binder asks its hub for a server: by the URL and the token in its own settings.

Order, retries and sentences are BinderHub's (`binderhub/launcher.py`, `BuildHandler.launch`).
"""

from __future__ import annotations

import base64
import json
import secrets
import string
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sandbox.hubs.api import Answer, Api
from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.repositories import Source
from sandbox.hubs.spawner import Progress, Spawner
from sandbox.hubs.world import World

RETRIES = 4
FIRST_DELAY = 4.0
UNREACHABLE = 599


class LaunchFailed(Exception):
    """`message` is what the person reads; empty where BinderHub has no words for it."""

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.message, self.status = message, status


@dataclass(frozen=True)
class Wish:
    """What to launch, and for whom (None: a temporary user)."""

    source: Source
    image: str
    user: str | None
    extra: Body


class Launcher:
    def __init__(self, world: World, api: Api, spawner: Spawner) -> None:
        self.world, self.api, self.spawner = world, api, spawner

    async def launch(self, hub: Installed, wish: Wish) -> AsyncIterator[Body]:
        """Events up to `ready`. Raises LaunchFailed after the last attempt."""
        delay = FIRST_DELAY
        for attempt in range(1, RETRIES + 1):
            try:
                async for event in self._attempt(hub, wish):
                    yield event
                return
            except LaunchFailed:
                if attempt == RETRIES:
                    raise
            yield {"phase": "launching", "message": f"Launch attempt {attempt} failed, retrying...\n"}
            await self.world.pause(delay)
            delay *= 2

    async def _attempt(self, hub: Installed, wish: Wish) -> AsyncIterator[Body]:
        name = wish.user or temporary_name(wish.source)
        target = await self._prepare_user(hub, wish, name)
        data = {"image": wish.image, "repo_url": wish.source.url, "token": _token(), **wish.extra}
        status, _ = await self._ask(hub, "POST", f"users/{name}/servers/", json.dumps(data).encode())
        if status >= 400:
            raise LaunchFailed(f"Failed to launch image {wish.image}")
        progress = self.spawner.waiting(target, name)
        if progress is None:
            raise LaunchFailed(f"Image {wish.image} for user {name} failed to launch")
        async for event in self._follow(progress):
            yield event
        url = _slashed(hub.binder_settings.get("hub_url") or "") + f"user/{name}/"
        yield {"phase": "ready", "message": f"server running at {url}\n", **data, "url": url}

    async def _prepare_user(self, hub: Installed, wish: Wish, name: str) -> Installed:
        """The hub that answered, which need not be the binder's own."""
        if wish.user is None:
            status, _ = await self._ask(hub, "POST", f"users/{name}")
            if status >= 400:
                raise LaunchFailed(f"Failed to create temporary user for {wish.image}")
        else:
            status, model = await self._ask(hub, "GET", f"users/{name}")
            if status >= 400:
                raise LaunchFailed("")
            if "" in model["servers"]:
                raise LaunchFailed(f"User {name} already has a running server.", 409)
        reached = self.world.reach(hub, self._api_url(hub))
        if reached is None:
            raise LaunchFailed(f"Failed to launch image {wish.image}")
        return reached[0]

    async def _follow(self, progress: Progress) -> AsyncIterator[Body]:
        told = 0
        while True:
            changed = progress.changed
            for event in progress.events[told:]:
                told += 1
                if event.get("failed"):
                    raise LaunchFailed(event["message"])
                yield {"phase": "launching", "message": event["message"] + "\n"}
            if progress.over:
                return
            await changed.wait()

    async def _ask(self, hub: Installed, method: str, path: str, body: bytes = b"") -> Answer:
        """A call to the hub's API, repeated while the answer is a server's error. Raises LaunchFailed for no URL."""
        delay = FIRST_DELAY
        for attempt in range(1, RETRIES + 1):
            status, answer = self.ask_once(hub, method, path, body)
            if status < 500 or attempt == RETRIES:
                return status, answer
            await self.world.pause(delay)
            delay *= 2
        raise AssertionError("unreachable")

    def ask_once(self, hub: Installed, method: str, path: str, body: bytes = b"") -> Answer:
        """What the binder's pod gets; 599 when nothing answers at its URL."""
        base = self._api_url(hub)
        if "://" not in base:
            raise LaunchFailed("")  # Tornado's "Unsupported url scheme", which BinderHub does not translate
        reached = self.world.reach(hub, base)
        if reached is None:
            return UNREACHABLE, None
        target, base_path = reached
        if base_path != f"{target.base_url}hub/api/":
            return 404, {"status": 404, "message": "Not Found"}
        if not target.serves("hub"):
            return 503, None
        answer = self.api.call(target, method, path, hub.binder_token, body)
        if method != "GET":
            self.world.core.journal.record("hubs", method, f"{base_path}{path}", answer[0], "asked by the binder")
        return answer

    def _api_url(self, hub: Installed) -> str:
        settings = hub.binder_settings
        local = settings.get("hub_url_local") or settings.get("hub_url") or ""
        return _slashed(local) + "hub/api/"


def temporary_name(source: Source) -> str:
    """binder-examples-requirements-x1y2z3w4, as BinderHub names people it does not know."""
    prefix = f"{source.owner}-{source.name}".lower()
    if len(prefix) > 32:
        prefix = f"{prefix[:15]}-{prefix[-15:]}"
    letters = string.ascii_lowercase + string.digits
    return f"{prefix}-" + "".join(secrets.choice(letters) for _ in range(8))


def _slashed(url: str) -> str:
    return url if not url or url.endswith("/") else url + "/"


def _token() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
