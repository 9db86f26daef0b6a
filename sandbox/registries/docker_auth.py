"""Docker Hub's token service: Basic sign-in for a token that says what was granted."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.azure import tokens
from sandbox.core import Core
from sandbox.registries.accounts import PUBLIC_NAMESPACES, REPOSITORY, DockerHub

SERVICE, LIFETIME = "registry.docker.io", 300
WRONG = {"details": "incorrect username or password"}


@dataclass(frozen=True)
class Grant:
    """Whose token it is ("" is anybody's) and the actions on each repository."""

    username: str
    access: dict[str, list[str]]

    def allows(self, repository: str, action: str) -> bool:
        return action in self.access.get(repository, [])


def token(core: Core, request: Request) -> Response:
    hub: DockerHub = core.services["dockerhub"]
    if request.query_params.get("service") != SERVICE:
        return JSONResponse({"details": "invalid service"}, 400)
    header = request.headers.get("authorization")
    username = ""
    if header is not None:
        found = _basic(header)
        if found is None or not hub.check(*found):
            return JSONResponse(WRONG, 401)
        username = (hub.account(found[0]) or {})["username"]
    access = []
    for scope in request.query_params.getlist("scope"):
        for entry in scope.split(" "):
            granted = _granted(hub, username, entry)
            if granted is None:
                return JSONResponse({"details": f"invalid scope {entry}"}, 400)
            access.append(granted)
    body = {"token": _issue(core, username, access), "expires_in": LIFETIME, "issued_at": core.clock.iso()}
    return JSONResponse(body | {"access_token": body["token"]})


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, encoded = header.partition(" ")
    try:
        name, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if kind.lower() == "basic" and separator else None


def _granted(hub: DockerHub, username: str, scope: str) -> dict[str, Any] | None:
    """The part of the scope that is allowed: fewer actions than asked is no error. None for nonsense."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    if kind != "repository" or not REPOSITORY.fullmatch(name):
        return None
    allowed = {"pull"}
    if username and name.split("/")[0] not in PUBLIC_NAMESPACES and hub.may_push(username, name):
        allowed |= {"push", "delete"}
    wanted = [action for action in actions.split(",") if action in allowed]
    return {"type": "repository", "class": "", "name": name, "actions": wanted}


def _issue(core: Core, username: str, access: list[dict[str, Any]]) -> str:
    now = int(core.clock.now())
    claims = {
        "access": access,
        "aud": SERVICE,
        "exp": now + LIFETIME,
        "iat": now,
        "iss": "auth.docker.io",
        "jti": "dckr_jti_" + secrets.token_urlsafe(12),
        "sub": username,
    }
    payload = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
    return f"{payload}.{tokens.sign(core, 'dockerhub:' + payload)}"


def _encode(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def read(core: Core, header: str) -> Grant | None:
    """What a bearer header grants; None when it grants nothing at all."""
    kind, _, text = header.partition(" ")
    payload, _, signature = text.rpartition(".")
    if kind.lower() != "bearer" or not hmac.compare_digest(signature, tokens.sign(core, "dockerhub:" + payload)):
        return None
    part = payload.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if claims["exp"] <= core.clock.now():
        return None
    return Grant(claims["sub"], {entry["name"]: entry["actions"] for entry in claims["access"]})
