"""Docker Hub and GitHub, with what a test can set of them under `/_sandbox/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Core
from sandbox.registries import control, docker_auth, github_api, github_oauth, github_settings
from sandbox.registries.accounts import DockerHub, unfit_name
from sandbox.registries.docker_registry import Registry
from sandbox.registries.service import Registries

Plain = Callable[[Core, Request], Response]
ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def routes(core: Core) -> list[BaseRoute]:
    core.services["dockerhub"] = DockerHub(core)
    core.services["registries"] = Registries(core)
    registry = Registry(core)
    api = "/github-api"

    def plain(path: str, handler: Plain) -> Route:
        async def endpoint(request: Request) -> Response:
            return handler(core, request)

        return Route(path, endpoint)

    return [
        plain("/dockerhub-auth/token", docker_auth.token),
        Route("/dockerhub/v2/{path:path}", registry.endpoint, methods=ALL),
        plain("/github/login/oauth/authorize", github_oauth.authorize),
        Route("/github/login/oauth/authorize", _with_form(core, github_oauth.signed_in), methods=["POST"]),
        Route("/github/login/oauth/access_token", _access_token(core), methods=["POST"]),
        plain("/github/settings/applications/new", lambda _core, request: github_settings.new_app(request)),
        Route("/github/settings/applications", _with_form(core, github_settings.registered), methods=["POST"]),
        plain("/github/settings/developers", lambda core, _request: github_settings.apps(core)),
        plain("/github/{owner}/{repo}/info/refs", github_api.references),
        plain(f"{api}/user", github_api.user),
        plain(f"{api}/user/orgs", github_api.organisations),
        plain(f"{api}/orgs/{{org}}", github_api.organisation),
        plain(f"{api}/orgs/{{org}}/members/{{login}}", github_api.member),
        plain(f"{api}/repos/{{owner}}/{{repo}}", github_api.repository),
        plain(f"{api}/repos/{{owner}}/{{repo}}/commits/{{ref:path}}", github_api.commit),
        Route("/_sandbox/dockerhub/accounts", _setter(core, "dockerhub.accounts", "username"), methods=["POST"]),
        Route("/_sandbox/dockerhub/pulls", _setter(core, "dockerhub.pulls", "username"), methods=["POST"]),
        Route("/_sandbox/dockerhub/images", _images(core)),
        *control.routes(core),
        Route("/_sandbox/github/apps", _setter(core, "github.apps", "client_id"), methods=["POST"]),
        Route("/_sandbox/github/users", _setter(core, "github.users", "login"), methods=["POST"]),
    ]


def _with_form(core: Core, handler: Callable[[Core, dict[str, str]], Response]) -> Any:
    async def endpoint(request: Request) -> Response:
        return handler(core, await github_oauth.form_of(request))

    return endpoint


def _access_token(core: Core) -> Any:
    async def endpoint(request: Request) -> Response:
        form = await github_oauth.form_of(request)
        return github_oauth.access_token(core, form, request.headers.get("accept", ""))

    return endpoint


#: What an entry has where a test does not say.
DEFAULTS: dict[str, dict[str, Any]] = {
    "dockerhub.accounts": {"organisations": [], "read_only": False},
    "github.apps": {"callback": ""},
    "github.users": {"name": None, "organisations": []},
}


def _setter(core: Core, bucket: str, key: str) -> Any:
    """Puts a JSON body into a bucket under one of its fields."""

    async def endpoint(request: Request) -> Response:
        body = await request.json()
        if key not in body:
            return JSONResponse({"error": f"{key} is missing"}, 400)
        if bucket == "dockerhub.accounts" and (why := unfit_name(body)):
            return JSONResponse({"error": why}, 400)
        name = body[key] if bucket.startswith("github.apps") else body[key].lower()
        core.state.bucket(bucket).put(name, DEFAULTS.get(bucket, {}) | body)
        return JSONResponse({"ok": True}, 201)

    return endpoint


def _images(core: Core) -> Any:
    async def endpoint(_request: Request) -> Response:
        return JSONResponse(core.services["dockerhub"].shelf.images())

    return endpoint
