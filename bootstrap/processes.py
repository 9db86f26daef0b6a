"""One program: started, watched, its lines passed on."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from honcho.printer import Message
from honcho.process import Process

TETHER = Path(__file__).with_name("tether.py")


class Sink(Protocol):
    def put(self, message: Message) -> None: ...


class Child(Process):  # type: ignore[misc]
    """A program in a session of its own; each line it prints goes to the sink. Ends with this process."""

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path, sink: Sink) -> None:
        command = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *argv]
        super().__init__(f"exec {shlex.join(command)}", name=name, env=dict(env), cwd=str(cwd))
        self._sink, self._started = sink, threading.Event()
        # PR_SET_PDEATHSIG looks at the *thread* that started the program; this one lives as long as its output.
        threading.Thread(target=self.run, args=(self,), daemon=True, name=f"output of {name}").start()
        if not self._started.wait(10):
            raise RuntimeError(f"{name} could not be started: {argv[0]}")

    def put(self, message: Message) -> None:
        """What honcho reports of this process: that it started, each line, that it stopped."""
        if message.type == "start":
            self._started.set()
        elif message.type == "line":
            self._sink.put(message)

    @property
    def pid(self) -> int:
        return int(self._child.pid)

    @property
    def status(self) -> int | None:
        """None while it runs, then its exit status (negative: the signal that killed it)."""
        status: int | None = self._child.poll()
        return status

    def ended(self, seconds: float) -> int | None:
        """Its exit status once it has ended; None when it has not within so long.

        Not the same as `status` of a process that is seen to be gone: between its death and the moment in which the
        thread that waits for it has read how it died, `status` is still None.
        """
        try:
            return int(self._child.wait(seconds))
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number: int) -> None:
        if self.status is None:
            os.kill(self.pid, number)
