"""The browser that the test of the main job drives."""

from __future__ import annotations

import os
from pathlib import Path

from bootstrap import debian
from bootstrap.refusal import Refusal, say

CHROMIUM = Path("/usr/bin/chromium")


def ensure() -> Path:
    """Debian's Chromium, installed when this user may; else a refusal: the main job is never skipped."""
    if chosen := os.environ.get("CHROMIUM_BINARY"):
        return Path(chosen)
    if not CHROMIUM.exists():
        say("Installing the browser for the tests (Debian's chromium) …")
        debian.install("chromium")
    if not CHROMIUM.exists():
        raise Refusal(
            "The test of the main job needs the browser Chromium and it could not be installed here. On Debian run: "
            "sudo apt-get install chromium  (elsewhere set CHROMIUM_BINARY=<its path>)."
        )
    return CHROMIUM
