"""What this machine must have before anything is started, each lack told in one sentence."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path

from bootstrap.refusal import Refusal

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
#: Debian leaves some of these out of its smallest Python.
NEEDED_MODULES = ("venv", "ensurepip", "ctypes", "sqlite3", "ssl")


def require_python() -> None:
    """Refuses a Python that cannot make a virtual environment. (The Makefile looks at its version.)"""
    lacking = [name for name in NEEDED_MODULES if importlib.util.find_spec(name) is None]
    if lacking:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise Refusal(
            f"This Python lacks the module {lacking[0]!r}, which Slipway needs. "
            f"On Debian or Ubuntu run: sudo apt-get install {package}"
        )


def require_disk(folder: Path, mebibytes: int) -> None:
    """Refuses when the disk that holds the folder has less room than that."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free // MIB
    if free < mebibytes:
        raise Refusal(f"The disk that holds {folder} has {free} MiB left; Slipway needs {mebibytes}. Make some room.")
    if not os.access(there, os.W_OK):
        raise Refusal(f"{there} cannot be written to by this user; choose another folder with SLIPWAY_HOME=<folder>.")


def require_free_port(port: int, what: str, setting: str) -> None:
    """Refuses when another program listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Refusal(
                f"Port {port} ({what}) is only for root; choose one above 1023: make run {setting}={port + 8000}"
            ) from None
        except OSError:
            raise Refusal(
                f"Port {port} ({what}) is taken by another program; stop that, or choose another port: "
                f"make run {setting}={port + 1}"
            ) from None


def free_ports(count: int) -> list[int]:
    """That many different ports of 127.0.0.1 that nobody listens on just now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
