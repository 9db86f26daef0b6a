"""Is it up? Asked over the same wire its users use, until it says yes."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path


def valkey_answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")  # "-LOADING" while it reads its data
    except OSError:
        return False


def sandbox_answers(port: int, ca: Path) -> bool:
    try:
        context = ssl.create_default_context(cafile=str(ca))
    except OSError:  # not written yet
        return False
    return _answers(http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context), "/_sandbox/healthz")


def web_answers(port: int) -> bool:
    return _answers(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/healthz")


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait(ready: Callable[[], bool], alive: Callable[[], bool], seconds: float) -> bool:
    """True as soon as it is ready; False when it died or the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if ready():
            return True
        if not alive():
            return False
        time.sleep(0.05)
    return False
