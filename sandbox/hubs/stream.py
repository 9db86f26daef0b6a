"""`/build/gh/…`: one request's way from a repository's name to a running server, as BinderHub tells it.

Refusals come as HTTP 200 with a `failed` event, because an event stream cannot carry a status
(`BuildHandler.send_error`).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sandbox.hubs import builds, repositories, tickets
from sandbox.hubs.builds import Builds
from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.launch import Launcher, LaunchFailed, Wish
from sandbox.hubs.registry import Denied, Registry
from sandbox.hubs.repositories import Source
from sandbox.hubs.world import World
from sandbox.kubernetes.errors import ApiError

#: BinderHub keeps a finished stream open this long: a client that is cut off first would build again.
LINGER = 60


@dataclass(frozen=True)
class Visitor:
    """Who asks: address, origin as build tokens see it, and the signed-in user if any."""

    address: str
    origin: str
    user: str | None
    build_token: str | None
    accepts_events: bool


class Stopped(Exception):
    """Ends the stream with this event."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.event: Body = (
            {"phase": "failed"} | ({"status_code": status} if status else {}) | {"message": f"{message}\n"}
        )


class Stream:
    def __init__(self, world: World, registry: Registry, all_builds: Builds, launcher: Launcher) -> None:
        self.world, self.registry, self.builds, self.launcher = world, registry, all_builds, launcher

    async def events(self, hub: Installed, provider: str, spec: str, visitor: Visitor) -> AsyncIterator[Body]:
        try:
            async for event in self._events(hub, provider, spec, visitor):
                yield event
        except Stopped as stopped:
            yield stopped.event
        except LaunchFailed as failed:
            yield Stopped(failed.message or "Internal Server Error", failed.status).event
            return
        await self.world.pause(LINGER)

    async def _events(self, hub: Installed, provider: str, spec: str, visitor: Visitor) -> AsyncIterator[Body]:
        self._admit(hub, f"{provider}/{spec}", visitor)
        spec = spec.rstrip("/")
        self._check_provider(hub, provider, spec)
        source = self._resolve(hub, provider, spec)
        image = builds.image_name(hub, source)
        if not await self._image_found(hub, image):
            self._check_quota(hub, source, image)
            async for event in self._build(hub, source, image):
                yield event
                if event.get("phase") == "failed" and "message" not in event:
                    return
        else:
            yield {"phase": "built", "imageName": image, "message": "Found built image, launching...\n"}
        self._check_quota(hub, source, image)
        yield {"phase": "launching", "message": "Launching server...\n"}
        user = visitor.user if hub.binder_settings.get("auth_enabled") else None
        wish = Wish(source, image, user, self._extra(provider, spec, source, visitor))
        async for event in self.launcher.launch(hub, wish):
            yield event

    def _admit(self, hub: Installed, spec: str, visitor: Visitor) -> None:
        """Raises Stopped for whom BinderHub turns away at the door."""
        if not visitor.accepts_events:
            raise Stopped("Missing Accept header: text/event-stream", 400)
        settings = hub.binder_settings
        if settings.get("auth_enabled") and visitor.user is None:
            raise Stopped("Forbidden", 403)
        if visitor.build_token:
            check = settings.get("build_token_check_origin", True)
            if not tickets.valid(hub, visitor.build_token, spec, visitor.origin if check else None):
                raise Stopped("Invalid build token", 403)
            return
        if not settings.get("auth_enabled"):
            self._check_rate(hub, visitor.address)

    def _check_rate(self, hub: Installed, address: str) -> None:
        """Raises Stopped above 10 launches an hour from one address (RateLimiter's own numbers)."""
        settings = hub.config_of("RateLimiter")
        limit, period = settings.get("limit", 10), settings.get("period_seconds", 3600)
        if limit == 0:
            return
        turn = self.world.ledger.take_turn(hub, address, limit, self.world.clock.scaled(period))
        if turn["remaining"] < 0:
            raise Stopped(f"Rate limit exceeded. Try again in {period} seconds.", 429)

    def _check_provider(self, hub: Installed, provider: str, spec: str) -> None:
        if provider != "gh":
            raise Stopped(f"No provider found for prefix {provider}")
        rules = hub.config_of("RepoProvider") | hub.config_of("GitHubRepoProvider")
        allowed = rules.get("allowed_specs") or []
        banned = any(re.match(rule, spec, re.IGNORECASE) for rule in rules.get("banned_specs") or [])
        if banned or (allowed and not any(re.match(rule, spec, re.IGNORECASE) for rule in allowed)):
            raise Stopped(f"Sorry, {spec} is not allowed to launch. Please contact admins for more info!")

    def _resolve(self, hub: Installed, provider: str, spec: str) -> Source:
        try:
            owner, name, ref = repositories.split(spec)
        except ValueError as error:
            raise Stopped(str(error)) from error
        token = str(hub.config_of("GitHubRepoProvider").get("access_token") or "")
        source = repositories.resolve(self.world.core, owner, name, ref, token)
        if source is None:
            raise Stopped(
                f"Could not resolve ref for {provider}:{spec}. Double check your URL and that your repo is public."
            )
        return source

    async def _image_found(self, hub: Installed, image: str) -> bool:
        if not hub.binder_settings.get("use_registry", True):
            return self.world.images.get(f"{hub.key}{image}") is not None
        try:
            return await self.registry.image_found(hub, image)
        except Denied:
            return False  # BinderHub logs it and builds

    async def _build(self, hub: Installed, source: Source, image: str) -> AsyncIterator[Body]:
        yield {"phase": "waiting", "message": "Waiting for build to start...\n"}
        try:
            build = self.builds.join(hub, source, image)
        except ApiError as error:
            raise Stopped("Unhandled error watching for build events. Please try again.") from error
        async for event in build.follow():
            yield event

    def _check_quota(self, hub: Installed, source: Source, image: str) -> None:
        settings = hub.binder_settings
        total = hub.config_of("LaunchQuota").get(
            "total_quota", hub.config_of("KubernetesLaunchQuota").get("total_quota")
        )
        total = settings.get("pod_quota") if total is None else total
        pods = hub.pods(app="jupyterhub", component="singleuser-server")
        if total is not None and len(pods) >= total:
            raise Stopped("Too many users on this BinderHub! Try again soon.")
        repository = image.rsplit(":", 1)[0]
        same = [pod for pod in pods if pod["spec"]["containers"][0]["image"].rsplit(":", 1)[0] == repository]
        if settings.get("per_repo_quota") and len(same) >= settings["per_repo_quota"]:
            raise Stopped(f"Too many users running {source.url}! Try again soon.")

    def _extra(self, provider: str, spec: str, source: Source, visitor: Visitor) -> Body:
        return {
            "binder_ref_url": f"{source.url}/tree/{source.commit}",
            "binder_launch_host": f"http://{visitor.origin}/",
            "binder_request": f"v2/{provider}/{spec}",
            "binder_persistent_request": f"v2/{provider}/{source.owner}/{source.name}/{source.commit}",
            "binder_client_ip": visitor.address,
        }
