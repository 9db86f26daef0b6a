"""Everything Slipway needs, on one machine: for `make run`, `make demo`, the acceptance and chaos tests, the bench.

with Stack(folder, speed=1000) as stack:      # free ports, an empty folder: nothing is shared with another stack
    stack.start()
    ... stack.address ... stack.passwords["researcher"] ... stack.kill("worker") ... stack.start("worker") ...
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Self

from honcho.printer import Message

from bootstrap import families, machine, own_database, readiness, services
from bootstrap.console import LogFile
from bootstrap.families import MARK
from bootstrap.machine import ROOT
from bootstrap.processes import Child
from bootstrap.refusal import Refusal

LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes
WORKER_PATIENCE = 5.0  # seconds for a pass to end by itself


class Stack:
    """Valkey, sandbox, web, worker(s) and sweep with their data in `home`. Ports left out are free ones.

    `extra_env` goes to every process, `env_of[name]` to one. `on_line` sees each line any of them prints.
    A process that dies stays dead until somebody starts it again (`make run` does).
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        sandbox_port: int = 0,
        hub_port: int = 0,
        speed: float = 5.0,
        workers: int = 1,
        helm: Path | None = None,
        extra_env: Mapping[str, str] | None = None,
        env_of: Mapping[str, Mapping[str, str]] | None = None,
        on_line: Callable[[Message], None] | None = None,
    ) -> None:
        home = home.absolute()
        free = iter(machine.free_ports(3))
        ports = [chosen or next(free) for chosen in (port, sandbox_port, hub_port)]
        self._socket_folder = _socket_folder(home)
        self.place = services.Place(
            *(home, *ports, speed, self._socket_folder / "valkey.sock", helm or _helm(home), own_database.url_of(home))
        )
        self.workers = ["worker", *(f"worker-{number}" for number in range(2, workers + 1))]
        self.names = ["valkey", "sandbox", "web", *self.workers, "sweep"]
        self.passwords: dict[str, str] = {}
        self._extra, self._env_of, self._on_line = dict(extra_env or {}), dict(env_of or {}), on_line
        self._mark = secrets.token_hex(8)
        self._children: dict[str, Child] = {}
        self._logs: dict[str, LogFile] = {}
        self._lock: IO[str] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return self.place.address

    @property
    def sandbox_address(self) -> str:
        return f"https://127.0.0.1:{self.place.sandbox_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *names: str) -> None:
        """Starts all in order, each when what it needs answers; or just those named. Refuses with the reason."""
        if self._lock is None:
            self._claim()
        if names:
            return self._start(*names)
        self._start("valkey", "sandbox")
        self._prepare_database()
        return self._start("web", *self.workers, "sweep")

    def stop(self) -> None:
        """Ends every process and all that they started; safe to call at any time, more than once."""
        self._end([name for name in self.names if name not in ("valkey", "sandbox")], WORKER_PATIENCE)
        self._end(["sandbox", "valkey"], 3)
        families.end(families.marked(self._mark), 1)
        for log in self._logs.values():
            log.close()
        self._logs.clear()
        if self._socket_folder.parent != self.place.home:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        if self._guard:
            self._guard.communicate()  # closes its standard input
            self._guard = None
        if self._lock:
            self._lock.close()
            self._lock = None

    def kill(self, name: str, *, family: bool = False) -> None:
        """SIGKILL to the one process, as a crash would; what it started lives on unless `family`."""
        child = self._children.pop(name)
        pids = families.descendants(child.pid) if family else {child.pid}
        families.signal_all(pids, signal.SIGKILL)
        families.wait_gone(list(pids), 5)
        _ = child.status  # reaps it

    def restart(self, name: str) -> None:
        self._end([name], WORKER_PATIENCE)
        self._start(name)

    def running(self, name: str) -> bool:
        return name in self._children and self._children[name].status is None

    def dead(self) -> dict[str, int]:
        """Those that were started, were not told to end, and are gone, with their exit status."""
        return {name: status for name, child in self._children.items() if (status := child.status) is not None}

    def pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self._children.items() if child.status is None}

    def family(self, name: str) -> set[int]:
        """The process and everything it started that still lives."""
        return families.descendants(self._children[name].pid)

    def memory(self) -> dict[str, float]:
        """MiB (PSS) of each process with its family."""
        return {name: families.memory(families.descendants(pid)) for name, pid in self.pids().items()}

    def log(self, name: str) -> str:
        path = self._log_path(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def env(self, name: str) -> dict[str, str]:
        """The whole environment of the process; what to pass to a `manage.py` command that acts as it."""
        environ = {**services.environment(name, self.place), **self._extra, **self._env_of.get(name, {})}
        return {**environ, MARK: self._mark}

    def manage(self, *arguments: str, identity: str = "web") -> subprocess.CompletedProcess[str]:
        """Runs a `manage.py` command with the environment of that process."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env(identity), capture_output=True, text=True)

    def _claim(self) -> None:
        """Makes the folders and the secret key, and refuses when another stack lives here or a port is taken."""
        place = self.place
        machine.require_disk(place.home, 100)
        for folder in (place.home, place.home / "log", place.home / "valkey", place.sandbox_home, self._socket_folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _locked(place)
        machine.require_free_port(place.port, "the portal", "PORT")
        machine.require_free_port(place.sandbox_port, "the simulated cloud", "SANDBOX_PORT")
        machine.require_free_port(place.hub_port, "the simulated hubs", "SANDBOX_HUB_PORT")
        _ensure_secret_key(place.home / "secret-key")
        own_database.ensure(place.database)
        self._guard = _guarded(self._mark)

    def _start(self, *names: str) -> None:
        for name in names:
            log = self._logs.get(name) or self._logs.setdefault(name, LogFile(self._log_path(name), self._on_line))
            argv, environ = services.command(name, self.place), self.env(name)
            self._children[name] = Child(name, argv, environ, ROOT, log)
        for name in names:
            self._await(name)

    def _await(self, name: str) -> None:
        place = self.place
        ready = {
            "valkey": lambda: readiness.valkey_answers(place.socket),
            "sandbox": lambda: readiness.sandbox_answers(place.sandbox_port, place.sandbox_home / "ca.pem"),
            "web": lambda: readiness.web_answers(place.port),
        }.get(name)
        if ready and not readiness.wait(ready, lambda: self.running(name), 60):
            raise Refusal(f"{_LABELS[name]} did not start. From {self._log_path(name)}:\n{self._tail(name)}")

    def _prepare_database(self) -> None:
        # Seeding asks Azure for subscriptions: that is the worker's right, the web's identity sees none.
        for command, identity in (("migrate", "web"), ("seed_demo", "worker")):
            done = self.manage(command, identity=identity)
            (self.place.home / "log" / f"{command}.log").write_text(done.stderr)  # stdout has the passwords
            if done.returncode:
                words = (done.stderr or done.stdout).strip().splitlines()[-8:]
                raise Refusal(f"The database could not be prepared (manage.py {command}):\n" + "\n".join(words))
        lines = (line.split() for line in done.stdout.splitlines())
        self.passwords |= {words[0]: words[1] for words in lines if len(words) == 2}

    def _end(self, names: list[str], patience: float) -> None:
        """SIGTERM to each process itself, so that a worker can wait for its pass; then to whatever is left of them."""
        children = [self._children.pop(name) for name in names if name in self._children]
        kin = set[int]().union(*(families.descendants(child.pid) for child in children))
        for child in children:
            child.signal(signal.SIGTERM)
        families.wait_gone(list(kin), patience)
        families.end(kin, 1)
        for child in children:
            _ = child.status  # reaps it

    def _log_path(self, name: str) -> Path:
        return self.place.home / "log" / f"{name}.log"

    def _tail(self, name: str) -> str:
        return "\n".join(self.log(name).splitlines()[-8:])


_LABELS = {"valkey": "The queue's server (Valkey)", "sandbox": "The simulated cloud", "web": "The portal"}


def _helm(home: Path) -> Path:
    if chosen := os.environ.get("HELM_BINARY"):
        return Path(chosen)
    return next((path for path in (home / "bin/helm", ROOT / "var/bin/helm") if path.exists()), home / "bin/helm")


def _socket_folder(home: Path) -> Path:
    """`<home>/valkey`, or a private folder under /tmp where that path is too long for a UNIX socket."""
    if len(str(home / "valkey" / "valkey.sock")) <= LONGEST_SOCKET_PATH:
        return home / "valkey"
    return Path(tempfile.mkdtemp(prefix="slipway-"))


def _locked(place: services.Place) -> IO[str]:
    """Held as long as the stack lives; the kernel frees it however the stack ends."""
    path = place.home / "running"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        words = path.read_text().split() or ["?", "?"]
        file.close()
        raise Refusal(
            f"Slipway is already running at {words[-1]} with its data in {place.home}; "
            f"stop it with Ctrl-C where it runs (or: kill {words[0]})."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()} {place.address}\n")
    file.flush()
    return file


def _guarded(mark: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-S", "-m", "bootstrap.guard", mark]
    environ = {"PATH": os.defpath, "MALLOC_ARENA_MAX": "2"}
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, start_new_session=True)


def _ensure_secret_key(path: Path) -> None:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
