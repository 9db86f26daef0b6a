"""Docker Hub's registry: the distribution protocol behind its own tokens, with pulls counted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.core import Core
from sandbox.registries import bearer, distribution, docker_auth
from sandbox.registries.accounts import DockerHub
from sandbox.registries.bearer import Grant
from sandbox.registries.distribution import MANIFEST_TYPE, Ask, digest_of, error

WINDOW = "w=21600"
PREVIEW = ("ratelimitpreview/test", "latest")
ROOT = "/dockerhub/v2"


class Registry:
    def __init__(self, core: Core) -> None:
        self.core = core
        self.hub: DockerHub = core.services["dockerhub"]

    async def endpoint(self, request: Request) -> Response:
        response = self.serve(request, await request.body())
        response.headers["docker-distribution-api-version"] = "registry/2.0"
        return response

    def serve(self, request: Request, body: bytes) -> Response:
        path = request.path_params["path"]
        grant = bearer.read(self.core, request.headers.get("authorization", ""), docker_auth.SERVICE)
        if not path:
            return JSONResponse({}) if grant else self._unauthorized("")
        kind, name, reference = distribution.find(path)
        if not kind:
            return distribution.unknown_name()
        query, headers = dict(request.query_params), dict(request.headers)
        ask = Ask(self.hub.shelf, ROOT, kind, name, reference, request.method, query, headers, body)
        if grant is None or not grant.allows(name, ask.action):
            wanted = "pull" if ask.action == "pull" else "pull,push"
            return self._unauthorized(f"repository:{name}:{wanted}", grant is not None)
        return self._pull(ask, grant) if kind == "manifest" and ask.action == "pull" else distribution.serve(ask)

    def _unauthorized(self, scope: str, insufficient: bool = False) -> Response:
        realm = f"{self.core.config.origin}/dockerhub-auth/token"
        return bearer.unauthorized(realm, docker_auth.SERVICE, scope, insufficient)

    def _pull(self, ask: Ask, grant: Grant) -> Response:
        """GET counts as a pull, HEAD does not."""
        allowed, left = self._limits(grant.username)
        limits = {"ratelimit-limit": f"{allowed};{WINDOW}", "docker-ratelimit-source": grant.username or "127.0.0.1"}
        if ask.method == "GET" and left <= 0:
            message = "You have reached your pull rate limit. https://www.docker.com/increase-rate-limit"
            refusal = error(429, "TOOMANYREQUESTS", message)
            return _with(refusal, limits | {"ratelimit-remaining": f"0;{WINDOW}"})
        if ask.method == "GET":
            left -= 1
            self.core.state.bucket("dockerhub.pulls").put(grant.username or "-", {"left": left})
        limits["ratelimit-remaining"] = f"{left};{WINDOW}"
        answer = distribution.serve(ask)
        if answer.status_code == 404 and (ask.name, ask.reference) == PREVIEW:
            answer = Response("{}", media_type=MANIFEST_TYPE, headers={"docker-content-digest": digest_of(b"{}")})
        return _with(answer, limits)

    def _limits(self, username: str) -> tuple[int, int]:
        """(pulls allowed, pulls left) in six hours."""
        allowed = 200 if username else 100
        entry = self.core.state.bucket("dockerhub.pulls").get(username or "-") or {"left": allowed}
        return allowed, int(entry["left"])


def _with(response: Response, headers: dict[str, str]) -> Response:
    response.headers.update(headers)
    return response
