"""A stack comes up whole, keeps its data, and leaves no process behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from honcho.printer import Message

from bootstrap import families, readiness
from bootstrap.console import Console
from bootstrap.machine import ROOT, free_ports
from bootstrap.refusal import Refusal
from bootstrap.stack import Stack

#: A supervisor of half a stack: enough to be killed.
SUPERVISOR = """
import sys, time
from pathlib import Path
from bootstrap.stack import Stack
stack = Stack(Path(sys.argv[1]), speed=1000)
stack.start("valkey", "sandbox")
print(*stack.pids().values(), flush=True)
time.sleep(60)
"""

#: Starts, as a worker starts its work-horse, something that outlives a SIGTERM.
DEAF = """
import subprocess
def deaf(stack):
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen(["python3", "-c", program], env=stack.env("worker"), stdout=subprocess.PIPE)
    process.stdout.readline()
    return process.pid
"""


def test_stopping_leaves_no_process(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.start("valkey", "sandbox")
    pids = list(stack.pids().values())
    assert len(pids) == 2
    stack.stop()
    assert families.wait_gone(pids, 0)
    assert families.marked(stack.env("valkey")[families.MARK]) == set()


def test_a_killed_supervisor_takes_its_processes_along(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(word) for word in supervisor.stdout.readline().split()]
        assert len(pids) == 2
        supervisor.kill()
    assert families.wait_gone(pids, 5)


def test_a_killed_supervisor_takes_along_what_does_not_heed_sigterm(tmp_path: Path) -> None:
    program = SUPERVISOR.replace("print(*stack.pids().values()", "print(deaf(stack)")
    command = [sys.executable, "-c", DEAF + program, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        supervisor.kill()
    assert families.wait_gone([pid], 12)


def test_a_killed_process_stays_dead_until_it_is_started_again(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.start("valkey")
    stack.kill("valkey")
    assert not stack.running("valkey")
    stack.start("valkey")
    assert stack.running("valkey")


def test_a_process_that_fell_by_itself_is_told(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.start("valkey")
    os.kill(stack.pids()["valkey"], signal.SIGKILL)
    assert readiness.wait(lambda: stack.dead() == {"valkey": -signal.SIGKILL}, lambda: True, 5)


def test_one_folder_serves_one_stack_at_a_time(new_stack: Callable[..., Stack]) -> None:
    new_stack().start("valkey")
    with pytest.raises(Refusal, match=r"already running at http://127\.0\.0\.1:"):
        new_stack().start("valkey")


def test_a_stopped_stack_starts_again_with_its_data_and_its_authority(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.start("sandbox")
    secret, authority = (stack.place.home / "secret-key").read_text(), (stack.place.sandbox_home / "ca.pem").read_text()
    stack.stop()
    stack.start("sandbox")
    assert (stack.place.home / "secret-key").read_text() == secret
    assert (stack.place.sandbox_home / "ca.pem").read_text() == authority


def test_what_is_private_is_readable_by_its_owner_only(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.start("valkey")
    home = stack.place.home
    modes = {path.name: path.stat().st_mode & 0o777 for path in (home, home / "secret-key", stack.place.socket.parent)}
    assert modes == {home.name: 0o700, "secret-key": 0o600, "valkey": 0o700}


def test_a_long_path_still_gets_a_socket(new_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = new_stack(tmp_path / ("long" * 30))
    stack.start("valkey")
    folder = stack.place.socket.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    stack.stop()
    assert not folder.exists()


def test_each_process_gets_only_its_own_identity(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.start("sandbox")
    identity = {
        name: stack.env(name).get("AZURE_CLIENT_ID") for name in ("web", "worker", "sweep", "sandbox", "valkey")
    }
    assert identity["web"] and identity["worker"] and identity["web"] != identity["worker"]
    assert not (identity["sweep"] or identity["sandbox"] or identity["valkey"])


def test_the_console_shows_trouble_and_keeps_quiet_about_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for line in (b"INFO all is well\n", b"2026-11-22 ERROR portal it broke\n", b"Traceback (most recent call last):\n"):
        console(Message("line", line, None, "web", None))
    shown = capsys.readouterr().out
    assert "it broke" in shown and "Traceback" in shown and "all is well" not in shown


def _run(home: Path, ports: list[int]) -> subprocess.Popen[str]:
    options = [f"--port={ports[0]}", f"--sandbox-port={ports[1]}", f"--hub-port={ports[2]}", "--speed=1000"]
    command = [sys.executable, "-m", "bootstrap.run", "--home", str(home), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _until_ready(process: subprocess.Popen[str]) -> str:
    """What it printed up to and with its last line of advice."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if "Ctrl-C stops everything" in line:
            return seen
    raise AssertionError(seen)


def test_run_comes_up_twice_shows_passwords_once_and_rests_light(tmp_path: Path) -> None:
    ports = free_ports(3)
    first = _run(tmp_path, ports)
    words = _until_ready(first)
    assert f"http://127.0.0.1:{ports[0]}/" in words
    assert "researcher " in words and "admin " in words and "slipwaydemo" in words
    assert _granted(tmp_path) > 0
    weight = families.memory(families.descendants(first.pid) | _marked_like(first.pid))
    first.send_signal(signal.SIGINT)
    assert first.wait(20) == 0
    begun = time.monotonic()
    second = _run(tmp_path, ports)
    words = _until_ready(second)
    seconds = time.monotonic() - begun
    second.terminate()
    assert second.wait(20) == 0
    assert "shown at the first start" in words
    assert seconds < 10
    assert weight < 500


def _marked_like(pid: int) -> set[int]:
    """The processes of every session that this one's children lead."""
    return set[int]().union(*(families.descendants(child) for child in families.descendants(pid)))


def _granted(home: Path) -> int:
    """How many subscriptions people may use: without one nobody can request a hub."""
    asked = "from accounts.models import SubscriptionGrant; print(SubscriptionGrant.objects.count())"
    return int(Stack(home).manage("shell", "-v", "0", "-c", asked).stdout)
