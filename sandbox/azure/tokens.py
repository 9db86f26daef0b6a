"""Access tokens: signed with a key that lies in the state, so that they outlive a restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from sandbox import seeds
from sandbox.core import Core

LIFETIME = 3599  # real seconds: a token's age is not simulated


@dataclass(frozen=True)
class Principal:
    """Who is calling: an application's client id and the object id of its service principal."""

    client_id: str

    @property
    def object_id(self) -> str:
        return object_id(self.client_id)


class TokenRefused(Exception):
    """The token is no good; `reason` is malformed, expired or audience."""

    def __init__(self, reason: str, value: str = "") -> None:
        super().__init__(reason)
        self.reason, self.value = reason, value


def object_id(client_id: str) -> str:
    """The service principal's object id: stable, and unlike its client id, as in a real tenant."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"service-principal:{client_id.lower()}"))


def issue(core: Core, client_id: str, audience: str) -> str:
    """A JWT-shaped token of `client_id` for one audience."""
    now = int(core.clock.now())
    claims = {
        "aud": audience,
        "iss": f"{core.config.origin}/{seeds.TENANT_ID}/",
        "appid": client_id,
        "oid": object_id(client_id),
        "tid": seeds.TENANT_ID,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "uti": secrets.token_urlsafe(8),
        "gen": _generation(core),
    }
    head = _encode({"typ": "JWT", "alg": "HS256", "kid": "sandbox"})
    payload = f"{head}.{_encode(claims)}"
    return f"{payload}.{_signature(core, payload)}"


def read(core: Core, token: str, audiences: tuple[str, ...]) -> Principal:
    """Whose token it is; raises TokenRefused."""
    payload, _, signature = token.rpartition(".")
    if payload.count(".") != 1 or not hmac.compare_digest(signature, _signature(core, payload)):
        raise TokenRefused("malformed")
    claims = json.loads(_decode(payload.split(".")[1]))
    if claims["aud"].rstrip("/") not in audiences:
        raise TokenRefused("audience", claims["aud"])
    if claims["exp"] <= core.clock.now() or claims["gen"] != _generation(core):
        raise TokenRefused("expired", core.clock.iso(claims["exp"]))
    return Principal(claims["appid"])


def expire_all(core: Core) -> None:
    """Makes every token issued so far count as expired."""
    record = _keys(core)
    core.state.bucket("azure.keys").put("tokens", record | {"generation": record["generation"] + 1})


def sign(core: Core, text: str) -> str:
    """A short signature for other things that must not be forged (operation addresses)."""
    return _signature(core, text)


def _keys(core: Core) -> dict[str, Any]:
    bucket = core.state.bucket("azure.keys")
    if bucket.get("tokens") is None:
        bucket.put("tokens", {"key": secrets.token_hex(32), "generation": 1})
    return bucket.get("tokens") or {}


def _generation(core: Core) -> int:
    return int(_keys(core)["generation"])


def _signature(core: Core, payload: str) -> str:
    digest = hmac.new(bytes.fromhex(_keys(core)["key"]), payload.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _encode(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
