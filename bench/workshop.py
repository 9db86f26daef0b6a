"""A workshop: many hubs requested at once, all built; beside the floor, and beside one blocking job for each hub."""

from __future__ import annotations

import json
import os
import sqlite3
import ssl
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import scripted
from bench.table import BenchFailed, Figures
from bench.work import Weighed, cpu_of
from bootstrap import families
from bootstrap.machine import ROOT
from bootstrap.stack import Stack
from sandbox.seeds import SUBSCRIPTIONS

#: Hubs that floor and alternative are measured with; their figures are then scaled.
SAMPLE = 20
#: MiB that a worker may have, and that the alternative may have too.
MEMORY = 250.0
PATIENCE = 900.0


def measure(stack: Stack, figures: Figures, hubs: int, speed: float) -> None:
    stack.start()
    _make_room(stack, hubs)
    sample = min(SAMPLE, hubs)
    floor = _floor(stack, sample)
    workers = _alternative(stack, figures, sample, hubs)
    _ours(stack, figures, hubs, floor / sample, speed, workers)


def _ours(stack: Stack, figures: Figures, hubs: int, floor: float, speed: float, alternative: str) -> None:
    asked = time.perf_counter()
    made = scripted.requests(stack, hubs, "workshop")
    requested = time.perf_counter() - asked
    before = {name: cpu_of(stack.family(name)) for name in stack.names}
    with Weighed(stack) as weighed:
        first, _last = scripted.approve(stack, made)
        _followed(stack, made)
        # Of the worker, what its last job has used is only known when that has ended.
        used = {name: cpu_of(stack.family(name)) - before[name] for name in stack.names}
    taken, whole, cores = _durations(stack), _ended(stack) - first, len(os.sched_getaffinity(0))
    bound = floor * hubs / cores
    figures.add(
        f"workshop: {hubs} hubs, approval to the last proof",
        f"{whole:.0f} s",
        f"floor {bound:.0f} s: {whole / bound:.2f} ×",
        f"all ready; requested in {requested:.0f} s; cloud at {speed:g} × its speed",
    )
    shares = ", ".join(f"{name} {used[name] / hubs:.2f}" for name in ("worker", "sandbox", "web", "sweep", "valkey"))
    figures.add("its CPU time a hub", f"{sum(used.values()) / hubs:.2f} s", f"floor {floor:.2f} s", f"{shares} s")
    median = statistics.median(taken)
    figures.add("slowest hub", f"{max(taken):.0f} s", f"median {median:.0f} s: {max(taken) / median:.2f} ×")
    early, late = weighed.halves()
    figures.add(
        "worker's memory, peak",
        f"{weighed.peak:.0f} MiB",
        f"with its Helms {weighed.peak_with_helm:.0f} MiB",
        f"median of the first half {early:.0f}, of the second {late:.0f} MiB; simulated cloud {max(weighed.cloud):.0f}",
    )
    figures.add("one blocking job for each hub", alternative, "", "the same hubs, within the same memory")


def _make_room(stack: Stack, hubs: int) -> None:
    """A subscription with cores enough; the sandbox's own ones are as small as real ones are at first."""
    for each in SUBSCRIPTIONS:
        _control(stack, "azure/subscriptions", {"id": each["id"], "cores": 4 * hubs + 100, "kind": "PayAsYouGo"})
    scripted.refresh_catalogue(stack)


def _control(stack: Stack, path: str, body: Any) -> None:
    trust = ssl.create_default_context(cafile=str(stack.place.sandbox_home / "ca.pem"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    headers = {"Content-Type": "application/json"}
    url = f"{stack.sandbox_address}/_sandbox/{path}"
    opener.open(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=30).read()


def _floor(stack: Stack, sample: int) -> float:
    """Seconds of CPU that Helm and the verification of so many hubs take, the simulated cloud's share included."""
    hubs = scripted.ingredients(stack, scripted.requests(stack, sample, "floor"))
    given = {"hubs": hubs, "sandbox": stack.pids()["sandbox"]}
    done = subprocess.run(
        [sys.executable, "-m", "bench.floor"], cwd=ROOT, env=_environ(stack), input=json.dumps(given),
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    if done.returncode:
        raise BenchFailed(f"the floor: {done.stderr[-1500:]}")
    return float(json.loads(done.stdout)["work"])


def _alternative(stack: Stack, figures: Figures, sample: int, hubs: int) -> str:
    """One process for each hub that blocks until it serves, as many at a time as the memory allows: as RQ runs jobs."""
    given = scripted.ingredients(stack, scripted.requests(stack, sample, "blocking"))
    at_once = max(1, int(MEMORY / _weight_of_one(stack, given.pop())))
    shares = [given[number::at_once] for number in range(at_once)]
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        built = sum(pool.map(lambda share: len(list(_blocking(stack, share))), shares))
    seconds = (time.perf_counter() - began) / built * hubs
    return f"{seconds:.0f} s (scaled from {built} hubs, {at_once} at a time)"


def _weight_of_one(stack: Stack, hub: dict[str, Any]) -> float:
    """MiB of a blocking job at its largest, its Helm included."""
    process, weight = _begun(stack), 0.0
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(hub) + "\n")
    process.stdin.close()
    while process.poll() is None:
        weight = max(weight, families.memory(families.descendants(process.pid)))
        time.sleep(0.1)
    return weight


def _blocking(stack: Stack, hubs: list[dict[str, Any]]) -> Iterator[float]:
    process = _begun(stack)
    told, complaints = process.communicate("".join(f"{json.dumps(hub)}\n" for hub in hubs), timeout=PATIENCE)
    if process.returncode:
        raise BenchFailed(f"the blocking job: {complaints[-1500:]}")
    return (json.loads(line)["seconds"] for line in told.splitlines())


def _begun(stack: Stack) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "bench.bare"]
    return subprocess.Popen(
        command, cwd=ROOT, env=_environ(stack), stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def _environ(stack: Stack) -> dict[str, str]:
    return {**stack.env("worker"), "HELM_BINARY": str(stack.place.helm)}


def _followed(stack: Stack, hubs: list[str]) -> None:
    """Waits until every one of them has been built."""
    until = time.monotonic() + PATIENCE
    while True:
        states = dict(_rows(stack, "SELECT status, count(*) FROM deployments_operation GROUP BY status"))
        if states.get("failed"):
            told = _rows(stack, "SELECT error_message FROM deployments_operation WHERE status = 'failed' LIMIT 1")
            raise BenchFailed(f"{states['failed']} hubs failed, one of them so: {told[0][0]}")
        if states.get("succeeded", 0) == len(hubs):
            return
        if time.monotonic() > until:
            raise BenchFailed(f"not built in {PATIENCE:.0f} s: {states}")
        time.sleep(0.5)


def _durations(stack: Stack) -> list[float]:
    """Seconds from each hub's approval to its end."""
    query = "SELECT (julianday(finished_at) - julianday(created_at)) * 86400 FROM deployments_operation"
    return [row[0] for row in _rows(stack, query)]


def _ended(stack: Stack) -> float:
    """When the last hub was ready, in seconds since the epoch."""
    query = "SELECT (julianday(max(finished_at)) - julianday('1970-01-01')) * 86400 FROM deployments_operation"
    return float(_rows(stack, query)[0][0])


def _rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{stack.place.home / 'slipway.sqlite3'}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()
