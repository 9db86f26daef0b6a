"""Where the processes' lines go: each into its own log file, and the few that matter to the terminal."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

IMPORTANT = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|^Traceback |^[\w.]*(Error|Exception)\b")
#: Valkey's advice for machines that serve nothing else.
ADVICE = re.compile(r"overcommit_memory|Transparent Huge Pages|somaxconn")
LOG_BYTES = 10 * 1024 * 1024
WIDEST = 200


class LogFile:
    """`<name>.log`, readable by its owner only; at 10 MiB it becomes `<name>.log.1` and begins anew.

    On a full disk lines are lost, and counted: whoever prints them must not be held up by that.
    """

    def __init__(self, path: Path, listener: Callable[[Message], None] | None = None) -> None:
        self.path, self._listener = path, listener
        self._lock = threading.Lock()
        self._lost = 0
        self._file = self._open()

    def put(self, message: Message) -> None:
        data: bytes = message.data
        with self._lock:
            try:
                self._write(data)
            except OSError as error:
                self._lost += 1
                if self._lost == 1:
                    complaint = f"WARNING lines are lost: {self.path.name} cannot be written: {error.strerror}\n"
                    message = Message("line", complaint.encode(), message.time, message.name, message.colour)
        if self._listener:
            self._listener(message)

    def _write(self, data: bytes) -> None:
        if self._file.tell() > LOG_BYTES:
            self._file.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._file = self._open()
        if self._lost:
            self._file.close()
            self._file = self._open()  # somebody may have moved the old one out of the way
            self._file.write(f"({self._lost} lines could not be written)\n".encode())
            self._lost = 0
        self._file.write(data)

    def close(self) -> None:
        """Lines of a process that outlived its stop are dropped from here on."""
        with self._lock:
            self._file.close()
            self._file = Path("/dev/null").open("ab", buffering=0)  # noqa: SIM115 (lives as long as this object)

    def _open(self) -> BinaryIO:
        self.path.touch(mode=0o600)
        return self.path.open("ab", buffering=0)


class Console:
    """Shows warnings and errors with the process's name before them; everything when `verbose`."""

    def __init__(self, verbose: bool = False, width: int = 8) -> None:
        self._printer, self._verbose = Printer(sys.stdout, width=width), verbose
        self._palette, self._colours = get_colours(), {}
        self._lock = threading.Lock()

    def __call__(self, message: Message) -> None:
        text = message.data.decode("utf-8", "replace").rstrip()
        if text and (self._verbose or (IMPORTANT.search(text) and not ADVICE.search(text))):
            self.show(message.name, text if self._verbose else text[:WIDEST])

    def show(self, name: str, text: str) -> None:
        with self._lock:
            colour = self._colours.setdefault(name, next(self._palette))
            self._printer.write(Message("line", text, datetime.now(), name, colour))
