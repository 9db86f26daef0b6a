"""`make bench`: how fast and how large Slipway is, with the alternative measured beside it in the same run.

`make bench ARGS="workshop --hubs 20"` measures one thing, at a size of one's own.
`pages`: how it is with 10,000 hubs and 5 million lines of log in PostgreSQL; only where it is named.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import engine, hubs, large, pages, workshop
from bench.table import BenchFailed, Figures
from bootstrap.stack import Stack
from cloud.azure.limits import DOCUMENTED

SPEED = 20.0


def main() -> int:
    options = _options()
    figures, status = Figures(), 0
    for name in options.what or USUAL:
        figures.console.print(f"\n{name}", style="bold")
        try:
            BENCHES[name](figures, options)
        except BenchFailed as failure:
            print(f"Could not be measured: {failure}", file=sys.stderr)
            status = 1
    figures.show()
    return status


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "what", nargs="*", metavar="|".join(BENCHES), help="what to measure; nothing named is all but pages"
    )
    parser.add_argument("--hubs", type=int, default=200, help="hubs of the workshop")
    parser.add_argument("--operations", type=int, default=2000, help="operations that the engine alone has in flight")
    options = parser.parse_args()
    for name in options.what:
        if name not in BENCHES:
            parser.error(f"there is no {name}; choose from {', '.join(BENCHES)}")
    return options


def _portal(figures: Figures, _options: argparse.Namespace) -> None:
    """One person, one hub, and the pages."""
    with _stack(SPEED) as stack:
        began = time.perf_counter()
        stack.start()
        figures.add("start in an empty folder, until it answers", f"{time.perf_counter() - began:.1f} s")
        hubs.memory(stack, figures, "at rest")
        hubs.clicks(stack, figures)
        hubs.provision(stack, figures, SPEED)
        hubs.memory(stack, figures, "after building a hub")
        pages.measure(stack, figures)


def _workshop(figures: Figures, options: argparse.Namespace) -> None:
    with _stack(SPEED) as stack:
        workshop.measure(stack, figures, options.hubs, SPEED)


def _pages(figures: Figures, _options: argparse.Namespace) -> None:
    large.measure(figures, SPEED)


def _engine(figures: Figures, options: argparse.Namespace) -> None:
    engine.measure(figures, options.operations)


class _stack(Stack):
    """A stack in a folder that goes with it.

    Where the cloud is faster than Azure, what Azure takes of requests in a second grows alike: what a run takes is in
    the same proportion to it then.
    """

    def __init__(self, speed: float) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="slipway-bench-")
        helm = os.environ.get("HELM_BINARY")
        limits = {
            f"SLIPWAY_AZURE_{kind.upper()}S": f"{rate.burst:g}/{rate.per_second * speed:g}"
            for kind, rate in DOCUMENTED.items()
        }
        super().__init__(Path(self._folder.name), speed=speed, helm=Path(helm) if helm else None, extra_env=limits)

    def __exit__(self, *about: object) -> None:
        super().__exit__(*about)
        self._folder.cleanup()


BENCHES: dict[str, Callable[[Figures, argparse.Namespace], None]] = {
    "portal": _portal,
    "workshop": _workshop,
    "engine": _engine,
    "pages": _pages,
}
USUAL = ("portal", "workshop", "engine")

if __name__ == "__main__":
    sys.exit(main())
