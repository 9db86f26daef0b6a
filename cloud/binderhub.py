"""A BinderHub from the outside, as a person's browser meets it: health, versions, a launched server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from cloud import web
from cloud.build_stream import BuildOutcome, follow_build
from cloud.errors import PermissionDenied, Unavailable
from cloud.jupyterhub import JupyterHub

__all__ = ["BuildOutcome", "Check", "Health", "JupyterHub", "answers", "follow_build", "health", "server_answers"]

THE_HUB = "The hub"
#: Where the hub's own proxy serves the binder.
BINDER = "services/binder/"
PATIENCE = httpx.Timeout(20.0, connect=10.0)
BRIEFLY = httpx.Timeout(3.0)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the hub looks after; `counts` is false for what does not make it unhealthy."""

    service: str
    ok: bool
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """What the hub thinks of itself."""

    ok: bool
    checks: tuple[Check, ...]


def health(url: str, ca_bundle: str | None = None) -> Health:
    """Ask the hub at its public address; unhealthy is an answer, only silence raises Unavailable."""
    answer = _get(f"{url}{BINDER}health", ca_bundle=ca_bundle)
    with web.reaching(THE_HUB):
        content = answer.json() if _is_json(answer) else None
    if answer.status_code not in {200, 503} or not isinstance(content, dict) or "ok" not in content:
        raise Unavailable(f"The hub does not say how it is (status {answer.status_code}).", web.AGAIN)
    return Health(bool(content["ok"]), tuple(_check(entry) for entry in content.get("checks") or []))


def answers(url: str, ca_bundle: str | None = None) -> bool:
    """Whether anything at all speaks HTTP at this address; asks for a few seconds at the most."""
    try:
        with web.client(url, ca_bundle=ca_bundle, timeout=BRIEFLY) as http:
            http.get(url)
    except httpx.HTTPError:
        return False
    return True


def versions(url: str, ca_bundle: str | None = None) -> dict[str, Any]:
    """Which BinderHub and which image builder run there."""
    answer = _get(f"{url}{BINDER}versions", ca_bundle=ca_bundle)
    if answer.status_code != 200:
        raise Unavailable(f"The hub does not tell its version (status {answer.status_code}).", web.AGAIN)
    with web.reaching(THE_HUB):
        return web.body(answer, THE_HUB)


def server_answers(url: str, token: str, ca_bundle: str | None = None) -> bool:
    """Whether a launched server, at the address of the *ready* event, speaks as a Jupyter server does.

    False while it is on its way; raises PermissionDenied when it does not take the token.
    """
    answer = _get(f"{_with_slash(url)}api", {"Authorization": f"token {token}"}, ca_bundle=ca_bundle)
    if answer.status_code in {401, 403}:
        raise PermissionDenied("The server that was launched does not accept its own token.", "Launch another one.")
    if answer.status_code != 200 or not _is_json(answer):
        return False
    with web.reaching(THE_HUB):
        return "version" in web.body(answer, THE_HUB)


def _get(url: str, headers: Mapping[str, str] | None = None, *, ca_bundle: str | None = None) -> httpx.Response:
    with web.client(url, ca_bundle=ca_bundle, timeout=PATIENCE) as http, web.reaching(THE_HUB):
        return http.get(url, headers=dict(headers or {}))


def _check(entry: Mapping[str, Any]) -> Check:
    return Check(str(entry.get("service", "")), bool(entry.get("ok")), not entry.get("_ignore_failure", False))


def _is_json(answer: httpx.Response) -> bool:
    return "json" in answer.headers.get("content-type", "")


def _with_slash(url: str) -> str:
    return url.rstrip("/") + "/"
