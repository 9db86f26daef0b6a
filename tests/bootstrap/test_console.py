"""Log files: a full disk holds nobody up, and what was lost is said."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import pytest
from honcho.printer import Message

from bootstrap.console import LogFile
from bootstrap.machine import ROOT
from bootstrap.processes import Child
from tests.cloud.waiting import until

PRINTS = "import sys; [print('x' * 1000) for _ in range(500)]; sys.exit(7)"


def line(text: str) -> Message:
    return Message("line", f"{text}\n".encode(), datetime.now(), "web", None)


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A log file on a disk without any room."""
    path = tmp_path / "web.log"
    path.symlink_to("/dev/full")
    return path


def test_a_full_disk_is_said_once_and_costs_only_lines(full: Path) -> None:
    shown: list[str] = []
    log = LogFile(full, lambda message: shown.append(message.data.decode()))
    for number in range(3):
        log.put(line(f"line {number}"))
    assert "No space left on device" in shown[0]
    assert shown[1:] == ["line 1\n", "line 2\n"]


def test_once_there_is_room_the_log_goes_on_with_how_much_is_missing(full: Path) -> None:
    log = LogFile(full)
    log.put(line("lost"))
    full.unlink()
    log.put(line("kept"))
    assert full.read_text() == "(1 lines could not be written)\nkept\n"


def test_a_program_that_prints_a_lot_is_not_held_up_by_a_full_disk(full: Path) -> None:
    log = LogFile(full)
    child = Child("web", [sys.executable, "-c", PRINTS], dict(os.environ), ROOT, log)
    assert until(lambda: child.status) == 7
