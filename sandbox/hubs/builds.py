"""Images being built: one pod and one log per repository and commit, however many people watch."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator

from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.registry import Denied, Registry
from sandbox.hubs.repositories import Source
from sandbox.hubs.world import World
from sandbox.kubernetes.errors import ApiError

BUILDER_IMAGE = "quay.io/jupyterhub/repo2docker:2024.07.0"
#: BinderHub deletes build pods after this many seconds, whatever became of them.
GIVEN_UP_AFTER = 4 * 3600
LAYERS = ("5f70bf18a086", "a3ed95caeb02", "c2adabaecedb", "e9afc4f90ab0")

#: What repo2docker prints: (seconds before it, phase, message).
SCRIPT: tuple[tuple[float, str, str], ...] = (
    (1, "fetching", "Picked Git content provider.\n"),
    (1, "fetching", "Cloning into '/tmp/repo2docker7k2m9x1a'...\n"),
    (2, "fetching", "HEAD is now at {short} Update requirements\n"),
    (1, "building", "Python version unspecified, using current default Python version 3.10.\n"),
    (0.2, "building", "Using PythonBuildPack builder\n"),
    (1, "building", "Building conda environment for python=3.10\n"),
    (0.5, "building", "Step 1/53 : FROM docker.io/library/buildpack-deps:jammy\n"),
    (2, "building", " ---> 6d0b3d8ab0e5\n"),
    (0.2, "building", "Step 2/53 : ENV DEBIAN_FRONTEND=noninteractive\n"),
    (1, "building", "Step 9/53 : RUN groupadd --gid ${{NB_GID}} ${{NB_USER}}\n"),
    (3, "building", "Step 28/53 : RUN bash -c '/tmp/install-base-env.bash'\n"),
    (6, "building", "Installing conda packages... done\n"),
    (2, "building", "Step 40/53 : COPY --chown=1000:1000 src/requirements.txt ${{REPO_DIR}}/requirements.txt\n"),
    (3, "building", 'Step 43/53 : RUN ${{KERNEL_PYTHON_PREFIX}}/bin/pip install -r "requirements.txt"\n'),
    (3, "building", "Collecting numpy\nCollecting matplotlib\nCollecting pandas\n"),
    (3, "building", "Successfully installed matplotlib-3.9.2 numpy-2.0.2 pandas-2.2.3\n"),
    (1, "building", "Step 53/53 : CMD [\"jupyter\", \"notebook\", \"--ip\", \"0.0.0.0\"]\n"),
    (2, "building", "Successfully built {short}\nSuccessfully tagged {image}\n"),
)  # fmt: skip


class Build:
    """One build's log so far, and whether it is over."""

    def __init__(self, name: str, image: str) -> None:
        self.name, self.image = name, image
        self.events: list[Body] = []
        self.changed = asyncio.Event()
        self.over = False

    def say(self, event: Body, *, last: bool = False) -> None:
        self.events.append(event)
        self.over = last
        self.changed.set()
        self.changed = asyncio.Event()

    async def follow(self) -> AsyncIterator[Body]:
        """Everything from the start, then each line as it comes."""
        told = 0
        while True:
            changed = self.changed
            while told < len(self.events):  # the last ones may come while an earlier one is being passed on
                told += 1
                yield self.events[told - 1]
            if self.over:
                return
            await changed.wait()


class Builds:
    def __init__(self, world: World, registry: Registry) -> None:
        self.world, self.registry = world, registry
        self.running: dict[str, Build] = {}

    def join(self, hub: Installed, source: Source, image: str) -> Build:
        """The build of this commit that is running, or a new one. Raises ApiError when its pod is refused."""
        key = hub.key + build_name(source)
        build = self.running.get(key)
        if build is None:
            build = Build(build_name(source), image)
            self.world.delete_pod(hub, build.name)
            self.world.create_pod(hub, _pod(hub, source, build))
            self.running[key] = build
            self.world.spawn(self._run(key, hub, source, build))
        return build

    async def _run(self, key: str, hub: Installed, source: Source, build: Build) -> None:
        try:
            if await self._started(hub, build):
                await self._work(hub, source, build)
            else:
                build.say({"phase": "failed"}, last=True)
        finally:
            if not build.over:
                build.say({"phase": "failed"}, last=True)
            self.running.pop(key, None)
            self.world.delete_pod(hub, build.name)

    async def _started(self, hub: Installed, build: Build) -> bool:
        """Waits for the pod, which waits for the builder's socket; False when the pod went away first."""
        deadline = self.world.clock.now() + self.world.patience(GIVEN_UP_AFTER)
        while self.world.clock.now() < deadline:
            pod = hub.get("pods", build.name) if self.world.hub(hub.cluster, hub.namespace) else None
            if pod is None:
                return False
            if pod["status"].get("phase") == "Running":
                return True
            await self.world.glance()
        return False

    async def _work(self, hub: Installed, source: Source, build: Build) -> None:
        words = {"short": source.commit[:7], "image": build.image}
        for seconds, phase, message in SCRIPT:
            await self.world.pause(seconds)
            self._print(hub, build, {"phase": phase, "message": message.format(**words)})
        if hub.binder_settings.get("use_registry", True):
            try:
                await self._push(hub, build)
            except Denied as denied:
                self._print(hub, build, {"phase": "failed", "message": f"{denied}\n"})
                build.say({"phase": "failed"}, last=True)
                return
        else:
            self.world.images.put(f"{hub.key}{build.image}", {"pushed": None})
        event = {"phase": "built", "message": "Built image, launching...\n", "imageName": build.image}
        build.say(event, last=True)

    async def _push(self, hub: Installed, build: Build) -> None:
        self._print(hub, build, {"phase": "pushing", "message": "Pushing image\n"})
        await self.world.pause(1)
        await self.registry.push(hub, build.image)
        for done in range(1, 4):
            await self.world.pause(2)
            layers = {layer: {"current": done * 30_000_000, "total": 90_000_000} for layer in LAYERS}
            progress = {"phase": "pushing", "message": "Pushing image\n", "progress": {"layers": layers}}
            self._print(hub, build, progress)
        self._print(hub, build, {"phase": "pushing", "message": f"Successfully pushed {build.image}\n"})

    def _print(self, hub: Installed, build: Build, event: Body) -> None:
        """A line of the build pod's log, which is what the stream shows."""
        hub.objects.append_pod_log(hub.namespace, build.name, json.dumps(event))
        build.say(event)


def image_name(hub: Installed, source: Source) -> str:
    prefix = str(hub.binder_settings.get("image_prefix") or "")
    return f"{prefix}{_slug(source.slug)}:{source.commit}".replace("_", "-").lower()


def build_name(source: Source) -> str:
    return (
        f"build-{_slug(source.slug)[:40]}-{source.commit[:3]}-{hashlib.sha256(source.commit.encode()).hexdigest()[:2]}"
    )


def _slug(slug: str) -> str:
    """Letters that an image's name may not have become -hh; six of a hash keep it unique."""
    safe = "".join(letter if letter.isalnum() else f"-{ord(letter):x}" for letter in slug)
    return f"{safe}-{hashlib.sha256(slug.encode()).hexdigest()[:6]}".lower()


def _pod(hub: Installed, source: Source, build: Build) -> Body:
    binder = hub.binder
    kind = binder.get("imageBuilderType", "host")
    socket = "/var/run/docker.sock"
    if kind != "host":
        socket = f"{binder[kind]['hostSocketDir']}/{'docker' if kind == 'dind' else 'podman'}.sock"
    arguments = ["jupyter-repo2docker", f"--ref={source.commit}", f"--image={build.image}", "--no-clean", "--no-run"]
    container = {
        "name": "builder",
        "image": BUILDER_IMAGE,
        "args": [*arguments, "--json-logs", "--user-name=jovyan", "--user-id=1000", "--push", source.url],
        "volumeMounts": [{"name": "docker-socket", "mountPath": "/var/run/docker.sock"}],
    }
    return {
        "metadata": {
            "name": build.name,
            "labels": {"name": build.name, "component": "binderhub-build"},
            "annotations": {"binder-repo": source.url},
        },
        "spec": {
            "containers": [container],
            "restartPolicy": "Never",
            "volumes": [{"name": "docker-socket", "hostPath": {"path": socket, "type": "Socket"}}],
        },
    }


__all__ = ["ApiError", "Build", "Builds", "build_name", "image_name"]
