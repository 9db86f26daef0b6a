"""The binder's `/health`: its three checks, cached and repeated as BinderHub does."""

from __future__ import annotations

from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.launch import Launcher, LaunchFailed
from sandbox.hubs.registry import Denied, Registry
from sandbox.hubs.world import World

#: Answers are reused this long, and a failing check is tried this often, a second apart (`binderhub/health.py`).
FRESH = 15.0
ATTEMPTS = 3


class Health:
    def __init__(self, world: World, registry: Registry, launcher: Launcher) -> None:
        self.world, self.registry, self.launcher = world, registry, launcher

    async def report(self, hub: Installed) -> tuple[bool, list[Body]]:
        checks: list[Body] = []
        if hub.binder_settings.get("use_registry", True):
            checks.append({"service": "Docker registry", "ok": await self._cached(hub, "registry")})
        checks.append({"service": "JupyterHub API", "ok": await self._cached(hub, "hub")})
        checks.append({"service": "Pod quota", **self._pods(hub)})
        return all(check["ok"] for check in checks if not check.get("_ignore_failure")), checks

    async def _cached(self, hub: Installed, what: str) -> bool:
        key = f"{hub.key}{what}"
        settled = self.world.health.get(key)
        version = _fingerprint(hub)
        if settled and settled[0] > self.world.clock.now() and settled[2] == version:
            return settled[1]
        result = await self._tried(hub, what)
        self.world.health[key] = (self.world.clock.after(FRESH), result, version)
        return result

    async def _tried(self, hub: Installed, what: str) -> bool:
        for attempt in range(ATTEMPTS):
            if attempt:
                await self.world.pause(1)
            if await (self._registry(hub) if what == "registry" else self._hub(hub)):
                return True
        return False

    async def _registry(self, hub: Installed) -> bool:
        """Whether the registry lets the binder look. It need not let it push."""
        try:
            await self.registry.image_found(hub, f"{hub.binder_settings.get('image_prefix', '')}some-image-name:12345")
        except Denied:
            return False
        return True

    async def _hub(self, hub: Installed) -> bool:
        """Whether hub_url_local leads to a hub. The token is not tried here: only a launch tells."""
        try:
            status, _ = self.launcher.ask_once(hub, "GET", "health")
        except LaunchFailed:
            return False
        return status == 200

    def _pods(self, hub: Installed) -> Body:
        users = len(hub.pods(app="jupyterhub", component="singleuser-server"))
        building = len(hub.pods(component="binderhub-build"))
        quota = hub.config_of("LaunchQuota").get("total_quota", hub.binder_settings.get("pod_quota"))
        return {
            "total_pods": users + building,
            "build_pods": building,
            "user_pods": users,
            "quota": quota,
            "ok": quota is None or users + building <= quota,
            "_ignore_failure": True,
        }


def _fingerprint(hub: Installed) -> str:
    """Changes with the binder's settings: a changed release restarts its pod, and that forgets what it knew."""
    names = ("binder-secret", "binder-build-docker-config", "hub")
    return ".".join(
        (hub.get("secrets", name) or {"metadata": {}})["metadata"].get("resourceVersion", "") for name in names
    )
