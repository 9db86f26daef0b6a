"""Reads a live log as a browser does: reconnects whenever it breaks off, from the last line it has."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

import httpx

AGAIN_AFTER = 0.2
SILENCE = httpx.Timeout(20.0, connect=3.0)


@dataclass
class Reader:
    """One open page. `numbers` are the lines it was given, in order, over all connections."""

    address: str
    operation: str
    cookies: dict[str, str]
    numbers: list[int] = field(default_factory=list)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._read, name=f"reader {self.operation}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(25)

    def _read(self) -> None:
        with httpx.Client(base_url=self.address, cookies=self.cookies, timeout=SILENCE, trust_env=False) as http:
            while not self._stop.is_set() and not self.ended.is_set():
                try:
                    self._connection(http)
                except httpx.HTTPError:
                    time.sleep(AGAIN_AFTER)

    def _connection(self, http: httpx.Client) -> None:
        last = {"Last-Event-ID": f"{self.operation}:{self.numbers[-1]}"} if self.numbers else {}
        with http.stream("GET", f"operations/{self.operation}/stream", headers=last) as answer:
            if answer.status_code != 200:
                time.sleep(AGAIN_AFTER)
                return
            self.connections += 1
            for line in answer.iter_lines():
                if found := re.fullmatch(rf"id: {self.operation}:(\d+)", line):
                    self.numbers.append(int(found[1]))
                if line == "event: end":
                    self.ended.set()
                if self._stop.is_set() or self.ended.is_set():
                    return


def signed_in(address: str, username: str, password: str) -> dict[str, str]:
    """The cookies of somebody who has signed in."""
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as http:
        http.get("sign-in/")
        form = {"username": username, "password": password, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        answer = http.post("sign-in/", data=form, headers={"Referer": f"{address}sign-in/"})
        assert answer.status_code == 302, answer.status_code
        return dict(http.cookies)
