"""Pages of a portal with 10,000 hubs and 5 million lines of log in PostgreSQL, and old logs packed beside readers."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.person import Person
from bench.table import BenchFailed, Figures
from bench.work import cpu_of
from bootstrap import families
from bootstrap.machine import ROOT, require_disk
from bootstrap.postgres import Server
from bootstrap.stack import Stack

HUBS, EVENTS, PACKED = 10_000, 5_000_000, 1_000_000
#: Looks at each kind of page, after some that warm the server up.
LOOKS, FIRST = 200, 20
#: A server for a machine of this size; what is written is safe when it is told so, as in real life.
SETTINGS = {"shared_buffers": "512MB"}
#: A portal with nothing to do: no catalogue to refresh, no logs to pack by itself.
QUIET = {"SLIPWAY_LOG_DAYS": "0", "SLIPWAY_CATALOGUE_SECONDS": "86400"}


def measure(figures: Figures, speed: float) -> None:
    with _portal(speed) as (stack, server):
        began = time.perf_counter()
        ids = json.loads(_run(stack, "bench.past", str(HUBS), str(EVENTS)))
        remark = f"{HUBS:,} hubs, {EVENTS:,} lines of log"
        figures.add("filled with a past", f"{time.perf_counter() - began:.0f} s", "", remark)
        with (
            Person(stack.address, "admin", stack.passwords["admin"]) as admin,
            Person(stack.address, "researcher", stack.passwords["researcher"]) as owner,
        ):
            floor = _shown(_times(admin, ["healthz"]))
            figures.add("floor: healthz", floor, "", "with everything else that this machine was doing")
            for name, (person, paths) in _pages(admin, owner, ids).items():
                before = _work(stack, server)
                shown = _shown(_times(person, paths))
                used = (_work(stack, server) - before) * 1000 / (FIRST + LOOKS)
                busy = f"the machine's load {os.getloadavg()[0]:.1f} of {os.cpu_count()}"
                figures.add(f"page: {name}", shown, f"CPU time {used:.0f} ms a page", busy)
            _pack(stack, figures, admin, ids)


def _work(stack: Stack, server: Server) -> float:
    """Seconds of CPU that the web process and PostgreSQL have used: what others do on this machine is not in it."""
    return cpu_of(stack.family("web")) + cpu_of(families.descendants(server.pid))


@contextmanager
def _portal(speed: float) -> Iterator[tuple[Stack, Server]]:
    """A stack whose database is a PostgreSQL of its own; both are gone afterwards."""
    require_disk(Path(tempfile.gettempdir()), 6000)
    helm = os.environ.get("HELM_BINARY")
    with Server(SETTINGS) as server, tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        os.environ["SLIPWAY_POSTGRES"] = server.url
        try:
            with Stack(Path(folder), speed=speed, helm=Path(helm) if helm else None, extra_env=QUIET) as stack:
                stack.start()
                yield stack, server
        finally:
            del os.environ["SLIPWAY_POSTGRES"]


def _pages(admin: Person, owner: Person, ids: dict[str, Any]) -> dict[str, tuple[Person, list[str]]]:
    """Who looks at what, by turns: never the same page twice in a row where there are several of a kind."""
    searched = ["hub-77", "ada", "number42", "person-1"]
    return {
        "My hubs (an owner of 200)": (owner, ["", "?page=2", "?q=hub-9", "?state=all&page=3"]),
        "All hubs, a page of 50": (admin, [f"hubs/?page={number}" for number in (1, 2, 50, 120)]),
        "All hubs, gone ones too, to the last page": (admin, [f"hubs/?state=all&page={n}" for n in (1, 100, 199)]),
        "All hubs, searched": (admin, [f"hubs/?q={word}&state={state}" for word in searched for state in ("", "all")]),
        "a hub that serves": (admin, [f"hubs/{hub}/" for hub in ids["ready"]]),
        "a hub that does not": (admin, [f"hubs/{hub}/" for hub in ids["others"]]),
        "a hub with 300 runs": (admin, [f"hubs/{ids['busiest']}/", f"hubs/{ids['busiest']}/runs/?page=3"]),
        "its progress, asked for at every step": (admin, [f"hubs/{hub}/progress" for hub in ids["ready"]]),
        "Review, 300 requests": (admin, [f"review/?page={number}" for number in (1, 7, 15)] + ["review/?q=ada"]),
        "a request": (admin, [f"review/{hub}/" for hub in ids["requests"]]),
        "a change to decide about": (admin, [f"review/{hub}/change/2/" for hub in ids["changes"]]),
        "a log": (admin, [f"operations/{run}/log/" for run in ids["logs"]]),
        "a log of 100,000 lines, anywhere": (
            admin,
            [f"operations/{ids['longest']}/log/?before={number}" for number in (201, 50_000, 99_999)],
        ),
    }


def _pack(stack: Stack, figures: Figures, admin: Person, ids: dict[str, Any]) -> None:
    """Readers of logs and hubs, first alone, then beside the worker's chore."""
    paths = [f"operations/{run}/log/" for run in ids["logs"]] + [f"hubs/{hub}/" for hub in ids["others"]]
    alone = _shown(_times(admin, paths))
    command = [sys.executable, "-m", "bench.archiving", str(PACKED)]
    chore = subprocess.Popen(command, cwd=ROOT, env=stack.env("worker"), stdout=subprocess.PIPE, text=True)
    beside: list[float] = []
    while chore.poll() is None:
        beside += _times(admin, paths, looks=20, first=0)
    assert chore.stdout is not None
    if chore.returncode:
        raise BenchFailed("old logs could not be packed")
    told = json.loads(chore.stdout.read())
    packed, once = told["packed"], told["beside"]
    figures.add(
        f"{packed['lines']:,} old lines packed into archives",
        f"{packed['seconds']:.0f} s, longest transaction {packed['longest']:.0f} ms",
        f"one DELETE of as many: {once['seconds'] * 1000:.0f} ms in one transaction",
        f"{packed['transactions']:,} transactions, median {packed['median']:.1f} ms",
    )
    figures.add("readers beside that", _shown(beside), f"alone {alone}", "logs and pages of hubs, by turns")
    figures.add(
        "room for a line", f"{packed['bytes_a_line']:.0f} bytes packed", f"{once['bytes_a_line']} bytes as a row"
    )


def _run(stack: Stack, module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=stack.env("web"), capture_output=True, text=True)
    if done.returncode:
        raise BenchFailed(done.stderr[-2000:])
    return done.stdout


def _times(person: Person, paths: list[str], looks: int = LOOKS, first: int = FIRST) -> list[float]:
    """Milliseconds of each look, from the request's first byte sent to the answer's last byte read, on this machine."""
    taken = []
    for number in range(first + looks):
        began = time.perf_counter()
        answer = person.http.get(paths[number % len(paths)])
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, f"{paths[number % len(paths)]}: {answer.status_code}"
    return taken[first:]


def _shown(taken: list[float]) -> str:
    return f"{statistics.median(taken):.0f} ms, p95 {sorted(taken)[int(len(taken) * 0.95) - 1]:.0f} ms"
