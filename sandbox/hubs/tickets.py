"""Build tokens: what BinderHub's own page carries, so that its visitors are not counted as strangers."""

from __future__ import annotations

import time

import jwt

from sandbox.hubs.installed import Installed

#: BinderHub's default (`build_token_expires_seconds`).
LIFETIME = 300


def issue(hub: Installed, spec: str, origin: str) -> str:
    lifetime = hub.binder_settings.get("build_token_expires_seconds", LIFETIME)
    claims = {"exp": int(time.time()) + lifetime, "aud": spec, "origin": origin}
    return jwt.encode(claims, _secret(hub), algorithm="HS256")


def valid(hub: Installed, token: str, spec: str, origin: str | None) -> bool:
    """Whether the token is for this repository and, unless None, from this origin."""
    try:
        claims = jwt.decode(token, _secret(hub), audience=spec, algorithms=["HS256"])
    except jwt.PyJWTError:
        return False
    return origin is None or claims.get("origin") == origin


def _secret(hub: Installed) -> str:
    """The real one is made anew by each binder pod; this one lasts as long as the release."""
    return hub.secret("hub", "hub.config.JupyterHub.cookie_secret") or "no hub"
