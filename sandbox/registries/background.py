"""Registries answer at addresses of their own, beside the sandbox's main one."""

from __future__ import annotations

from sandbox.core import Core
from sandbox.registries.listeners import application


async def run(core: Core) -> None:
    registries = core.services["registries"]
    await registries.listeners.run(application(core, registries))
