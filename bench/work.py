"""What processes use: CPU time, and memory over a while."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from bootstrap import families
from bootstrap.stack import Stack

TICKS = 100.0


def cpu_of(pids: Iterable[int]) -> float:
    """Seconds of CPU that these processes and the children they have buried have used."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone: whoever buried it has its time
        ticks += sum(int(fields[index]) for index in (11, 12, 13, 14))
    return ticks / TICKS


class Weighed:
    """Looks every second at how much memory a worker has, with the Helms that it runs and without."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._weigh, daemon=True)
        #: MiB (PSS) of the worker's own processes, of its Helms, and of the simulated cloud.
        self.worker: list[float] = []
        self.helms: list[float] = []
        self.cloud: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def peak(self) -> float:
        return max(self.worker)

    @property
    def peak_with_helm(self) -> float:
        return max(own + helms for own, helms in zip(self.worker, self.helms, strict=True))

    def halves(self) -> tuple[float, float]:
        """The worker's median in the first and in the second half: flat when they are alike."""
        middle = len(self.worker) // 2 or 1
        return statistics.median(self.worker[:middle]), statistics.median(self.worker[middle:] or self.worker)

    def _weigh(self) -> None:
        while not self._stop.is_set():
            family = self._stack.family("worker")
            helms = {pid for pid in family if _program(pid) == "helm"}
            self.helms.append(families.memory(helms))
            self.worker.append(families.memory(family - helms))
            self.cloud.append(families.memory(self._stack.family("sandbox")))
            self._stop.wait(1.0)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wait_until(true: object, patience: float, every: float = 0.5) -> bool:
    """Whether it became true in time."""
    assert callable(true)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(every)
    return False
