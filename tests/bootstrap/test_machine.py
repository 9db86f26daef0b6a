"""What is missing or in the way is told in one sentence."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import machine
from bootstrap.machine import ROOT
from bootstrap.refusal import Refusal, speak


def test_a_taken_port_is_refused_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refusal, match=f"Port {port} .the portal. is taken .* make run PORT={port + 1}"):
            machine.require_free_port(port, "the portal", "PORT")


def test_run_on_a_taken_port_says_one_sentence_and_ends_with_status_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        free = map(str, machine.free_ports(2))
        command = [sys.executable, "-m", "bootstrap.run", "--home", str(tmp_path), "--port", port]
        done = subprocess.run(
            [*command, "--sandbox-port", next(free), "--hub-port", next(free)], cwd=ROOT, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"Port {port} (the portal) is taken" in done.stderr


def test_free_ports_are_all_different() -> None:
    assert len(set(machine.free_ports(20))) == 20


def test_a_disk_without_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="Make some room"):
        machine.require_disk(tmp_path / "not" / "there", 10**9)


def test_a_refusal_is_a_sentence_not_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        raise Refusal("No.")

    assert speak(refuse) == 1
    assert capsys.readouterr().err == "\nNo.\n"


def test_a_missing_python_is_told_by_make_in_one_sentence() -> None:
    done = subprocess.run(
        ["make", "-s", "run", "PYTHON=python3-that-is-not-there"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Slipway needs Python 3.11 or newer" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_make_without_a_target_tells_what_there_is() -> None:
    done = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True)
    for target in ("run", "demo", "test", "bench", "chaos", "lint", "clean"):
        assert f"make {target} " in done.stdout
