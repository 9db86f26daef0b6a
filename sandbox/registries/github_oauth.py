"""GitHub's OAuth: the page to sign in on, and the exchange of a code for a token."""

from __future__ import annotations

import hmac
import html
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sandbox import seeds
from sandbox.core import Core

CODE_LIFETIME = 600  # real seconds
HELP = "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#"
COMPLAINTS = {
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL for this application.",
    "bad_verification_code": "The code passed is incorrect or expired.",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in to GitHub (sandbox)</title></head>
<body><main><h1>Sign in to GitHub</h1>
<p>This is the sandbox's stand-in for GitHub. Choose who you are.</p>
{forms}</main></body></html>
"""
FORM = """<form method="post" action="/github/login/oauth/authorize">{fields}
<button name="login" value="{login}">Sign in as {login}</button></form>"""


def app(core: Core, client_id: str) -> dict[str, Any] | None:
    """The OAuth app with this client id."""
    stored = core.state.bucket("github.apps").get(client_id)
    if stored is not None:
        return stored
    return next((dict(entry) for entry in seeds.GITHUB_APPS if entry["client_id"] == client_id), None)


def callback_fits(registered: str, asked: str) -> bool:
    """GitHub's rule: same host and port, and a path at or below the registered one."""
    if not registered or not asked:
        return True
    one, other = urlsplit(registered), urlsplit(asked)
    path = one.path.rstrip("/")
    below = other.path.rstrip("/") == path or other.path.startswith(path + "/")
    return (one.scheme, one.netloc) == (other.scheme, other.netloc) and below


def users(core: Core) -> list[dict[str, Any]]:
    added = [entry for _, entry in core.state.bucket("github.users").items()]
    return [dict(entry) for entry in seeds.GITHUB_USERS] + added


def authorize(core: Core, request: Request) -> Response:
    query = dict(request.query_params)
    entry = app(core, query.get("client_id", ""))
    if entry is None:
        return HTMLResponse("<h1>404</h1><p>Not Found</p>", 404)
    if not callback_fits(entry["callback"], query.get("redirect_uri", "")):
        failed = {"error": "redirect_uri_mismatch", "error_description": COMPLAINTS["redirect_uri_mismatch"]}
        return RedirectResponse(_with_query(entry["callback"], failed), 302)
    kept = {key: query.get(key, "") for key in ("client_id", "redirect_uri", "state", "scope")}
    fields = "".join(f'<input type="hidden" name="{key}" value="{html.escape(kept[key])}">' for key in kept)
    forms = "".join(FORM.format(fields=fields, login=html.escape(user["login"])) for user in users(core))
    return HTMLResponse(PAGE.format(forms=forms))


def _with_query(address: str, query: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def signed_in(core: Core, form: dict[str, str]) -> Response:
    """Somebody pressed the button: back to the app with a code."""
    entry = app(core, form.get("client_id", ""))
    known = any(user["login"] == form.get("login") for user in users(core))
    redirect = form.get("redirect_uri") or (entry or {}).get("callback", "")
    if entry is None or not known or not redirect or not callback_fits(entry["callback"], redirect):
        return HTMLResponse("<h1>422</h1><p>The request is not valid.</p>", 422)
    code = secrets.token_hex(10)
    facts = {"client_id": entry["client_id"], "login": form["login"], "scope": form.get("scope", "")}
    until = core.clock.now() + CODE_LIFETIME
    core.state.bucket("github.codes").put(code, facts | {"redirect_uri": redirect, "until": until})
    query = {"code": code} | ({"state": form["state"]} if form.get("state") else {})
    return RedirectResponse(_with_query(redirect, query), 302)


def access_token(core: Core, form: dict[str, str], accept: str) -> Response:
    entry = app(core, form.get("client_id", ""))
    if entry is None:
        return JSONResponse({"error": "Not Found"}, 404)
    complaint, facts = _exchange(core, entry, form)
    if complaint:
        body = {
            "error": complaint,
            "error_description": COMPLAINTS[complaint],
            "error_uri": HELP + complaint.replace("_", "-"),
        }
        return _answer(body, accept)
    token = "gho_" + secrets.token_hex(18)
    core.state.bucket("github.tokens").put(token, {"login": facts["login"], "scope": facts["scope"]})
    return _answer({"access_token": token, "scope": facts["scope"].replace(" ", ","), "token_type": "bearer"}, accept)


def _exchange(core: Core, entry: dict[str, Any], form: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """What is wrong, or "" and what the code stands for. The code is compared last, and good for one use."""
    if not hmac.compare_digest(entry["client_secret"].encode(), form.get("client_secret", "").encode()):
        return "incorrect_client_credentials", {}
    redirect = form.get("redirect_uri", "")
    if not callback_fits(entry["callback"], redirect):
        return "redirect_uri_mismatch", {}
    codes = core.state.bucket("github.codes")
    facts = codes.get(form.get("code", ""))
    if facts is None or facts["client_id"] != entry["client_id"] or facts["until"] < core.clock.now():
        return "bad_verification_code", {}
    if redirect and redirect != facts["redirect_uri"]:
        return "redirect_uri_mismatch", {}
    codes.delete(form["code"])
    return "", facts


def _answer(body: dict[str, str], accept: str) -> Response:
    if "json" in accept:
        return JSONResponse(body)
    return Response(urlencode(body), media_type="application/x-www-form-urlencoded; charset=utf-8")


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form or a JSON body, query included."""
    raw = await request.body()
    fields = dict(request.query_params)
    if "json" in request.headers.get("content-type", ""):
        return fields | {key: str(value) for key, value in (await request.json()).items()}
    return fields | dict(parse_qsl(raw.decode(), keep_blank_values=True))
