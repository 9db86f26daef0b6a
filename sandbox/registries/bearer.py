"""Tokens as registries give them out: JWTs that say what was granted, and the challenge that leads to one."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from sandbox.azure import tokens
from sandbox.core import Core
from sandbox.registries.distribution import error

LIFETIME = 300
REQUIRED = "authentication required"


@dataclass(frozen=True)
class Grant:
    """Whose token it is ("" is anybody's) and the actions on each repository."""

    username: str
    access: dict[str, list[str]]

    def allows(self, repository: str, action: str) -> bool:
        return action in self.access.get(repository, [])


def basic(header: str) -> tuple[str, str] | None:
    """Name and password of a Basic header."""
    kind, _, encoded = header.partition(" ")
    try:
        name, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if kind.lower() == "basic" and separator else None


def parts(scope: str) -> tuple[str, list[str]] | None:
    """Repository and actions of `repository:name:pull,push`; None for anything else."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return (name, actions.split(",")) if kind == "repository" and name else None


def issue(core: Core, audience: str, issuer: str, username: str, access: list[dict[str, Any]]) -> str:
    now = int(core.clock.now())
    claims = {
        "access": access,
        "aud": audience,
        "exp": now + LIFETIME,
        "iat": now,
        "iss": issuer,
        "jti": secrets.token_urlsafe(12),
        "sub": username,
    }
    payload = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
    return f"{payload}.{_signature(core, audience, payload)}"


def read(core: Core, header: str, audience: str) -> Grant | None:
    """What a bearer header grants at one registry; None when it grants nothing at all."""
    kind, _, text = header.partition(" ")
    payload, _, signature = text.rpartition(".")
    if kind.lower() != "bearer" or not hmac.compare_digest(signature, _signature(core, audience, payload)):
        return None
    part = payload.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if claims["exp"] <= core.clock.now():
        return None
    return Grant(claims["sub"], {entry["name"]: entry["actions"] for entry in claims["access"]})


def unauthorized(
    realm: str, service: str, scope: str, insufficient: bool = False, *, message: str = REQUIRED
) -> Response:
    """401, with where a token is to be had."""
    challenge = f'Bearer realm="{realm}",service="{service}"'
    challenge += f',scope="{scope}"' if scope else ""
    challenge += ',error="insufficient_scope"' if insufficient else ""
    response = error(401, "UNAUTHORIZED", message)
    response.headers["www-authenticate"] = challenge
    return response


def _encode(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _signature(core: Core, audience: str, payload: str) -> str:
    return tokens.sign(core, f"registry:{audience}:{payload}")
