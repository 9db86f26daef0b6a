"""`make demo`: the main job without a browser, in a fresh folder, on free ports; nothing is left of it."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

from bootstrap import families
from bootstrap.machine import ROOT
from bootstrap.refusal import say, speak
from bootstrap.stack import Stack


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--helm", type=Path)
    parser.add_argument("--speed", type=float, default=20.0)
    return speak(lambda: _demo(parser.parse_args(arguments)))


def _demo(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    with (
        tempfile.TemporaryDirectory(prefix="slipway-demo-") as folder,
        Stack(Path(folder), speed=options.speed, helm=options.helm) as stack,
    ):
        say("Starting a Slipway of its own for the demo …")
        stack.start()
        status = _watched([sys.executable, "manage.py", "demo"], stack.env("web"))
        if status:
            say(f"The demo failed (exit status {status}).\n{_troubles(stack)}")
    return status


def _watched(command: list[str], environ: dict[str, str]) -> int:
    """Runs it on this terminal; ends it with us."""
    with subprocess.Popen(command, cwd=ROOT, env=environ) as process:
        try:
            return process.wait()
        finally:
            families.end(families.descendants(process.pid), 3)


def _troubles(stack: Stack) -> str:
    """The last lines of the two logs that tell why; the folder itself is about to go."""
    ends = {name: stack.log(name).splitlines()[-15:] for name in ("worker", "sandbox", "web")}
    return "\n".join(f"--- {name} ---\n" + "\n".join(lines) for name, lines in ends.items())


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
