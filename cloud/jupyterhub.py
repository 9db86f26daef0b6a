"""JupyterHub's own API, with a token that the hub accepts."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from cloud import web
from cloud.errors import Conflict, InvalidRequest, PermissionDenied, Unavailable

THE_HUB = "The hub"


@dataclass(frozen=True, slots=True)
class Server:
    """A person's default server. `token` is the one a binder launched it with; with sign-in it opens nothing."""

    ready: bool
    path: str
    image: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the hub knows, and their server when one runs or starts."""

    name: str
    server: Server | None = None


class JupyterHub:
    """The API under `<url>hub/api`; every call is one request."""

    def __init__(self, url: str, token: str, ca_bundle: str | None = None) -> None:
        self._base = url.rstrip("/") + "/hub/api"
        self._token, self._ca_bundle = token, ca_bundle

    def version(self) -> str:
        """JupyterHub's version."""
        return str(web.body(self._call("GET", ""), THE_HUB).get("version", ""))

    def people(self) -> list[Person]:
        """Everybody the hub knows."""
        with web.reaching(THE_HUB):
            found = self._call("GET", "/users").json()
        return [_person(user) for user in found] if isinstance(found, list) else []

    def create_user(self, name: str) -> None:
        """Add a person; somebody who is there already is fine."""
        self._call("POST", f"/users/{quote(name, safe='')}", fine={409})

    def create_token(self, name: str, *, seconds: int = 3600, note: str = "Slipway's proof of life") -> str:
        """A token that acts as this person for a while."""
        wanted = {"expires_in": seconds, "note": note}
        answer = self._call("POST", f"/users/{quote(name, safe='')}/tokens", json=wanted)
        with web.reaching(THE_HUB):
            return str(web.body(answer, THE_HUB).get("token", ""))

    def delete_user(self, name: str) -> None:
        """Remove a person and their server; gone already is fine."""
        self._call("DELETE", f"/users/{quote(name, safe='')}", fine={404})

    def stop_server(self, name: str) -> None:
        """Stop a person's server; it may take a moment after this returns. Not running is fine."""
        self._call("DELETE", f"/users/{quote(name, safe='')}/server", fine={400, 404})

    def _call(self, method: str, path: str, *, json: Any = None, fine: Container[int] = ()) -> httpx.Response:
        headers = {"Authorization": f"token {self._token}"}
        with web.client(self._base, ca_bundle=self._ca_bundle) as http, web.reaching(THE_HUB):
            answer = http.request(method, self._base + path, json=json, headers=headers)
        if answer.status_code < 300 or answer.status_code in fine:
            return answer
        raise _refusal(answer)


def _person(model: dict[str, Any]) -> Person:
    server = (model.get("servers") or {}).get("")
    if not server:
        return Person(str(model["name"]))
    asked = server.get("user_options") or {}
    image, token = str(asked.get("image") or ""), str(asked.get("token") or "")
    return Person(str(model["name"]), Server(bool(server.get("ready")), str(server.get("url") or ""), image, token))


def _refusal(answer: httpx.Response) -> Exception:
    if patience := web.not_now(answer, THE_HUB):
        return patience
    status = answer.status_code
    if status in {401, 403}:
        return PermissionDenied(
            f"The hub does not accept the portal's token (status {status}).",
            "Install the hub's settings again, so that hub and portal agree on the token.",
            code=str(status),
        )
    if status == 409:
        return Conflict("The hub has that already.", "Look at it again before going on.", code=str(status))
    if status in {302, 404}:
        return Unavailable("There is no JupyterHub at this address yet.", web.AGAIN, code=str(status))
    return InvalidRequest(f"The hub refused the request (status {status}).", "Look at the hub's log.", code=str(status))
