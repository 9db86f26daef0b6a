"""Browsers in processes of their own, for tests of what is pressed twice in the same moment.

`python -m tests.web.clicking` is one: it says that it is ready, then each line of its input is a click, as JSON, at a
moment of the monotonic clock, which all processes share. It answers with where it was led and what the page says there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client

from bootstrap.machine import ROOT

#: Long enough for all of them to hear of a click before they make it (seconds).
SOON = 0.03


@dataclass(frozen=True)
class Click:
    """Somebody signed in presses a button of a page."""

    client: Client
    path: str
    sent: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """The status of what was sent, the page that it led to, and the messages on top of that page."""

    status: int
    led_to: str
    told: str


class Clicker:
    """One process, as its parent sees it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.web.clicking"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, cwd=ROOT, env=dict(environ), text=True, **pipes)

    def say(self, content: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(content) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate()


def at_once(clickers: list[Clicker], *clicks: Click) -> list[Answer]:
    """Each click by a process of its own, all in the same moment."""
    moment = time.monotonic() + SOON
    for clicker, click in zip(clickers, clicks, strict=True):
        session = click.client.cookies["slipway_session"].value
        clicker.say({"session": session, "path": click.path, "sent": dict(click.sent), "at": moment})
    return [Answer(**clicker.hear()) for clicker in clickers]


def _click(session: str, path: str, sent: dict[str, str], at: float) -> Answer:
    browser = Client()
    browser.cookies["slipway_session"] = session
    time.sleep(max(0.0, at - time.monotonic()))
    answer = browser.post(path, sent)
    led_to = answer.headers.get("Location", "")
    page = browser.get(led_to) if led_to else answer
    return Answer(answer.status_code, led_to, " ".join(str(message) for message in page.context["messages"]))


def main() -> None:
    import django

    django.setup()
    from django.db import connections
    from django.test.utils import setup_test_environment

    setup_test_environment()
    Client().get("/sign-in/")  # everything that a page needs is loaded
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        answer = _click(**json.loads(line))
        connections.close_all()
        print(json.dumps(vars(answer)), flush=True)


if __name__ == "__main__":
    main()
