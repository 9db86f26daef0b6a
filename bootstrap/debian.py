"""Debian's packages, installed when this user may."""

from __future__ import annotations

import os
import shutil
import subprocess


def install(*packages: str) -> None:
    """Tries apt-get. Whether it worked, the caller sees for itself."""
    if shutil.which("apt-get"):
        as_root("apt-get", "-q", "update")
        as_root("apt-get", "-q", "install", "-y", "--no-install-recommends", *packages)


def as_root(*command: str) -> None:
    """Runs it as root, or by sudo that asks no password; where neither is possible nothing happens."""
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n", "env"]
    if not prefix or shutil.which("sudo"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*prefix, *command], env=environment, stdout=subprocess.DEVNULL)
