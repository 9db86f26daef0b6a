"""What an operator of a real installation sets, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bootstrap.machine import ROOT

KEY = "Zk3v-" + "correct-horse-battery-staple_" * 2


def production(home: Path, **changes: str) -> dict[str, str]:
    """The environment of a real installation; a change to "" leaves the variable out."""
    environ = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SLIPWAY_HOME": str(home),
        "SECRET_KEY": KEY,
        "ALLOWED_HOSTS": "hubs.example.org",
        "CSRF_TRUSTED_ORIGINS": "https://hubs.example.org",
        "SLIPWAY_ADDRESS": "https://hubs.example.org/",
        "BEHIND_TLS_PROXY": "1",
        "AZURE_KEY_VAULT_URL": "https://portal.vault.azure.net/",
        **changes,
    }
    return {name: value for name, value in environ.items() if value}


def run(arguments: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
