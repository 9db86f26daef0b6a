"""Signing in: people to the hub by GitHub, and the hub's people to its services (OAuth both times)."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox.hubs import pages, scopes
from sandbox.hubs.installed import Body, Installed
from sandbox.hubs.ledger import Caller
from sandbox.hubs.world import World

HUB_COOKIE = "jupyterhub-hub-login"
STATE_COOKIE = "oauthenticator-state"
SESSION_SECONDS = 14 * 24 * 3600
CODE_SECONDS = 300
NOT_ALLOWED = "Sorry, you are not currently authorized to use this hub. Please contact the hub administrator."


class SignInRefused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class SignIn:
    """The hub's half of both."""

    def __init__(self, world: World) -> None:
        self.world, self.ledger = world, world.ledger
        #: code → what it may be exchanged for, once.
        self._codes: dict[str, Body] = {}

    def person(self, hub: Installed, request: Request) -> Caller | None:
        """The user whose browser this is."""
        token = request.cookies.get(HUB_COOKIE)
        return self.ledger.caller(hub, token) if token else None

    async def answer(self, hub: Installed, request: Request, path: str) -> Response | None:
        """Answers for the pages below /hub/ that belong to signing in; None for others."""
        try:
            if path == "login":
                return await self._login(hub, request)
            if path == "oauth_login":
                return self._to_github(hub, request)
            if path == "oauth_callback":
                return await self._from_github(hub, request)
            if path == "logout":
                return self._logout(hub, request)
            if path == "api/oauth2/authorize":
                return self._authorize(hub, request)
        except SignInRefused as refusal:
            return pages.problem(refusal.status, refusal.message)
        return None

    async def _login(self, hub: Installed, request: Request) -> Response:
        kind = authenticator(hub)
        following = request.query_params.get("next") or f"{hub.base_url}hub/"
        if kind == "dummy" and request.method == "POST":
            name = str((await request.form()).get("username") or "").strip().lower()
            return self._welcome(hub, name, following) if name else pages.login(hub, kind, following)
        if kind in ("github", "dummy"):
            return pages.login(hub, kind, following)
        raise SignInRefused(403, "Nobody signs in to this hub: it makes a temporary user for each launch.")

    def _to_github(self, hub: Installed, request: Request) -> Response:
        settings = _github(hub)
        if authenticator(hub) != "github":
            raise SignInRefused(404, "Not Found")
        state = secrets.token_urlsafe(16)
        wanted = settings.get("scope") or []
        query = {
            "response_type": "code",
            "redirect_uri": settings.get("oauth_callback_url") or f"{_origin(request)}{hub.base_url}hub/oauth_callback",
            "client_id": settings.get("client_id") or "",
            "state": state,
        } | ({"scope": " ".join(wanted)} if wanted else {})
        response = RedirectResponse(f"{self.world.config.origin}/github/login/oauth/authorize?{urlencode(query)}", 302)
        following = request.query_params.get("next") or f"{hub.base_url}hub/"
        response.set_cookie(STATE_COOKIE, f"{state}|{following}", path=f"{hub.base_url}hub/", httponly=True)
        return response

    async def _from_github(self, hub: Installed, request: Request) -> Response:
        state, _, following = request.cookies.get(STATE_COOKIE, "").partition("|")
        query = request.query_params
        if "error" in query:
            raise SignInRefused(400, f"OAuth error: {query.get('error_description') or query['error']}")
        if not state or not secrets.compare_digest(state, query.get("state", "")):
            raise SignInRefused(400, "OAuth state missing from cookies" if not state else "OAuth state mismatch")
        token = await self._exchange(hub, query.get("code", ""))
        login = await self._who(token)
        if not await self._allowed(hub, login, token):
            raise SignInRefused(403, NOT_ALLOWED)
        return self._welcome(hub, login, following)

    async def _exchange(self, hub: Installed, code: str) -> str:
        settings = _github(hub)
        form = {
            "client_id": settings.get("client_id"),
            "client_secret": settings.get("client_secret"),
            "code": code,
            "redirect_uri": settings.get("oauth_callback_url"),
            "grant_type": "authorization_code",
        }
        answer = await self._ask("POST", f"{self.world.config.origin}/github/login/oauth/access_token", data=form)
        found: Body = answer.json()
        if "access_token" not in found:
            told = found.get("error_description") or found.get("error") or "no access token"
            raise SignInRefused(500, f"GitHub refused the sign-in: {told}")
        return str(found["access_token"])

    async def _who(self, token: str) -> str:
        answer = await self._ask("GET", f"{self.world.config.origin}/github-api/user", token=token)
        if answer.status_code != 200:
            raise SignInRefused(500, "GitHub does not say who this is")
        return str(answer.json()["login"]).lower()

    async def _allowed(self, hub: Installed, login: str, token: str) -> bool:
        """JupyterHub 5 lets nobody in by default: some `allow…` setting must say so."""
        rules = _github(hub)
        general = hub.hub_config.get("Authenticator") or {}
        named = [*(rules.get("allowed_users") or []), *(general.get("allowed_users") or [])]
        named += [*(rules.get("admin_users") or []), *(general.get("admin_users") or [])]
        if rules.get("allow_all") or general.get("allow_all") or login in [str(name).lower() for name in named]:
            return True
        for organisation in rules.get("allowed_organizations") or []:
            url = f"{self.world.config.origin}/github-api/orgs/{organisation}/members/{login}"
            if (await self._ask("GET", url, token=token)).status_code == 204:
                return True
        return False

    async def _ask(self, method: str, url: str, *, token: str = "", data: Any = None) -> httpx.Response:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            return await self.world.client.request(method, url, headers=headers, data=data)
        except httpx.HTTPError as error:
            raise SignInRefused(500, f"GitHub does not answer: {error}") from error

    def _welcome(self, hub: Installed, name: str, following: str) -> Response:
        if self.ledger.user(hub, name) is None:
            self.ledger.add_user(hub, name)
        session = self.ledger.new_token(hub, name, ["inherit"], SESSION_SECONDS, "browser")
        where = following if following.startswith("/") and not following.startswith("//") else f"{hub.base_url}hub/"
        response = RedirectResponse(where, 302)
        response.set_cookie(HUB_COOKIE, session["token"], path=hub.base_url, httponly=True, samesite="lax")
        return response

    def _logout(self, hub: Installed, request: Request) -> Response:
        token = request.cookies.get(HUB_COOKIE)
        if token:
            self.ledger.revoke_token(hub, token)
        response = RedirectResponse(f"{hub.base_url}hub/login", 302)
        response.delete_cookie(HUB_COOKIE, path=hub.base_url)
        return response

    def _authorize(self, hub: Installed, request: Request) -> Response:
        """A service asks who is there. Checks that it is the service it says, and that the person may use it."""
        query = request.query_params
        person = self.person(hub, request)
        if person is None:
            following = f"{request.url.path}?{request.url.query}"
            return RedirectResponse(f"{hub.base_url}hub/login?{urlencode({'next': following})}", 302)
        name, service = _service_of(hub, query.get("client_id", ""))
        wanted = service.get("oauth_redirect_uri") or f"{hub.base_url}services/{name}/oauth_callback"
        given = query.get("redirect_uri", "")
        if given not in (wanted, f"{_origin(request)}{wanted}"):
            raise SignInRefused(400, "Mismatching redirect URI.")
        if not scopes.allows(person.scopes, "access:services", service=name):
            raise SignInRefused(403, f"You do not have permission to access {name}")
        if not service.get("oauth_no_confirm") and query.get("confirmed") != "yes":
            return pages.confirm(hub, name, f"{request.url.path}?{request.url.query}&confirmed=yes")
        code = secrets.token_urlsafe(16)
        self._codes[code] = {
            "hub": hub.key,
            "user": person.name,
            "service": name,
            "until": self.world.clock.now() + CODE_SECONDS,
        }
        return RedirectResponse(f"{given}?{urlencode({'code': code, 'state': query.get('state', '')})}", 302)

    def redeem(self, hub: Installed, code: str, service: str) -> str | None:
        """The token that the service gets for a code: good for saying who the person is, and no more."""
        found = self._codes.pop(code, None)
        if (
            found is None
            or (found["hub"], found["service"]) != (hub.key, service)
            or found["until"] < self.world.clock.now()
        ):
            return None
        granted = [f"access:services!service={service}", f"read:users:name!user={found['user']}"]
        return str(self.ledger.new_token(hub, found["user"], granted, SESSION_SECONDS, f"Service: {service}")["token"])


def authenticator(hub: Installed) -> str:
    """github, dummy, null … as installed."""
    kind = str((hub.hub_config.get("JupyterHub") or {}).get("authenticator_class") or "null")
    return "github" if kind.endswith("GitHubOAuthenticator") else kind.rsplit(".", 1)[-1]


def _github(hub: Installed) -> Body:
    return (hub.hub_config.get("OAuthenticator") or {}) | (hub.hub_config.get("GitHubOAuthenticator") or {})


def _service_of(hub: Installed, client_id: str) -> tuple[str, Body]:
    for name, service in hub.services.items():
        if client_id == (service.get("oauth_client_id") or f"service-{name}"):
            return name, service
    raise SignInRefused(400, "Invalid client_id parameter value.")


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}"
