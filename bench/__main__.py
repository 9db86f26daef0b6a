"""`make bench`: how fast and how large Slipway is, with the alternative measured beside it in the same run.

`pages`: how it is with 10,000 hubs and 5 million lines of log in PostgreSQL; nothing else is measured then.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import hubs, large, pages
from bench.table import BenchFailed, Figures
from bootstrap.stack import Stack

SPEED = 20.0


def main() -> int:
    figures = Figures()
    if "pages" in sys.argv[1:]:
        return _tried(lambda: large.measure(figures, SPEED), figures)
    helm = os.environ.get("HELM_BINARY")
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        stack = Stack(Path(folder), speed=SPEED, helm=Path(helm) if helm else None)
        with stack:
            return _tried(lambda: _measure(stack, figures), figures)


def _tried(measure: Callable[[], None], figures: Figures) -> int:
    """What was measured is shown, also when something could not be."""
    try:
        measure()
    except BenchFailed as failure:
        print(f"Could not be measured: {failure}", file=sys.stderr)
        return 1
    finally:
        figures.show()
    return 0


def _measure(stack: Stack, figures: Figures) -> None:
    began = time.perf_counter()
    stack.start()
    figures.add("start in an empty folder, until it answers", f"{time.perf_counter() - began:.1f} s")
    hubs.memory(stack, figures, "at rest")
    hubs.clicks(stack, figures)
    hubs.provision(stack, figures, SPEED)
    hubs.memory(stack, figures, "after building a hub")
    pages.measure(stack, figures)


if __name__ == "__main__":
    sys.exit(main())
