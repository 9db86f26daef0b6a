"""An open page about a hub's inside is told what is new as soon as a worker has seen it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from deployments.inside import wanting
from deployments.models import Deployment, Look
from tests.cloud.waiting import until
from tests.web.insides import OVERVIEW, fill, log_data, url
from tests.web.serving import served

pytestmark = pytest.mark.django_db(transaction=True)
Browser = Callable[[str], Client]


def test_an_open_page_is_told_of_each_new_line_and_of_what_has_changed(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "log/hub-6c9f/hub", log_data("first"))
    seen: list[str] = []

    def work() -> None:
        """What a worker does meanwhile."""
        wait_for(lambda: "first" in str(seen))
        fill(hub, "log/hub-6c9f/hub", log_data("first", "second"))
        wanting.tell(Look.objects.get())
        wait_for(lambda: "second" in str(seen))
        fill(hub, "log/hub-6c9f/hub", log_data("first", "second", gone=True))
        wanting.tell(Look.objects.get())

    def over() -> bool:
        return sum(line == "event: look" for line in seen) == 2

    with served() as address:
        worker = threading.Thread(target=work)
        worker.start()
        listen(address, browser_of("researcher"), hub, "log/hub-6c9f/hub", seen, over)
        worker.join()
    told = [json.loads(line[6:])["message"] for line in seen if line.startswith('data: {"number"')]
    assert told == ["first", "second"]


def test_without_redis_the_database_is_watched(hub: Deployment, browser_of: Browser, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    seen: list[str] = []

    def work() -> None:
        wait_for(lambda: bool(seen))
        fill(hub, "overview", OVERVIEW)

    with served() as address:
        worker = threading.Thread(target=work)
        worker.start()
        listen(address, browser_of("researcher"), hub, "overview", seen, lambda: "event: look" in seen)
        worker.join()
    assert Look.objects.get().wanted_until > timezone.now()


def listen(
    address: str, browser: Client, hub: Deployment, subject: str, seen: list[str], over: Callable[[], bool]
) -> None:
    cookies = {"Cookie": f"slipway_session={browser.cookies['slipway_session'].value}"}
    query = {"subject": subject}
    with httpx.stream("GET", f"{address}{url(hub, 'inside-stream')}", params=query, headers=cookies, timeout=20) as got:
        assert got.headers["content-type"] == "text/event-stream"
        for line in got.iter_lines():
            seen.append(line)
            if over():
                return


def wait_for(true: Callable[[], bool]) -> None:
    until(true)
    connection.close()
