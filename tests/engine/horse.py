"""A worker's process for tests that kill or freeze it: the real Runner over a world of files.

`python -m tests.engine.horse <folder> <steps>…`. Each step makes a file once: `<operation>.<step>.made` gets a line for
each time it was made. While `<step>.hold` holds the word before (or after), the worker waits there, on that side of the
write, and says so in `<step>.held`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import django


def main(folder: str, *names: str) -> None:
    django.setup()
    from deployments.models import Operation
    from tests.engine.filed import Filed
    from worker.context import Context
    from worker.runner import Runner

    plan = tuple(Filed(name, Path(folder), after=names[:index]) for index, name in enumerate(names))
    while Operation.objects.filter(status="running").exists():
        Runner(lambda _operation: plan, Context).run(limit=8, budget=5.0)
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
