"""Looks for secrets where none may be: in files, in every process, in every command that Redis is given."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, quote_plus

import redis

from bootstrap import families
from bootstrap.stack import Stack

#: A short run of base64 proves nothing; what is looked for must be at least this long.
LEAST = 8
#: A secret may be cut in two by the way it is read; so much of what came before is looked at again.
LONGEST = 4096


def spellings(secret: str) -> set[bytes]:
    """Plain, escaped for JSON and URLs, and base64 of either alphabet, once and twice, wherever it may begin."""
    escaped, encoded = json.dumps(secret)[1:-1], quote(secret, safe="")
    small = re.sub("%..", lambda escape: escape[0].lower(), encoded)
    found = {secret, escaped, encoded, small, quote_plus(secret)}
    once = {piece for text in (secret, escaped) for piece in _inside_base64(text.encode())}
    twice = {piece for text in once for piece in _inside_base64(text.encode())}
    return {text.encode() for text in found | once | twice if len(text) >= LEAST}


def _inside_base64(raw: bytes) -> Iterator[str]:
    """What certainly stands in the base64 of any text that holds `raw`, for each of three ways to be aligned."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        certain = encoded[(0, 2, 3)[before] : len(encoded) - (1 if (before + len(raw)) % 3 else 0)]
        yield certain
        yield certain.replace("+", "-").replace("/", "_")


class Search:
    """Looks through a stack, all the time between `with` and its end, and once more thoroughly at the end."""

    def __init__(self, stack: Stack, secrets: Iterable[str]) -> None:
        self.stack = stack
        self.needles = {needle: secret for secret in secrets for needle in spellings(secret)}
        self.findings: set[str] = set()
        self.looks = 0
        self._stop = threading.Event()
        self._temporary = Path(stack.env("web")["TMPDIR"])
        self._threads = [threading.Thread(target=work) for work in (self._watch, self._listen)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if kind is None:
            self.look_everywhere()
            assert self.looks > 10
            assert not self.findings, "\n".join(sorted(self.findings))

    def text(self, where: str, content: str | bytes) -> None:
        """Looks through something that was shown or kept somewhere."""
        raw = content.encode() if isinstance(content, str) else content
        for needle, secret in self.needles.items():
            if needle in raw:
                self.findings.add(f"{where}: the secret that ends in …{secret[-4:]}, spelt {needle[:6].decode()}…")

    def file(self, path: Path) -> None:
        try:
            self.text(str(path), path.read_bytes())
        except OSError:
            return  # gone, or not to be read

    def look_everywhere(self) -> None:
        """Every file of the portal, what is left in Redis, every process. The simulated cloud may know everything."""
        home = self.stack.place.home
        for path in home.rglob("*"):
            if path.is_file() and "sandbox" not in path.relative_to(home).parts:
                self.file(path)
        store = self._redis()
        for key in store.scan_iter():
            self.text(f"Redis {key!r}", key + (store.dump(key) or b""))
        store.close()
        self._processes()
        self._fleeting()

    def _watch(self) -> None:
        """What is there for moments only: arguments and environments of all processes, temporary files."""
        while not self._stop.is_set():
            self._processes()
            self._fleeting()
            self.looks += 1
            time.sleep(0.01)

    def _processes(self) -> None:
        sandbox = families.descendants(self.stack.pids()["sandbox"]) if "sandbox" in self.stack.pids() else set()
        for pid in families.marked(self.stack.env("web")[families.MARK]) - sandbox:
            for name in ("cmdline", "environ"):
                self.file(Path(f"/proc/{pid}/{name}"))

    def _fleeting(self) -> None:
        for folder in (self._temporary, Path("/dev/shm"), self.stack.place.home / "helm"):
            for path in folder.rglob("*"):
                if path.is_file():
                    self.file(path)

    def _listen(self) -> None:
        """Each command that anybody gives to Redis, published messages included."""
        seen = b""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(str(self.stack.place.socket))
            wire.settimeout(0.1)
            wire.sendall(b"MONITOR\r\n")
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    seen = seen[-LONGEST:] + wire.recv(65_536)
                    self.text("a command to Redis", seen)

    def _redis(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.stack.place.socket))
