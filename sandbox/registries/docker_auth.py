"""Docker Hub's token service: Basic sign-in for a token that says what was granted."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.core import Core
from sandbox.registries import bearer
from sandbox.registries.accounts import PUBLIC_NAMESPACES, REPOSITORY, DockerHub

SERVICE, ISSUER = "registry.docker.io", "auth.docker.io"
WRONG = {"details": "incorrect username or password"}


def token(core: Core, request: Request) -> Response:
    hub: DockerHub = core.services["dockerhub"]
    if request.query_params.get("service") != SERVICE:
        return JSONResponse({"details": "invalid service"}, 400)
    header = request.headers.get("authorization")
    username = ""
    if header is not None:
        found = bearer.basic(header)
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
    text = bearer.issue(core, SERVICE, ISSUER, username, access)
    body = {"token": text, "access_token": text, "expires_in": bearer.LIFETIME, "issued_at": core.clock.iso()}
    return JSONResponse(body)


def _granted(hub: DockerHub, username: str, scope: str) -> dict[str, Any] | None:
    """The part of the scope that is allowed: fewer actions than asked is no error. None for nonsense."""
    asked = bearer.parts(scope)
    if asked is None or not REPOSITORY.fullmatch(asked[0]):
        return None
    name, actions = asked
    allowed = {"pull"}
    if username and name.split("/")[0] not in PUBLIC_NAMESPACES and hub.may_push(username, name):
        allowed |= {"push", "delete"}
    wanted = [action for action in actions if action in allowed]
    return {"type": "repository", "class": "", "name": name, "actions": wanted}
