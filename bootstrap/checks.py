"""`make test` and its parts: installs what they need, runs them one by one, stops at the first that fails."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bootstrap import browser, helm_binary, postgres, virtualenv
from bootstrap.machine import ROOT
from bootstrap.refusal import Refusal, say

#: Thousands of small trials, side by side; the rest of the chaos wants the machine for itself.
MATRIX = "tests/chaos/matrix"
#: Each file starts a whole stack of its own, some a browser besides.
STACKS = (
    "tests/chaos/test_each_write.py",
    "tests/chaos/test_outages.py",
    "tests/chaos/test_outlived_parent.py",
    "tests/chaos/kills",
    "tests/bootstrap/test_many_machines.py",
    "tests/bootstrap/test_backup_commands.py",
    "tests/acceptance",
)
#: Run one at a time, after the rest: they time a start, and want the machine for themselves.
ALONE = "tests/bootstrap"
#: What is left to chance falls the same way in each `make test`; `make chaos` draws anew.
SEED = "1"


def lint(_rest: list[str]) -> int:
    return _in_turn(_linters(virtualenv.ensure("test")), {})


def test(rest: list[str]) -> int:
    """Everything that must hold before a change lands. More arguments go to pytest, which then runs only once."""
    python = virtualenv.ensure("test")
    pytest = [str(python), "-m", "pytest", "-q"]
    # In their own order: files of many tests first would leave a long one of few to run by itself in the end.
    by_file = ["--dist", "loadfile", "--no-loadscope-reorder"]
    # Three for two cores: they mostly wait for one another's programs.
    side_by_side = [*pytest, "-n", "3", *by_file, *(f"--ignore={path}" for path in (*STACKS, ALONE))]
    stacks = [*pytest, "-n", "3", *by_file, *STACKS]
    alone = [*pytest, ALONE, *(f"--ignore={path}" for path in STACKS if path.startswith(ALONE))]
    everything = [*_linters(python), side_by_side, stacks, alone]
    seed = {"SLIPWAY_SEED": os.environ.get("SLIPWAY_SEED") or SEED}
    with database() as where:
        return _in_turn([[*pytest, *rest]] if rest else everything, {**_tools(python), **where, **seed})


def chaos(rest: list[str]) -> int:
    """Everything dies, and everything fails: what kills and times has the machine for itself, the rest shares it."""
    python = virtualenv.ensure("test")
    seed = os.environ.get("SLIPWAY_SEED") or str(random.SystemRandom().randrange(10**6))
    say(f"SLIPWAY_SEED={seed}")
    pytest = [str(python), "-m", "pytest", "-q"]
    with database() as where:
        environ = {**_tools(python), **where, "SLIPWAY_CHAOS": "full", "SLIPWAY_SEED": seed}
        if rest:
            return _in_turn([[*pytest, *rest]], environ)
        alone = [*pytest, "tests/chaos", f"--ignore={MATRIX}"]
        return _in_turn([alone, [*pytest, "-n", "2", "--dist", "worksteal", MATRIX]], environ)


def bench(rest: list[str]) -> int:
    python = virtualenv.ensure("test")
    return _in_turn([[str(python), "-m", "bench", *rest]], _tools(python))


@contextmanager
def database(wanted: str = os.environ.get("DB") or "sqlite") -> Iterator[dict[str, str]]:
    """What to tell tests of their database: nothing, or with DB=postgres where a server of their own listens."""
    if wanted not in ("sqlite", "postgres"):
        raise Refusal(f"DB={wanted} is not known; it is sqlite or postgres.")
    if wanted == "sqlite":
        yield {}
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with postgres.Server() as server:
        say(f"PostgreSQL for these tests listens in {server.folder}.")
        yield {"SLIPWAY_POSTGRES": server.url}


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tools(python: Path) -> dict[str, str]:
    """Where tests find Helm and the browser. PostgreSQL they find by themselves."""
    helm = helm_binary.ensure(ROOT / "var", python)
    postgres.ensure()
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
