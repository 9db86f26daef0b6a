"""Ending a program ends everything it started, also what tried to get away."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from honcho.printer import Message

from bootstrap import families, readiness
from bootstrap.families import MARK
from bootstrap.machine import ROOT
from bootstrap.processes import Child

MARKED = f"test-{os.getpid()}"
#: Starts a daemon: a grandchild in a session of its own whose parent has gone.
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("away", os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep(60)
"""


class Lines:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def put(self, message: Message) -> None:
        self.seen.append(message.data.decode().strip())


@pytest.fixture
def launch() -> Iterator[Callable[[str], tuple[Child, Lines]]]:
    def start(program: str) -> tuple[Child, Lines]:
        lines = Lines()
        return Child("it", [sys.executable, "-c", program], {**os.environ, MARK: MARKED}, ROOT, lines), lines

    yield start
    families.end(families.marked(MARKED), 0)


def _until(ready: Callable[[], bool]) -> None:
    assert readiness.wait(ready, lambda: True, 10)


def test_lines_of_a_program_reach_the_sink(launch: Callable[[str], tuple[Child, Lines]]) -> None:
    _child, lines = launch("print('one'); print('two')")
    _until(lambda: lines.seen == ["one", "two"])


def test_a_killed_program_is_seen_with_its_signal(launch: Callable[[str], tuple[Child, Lines]]) -> None:
    child, _lines = launch("import time; time.sleep(60)")
    child.signal(signal.SIGKILL)
    _until(lambda: child.status == -signal.SIGKILL)


def test_a_program_that_ended_tells_how_and_one_that_did_not_tells_nothing(
    launch: Callable[[str], tuple[Child, Lines]],
) -> None:
    for _ in range(20):  # its thread and this one ask at once who of them reads how it died
        child, _lines = launch("pass")
        assert child.ended(10) == 0
    standing, _lines = launch("import time; time.sleep(60)")
    assert standing.ended(0.1) is None


def test_a_daemon_that_left_its_family_is_found_by_its_mark(launch: Callable[[str], tuple[Child, Lines]]) -> None:
    child, lines = launch(DAEMON)
    _until(lambda: bool(lines.seen))
    runaway = int(lines.seen[0].split()[1])
    assert runaway not in families.descendants(child.pid)
    assert runaway in families.marked(MARKED)


def test_a_child_in_a_process_group_of_its_own_is_family(launch: Callable[[str], tuple[Child, Lines]]) -> None:
    program = "import os, time\nif os.fork() == 0: os.setpgrp(); print(os.getpid(), flush=True)\ntime.sleep(60)"
    child, lines = launch(program)
    _until(lambda: bool(lines.seen))
    assert int(lines.seen[0]) in families.descendants(child.pid)


def test_what_ignores_sigterm_is_killed(launch: Callable[[str], tuple[Child, Lines]]) -> None:
    child, lines = launch(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    _until(lambda: bool(lines.seen))
    families.end([child.pid], 0.2)
    _until(lambda: child.status == -signal.SIGKILL)


def test_log_files_are_for_their_owner_only_and_begin_anew_when_large(tmp_path: Path) -> None:
    from bootstrap.console import LOG_BYTES, LogFile

    log = LogFile(tmp_path / "x.log")
    log.put(Message("line", b"x" * LOG_BYTES + b"\n", None, "x", None))
    log.put(Message("line", b"new\n", None, "x", None))
    log.close()
    assert (tmp_path / "x.log").read_bytes() == b"new\n"
    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("root", [0, 1])
def test_the_family_of_everybody_is_nobodys_to_end(root: int) -> None:
    with pytest.raises(ValueError, match="not one of ours"):
        families.descendants(root)
