"""Processes with all they started: found, ended, weighed. Read from /proc, standard library only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

#: In the environment of every program of a stack and of all that these start: it finds orphans and daemons too.
MARK = "SLIPWAY_STACK"


def end(pids: Iterable[int], patience: float) -> None:
    """SIGTERM, then after `patience` seconds SIGKILL, to exactly these processes."""
    pids = list(pids)
    signal_all(pids, signal.SIGTERM)
    if not wait_gone(pids, patience):
        signal_all(pids, signal.SIGKILL)
        wait_gone(pids, 2)


def signal_all(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def wait_gone(pids: Sequence[int], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.03)
    return True


def marked(mark: str) -> set[int]:
    """Every living process whose environment holds the mark, wherever it hangs in the tree."""
    wanted = f"{MARK}={mark}\0".encode()
    return {pid for pid in _all_pids() if wanted in _read(pid, "environ") + b"\0" and _alive(pid)}


def descendants(root: int) -> set[int]:
    """The process, its children and theirs, and all of its session: a child with a group of its own is among them.

    :raises ValueError: for 0 and 1, whose descendants are all there are: nobody has started those.
    """
    if root <= 1:
        raise ValueError(f"Process {root} is not one of ours.")
    table = {pid: fields for pid in _all_pids() if (fields := _stat(pid))}
    found, grown = {root}, True
    while grown:
        more = {pid for pid, (parent, session) in table.items() if parent in found or session == root}
        grown = not more <= found
        found |= more
    return {pid for pid in found if _alive(pid)}


def memory(pids: Iterable[int]) -> float:
    """What these processes weigh together, in MiB: PSS, so that shared pages count once."""
    total = 0
    for pid in pids:
        for line in _read(pid, "smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                total += int(line.split()[1])
    return total / 1024


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> tuple[int, int] | None:
    """(parent, session); None for one that is gone or a zombie."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return (int(fields[1]), int(fields[3])) if fields and fields[0] not in (b"Z", b"X") else None


def _alive(pid: int) -> bool:
    return _stat(pid) is not None


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
