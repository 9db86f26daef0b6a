"""HTTP to everybody who is not Azure: one way to make a client, one way to speak of its failures."""

import json
import ssl
from collections.abc import Container, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from cloud import calls
from cloud.errors import RetryableError, Throttled, Unavailable
from cloud.patience import answer_seconds
from cloud.profile import is_loopback

AGAIN = "It is tried again by itself."
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


def client(
    url: str,
    *,
    ca_bundle: str | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    may_be_silent: bool = False,
    **options: Any,
) -> httpx.Client:
    """A client for one address; `ca_bundle` counts, and proxies do not, where the address is this machine.

    Its calls are counted under the name of the module that asked for it. A stream `may_be_silent` for longer than
    anybody should wait for an answer.
    """
    if timeout.read is not None and not may_be_silent:
        timeout = httpx.Timeout(timeout.read, connect=timeout.connect, read=answer_seconds(timeout.read))
    local = is_loopback(url)
    trust = _trusting(ca_bundle) if local and ca_bundle and urlsplit(url).scheme == "https" else _trusting_everybodys()
    return CountedClient(calls.asker(), verify=trust, trust_env=not local, timeout=timeout, **options)


class CountedClient(httpx.Client):
    """Tells `cloud.calls` of every request: until its answer has come, or begun to when it is streamed."""

    def __init__(self, service: str, **options: Any) -> None:
        super().__init__(**options)
        self._service = service

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        with calls.counted(self._service) as call:
            answer = super().send(request, **options)
            call.code = str(answer.status_code)
            return answer


@cache
def _trusting(ca_bundle: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle)


@cache
def _trusting_everybodys() -> ssl.SSLContext:
    """The authorities that httpx trusts by itself. Reading them takes longer than most requests."""
    return httpx.create_ssl_context()


@contextmanager
def reaching(whom: str) -> Iterator[None]:
    """Turn failures of the wire, and answers without sense, into Unavailable."""
    try:
        yield
    except (httpx.TransportError, httpx.TooManyRedirects, httpx.InvalidURL, httpx.StreamError) as exc:
        message = f"{whom} did not answer ({type(exc).__name__})."
        raise Unavailable(message, AGAIN) from exc
    except (json.JSONDecodeError, UnicodeDecodeError) as exc:
        raise Unavailable(f"{whom} gave an answer that could not be read.", AGAIN) from exc


def body(answer: httpx.Response, whom: str) -> dict[str, Any]:
    """The JSON object of an answer."""
    content = answer.json()
    if not isinstance(content, dict):
        raise Unavailable(f"{whom} gave an answer that makes no sense.", AGAIN)
    return content


def not_from(answer: httpx.Response, whom: str, but: Container[int] = ()) -> RetryableError | None:
    """The error of an answer that is no word of `whom`: a page from a proxy or some network's portal; else None.

    Statuses in `but` are none that it ever has here.
    """
    if answer.status_code in {401, 403} or (answer.status_code not in but and _is_json(answer)):
        return None
    return Unavailable(f"Something other than {whom} answered (status {answer.status_code}).", AGAIN)


def _is_json(answer: httpx.Response) -> bool:
    try:
        answer.json()
    except ValueError:
        return False
    return True


def not_now(answer: httpx.Response, whom: str) -> RetryableError | None:
    """The error of an answer that only asks for patience, or None."""
    if answer.status_code == 429:
        wait = answer.headers.get("retry-after", "")
        return Throttled(f"{whom} asks us to slow down.", AGAIN, delay=float(wait) if wait.isdigit() else None)
    if answer.status_code >= 500 or answer.status_code == 408:
        return Unavailable(f"{whom} has a problem of its own (status {answer.status_code}).", AGAIN)
    return None
