"""A PostgreSQL of one's own: in a temporary folder, heard by a socket in that folder only, gone afterwards.

with Server() as server:
    ... server.url ...

Standard library only: `make test DB=postgres` begins with it.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from bootstrap import debian
from bootstrap.refusal import Refusal, say
from bootstrap.tether import PR_SET_PDEATHSIG

#: Where Debian keeps the programs of each version.
PACKAGED = Path("/usr/lib/postgresql")
USER = "slipway"
#: For data that nobody will miss: nothing waits for the disk.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
PATIENCE = 30.0  # seconds to start, and to stop
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/slipway.conf")


def ensure() -> Path:
    """The folder of PostgreSQL's programs, installed when this user may; else a refusal."""
    if found := _programs():
        return found
    say("Installing PostgreSQL for the tests (Debian's postgresql) …")
    _install()
    if found := _programs():
        return found
    raise Refusal(
        "DB=postgres needs PostgreSQL's server and it could not be installed here. On Debian run: "
        "sudo apt-get install postgresql  (elsewhere put `initdb` and `postgres` on the PATH)."
    )


def _programs() -> Path | None:
    packaged = sorted(PACKAGED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = packaged[-1:] or [Path(path).resolve() for path in [shutil.which("initdb")] if path]
    return found[0].parent if found else None


def _install() -> None:
    """Debian's package would make and start a server of its own, which nobody asked for."""
    if not NO_CLUSTER.parent.parent.exists():
        debian.as_root("sh", "-c", f"mkdir -p {NO_CLUSTER.parent} && echo create_main_cluster = false > {NO_CLUSTER}")
    debian.install("postgresql")
    debian.as_root("rm", "-f", str(NO_CLUSTER))


class Server:
    """Ends with this process, however it ends. Whoever may enter its folder needs no password."""

    def __init__(self, settings: Mapping[str, str] = CARELESS) -> None:
        self._programs = ensure()
        self._settings = {"max_connections": "200", "listen_addresses": "", **settings}
        self._as_user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="slipway-postgres-"))

    @property
    def url(self) -> str:
        """Of the database that every server has; `database_url(server.url, name)` is another's."""
        return f"postgres://{USER}@{quote(str(self.folder), safe='')}/postgres"

    @property
    def pid(self) -> int:
        """Of the process whose children serve the connections."""
        assert self._process, "it is not running"
        return self._process.pid

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        if self._as_user:
            os.chown(self.folder, self._as_user["user"], self._as_user["group"])
        command = [
            *(str(self._programs / "initdb"), "--pgdata", str(self.folder / "data"), "--username", USER),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        ]
        made = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, **self._as_user)
        if made.returncode:
            raise Refusal(f"PostgreSQL could not make its folder:\n{made.stderr.strip()[-2000:]}")

    def start(self) -> None:
        """Starts it, and returns once it answers."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [str(self._programs / "postgres"), "-D", "data", "-k", str(self.folder), *settings]
        libc = ctypes.CDLL(None)  # loaded before the fork
        with (self.folder / "log").open("ab") as log:
            # A session of its own: Ctrl-C on the terminal must reach its users before it.
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT),
                **self._as_user,
            )
        self._await()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT breaks off whatever is under way in good order; SIGQUIT is a crash that heals at the next start."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _await(self) -> None:
        """The last line of its lock file tells when it is ready."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process and self._process.poll() is None:
            if self._status() == "ready":
                return
            time.sleep(0.03)
        raise Refusal(f"PostgreSQL did not start:\n{self.log[-2000:]}")

    def _status(self) -> str:
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return ""
        ours = self._process is not None and lines[:1] == [str(self._process.pid)]
        return lines[7].strip() if ours and len(lines) > 7 else ""


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to be run by root: then it is run by the user whom its package has made."""
    if os.geteuid() != 0:
        return {}
    try:
        person = pwd.getpwnam("postgres")
    except KeyError:
        raise Refusal(
            "PostgreSQL refuses to be run by root, and there is no user `postgres` to run it instead. "
            "Run this as another user, or: useradd --system postgres"
        ) from None
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}


def database_url(server: str, name: str) -> str:
    """The URL of a database on the same server."""
    return f"{server.rpartition('/')[0]}/{name}"
