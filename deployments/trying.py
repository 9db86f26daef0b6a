"""Tries secrets where they are for, before anything is kept: a wrong one is said at once, not by a failed run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deployments import outside
from deployments.models import Deployment
from deployments.services import DOCKER_TOKEN, GITHUB_SECRET
from deployments.spec import HubSpec
from deployments.values import oauth_callback

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


def _try_github(hub: Deployment, spec: HubSpec, secret: str) -> None:
    from cloud.github import check_oauth_app

    callback = oauth_callback(outside.hub_address(spec, hub.names))
    check_oauth_app(outside.profile(), spec.github_client_id, secret, callback)


TRIALS: dict[str, Trial] = {DOCKER_TOKEN: _try_registry, GITHUB_SECRET: _try_github}
