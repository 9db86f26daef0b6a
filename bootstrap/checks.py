"""`make test` and its parts: installs what they need, runs them one by one, stops at the first that fails."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from pathlib import Path

from bootstrap import browser, helm_binary, virtualenv
from bootstrap.machine import ROOT
from bootstrap.refusal import say

#: Run one at a time, after the rest: they drive a browser or time a start, and want the machine for themselves.
MATRIX = "tests/chaos/matrix"
ALONE = ("tests/acceptance", "tests/bootstrap")


def lint(_rest: list[str]) -> int:
    return _in_turn(_linters(virtualenv.ensure("test")), {})


def test(rest: list[str]) -> int:
    """Everything that must hold before a change lands. More arguments go to pytest, which then runs only once."""
    python = virtualenv.ensure("test")
    environ = _tools(python)
    pytest = [str(python), "-m", "pytest", "-q"]
    if rest:
        return _in_turn([[*pytest, *rest]], environ)
    side_by_side = [*pytest, "-n", "2", "--dist", "loadfile", *(f"--ignore={path}" for path in ALONE)]
    return _in_turn([*_linters(python), side_by_side, [*pytest, *ALONE]], environ)


def chaos(rest: list[str]) -> int:
    """Everything dies, and everything fails: what kills and times has the machine for itself, the rest shares it."""
    python = virtualenv.ensure("test")
    seed = os.environ.get("SLIPWAY_SEED") or str(random.SystemRandom().randrange(10**6))
    say(f"SLIPWAY_SEED={seed}")
    environ = {**_tools(python), "SLIPWAY_CHAOS": "full", "SLIPWAY_SEED": seed}
    pytest = [str(python), "-m", "pytest", "-q"]
    if rest:
        return _in_turn([[*pytest, "tests/chaos", *rest]], environ)
    alone = [*pytest, "tests/chaos", f"--ignore={MATRIX}"]
    return _in_turn([alone, [*pytest, "-n", "2", "--dist", "worksteal", MATRIX]], environ)


def bench(rest: list[str]) -> int:
    python = virtualenv.ensure("test")
    return _in_turn([[str(python), "-m", "bench", *rest]], _tools(python))


def _tools(python: Path) -> dict[str, str]:
    """Where tests find Helm and the browser."""
    helm = helm_binary.ensure(ROOT / "var", python)
    return {"HELM_BINARY": str(helm), "CHROMIUM_BINARY": str(browser.ensure())}


def _linters(python: Path) -> list[list[str]]:
    programs = python.parent
    return [
        [str(programs / "ruff"), "check", "."],
        [str(programs / "lint-imports")],
        [str(programs / "mypy")],
        [str(python), "manage.py", "makemigrations", "--check", "--dry-run"],
    ]


def _in_turn(commands: list[list[str]], environ: dict[str, str]) -> int:
    """Status of the first that fails, else 0. What they write goes to a folder of its own, never to var/."""
    with tempfile.TemporaryDirectory(prefix="slipway-test-") as home:
        # Settings refuse to load without a key; this one guards nothing.
        settings = {"SLIPWAY_HOME": home, "SECRET_KEY": "for-checks-only", **environ}
        for command in commands:
            say(f"\n--- {' '.join([Path(command[0]).name, *command[1:]])}")
            status = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}).returncode
            if status:
                return status
    return 0
