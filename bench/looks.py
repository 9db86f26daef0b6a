"""Looks at a portal's pages: how long the answer took, and how much of that was work of the processes behind it."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.person import Person
from bench.table import BenchFailed
from bootstrap import families, machine, readiness, services
from bootstrap.machine import ROOT
from bootstrap.stack import Stack

PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Portal:
    """A web process with its PostgreSQL, and somebody signed in there."""

    person: Person
    web: int
    postgres: int

    def work(self) -> tuple[float, float]:
        """Milliseconds of CPU that the web process and the connections that it keeps have used: nobody else's."""
        return _clock(self.web), sum(map(_served, families.descendants(self.postgres)))


@dataclass
class Looks:
    """Milliseconds of each look: from the request's first byte to the answer's last, and the CPU it took."""

    taken: list[float] = field(default_factory=list)
    web: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    @property
    def shown(self) -> str:
        return shown(self.taken)

    @property
    def told(self) -> str:
        """Where the time goes."""
        web, database, taken = (statistics.mean(each) for each in (self.web, self.database, self.taken))
        waited = max(0.0, taken - web - database)
        return (
            f"web's CPU {shown(self.web)}; PostgreSQL's {database:.1f} ms; {waited:.0f} ms waiting for a core or a byte"
        )

    def look(self, portal: Portal, path: str) -> None:
        web, database = portal.work()
        began = time.perf_counter()
        answer = portal.person.http.get(path)
        self.taken.append((time.perf_counter() - began) * 1000)
        after = portal.work()
        self.web.append(after[0] - web)
        self.database.append(max(0.0, after[1] - database))
        assert answer.status_code == 200, f"{path}: {answer.status_code}"


def by_turns(portals: Iterable[Portal], paths: list[str], looks: int, first: int) -> list[Looks]:
    """So many looks at each portal, one after the other, so that what else the machine does falls upon all alike."""
    found = [(portal, Looks()) for portal in portals]
    for number in range(first + looks):
        for portal, seen in found:
            (seen if number >= first else Looks()).look(portal, paths[number % len(paths)])
    return [seen for _, seen in found]


def shown(taken: list[float]) -> str:
    return f"{statistics.median(taken):.0f} ms, p95 {sorted(taken)[int(len(taken) * 0.95) - 1]:.0f} ms"


@contextmanager
def beside(stack: Stack, **environ: str) -> Iterator[tuple[str, int]]:
    """Another web process of the same portal, with other settings: its address and its process's number."""
    place = replace(stack.place, port=machine.free_ports(1)[0])
    command, mine = services.command("web", place), services.environment("web", place)
    process = subprocess.Popen(command, cwd=ROOT, env=stack.env("web") | mine | environ, stderr=subprocess.DEVNULL)
    try:
        if not readiness.wait(lambda: readiness.web_answers(place.port), lambda: process.poll() is None, PATIENCE):
            raise BenchFailed("a second web process did not start")
        yield place.address, process.pid
    finally:
        process.terminate()
        process.wait()


def _clock(pid: int) -> float:
    """The process's clock of CPU time, to the nanosecond: Linux' MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)."""
    return time.clock_gettime((~pid << 3) | 2) * 1000


def _served(pid: int) -> float:
    """The same of a process with one thread that may be gone."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    except (OSError, IndexError):
        return 0.0
