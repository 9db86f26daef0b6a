"""What a hub takes: from the click to the first step, from the click to the proof; beside a bare script."""

from __future__ import annotations

import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from datetime import datetime
from uuid import UUID

from httpx_sse import connect_sse

from bench import scripted
from bench.person import Person, token_of
from bench.table import BenchFailed, Figures
from bench.work import cpu_of
from bootstrap.machine import ROOT
from bootstrap.stack import Stack

CLICKS = 5
PATIENCE = 600.0


def memory(stack: Stack, figures: Figures, when: str) -> None:
    """MiB (PSS) of what belongs to the portal; the simulated cloud stands beside it."""
    sizes = stack.memory()
    cloud = sizes.pop("sandbox")
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    figures.add(f"memory {when}", f"{sum(sizes.values()):.0f} MiB", f"simulated cloud {cloud:.0f} MiB", parts)


def clicks(stack: Stack, figures: Figures) -> None:
    """From pressing Approve to the first step's beginning, with an idle worker and with one busy with a chore."""
    made = scripted.requests(stack, 2 * CLICKS, "click")
    with Person(stack.address, "admin", stack.passwords["admin"]) as admin:
        idle = [_click(stack, admin, hub) for hub in made[:CLICKS]]
        busy = []
        for hub in made[CLICKS:]:
            scripted.refresh_catalogue(stack)
            busy.append(_click(stack, admin, hub))
    for name, taken in (("idle worker", idle), ("while it refreshes the catalogue", busy)):
        figures.add(
            f"click to first step, {name}",
            f"{statistics.median(taken) * 1000:.0f} ms",
            f"slowest {max(taken) * 1000:.0f} ms",
            f"{CLICKS} clicks",
        )


def provision(stack: Stack, figures: Figures, speed: float) -> None:
    """A whole hub, from the click to the proof of life; then the same by a bare script in the same simulated cloud."""
    ours, bare = scripted.requests(stack, 2, "whole")
    with Person(stack.address, "admin", stack.passwords["admin"]) as admin:
        before = cpu_of(stack.family("worker"))
        began = time.perf_counter()
        _approve(admin, ours)
        lags = _followed(stack, admin, ours)
        seconds = time.perf_counter() - began
        work = cpu_of(stack.family("worker")) - before
    scripted_seconds, scripted_work = _bare(stack, bare)
    remark = (
        f"simulated cloud at {speed:g} times its speed; ours also checks, records, shows and can go on after a crash"
    )
    figures.add("a whole hub, click to proof", f"{seconds:.1f} s", f"bare script {scripted_seconds:.1f} s", remark)
    figures.add("its CPU time, Helm included", f"{work:.1f} s", f"bare script {scripted_work:.1f} s")
    figures.add(
        "a line of the log, written to shown",
        f"{statistics.median(lags) * 1000:.0f} ms",
        f"p95 {sorted(lags)[int(len(lags) * 0.95) - 1] * 1000:.0f} ms",
        f"{len(lags)} lines",
    )


def _bare(stack: Stack, hub: str) -> tuple[float, float]:
    given = json.dumps(scripted.ingredients(stack, [hub])[0])
    environ = {**stack.env("worker"), "HELM_BINARY": str(stack.place.helm)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "bench.bare"]
    done = subprocess.run(command, cwd=ROOT, env=environ, input=given, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise BenchFailed(f"the bare script failed: {done.stderr[-1500:]}")
    work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(json.loads(done.stdout)["seconds"]), work


def _approve(admin: Person, hub: str) -> None:
    admin.press(f"review/{hub}/", f"review/{hub}/1/approve")


def _click(stack: Stack, admin: Person, hub: str) -> float:
    """Seconds until the first step of that hub's run has begun; the run is cancelled then."""
    token = token_of(admin.http.get(f"review/{hub}/").text)
    began = time.time()
    admin.http.post(
        f"review/{hub}/1/approve", data={"csrfmiddlewaretoken": token}, headers={"Referer": str(admin.http.base_url)}
    )
    key = hub.replace("-", "")
    query = "SELECT s.started_at FROM deployments_steprun s JOIN deployments_operation o ON o.id = s.operation_id"
    query += " WHERE o.deployment_id = ? AND s.started_at IS NOT NULL ORDER BY s.started_at LIMIT 1"
    started = _until(stack, query, key)
    operation = UUID(_until(stack, "SELECT id FROM deployments_operation WHERE deployment_id = ?", key))
    admin.press(f"hubs/{hub}/", f"operations/{operation}/cancel")
    _until(stack, "SELECT 1 FROM deployments_operation WHERE deployment_id = ? AND finished_at IS NOT NULL", key)
    return datetime.fromisoformat(f"{started}+00:00").timestamp() - began


def _followed(stack: Stack, admin: Person, hub: str) -> list[float]:
    """Watches the live log to its end; seconds from each line's writing to its arrival."""
    key = hub.replace("-", "")
    operation = UUID(_until(stack, "SELECT id FROM deployments_operation WHERE deployment_id = ?", key))
    arrived: dict[int, float] = {}
    outcome = ""
    with connect_sse(admin.http, "GET", f"operations/{operation}/stream", timeout=PATIENCE) as stream:
        for event in stream.iter_sse():
            if event.event == "line":
                arrived[json.loads(event.data)["number"]] = time.time()
            if event.event == "end":
                outcome = json.loads(event.data)["status"]
                break
    if outcome != "succeeded":
        raise BenchFailed(f"the hub was not built: {outcome}")
    with _database(stack) as rows:
        written = rows.execute(
            "SELECT number, at FROM deployments_event WHERE operation_id = ?", [operation.hex]
        ).fetchall()
    first = min(arrived.values())
    moments = {number: datetime.fromisoformat(f"{at}+00:00").timestamp() for number, at in written}
    # Lines older than our connection came all at once.
    return [arrived[number] - at for number, at in moments.items() if number in arrived and at > first]


def _until(stack: Stack, query: str, key: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with _database(stack) as rows:
            found = rows.execute(query, [key]).fetchone()
        if found:
            return str(found[0])
        time.sleep(0.005)
    raise BenchFailed(f"never true: {query}")


def _database(stack: Stack) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{stack.place.home / 'slipway.sqlite3'}?mode=ro", uri=True)
