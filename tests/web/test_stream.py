"""The live log over a real server and a real Valkey: nothing lost, nothing doubled, nothing kept open too long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
import redis
from django.db import connection, transaction
from django.test import Client

from deployments.archive import archive_stretch
from deployments.events import CHANNEL, Line, record
from deployments.models import Deployment, Operation
from deployments.states import Lifecycle, OperationStatus
from deployments.watching import MOST_NOTES, Gone, Note, Viewer, permitted
from tests.web.serving import served

pytestmark = pytest.mark.django_db(transaction=True)
Browser = Callable[[str], Client]


@dataclass
class Watched:
    """What one viewer has been told."""

    numbers: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    last_id: str = ""
    end: dict[str, Any] | None = None


Served = contextlib.AbstractContextManager[str]


@pytest.fixture
def serve(valkey: object) -> Callable[[], Served]:
    """Starts the portal as it is served; gives its address, and stops it at the end of the block."""
    return served


@pytest.fixture
def server(serve: Callable[[], Served]) -> Iterator[str]:
    with serve() as address:
        yield address


@pytest.fixture
def operation(make_hub: Callable[..., Deployment], make_operation: Callable[..., Operation]) -> Operation:
    return make_operation(make_hub(lifecycle=Lifecycle.PROVISIONING))


@pytest.fixture
def watch(server: str, operation: Operation, browser_of: Browser) -> Callable[..., Watched]:
    browser = browser_of("researcher")

    def watching(until: Callable[[Watched], bool], seen: Watched | None = None, after: str = "") -> Watched:
        return listen(server, operation, lambda _: browser, until, seen or Watched(), after)

    return watching


def listen(
    address: str, operation: Operation, browser_of: Browser, until: Callable[[Watched], bool], seen: Watched,
    after: str = "",
) -> Watched:  # fmt: skip
    """Listens as a browser does, resuming after the last id seen."""
    cookie = browser_of("researcher").cookies["slipway_session"].value
    headers = {"Cookie": f"slipway_session={cookie}"} | ({"Last-Event-ID": seen.last_id} if seen.last_id else {})
    url = f"{address}/operations/{operation.id}/stream{after}"
    with httpx.stream("GET", url, headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["x-accel-buffering"] == "no"
        _listen(answer.iter_lines(), seen, until)
    return seen


def _listen(lines: Iterator[str], seen: Watched, until: Callable[[Watched], bool]) -> None:
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
            seen.kinds.append(value)
        elif name == "id":
            seen.last_id = value
        elif name == "data" and kind == "line":
            seen.numbers.append(json.loads(value)["number"])
        elif name == "data" and kind == "end":
            seen.end = json.loads(value)
        if not line and until(seen):
            return


def write(operation: Operation, first: int, last: int) -> None:
    for number in range(first, last + 1):
        record(operation.id, [Line(f"line {number}")])


def finish(operation: Operation) -> None:
    """The last that a writer does: a thread's connection would outlive it.

    As the engine ends a run: whoever sees that it is over sees its last line too.
    """
    with transaction.atomic():
        record(operation.id, [Line("done")])
        Operation.objects.filter(id=operation.id).update(status=OperationStatus.SUCCEEDED)
    connection.close()


def ended(seen: Watched) -> bool:
    return seen.end is not None


def test_a_late_viewer_sees_everything(operation: Operation, watch: Callable[..., Watched]) -> None:
    record(operation.id, [Line(f"line {n}") for n in range(1, 1201)])
    finish(operation)
    seen = watch(ended)
    assert seen.numbers == list(range(1, 1202)) and seen.end == {"count": 1201, "status": "succeeded"}


def test_lines_arrive_as_they_happen_until_the_end(operation: Operation, watch: Callable[..., Watched]) -> None:
    write(operation, 1, 3)
    writer = threading.Thread(target=lambda: (time.sleep(0.3), write(operation, 4, 40), finish(operation)))
    writer.start()
    seen = watch(ended)
    writer.join()
    assert seen.numbers == list(range(1, 42)) and "progress" in seen.kinds and seen.end["count"] == 41


def test_a_reconnect_loses_and_doubles_nothing(operation: Operation, watch: Callable[..., Watched]) -> None:
    writer = threading.Thread(target=lambda: (write(operation, 1, 120), finish(operation)))
    writer.start()
    seen = Watched()
    for cut in (5, 30, 70):
        watch(lambda seen, cut=cut: len(seen.numbers) >= cut or ended(seen), seen)
    watch(ended, seen)
    writer.join()
    assert seen.numbers == list(range(1, 122)) and seen.end == {"count": 121, "status": "succeeded"}


def test_the_page_goes_on_after_the_lines_it_shows(operation: Operation, watch: Callable[..., Watched]) -> None:
    write(operation, 1, 10)
    finish(operation)
    assert watch(ended, after="?after=8").numbers == [9, 10, 11]


def test_an_archived_log_is_resumed_where_the_viewer_was(operation: Operation, watch: Callable[..., Watched]) -> None:
    record(operation.id, [Line(f"line {n}") for n in range(1, 1201)])
    finish(operation)
    seen = Watched()
    watch(lambda seen: len(seen.numbers) >= 500, seen)
    while archive_stretch(operation.id, 700):
        watch(lambda seen: len(seen.numbers) >= 600, seen)
    watch(ended, seen)
    assert seen.numbers == list(range(1, 1202)) and seen.end == {"count": 1201, "status": "succeeded"}


def test_an_id_of_another_operation_is_ignored(operation: Operation, watch: Callable[..., Watched]) -> None:
    write(operation, 1, 2)
    finish(operation)
    seen = Watched(last_id="00000000-0000-4000-8000-000000000000:2")
    assert watch(ended, seen).numbers == [1, 2, 3]


def test_the_connection_is_closed_when_nobody_watches_any_more(
    operation: Operation, watch: Callable[..., Watched], settings: Any
) -> None:
    write(operation, 1, 3)
    viewer = threading.Thread(target=watch, args=(ended,))
    with redis.Redis.from_url(settings.REDIS_URL) as asked:
        viewer.start()
        wait_until(lambda: subscribers(asked) == 1)
        finish(operation)
        viewer.join(20)
        wait_until(lambda: subscribers(asked) == 0)


def subscribers(asked: redis.Redis) -> int:
    return int(asked.pubsub_numsub(CHANNEL)[0][1])


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)


def test_two_tabs_see_the_same_whole_log(operation: Operation, watch: Callable[..., Watched]) -> None:
    early, late = Watched(), Watched()
    first = threading.Thread(target=watch, args=(ended, early))
    first.start()
    write(operation, 1, 40)
    second = threading.Thread(target=watch, args=(ended, late))
    second.start()
    write(operation, 41, 80)
    finish(operation)
    first.join(20), second.join(20)
    assert early.numbers == late.numbers == list(range(1, 82))


def test_a_restarted_server_loses_and_doubles_nothing(
    operation: Operation, serve: Callable[[], Served], browser_of: Browser
) -> None:
    writer = threading.Thread(target=lambda: (write(operation, 1, 150), finish(operation)))
    writer.start()
    seen = Watched()
    for cut in (10, 60):
        with serve() as address:
            listen(address, operation, browser_of, lambda seen, cut=cut: len(seen.numbers) >= cut or ended(seen), seen)
    with serve() as address:
        listen(address, operation, browser_of, ended, seen)
    writer.join()
    assert seen.numbers == list(range(1, 152)) and seen.end == {"count": 151, "status": "succeeded"}


def test_a_server_that_stops_ends_its_streams(
    operation: Operation, serve: Callable[[], Served], browser_of: Browser
) -> None:
    seen, stopped = Watched(), threading.Event()
    write(operation, 1, 2)
    with serve() as address:
        reader = threading.Thread(target=lambda: (_broken_off(address, operation, browser_of, seen), stopped.set()))
        reader.start()
        wait_until(lambda: len(seen.numbers) == 2)
    assert stopped.wait(5) and seen.end is None


def _broken_off(address: str, operation: Operation, browser_of: Browser, seen: Watched) -> None:
    with contextlib.suppress(httpx.RemoteProtocolError):
        listen(address, operation, browser_of, ended, seen)


def test_without_redis_the_database_is_watched(
    operation: Operation, watch: Callable[..., Watched], settings: Any
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    writer = threading.Thread(target=lambda: (time.sleep(0.5), write(operation, 1, 3), finish(operation)))
    writer.start()
    seen = watch(ended)
    writer.join()
    assert seen.numbers == [1, 2, 3, 4]


def test_many_viewers_of_one_operation_see_the_same(operation: Operation, watch: Callable[..., Watched]) -> None:
    seen = [Watched() for _ in range(8)]
    viewers = [threading.Thread(target=watch, args=(ended, each)) for each in seen]
    for viewer in viewers:
        viewer.start()
    write(operation, 1, 60)
    finish(operation)
    for viewer in viewers:
        viewer.join(20)
    assert [each.numbers for each in seen] == [list(range(1, 62))] * 8


def test_who_signs_out_is_not_told_more(operation: Operation, browser_of: Browser, people: dict[str, Any]) -> None:
    client, user = browser_of("researcher"), people["researcher"]
    session = client.cookies["slipway_session"].value
    assert asyncio.run(permitted(operation.id, user.pk, session))
    client.logout()
    assert not asyncio.run(permitted(operation.id, user.pk, session))


def test_a_viewer_that_does_not_keep_up_is_let_go(nowhere: UUID) -> None:
    async def lag() -> object:
        viewer = Viewer(nowhere)
        for _ in range(MOST_NOTES + 1):
            viewer.give(Note([], True, None))
        return await viewer.next()

    assert isinstance(asyncio.run(lag()), Gone)
