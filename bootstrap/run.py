"""`make run`: the whole stack until Ctrl-C, what to do next, and a fallen process put on its feet again."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
import time
from collections import defaultdict, deque
from pathlib import Path
from types import FrameType

from bootstrap.console import Console
from bootstrap.machine import ROOT
from bootstrap.refusal import Refusal, say, speak
from bootstrap.stack import Stack
from bootstrap.tether import PR_SET_PDEATHSIG

FALLS, WITHIN = 3, 30.0  # so many in so many seconds: starting it again is no help


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / "var")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--sandbox-port", type=int, default=8443)
    parser.add_argument("--hub-port", type=int, default=8480)
    parser.add_argument("--speed", type=float, default=5.0, help="how many times faster than reality the sandbox is")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--helm", type=Path)
    parser.add_argument("--verbose", action="store_true", help="show every line of every process")
    return speak(lambda: _run(parser.parse_args(arguments)))


def _run(options: argparse.Namespace) -> int:
    console = Console(options.verbose)
    stack = Stack(
        options.home,
        port=options.port,
        sandbox_port=options.sandbox_port,
        hub_port=options.hub_port,
        speed=options.speed,
        workers=options.workers,
        helm=options.helm,
        on_line=console,
    )
    _stop_on_signals()
    begun = time.monotonic()
    try:
        say("Starting Slipway …")
        stack.start()
        say(welcome(stack, time.monotonic() - begun))
        _keep(stack, console)
    except KeyboardInterrupt:
        _ignore_signals()
        say("\nStopping …")
    finally:
        _ignore_signals()
        stack.stop()
    say("Stopped. Your data stays; `make run` brings it back.")
    return 0


def _keep(stack: Stack, console: Console) -> None:
    """Starts again what fell; gives up, refusing, on what keeps falling."""
    falls: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=FALLS))
    while True:
        time.sleep(0.3)
        for name, status in stack.dead().items():
            now = time.monotonic()
            falls[name].append(now)
            if len(falls[name]) == FALLS and now - falls[name][0] < WITHIN:
                raise Refusal(f"{name} keeps falling; Slipway stops. Its log: {stack.place.home}/log/{name}.log")
            console.show(name, f"ended ({_how(status)}); starting it again")
            stack.start(name)


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _stop_on_signals() -> None:
    """SIGTERM and a closed terminal stop as Ctrl-C does; and so does the end of `make`, even by SIGKILL."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    if "MAKELEVEL" in os.environ:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _ignore_signals() -> None:
    """While it stops: an impatient second Ctrl-C would leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def welcome(stack: Stack, seconds: float) -> str:
    lines = ["", f"  Slipway is ready ({seconds:.0f} s):  {stack.address}", ""]
    if stack.passwords:
        lines += ["  Two people may sign in (these passwords are shown only now):"]
        lines += [f"      {name:<11} {password}" for name, password in stack.passwords.items()]
    else:
        lines += ["  Sign in as researcher or admin, with the passwords shown at the first start."]
    return "\n".join([*lines, "", NEXT.format(home=stack.place.home), ""])


NEXT = """\
  What to do next:
      1. Sign in as researcher and press New hub. The simulated Docker Hub knows this account:
             username slipwaydemo      access token dckr_pat_demo      organisation (optional) slipwayorg
         The simulated GitHub knows an app: client ID Ov23liSlipwayDemo001      client secret github-demo-secret
         Subscriptions to choose from: Research computing (plenty of room) and Free Trial (4 cores).
      2. Sign in as admin (another browser or a private window) and approve it under Review.
      3. Watch it being built, open your Binder, take it down, read the receipt.
  The cloud is simulated on this machine: nothing costs money, nothing leaves it.
  Logs: {home}/log/. Ctrl-C stops everything; your data stays in {home}/."""


if __name__ == "__main__":
    sys.exit(main())
