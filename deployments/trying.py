"""Tries secrets where they are for, before anything is kept: a wrong one is said at once, not by a failed run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, Unavailable
from deployments import looking, outside
from deployments.models import Deployment
from deployments.services import DOCKER_TOKEN, GITHUB_SECRET, PRIVATE_TOKEN
from deployments.spec import HubSpec
from deployments.values import oauth_callback

COPY, LATER = "See that it is copied whole, or make a new one.", "Send it again in a few minutes."
Trial = Callable[[Deployment, HubSpec, str], None]


def try_secrets(hub: Deployment, secrets: Mapping[str, str]) -> None:
    """Returns when each of them works for the hub as it stands.

    :raises SlipwayError: one does not, or whom it is for does not answer.
    """
    spec = hub.revision.spec
    for purpose, value in secrets.items():
        if trial := TRIALS.get(purpose):
            trial(hub, spec, value)


def _try_registry(hub: Deployment, spec: HubSpec, token: str) -> None:
    from cloud.registries import check_docker_hub

    if spec.registry == "dockerhub":
        check_docker_hub(outside.profile(), spec.docker_username, token, spec.image_namespace, spec.image_prefix)
        return
    host, state = spec.registry_address, looking.other_registry(spec, hub.names, token)
    if state == "sign-in-refused":
        raise SignInFailed(f"{host} does not accept {spec.registry_username} with this token.", COPY)
    if state == "push-refused":
        raise PermissionDenied(f"{host} knows this account, but the token may not store images there.", COPY)
    if state == "unreachable":
        raise Unavailable(f"{host} did not answer just now.", LATER)
    if state != "ok":
        raise InvalidRequest(f"What answers at {host} is not the registry that it was.", "Ask whoever runs it.")


def _try_github(hub: Deployment, spec: HubSpec, secret: str) -> None:
    from cloud.github import check_oauth_app

    callback = oauth_callback(outside.hub_address(spec, hub.names))
    check_oauth_app(outside.profile(), spec.github_client_id, secret, callback)


def _try_private(hub: Deployment, spec: HubSpec, token: str) -> None:
    from cloud.repositories import github_token

    state = github_token(outside.profile(), token)
    if state == "unreachable":
        raise Unavailable("GitHub did not answer just now.", LATER)
    if state != "ok":
        raise SignInFailed("GitHub does not accept this token.", COPY)


TRIALS: dict[str, Trial] = {DOCKER_TOKEN: _try_registry, GITHUB_SECRET: _try_github, PRIVATE_TOKEN: _try_private}
