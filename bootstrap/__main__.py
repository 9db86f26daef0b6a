"""`python3 -m bootstrap <what>`: what the Makefile calls, with nothing but the standard library."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bootstrap import checks, helm_binary, machine, virtualenv
from bootstrap.machine import ROOT
from bootstrap.refusal import say, speak


def install(_rest: list[str]) -> int:
    helm_binary.ensure(_home(), virtualenv.ensure("embedded"))
    say("Installed: .venv and Helm.")
    return 0


def helm(_rest: list[str]) -> int:
    say(str(helm_binary.ensure(_home(), virtualenv.ensure("embedded"))))
    return 0


def run(rest: list[str]) -> int:
    machine.require_disk(_home(), 300)
    python = virtualenv.ensure("embedded")
    binary = helm_binary.ensure(_home(), python)
    return _become(python, "bootstrap.run", "--home", str(_home()), "--helm", str(binary), *rest)


def demo(rest: list[str]) -> int:
    python = virtualenv.ensure("embedded")
    return _become(python, "bootstrap.demo", "--helm", str(helm_binary.ensure(_home(), python)), *rest)


def _become(python: Path, module: str, *arguments: str) -> int:
    """This process turns into that one, so that signals and the exit status need no relay."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(python, [str(python), "-m", module, *arguments])


def _home() -> Path:
    return Path(os.environ.get("SLIPWAY_HOME") or ROOT / "var").absolute()


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "install": install,
    "helm": helm,
    "run": run,
    "demo": demo,
    "test": checks.test,
    "lint": checks.lint,
    "chaos": checks.chaos,
    "bench": checks.bench,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m bootstrap", description=__doc__)
    parser.add_argument("what", choices=COMMANDS)
    options, rest = parser.parse_known_args()
    return speak(lambda: COMMANDS[options.what](rest))


if __name__ == "__main__":
    sys.exit(main())
