"""The sandbox as a process of its own, for every test that speaks over the wire."""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0
STOP_SECONDS = 10.0


class SandboxProcess:
    """`python -m sandbox` on free ports, with its state in `home`; a restart keeps ports and state."""

    def __init__(self, home: Path, *, speed: float = 2000, **settings: str) -> None:
        self.home = Path(home)
        self.port, self.hub_port = _free_ports(2)
        self._settings = {"SANDBOX_SPEED": str(speed), **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SandboxProcess":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        return self.home / "ca.pem"

    @property
    def profile_path(self) -> Path:
        return self.home / "profile.json"

    @property
    def portal_env(self) -> dict[str, str]:
        """What both of the portal's processes are told."""
        return _env_file(self.home / "portal.env")

    @property
    def web_env(self) -> dict[str, str]:
        """The environment of the web process."""
        return self.portal_env | _env_file(self.home / "web.env")

    @property
    def worker_env(self) -> dict[str, str]:
        """The environment of a worker."""
        return self.portal_env | _env_file(self.home / "worker.env")

    @property
    def errors(self) -> str:
        """What the process has printed so far."""
        log = self.home / "sandbox.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def start(self) -> "SandboxProcess":
        """Start, and return once it answers; raises with what it printed when it dies instead."""
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "SANDBOX_HOME": str(self.home),
            "SANDBOX_PORT": str(self.port),
            "SANDBOX_HUB_PORT": str(self.hub_port),
            **self._settings,
        }
        with (self.home / "sandbox.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox"], cwd=PROJECT, env=environment, stdout=log, stderr=log
            )
        self._wait_until_ready()
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> "SandboxProcess":
        self.stop()
        return self.start()

    def control(self, path: str, content: Any = None, *, method: str = "") -> Any:
        """Call `/_sandbox/<path>`: GET without content, POST with it, or the method named; returns its JSON."""
        body = self.read(path, content, method=method)
        return json.loads(body) if body else None

    def read(self, path: str, content: Any = None, *, method: str = "") -> bytes:
        """The same for an answer that is no JSON."""
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(
            f"{self.origin}/_sandbox/{path.lstrip('/')}",
            data=data,
            method=method or ("GET" if data is None else "POST"),
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._trust())
        )
        with opener.open(request, timeout=10) as answer:
            content_read: bytes = answer.read()
        return content_read

    def fault(self, path: str, kind: str, **more: Any) -> None:
        """Plan a fault: a regular expression for the path, its kind, and what else sandbox/faults.py knows."""
        self.control("faults", {"path": path, "kind": kind, **more})

    def clear_faults(self) -> None:
        self.control("faults", method="DELETE")

    def _trust(self) -> ssl.SSLContext:
        return trusting(self.ca)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"The sandbox died:\n{self.errors[-4000:]}")
            # Before its first answer it has neither a port nor a CA.
            with contextlib.suppress(urllib.error.URLError, OSError, ssl.SSLError):
                self.control("healthz")
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"The sandbox did not answer in {READY_SECONDS:.0f} s:\n{self.errors[-4000:]}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def helm_binary() -> Path:
    """The Helm 4 that tests run: HELM_BINARY, else what `make helm` fetched, else one of version 4 on PATH."""
    named = os.environ.get("HELM_BINARY")
    fetched = PROJECT / "var" / "bin" / "helm"
    path = Path(named) if named else fetched if fetched.exists() else Path(shutil.which("helm") or fetched)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"There is no Helm at {path}: run `make helm`, or set HELM_BINARY.")
    return path


def trusting(ca: Path) -> ssl.SSLContext:
    """TLS that trusts the simulated cloud's own authority."""
    return ssl.create_default_context(cafile=str(ca))


def _free_ports(count: int) -> list[int]:
    """Ports that are free on all of 127/8 now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]


def _env_file(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
