"""BinderHub's build stream: follow a build, and stay with a launch, without holding anybody up for long.

A reader thread takes the events, so that a silent stream cannot hold the caller beyond its time. While an image is
being built the stream may be dropped and taken up again (the build goes on by itself); once it is launching it must
not be, since each new request would launch another server.
"""

import contextlib
import json
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from cloud import web
from cloud.errors import InvalidRequest, PermissionDenied, SlipwayError, Unavailable

THE_HUB = "The hub"
LAUNCH_SECONDS = 120.0
#: BinderHub sends a sign of life every 25 s.
SILENCE = httpx.Timeout(40.0, connect=10.0)
#: Lines that come within so many seconds are told together.
TOGETHER = 0.05
LAUNCHING = {"built", "launching"}
FINAL = {"ready", "failed"}
BUILD_TOKEN = re.compile(r'"buildToken"\s*:\s*"([^"]+)"')
Listener = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class BuildOutcome:
    """How far a launch has come; `done` once it is ready or failed. `status_code` 429: too many builds, wait.

    `server_token` opens the launched server: use it, and let it go.
    """

    phase: str = ""
    message: str = ""
    image: str = ""
    server_url: str = ""
    server_token: str = ""
    status_code: int | None = None
    done: bool = False

    def __repr__(self) -> str:
        return f"BuildOutcome(phase={self.phase!r}, message={self.message!r}, done={self.done})"


def follow_build(
    url: str,
    spec: str,
    *,
    token: str | None = None,
    ca_bundle: str | None = None,
    seconds: float,
    on_lines: Listener | None = None,
    seen: Container[str] = (),
) -> BuildOutcome:
    """Follow the launch of `spec` (such as `binder-examples/requirements/HEAD`) on the hub at `url`.

    Looks for `seconds` while an image is built, then returns with `done` false: call again. Once the server is being
    launched it stays until that is ready or failed, two minutes at most. `token` is a person's, for hubs with sign-in.
    Taken up again, a hub repeats the build's last lines: those in `seen` are not told again.
    """
    deadline = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with web.client(url, ca_bundle=ca_bundle, timeout=SILENCE, may_be_silent=True, headers=headers) as http:
        build_token = _build_token(http, url, spec)
        with _Reader(http, f"{url}services/binder/build/gh/{_bare(spec)}", build_token) as events:
            return _watch(events, deadline, on_lines, seen)


def _watch(events: "_Reader", deadline: float, on_lines: Listener | None, seen: Container[str]) -> BuildOutcome:
    outcome, told = BuildOutcome(), _Lines(on_lines)
    with told:
        while not outcome.done:
            event = events.next(deadline)
            if event is None:
                return _out_of_time(outcome)
            if outcome.phase not in LAUNCHING and event.get("phase") in LAUNCHING:
                deadline = time.monotonic() + LAUNCH_SECONDS
            outcome = _after(outcome, event)
            message = str(event.get("message") or "").rstrip("\n")
            if message and (message not in seen or outcome.done):
                told.add(message, more=events.more())
    return outcome


class _Lines:
    """Tells lines that come together together; the last ones when it is left, however that is."""

    def __init__(self, tell: Listener | None) -> None:
        self._tell, self._lines = tell, list[str]()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._flush()

    def add(self, line: str, *, more: bool) -> None:
        self._lines.append(line)
        if not more:
            self._flush()

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if self._tell and lines:
            self._tell(lines)


def _after(outcome: BuildOutcome, event: dict[str, Any]) -> BuildOutcome:
    """One event further. An event without a phase, or of phase unknown, says nothing about how far it is."""
    phase = str(event.get("phase") or "")
    phase = "failed" if phase == "failure" else phase
    status = event.get("status_code")
    return replace(
        outcome,
        phase=phase if phase not in {"", "unknown"} else outcome.phase,
        message=str(event.get("message") or outcome.message).rstrip("\n"),
        image=str(event.get("imageName") or event.get("image") or outcome.image),
        server_url=str(event.get("url") or outcome.server_url),
        server_token=str(event.get("token") or outcome.server_token),
        status_code=status if isinstance(status, int) else outcome.status_code,
        done=phase in FINAL,
    )


def _out_of_time(outcome: BuildOutcome) -> BuildOutcome:
    if outcome.phase not in LAUNCHING:
        return outcome
    late = f"The server did not start within {LAUNCH_SECONDS:.0f} seconds."
    return replace(outcome, phase="failed", message=late, done=True)


def _build_token(http: httpx.Client, url: str, spec: str) -> str:
    """The token which the launch page carries: with it, coming back is not counted as another build. "" without."""
    with contextlib.suppress(httpx.HTTPError):
        page = http.get(f"{url}services/binder/v2/gh/{_bare(spec)}")
        found = BUILD_TOKEN.search(page.text) if page.status_code == 200 else None
        return json.loads(f'"{found[1]}"') if found else ""
    return ""


def _bare(spec: str) -> str:
    return spec.removeprefix("gh/").strip("/")


class _Reader:
    """A thread that reads one event stream into a queue."""

    def __init__(self, http: httpx.Client, url: str, build_token: str) -> None:
        self._http, self._url = http, url
        self._query = {"build_token": build_token} if build_token else {}
        self._queue: queue.SimpleQueue[dict[str, Any] | SlipwayError] = queue.SimpleQueue()
        self._socket: socket.socket | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="build-stream", daemon=True)

    def __enter__(self) -> "_Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if self._socket is not None:
            # Past the TLS layer's own method, which would pull the connection from under the reading thread.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._thread.join(timeout=5)

    def next(self, deadline: float) -> dict[str, Any] | None:
        """The next event, None when the time is over; raises what went wrong on the wire."""
        try:
            event = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if isinstance(event, SlipwayError):
            raise event
        return event

    def more(self) -> bool:
        """Whether the next event has come already, or comes in a moment."""
        if self._queue.empty():
            time.sleep(TOGETHER)
        return not self._queue.empty()

    def _run(self) -> None:
        try:
            with web.reaching(THE_HUB):
                self._read()
            self._queue.put(Unavailable("The hub ended the build's report early.", web.AGAIN))
        except SlipwayError as exc:
            self._queue.put(exc)
        except Exception as exc:
            # A socket that is shut down while it is read fails in many ways; only an unasked-for one is news.
            if not self._closing.is_set():
                self._queue.put(Unavailable(f"The build's report broke off ({type(exc).__name__}).", web.AGAIN))

    def _read(self) -> None:
        from httpx_sse import connect_sse

        with connect_sse(self._http, "GET", self._url, params=self._query) as source:
            self._socket = source.response.extensions["network_stream"].get_extra_info("socket")
            _check(source.response)
            for event in source.iter_sse():
                content = _parsed(event.data)
                if content is not None:
                    self._queue.put(content)
                if self._closing.is_set() or (content or {}).get("phase") in FINAL:
                    return


def _parsed(data: str) -> dict[str, Any] | None:
    """An event that is no JSON is a log line somebody let slip through."""
    try:
        content = json.loads(data)
    except ValueError:
        return {"message": data}
    return content if isinstance(content, dict) else None


def _check(answer: httpx.Response) -> None:
    """Only an event stream is an answer: a refused build comes as an event, with status 200."""
    status, kind = answer.status_code, answer.headers.get("content-type", "")
    if patience := web.not_now(answer, THE_HUB):
        raise patience
    if status in {401, 403} or (300 <= status < 400 and "login" in answer.headers.get("location", "")):
        raise PermissionDenied("The hub wants a sign-in before it builds.", "Give a token of somebody who may use it.")
    if status == 400:
        raise InvalidRequest("The hub does not understand the repository's address.", "Check its spelling.")
    if status != 200 or "text/event-stream" not in kind:
        host = urlsplit(str(answer.url)).netloc
        raise Unavailable(f"There is no BinderHub at {host} yet (status {status}).", web.AGAIN)
