"""What a fault of each kind answers where nothing more special is known (sandbox/fault_shapes.py)."""

from __future__ import annotations

import base64
import json

HTML = "<html><head><title>502 Bad Gateway</title></head><body>The gateway could not reach its backend.</body></html>"
#: What a challenge of continuous access evaluation wants of the next token.
CLAIMS = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}').decode()


def azure(code: str, message: str, **more: object) -> str:
    return json.dumps({"error": {"code": code, "message": message, **more}})


def _policy() -> str:
    info = {"type": "PolicyViolation", "info": {"policyDefinitionDisplayName": "Allowed locations"}}
    return azure("RequestDisallowedByPolicy", "Resource was disallowed by policy.", additionalInfo=[info])


def challenge(kind: str, door: str, authority: str) -> dict[str, str]:
    """What a service says to a token that it does not take; a vault names itself as well."""
    more = {"expired-token": 'error="invalid_token"', "cae": f'error="insufficient_claims", claims="{CLAIMS}"'}
    where = f'authorization="{authority}", resource="https://vault.azure.net"'
    if door != "vault":
        where = f'realm="", authorization_uri="{authority}/oauth2/authorize"'
    return {"www-authenticate": f"Bearer {where}, {more[kind]}"}


#: kind → (status, headers, body). `slow`, `silent`, `drop`, `cut`, `hold` and `custom` are handled apart.
PRESETS: dict[str, tuple[int, dict[str, str], str]] = {
    "throttled": (429, {"retry-after": "1"}, azure("TooManyRequests", "The request is being throttled.")),
    "throttled-silent": (429, {}, azure("TooManyRequests", "The request is being throttled.")),
    "server-error": (500, {}, azure("InternalServerError", "Encountered internal server error.")),
    "unavailable": (503, {}, azure("ServiceUnavailable", "The service is unavailable.")),
    "html": (502, {"content-type": "text/html"}, HTML),
    "empty": (503, {}, ""),
    "empty-success": (200, {}, ""),
    "garbage": (200, {}, "\u0000\u0001{not json"),
    "nonsense": (200, {}, "[]"),
    "expired-token": (
        401,
        {},
        azure("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."),
    ),
    "cae": (
        401,
        {},
        azure(
            "InvalidAuthenticationToken",
            "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
            "TokenIssuedBeforeRevocationTimestamp",
        ),
    ),
    "forbidden": (403, {}, azure("AuthorizationFailed", "The client does not have authorization to perform action.")),
    "not-registered": (
        409,
        {},
        azure("MissingSubscriptionRegistration", "The subscription is not registered to use this namespace."),
    ),
    "policy": (403, {}, _policy()),
    "soft-deleted": (
        409,
        {},
        azure(
            "Conflict",
            "Secret is currently in a deleted but recoverable state, and its name cannot be reused; in this state, "
            "the secret can only be recovered or purged.",
            innererror={"code": "ObjectIsDeletedButRecoverable"},
        ),
    ),
}

#: A token refused for such a reason stays refused: only another one opens the door again.
ABOUT_THE_TOKEN = ("expired-token", "cae")
