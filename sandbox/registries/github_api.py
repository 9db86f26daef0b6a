"""The little of GitHub's API and git protocol that the portal and its hubs ask."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import seeds
from sandbox.core import Core
from sandbox.hubs import repositories
from sandbox.registries import github_oauth

BRANCHES = ("main", "master")


def _bad_credentials(message: str = "Bad credentials") -> Response:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": "401"}
    return JSONResponse(body, 401)


def _not_found() -> Response:
    body = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
    return JSONResponse(body, 404)


def _session(core: Core, request: Request) -> dict[str, Any] | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() not in ("bearer", "token"):
        return None
    personal = next((entry for entry in seeds.GITHUB_TOKENS if entry["token"] == token), None)
    return {"login": personal["login"], "scope": ""} if personal else core.state.bucket("github.tokens").get(token)


def _person(core: Core, login: str) -> dict[str, Any] | None:
    return next((user for user in github_oauth.users(core) if user["login"].lower() == login.lower()), None)


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:7], 16)


def user(core: Core, request: Request) -> Response:
    session = _session(core, request)
    person = _person(core, session["login"]) if session else None
    if session is None or person is None:
        return _bad_credentials(
            "Requires authentication" if "authorization" not in request.headers else "Bad credentials"
        )
    body = {"login": person["login"], "id": _number(person["login"]), "type": "User", "name": person.get("name")}
    return JSONResponse(body | {"email": None}, headers={"x-oauth-scopes": session["scope"]})


def organisations(core: Core, request: Request) -> Response:
    """The signed-in person's organisations; none without the right scope, as with GitHub's private ones."""
    session = _session(core, request)
    if session is None:
        return _bad_credentials()
    person = _person(core, session["login"]) or {}
    allowed = {"read:org", "user", "admin:org"} & set(session["scope"].replace(",", " ").split())
    found = [{"login": name, "id": _number(name)} for name in person.get("organisations", [])]
    return JSONResponse(found if allowed else [])


def organisation(core: Core, request: Request) -> Response:
    """An organisation's public page; anybody may ask."""
    wanted = request.path_params["org"].lower()
    names = {name for person in github_oauth.users(core) for name in person.get("organisations", [])}
    found = next((name for name in names if name.lower() == wanted), None)
    if found is None:
        return _not_found()
    return JSONResponse({"login": found, "id": _number(found), "type": "Organization"})


def member(core: Core, request: Request) -> Response:
    if _session(core, request) is None:
        return _bad_credentials()
    person = _person(core, request.path_params["login"]) or {}
    organisations = [name.lower() for name in person.get("organisations", [])]
    return Response(status_code=204) if request.path_params["org"].lower() in organisations else _not_found()


def revision(core: Core, owner: str, name: str, ref: str = "HEAD") -> str | None:
    """The commit that a name means, as the hubs' builds see it too; None when there is no such thing."""
    source = repositories.resolve(core, owner, name, ref)
    return source.commit if source else None


def repository(core: Core, request: Request) -> Response:
    owner, name = request.path_params["owner"], request.path_params["repo"]
    if revision(core, owner, name) is None:
        return _not_found()
    body = {"id": _number(f"{owner}/{name}"), "name": name, "full_name": f"{owner}/{name}", "private": False}
    return JSONResponse(body | {"owner": {"login": owner}, "default_branch": "main"})


def commit(core: Core, request: Request) -> Response:
    owner, name, ref = (request.path_params[key] for key in ("owner", "repo", "ref"))
    if revision(core, owner, name) is None:
        return _not_found()
    sha = revision(core, owner, name, ref)
    if sha is None:
        return JSONResponse({"message": f"No commit found for SHA: {ref}", "status": "422"}, 422)
    return JSONResponse({"sha": sha})


def references(core: Core, request: Request) -> Response:
    """`GET …/info/refs?service=git-upload-pack`: the branches, in git's own lines."""
    owner, name = request.path_params["owner"], request.path_params["repo"].removesuffix(".git")
    if request.query_params.get("service") != "git-upload-pack":
        return Response("Please upgrade your git client.\n", 403, media_type="text/plain")
    sha = revision(core, owner, name)
    if sha is None:  # GitHub does not tell missing from private
        return Response("Repository not found.", 401, {"www-authenticate": 'Basic realm="GitHub"'})
    capabilities = "multi_ack symref=HEAD:refs/heads/main agent=git/github-sandbox"
    branches = [branch for branch in BRANCHES if revision(core, owner, name, branch)]
    lines = [f"{sha} HEAD\0{capabilities}\n", *(f"{sha} refs/heads/{branch}\n" for branch in branches)]
    text = _packet("# service=git-upload-pack\n") + "0000" + "".join(map(_packet, lines)) + "0000"
    return Response(text.encode(), media_type="application/x-git-upload-pack-advertisement")


def _packet(line: str) -> str:
    return f"{len(line) + 4:04x}{line}"
