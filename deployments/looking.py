"""What can be found out while somebody fills in the form: from the catalogue, and by trying its sign-ins."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from accounts.models import User
from accounts.policy import allowance
from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, SlipwayError
from deployments import catalogue, outside, services
from deployments.naming import Names
from deployments.preflight import CoresFact, Facts, RegistryFact, SizeFact
from deployments.preflight.facts import GithubState
from deployments.spec import HubSpec
from deployments.values import oauth_callback


def quick(spec: HubSpec, names: Names, secrets: Mapping[str, str], *, user: User) -> Facts:
    """No call to Azure is made; what needs a secret is tried only with that secret (by purpose)."""
    subscription = catalogue.subscription(spec.subscription_id)
    offer = catalogue.offer(spec.subscription_id, spec.region)
    return Facts(
        subscription_name=subscription.name if subscription else "this subscription",
        subscription_state=subscription.state if subscription else None,
        sizes={size.name: SizeFact(size.family, size.vcpus, False, size.memory_gib) for size in offer.sizes}
        if offer
        else None,
        quotas={key: CoresFact(each.label, each.used, each.limit) for key, each in offer.quotas.items()}
        if offer
        else None,
        versions=offer.versions if offer else None,
        registry=_registry(spec, secrets.get(services.DOCKER_TOKEN, "")),
        github_app=_github(spec, names, secrets.get(services.GITHUB_SECRET, "")),
        today=timezone.localdate(),
        longest_days=allowance(user).max_days,
    )


def _registry(spec: HubSpec, token: str) -> RegistryFact | None:
    from cloud.registries import check_docker_hub

    if spec.registry != "dockerhub" or not token:
        return None
    try:
        seen = check_docker_hub(outside.profile(), spec.docker_username, token, spec.image_namespace, spec.image_prefix)
    except SignInFailed:
        return RegistryFact("sign-in-refused")
    except (PermissionDenied, InvalidRequest):
        return RegistryFact("push-refused")
    except SlipwayError:
        return RegistryFact("unreachable")
    return RegistryFact("ok", seen.pulls_left, seen.pulls_limit)


def _github(spec: HubSpec, names: Names, secret: str) -> GithubState | None:
    from cloud.github import check_oauth_app

    if not spec.signs_in or not secret:
        return None
    callback = oauth_callback(outside.hub_address(spec, names))
    try:
        check_oauth_app(outside.profile(), spec.github_client_id, secret, callback)
    except SignInFailed:
        return "wrong-secret"
    except InvalidRequest:
        return "other-callback"
    except SlipwayError:
        return "unreachable"
    return "ok"
