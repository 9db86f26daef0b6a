"""Pages of a portal with 10,000 hubs and 5 million lines of log in PostgreSQL, and old logs packed beside readers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import looks
from bench.looks import Portal, shown
from bench.person import Person
from bench.table import BenchFailed, Figures
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
        with ExitStack() as open_:
            addresses = {stack.address: stack.pids()["web"]}
            addresses |= dict([open_.enter_context(looks.beside(stack, DATABASE_POOL="0"))])
            for username, pages in _pages(ids).items():
                queries = json.loads(_run(stack, "bench.queries", username, given=json.dumps(pages)))
                portals = [
                    Portal(open_.enter_context(Person(address, username, stack.passwords[username])), pid, server.pid)
                    for address, pid in addresses.items()
                ]
                _look(figures, portals, pages, queries)
            _pack(stack, figures, portals[0].person, ids)


def _look(
    figures: Figures, portals: list[Portal], pages: dict[str, list[str]], queries: dict[str, tuple[int, int]]
) -> None:
    """Each page by turns with connections that are kept and, beside it, with a new one for each request."""
    for name, paths in pages.items():
        ours, other = looks.by_turns(portals, paths, LOOKS, FIRST)
        least, most = queries[name]
        asked = f"{least} queries" if least == most else f"{least} to {most} queries"
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        figures.add(f"page: {name}", f"{ours.shown}; {asked}", f"no pool: {other.shown}", f"{ours.told}; {load}")


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


def _pages(ids: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Who looks at what, by turns: never the same page twice in a row where there are several of a kind."""
    searched = ["hub-77", "ada", "number42", "person-1"]
    owner = {"My hubs (an owner of 200)": ["", "?page=2", "?q=hub-9", "?state=all&page=3"]}
    admin = {
        "the floor: healthz": ["healthz"],
        "All hubs, a page of 50": [f"hubs/?page={number}" for number in (1, 2, 50, 120)],
        "All hubs, gone ones too, to the last page": [f"hubs/?state=all&page={n}" for n in (1, 100, 199)],
        "All hubs, searched": [f"hubs/?q={word}&state={state}" for word in searched for state in ("", "all")],
        "a hub that serves": [f"hubs/{hub}/" for hub in ids["ready"]],
        "a hub that does not": [f"hubs/{hub}/" for hub in ids["others"]],
        "a hub with 300 runs": [f"hubs/{ids['busiest']}/"],
        "its runs": [f"hubs/{ids['busiest']}/runs/?page={number}" for number in (1, 3, 6)],
        "a hub's progress, asked for at every step": [f"hubs/{hub}/progress" for hub in ids["ready"]],
        "Review, 300 requests": [f"review/?page={number}" for number in (1, 7, 15)] + ["review/?q=ada"],
        "a request": [f"review/{hub}/" for hub in ids["requests"]],
        "a change to decide about": [f"review/{hub}/change/2/" for hub in ids["changes"]],
        "a log": [f"operations/{run}/log/" for run in ids["logs"]],
        "a log of 100,000 lines, anywhere": [
            f"operations/{ids['longest']}/log/?before={number}" for number in (201, 50_000, 99_999)
        ],
    }
    return {"researcher": owner, "admin": admin}


def _pack(stack: Stack, figures: Figures, admin: Person, ids: dict[str, Any]) -> None:
    """Readers of logs and hubs, first alone, then beside the worker's chore."""
    paths = [f"operations/{run}/log/" for run in ids["logs"]] + [f"hubs/{hub}/" for hub in ids["others"]]
    alone = shown(_times(admin, paths))
    command = [sys.executable, "-m", "bench.archiving", str(PACKED)]
    chore = subprocess.Popen(command, cwd=ROOT, env=stack.env("worker"), stdout=subprocess.PIPE, text=True)
    beside: list[float] = []
    while chore.poll() is None:
        beside += _times(admin, paths, count=20, first=0)
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
    figures.add("readers beside that", shown(beside), f"alone {alone}", "logs and pages of hubs, by turns")
    figures.add(
        "room for a line", f"{packed['bytes_a_line']:.0f} bytes packed", f"{once['bytes_a_line']} bytes as a row"
    )


def _run(stack: Stack, module: str, *arguments: str, given: str = "") -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=stack.env("web"), capture_output=True, text=True, input=given)
    if done.returncode:
        raise BenchFailed(done.stderr[-2000:])
    return done.stdout


def _times(person: Person, paths: list[str], count: int = LOOKS, first: int = FIRST) -> list[float]:
    """Milliseconds of each look, from the request's first byte sent to the answer's last byte read, on this machine."""
    taken = []
    for number in range(first + count):
        began = time.perf_counter()
        answer = person.http.get(paths[number % len(paths)])
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, f"{paths[number % len(paths)]}: {answer.status_code}"
    return taken[first:]
