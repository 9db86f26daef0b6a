"""One run of the Helm program: nothing secret in its arguments, its environment or on disk.

Helm gets a session of its own and writes to files in memory: a worker that is killed neither takes Helm down with it
nor breaks its pipe, either of which would leave the release stuck in a pending state.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloud import calls
from cloud.errors import InvalidRequest, Unavailable
from cloud.kubeconfig import memory_file

GRACE_SECONDS = 10.0
#: Helm lives a second: collecting its garbage seldom, and on one core, saves a sixth of its CPU time (measured).
GO = {"GOGC": "400", "GOMEMLIMIT": "64MiB", "GOMAXPROCS": "1"}
Listener = Callable[[list[str]], None]
LARGEST_OUTPUT = 32 * 1024 * 1024
PASSED_ON = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Run:
    """What to run: arguments after the program's name, files in memory, and what stays open as long as Helm lives."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    kubeconfig: bytes = b""
    standard_input: bytes = b""
    keep_output: bool = True
    held: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """How it ended."""

    code: int
    output: bytes
    complaints: str


def run(binary: Path, what: Run, seconds: float, on_lines: Listener | None = None) -> Finished:
    """Run Helm to its end; the lines of its stderr go to `on_lines` as they come, those that come together together.

    On any exception, a signal's and the caller's own included, and after `seconds`, Helm is told to stop: it then
    marks the release as failed instead of leaving it pending.
    """
    with ExitStack() as stack:
        kubeconfig, values, output, complaints = (
            stack.enter_context(_memory(name, content))
            for name, content in (
                ("kubeconfig", what.kubeconfig),
                ("values", what.standard_input),
                ("output", b""),
                ("complaints", b""),
            )
        )
        process = subprocess.Popen(
            [str(binary), *what.arguments],
            stdin=values,
            stdout=output if what.keep_output else subprocess.DEVNULL,
            stderr=complaints,
            env={**what.environment, "KUBECONFIG": f"/proc/self/fd/{kubeconfig}"},
            pass_fds=(kubeconfig, *what.held),
            start_new_session=True,
        )
        with calls.counted("helm") as call, _stopped_on_error(process):
            _follow(process, complaints, time.monotonic() + seconds, on_lines)
            call.code = str(process.returncode)
        if process.returncode < 0:
            raise Unavailable("Helm was ended by something else on this machine.", "It is tried again by itself.")
        return Finished(process.returncode, _content(output), _content(complaints).decode("utf-8", "replace"))


def environment(home: Path, cluster: str) -> dict[str, str]:
    """Helm's own folders, and as little else as possible: our environment may hold secrets."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    folders = {
        "HOME": home,
        "HELM_CACHE_HOME": home / "cache",
        "HELM_CONFIG_HOME": home / "config",
        "HELM_DATA_HOME": home / "data",
        "TMPDIR": home / "tmp",
        # Discovery is cached by host and port: another cluster may have had them before.
        "KUBECACHEDIR": home / "clusters" / cluster,
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    local = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]))
    named = {name: str(folder) for name, folder in folders.items()}
    return passed_on | named | GO | {"PATH": os.defpath, "NO_PROXY": local}


def checked_binary(path: Path) -> Path:
    """The Helm program, or a clear sentence about its absence."""
    if not os.access(path, os.X_OK):
        raise InvalidRequest(f"Helm is not at {path}.", "Run `make helm`, or set HELM_BINARY to where it is.")
    return path


@contextmanager
def _memory(name: str, content: bytes) -> Iterator[int]:
    descriptor = memory_file(name, content)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _stopped_on_error(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _stop(process)
        raise


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to all of Helm's session; SIGKILL only when that is not heard."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _follow(process: subprocess.Popen[bytes], complaints: int, deadline: float, on_lines: Listener | None) -> None:
    tail = _Tail(complaints)
    pause = 0.02
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise Unavailable("Helm took too long and was stopped.", "It is tried again by itself.")
        tail.report(on_lines)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(pause)
        pause = min(pause * 1.5, 0.25)
    tail.report(on_lines, finished=True)


class _Tail:
    """Whole lines of a file that grows, each once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._offset, self._rest = descriptor, 0, b""

    def report(self, on_lines: Listener | None, *, finished: bool = False) -> None:
        while fresh := os.pread(self._descriptor, 65536, self._offset):
            self._offset += len(fresh)
            self._rest += fresh
        *lines, self._rest = self._rest.split(b"\n")
        if finished and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        told = [line.decode("utf-8", "replace") for line in lines if line.strip()]
        if on_lines and told:
            on_lines(told)


def _content(descriptor: int) -> bytes:
    """All of a file, read without moving the position that Helm's children may still share."""
    size = min(os.fstat(descriptor).st_size, LARGEST_OUTPUT)
    return os.pread(descriptor, size, 0)
