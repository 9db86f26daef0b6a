"""The browser that the test of the main job drives."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bootstrap.refusal import Refusal, say

CHROMIUM = Path("/usr/bin/chromium")


def ensure() -> Path:
    """Debian's Chromium, installed when this user may; else a refusal: the main job is never skipped."""
    if chosen := os.environ.get("CHROMIUM_BINARY"):
        return Path(chosen)
    if not CHROMIUM.exists():
        say("Installing the browser for the tests (Debian's chromium) …")
        _install()
    if not CHROMIUM.exists():
        raise Refusal(
            "The test of the main job needs the browser Chromium and it could not be installed here. On Debian run: "
            "sudo apt-get install chromium  (elsewhere set CHROMIUM_BINARY=<its path>)."
        )
    return CHROMIUM


def _install() -> None:
    """Tries apt-get as root, or by sudo that asks no password."""
    if shutil.which("apt-get") is None:
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n", "env"]
    if prefix and shutil.which("sudo") is None:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([*prefix, "apt-get", "-q", *arguments], env=environment, stdout=subprocess.DEVNULL)
