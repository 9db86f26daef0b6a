"""What a registry on a host of its own does: sign people in, and let them at repositories or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.core import Core
from sandbox.registries import bearer, distribution
from sandbox.registries.distribution import Ask, Shelf, error


class Host(ABC):
    """One registry, at `address` (host and port)."""

    #: Where tokens are given out; "" where there are none.
    token_path = ""

    def __init__(self, core: Core, address: str, shelf: Shelf) -> None:
        self.core, self.address, self.shelf = core, address, shelf

    @abstractmethod
    def actions(self, username: str, repository: str) -> set[str]:
        """What this person ("" is anybody) may do with a repository."""

    @abstractmethod
    def knows(self, username: str, password: str) -> bool:
        """Whether name and password belong together."""

    @abstractmethod
    def challenge(self, scope: str, insufficient: bool) -> Response:
        """401, with what to do about it."""

    @abstractmethod
    def token(self, query: QueryParams, header: str) -> Response:
        """Answers at `token_path`."""

    @abstractmethod
    def allowed(self, header: str, repository: str) -> set[str] | None:
        """What a request's header allows with a repository; None when it does not even open /v2/."""

    async def serve(self, request: Request) -> Response:
        path, header = request.url.path, request.headers.get("authorization", "")
        if self.token_path and path == self.token_path and request.method == "GET":
            return self.token(request.query_params, header)
        if not path.startswith("/v2/") and path != "/v2":
            return Response("404 page not found\n", 404)
        body = await request.body()
        response = self._registry(request, path.removeprefix("/v2").removeprefix("/"), header, body)
        response.headers["docker-distribution-api-version"] = "registry/2.0"
        return response

    def _registry(self, request: Request, rest: str, header: str, body: bytes) -> Response:
        if not rest:
            return JSONResponse({}) if self.allowed(header, "") is not None else self.challenge("", False)
        kind, name, reference = distribution.find(rest)
        if not kind:
            return distribution.unknown_name()
        query, headers = dict(request.query_params), dict(request.headers)
        ask = Ask(self.shelf, "/v2", kind, name, reference, request.method, query, headers, body)
        allowed = self.allowed(header, name)
        if ask.action not in (allowed or ()):
            wanted = "pull" if ask.action == "pull" else "pull,push"
            return self.challenge(f"repository:{name}:{wanted}", allowed is not None)
        return distribution.serve(ask)


class TokenHost(Host):
    """Gives out tokens, like nearly all registries."""

    service = ""
    issuer = ""
    realm = ""
    #: Names of the field that carries the token.
    fields: tuple[str, ...] = ("token", "access_token")
    denied = bearer.REQUIRED

    def challenge(self, scope: str, insufficient: bool) -> Response:
        return bearer.unauthorized(self.realm, self.service, scope, insufficient, message=self.denied)

    def token(self, query: QueryParams, header: str) -> Response:
        if query.getlist("service") != [self.service]:
            return error(400, "UNSUPPORTED", "service must be given once, and be this registry")
        found = bearer.basic(header) if header else ("", "")
        if found is None or (header and not self.knows(*found)):
            return error(401, "UNAUTHORIZED", self.denied)
        access = []
        for scope in query.getlist("scope"):
            asked = bearer.parts(scope)
            if asked is None:
                return error(400, "UNSUPPORTED", f"invalid scope {scope}")
            access.append(self._granted(found[0], *asked))
        if not header and not any(entry["actions"] for entry in access):
            return error(401, "UNAUTHORIZED", self.denied)
        text = bearer.issue(self.core, self.service, self.issuer, found[0], access)
        return JSONResponse(dict.fromkeys(self.fields, text))

    def _granted(self, username: str, repository: str, actions: list[str]) -> dict[str, Any]:
        allowed = self.actions(username, repository)
        return {"type": "repository", "name": repository, "actions": [each for each in actions if each in allowed]}

    def allowed(self, header: str, repository: str) -> set[str] | None:
        grant = bearer.read(self.core, header, self.service)
        return None if grant is None else set(grant.access.get(repository, []))
