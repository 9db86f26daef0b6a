"""`make bench`: memory of each process at rest, page times, and one whole provision, measured on a stack of its own."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bootstrap.machine import ROOT
from bootstrap.stack import Stack

SPEED = 20.0
LOOKS = 50


def page_times(address: str) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds, of the sign-in page."""
    taken = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        with urllib.request.urlopen(f"{address}sign-in/") as answer:
            answer.read()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), sorted(taken)[int(LOOKS * 0.95) - 1]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder, Stack(Path(folder), speed=SPEED) as stack:
        began = time.perf_counter()
        stack.start()
        print(f"start, empty folder               {time.perf_counter() - began:8.1f} s")
        for name, size in stack.memory().items():
            print(f"memory at rest: {name:18}{size:8.0f} MiB")
        print(f"memory at rest: {'together':18}{sum(stack.memory().values()):8.0f} MiB")
        median, slow = page_times(stack.address)
        print(f"sign-in page, median / p95        {median:8.1f} / {slow:.1f} ms")
        began = time.perf_counter()
        command = [sys.executable, "manage.py", "demo"]
        done = subprocess.run(command, cwd=ROOT, env=stack.env("web"), stdout=subprocess.DEVNULL, check=False)
        print(f"whole job, up and down, speed {SPEED:g}  {time.perf_counter() - began:8.1f} s")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
