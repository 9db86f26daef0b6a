"""Container registries: whether a sign-in works and may push, seen before anything is spent."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from cloud import web
from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, SlipwayError, Unavailable
from cloud.profile import AzureCloud

DOCKER_HUB = "Docker Hub"
RATE_LIMIT_PROBE = "ratelimitpreview/test"


@dataclass(frozen=True, slots=True)
class RegistryCheck:
    """A sign-in that works and may push; pulls as Docker Hub counts them (None when it does not say)."""

    repository: str
    pulls_left: int | None = None
    pulls_limit: int | None = None
    pulls_window_seconds: int | None = None


def check_docker_hub(
    profile: AzureCloud, username: str, token: str, namespace: str, image_prefix: str
) -> RegistryCheck:
    """Prove that this person may push `namespace/image_prefix…` to Docker Hub; nothing is left there.

    Raises SignInFailed (wrong username or token), PermissionDenied (not a member, or read only), Unavailable.
    """
    repository = f"{namespace}/{image_prefix}probe".lower()
    with web.client(profile.docker_hub_auth, ca_bundle=profile.ca_bundle) as http, web.reaching(DOCKER_HUB):
        bearer = _bearer(http, profile, username, token, repository)
        if "push" not in granted(bearer, repository):
            raise _no_push(username, namespace)
        _prove_push(http, profile, bearer, repository, username, namespace)
        return RegistryCheck(repository, *_pulls(http, profile, username, token))


def granted(bearer: str, repository: str) -> frozenset[str]:
    """What a registry's token allows on a repository; not verified, for it is only ever shown back to its issuer."""
    access = _claims(bearer).get("access")
    entries = [entry for entry in access if isinstance(entry, dict)] if isinstance(access, list) else []
    return frozenset(action for e in entries if e.get("name") == repository for action in e.get("actions") or [])


def _bearer(http: httpx.Client, profile: AzureCloud, username: str, token: str, repository: str) -> str:
    query = {
        "service": profile.docker_hub_service,
        "account": username,
        "scope": f"repository:{repository}:pull,push",
    }
    answer = http.get(f"{profile.docker_hub_auth}/token", params=query, auth=(username, token))
    if trouble := web.not_now(answer, DOCKER_HUB) or web.not_from(answer, DOCKER_HUB):
        raise trouble
    if answer.status_code == 400:
        raise InvalidRequest(
            f"Docker Hub cannot have images named “{repository}”.",
            "Use lowercase letters, digits and single hyphens in the organisation and the image prefix.",
        )
    if answer.status_code != 200:
        raise _wrong_sign_in(username, answer.status_code)
    content = web.body(answer, DOCKER_HUB)
    bearer = content.get("token") or content.get("access_token")
    if not isinstance(bearer, str):
        raise Unavailable("Docker Hub's answer had no token in it.", web.AGAIN)
    return bearer


def _prove_push(
    http: httpx.Client, profile: AzureCloud, bearer: str, repository: str, username: str, namespace: str
) -> None:
    """Begin an upload and take it back: the token may promise what the registry then refuses."""
    start = f"{profile.docker_hub_registry}/v2/{repository}/blobs/uploads/"
    headers = {"Authorization": f"Bearer {bearer}"}
    answer = http.post(start, headers=headers)
    if answer.status_code != 202:
        raise (
            web.not_now(answer, DOCKER_HUB)
            or web.not_from(answer, DOCKER_HUB, but=range(400))
            or _no_push(username, namespace)
        )
    upload = answer.headers.get("location")
    if upload:
        http.delete(urljoin(start, upload), headers=headers)


def _pulls(http: httpx.Client, profile: AzureCloud, username: str, token: str) -> tuple[int | None, ...]:
    """Left, limit, and seconds they are counted over; nice to know, so its failure is no failure."""
    try:
        query = {"service": profile.docker_hub_service, "scope": f"repository:{RATE_LIMIT_PROBE}:pull"}
        answer = http.get(f"{profile.docker_hub_auth}/token", params=query, auth=(username, token))
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        seen = http.head(f"{profile.docker_hub_registry}/v2/{RATE_LIMIT_PROBE}/manifests/latest", headers=headers)
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return (None, None, None)
    limit, window = _limit(seen.headers, "ratelimit-limit")
    return (_limit(seen.headers, "ratelimit-remaining")[0], limit, window)


def _limit(headers: Mapping[str, str], name: str) -> tuple[int | None, int | None]:
    """`100;w=21600` is 100 in six hours."""
    number, _, window = headers.get(name, "").partition(";w=")
    return (int(number) if number.isdigit() else None, int(window) if window.isdigit() else None)


def _claims(bearer: str) -> dict[str, Any]:
    try:
        payload = bearer.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _wrong_sign_in(username: str, status: int) -> SlipwayError:
    return SignInFailed(
        f"Docker Hub does not accept the username “{username}” with this access token.",
        "Check the username (not the e-mail address), and make a new access token with the right to read and write "
        "in Docker Hub's account settings.",
        code=str(status),
    )


def _no_push(username: str, namespace: str) -> SlipwayError:
    if namespace.lower() != username.lower():
        return PermissionDenied(
            f"Docker Hub knows “{username}”, but this account may not store images in the organisation “{namespace}”.",
            "Ask an owner of the organisation to make you a member of a team that may push, or leave the organisation "
            "empty to store images in your own account.",
        )
    return PermissionDenied(
        f"Docker Hub knows “{username}”, but this access token may not store images.",
        "Make a new access token with the right to read and write.",
    )
