"""Following a build, against a server that speaks exactly as scripted."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from cloud.binderhub import follow_build, health, server_answers
from cloud.errors import PermissionDenied, Throttled, Unavailable

SPEC = "binder-examples/requirements/HEAD"
READY = {"phase": "ready", "message": "server running", "url": "http://x/user/a/", "token": "t", "image": "a/b:c"}
Handler = http.server.BaseHTTPRequestHandler
Page = Callable[[Handler], None]


@contextmanager
def serving(answer: Page) -> Iterator[str]:
    class Script(Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)
            self.close_connection = True

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Script)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def plain(request: Handler, status: int, kind: str, body: str = "", **headers: str) -> None:
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body.encode())))
    request.send_header("Connection", "close")
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body.encode())


def script(*events: dict[str, object] | str | float, seen: list[str] | None = None) -> Page:
    """Events in turn; text goes out as it is, numbers are silences in seconds."""

    def answer(request: Handler) -> None:
        if "/v2/" in request.path:
            return plain(request, 200, "text/html", '<script>window.pageConfig = {"buildToken": "jwt.a.b"};</script>')
        if seen is not None:
            seen.append(request.path)
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        for event in events:
            if isinstance(event, int | float):
                time.sleep(event)
                continue
            text = event if isinstance(event, str) else f"data: {json.dumps(event)}\n\n"
            request.wfile.write(text.encode())
            request.wfile.flush()
        return None

    return answer


def test_a_launch_is_followed_to_its_end() -> None:
    told: list[str] = []
    building = {"phase": "building", "message": "Step 1\n"}
    built = {"phase": "built", "imageName": "a/b:c", "message": "Built image, launching...\n"}
    events = ({"phase": "waiting", "message": "Waiting\n"}, ":keepalive\n\n", building, built, READY)
    with serving(script(*events)) as url:
        outcome = follow_build(url, SPEC, seconds=5, on_lines=told.extend)
    assert (outcome.done, outcome.phase, outcome.server_token, outcome.image) == (True, "ready", "t", "a/b:c")
    assert told == ["Waiting", "Step 1", "Built image, launching...", "server running"]


def test_the_pages_build_token_comes_along() -> None:
    seen: list[str] = []
    with serving(script(READY, seen=seen)) as url:
        follow_build(url, SPEC, seconds=5)
    assert parse_qs(urlsplit(seen[0]).query) == {"build_token": ["jwt.a.b"]}


def test_a_silent_build_holds_nobody_beyond_the_time_given() -> None:
    with serving(script({"phase": "building", "message": "Step 1"}, 20.0)) as url:
        begun = time.monotonic()
        outcome = follow_build(url, SPEC, seconds=1.5)
        assert time.monotonic() - begun < 15
    assert (outcome.done, outcome.phase) == (False, "building")


def test_a_launch_is_stayed_with_though_the_time_is_over() -> None:
    with serving(script({"phase": "built", "message": "Built"}, 2.0, READY)) as url:
        assert follow_build(url, SPEC, seconds=1.5).phase == "ready"


def test_an_event_without_a_phase_is_told_and_changes_nothing() -> None:
    told: list[str] = []
    with serving(script({"phase": "building", "message": "a"}, {"message": "b"}, 20.0)) as url:
        outcome = follow_build(url, SPEC, seconds=1.5, on_lines=told.extend)
    assert (told, outcome.phase) == (["a", "b"], "building")


def test_lines_that_come_together_are_told_together_also_when_the_stream_breaks_off() -> None:
    told: list[list[str]] = []
    events = [{"phase": "building", "message": line} for line in ("one", "two", "three")]
    with serving(script(*events, 0.5, {"phase": "building", "message": "four"})) as url, pytest.raises(Unavailable):
        follow_build(url, SPEC, seconds=5, on_lines=told.append)
    assert told == [["one", "two", "three"], ["four"]]


def test_a_limit_arrives_as_an_event_with_its_status() -> None:
    refused = {"phase": "failed", "status_code": 429, "message": "Rate limit exceeded. Try again in 3600 seconds.\n"}
    with serving(script(refused)) as url:
        outcome = follow_build(url, SPEC, seconds=5)
    assert (outcome.done, outcome.phase, outcome.status_code) == (True, "failed", 429)


def test_lines_that_were_told_before_are_not_told_again() -> None:
    told: list[str] = []
    events = [{"phase": "building", "message": line} for line in ("one", "two", "three")]
    with serving(script(*events, READY)) as url:
        follow_build(url, SPEC, seconds=5, on_lines=told.extend, seen={"one", "two"})
    assert told == ["three", "server running"]


def test_a_stream_that_ends_early_is_tried_again() -> None:
    with serving(script({"phase": "building", "message": "a"})) as url, pytest.raises(Unavailable):
        follow_build(url, SPEC, seconds=5)


def test_a_page_instead_of_events_is_no_hub_yet() -> None:
    with serving(lambda request: plain(request, 404, "text/html", "<h1>404</h1>")) as url, pytest.raises(Unavailable):
        follow_build(url, SPEC, seconds=5)


def test_a_hub_that_wants_a_sign_in_says_so() -> None:
    with serving(lambda request: plain(request, 403, "text/html")) as url, pytest.raises(PermissionDenied):
        follow_build(url, SPEC, seconds=5)


def test_throttling_by_a_proxy_keeps_its_delay() -> None:
    slow = lambda request: plain(request, 429, "text/plain", Retry_After="9")  # noqa: E731
    with serving(slow) as url, pytest.raises(Throttled) as caught:
        follow_build(url, SPEC, seconds=5)
    assert caught.value.delay == 9


def test_an_outcome_never_shows_the_servers_token() -> None:
    with serving(script(READY | {"token": "canary-token"})) as url:
        assert "canary-token" not in repr(follow_build(url, SPEC, seconds=5))


def test_nobody_at_the_address_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        follow_build("http://127.0.0.1:1/", SPEC, seconds=1)


def test_an_unhealthy_hub_is_an_answer() -> None:
    body = json.dumps({"ok": False, "checks": [{"service": "Docker registry", "ok": False}]})
    with serving(lambda request: plain(request, 503, "application/json", body)) as url:
        found = health(url)
    assert not found.ok
    assert [(check.service, check.ok) for check in found.checks] == [("Docker registry", False)]


def test_a_proxys_503_is_not_the_hubs_own() -> None:
    with serving(lambda request: plain(request, 503, "text/html", "<h1>503</h1>")) as url, pytest.raises(Unavailable):
        health(url)


def test_a_server_that_does_not_take_its_token_is_refused() -> None:
    with serving(lambda request: plain(request, 403, "text/html")) as url, pytest.raises(PermissionDenied):
        server_answers(url, "t")


def test_a_server_on_its_way_does_not_answer_yet() -> None:
    with serving(lambda request: plain(request, 503, "text/html")) as url:
        assert server_answers(url, "t") is False
