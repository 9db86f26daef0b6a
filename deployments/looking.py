"""What can be found out while somebody fills in the form: from the catalogue, and by trying its sign-ins."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from accounts.policy import allowance
from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, SlipwayError
from deployments import catalogue, outside, services
from deployments.naming import Names
from deployments.preflight import CoresFact, DomainFact, Facts, RegistryFact, SizeFact, TemplateFact
from deployments.preflight.facts import GithubState, TokenState
from deployments.spec import HubSpec
from deployments.values import oauth_callback
from deployments.values.overlay import ChartSchema
from deployments.values.registry import image_prefix

if TYPE_CHECKING:
    from cloud.any_registry import State as PushState


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
        registry=_registry(spec, names, secrets.get(services.DOCKER_TOKEN, "")),
        github_app=_github(spec, names, secrets.get(services.GITHUB_SECRET, "")),
        private_token=_private_token(spec, secrets.get(services.PRIVATE_TOKEN, "")),
        template=_template(spec),
        domain=_domain(spec, names),
        today=timezone.localdate(),
        longest_days=allowance(user).max_days,
    )


def chart_schema(version: str) -> ChartSchema | None:
    """The chart's own rules for expert values; None while its repository does not answer."""
    from cloud.chart_schema import chart_schemas

    try:
        return ChartSchema(*chart_schemas(outside.profile(), version))
    except SlipwayError:
        return None


def _registry(spec: HubSpec, names: Names, token: str) -> RegistryFact | None:
    if spec.registry == "acr" or not token:
        return None
    return _docker_hub(spec, token) if spec.registry == "dockerhub" else _other(spec, names, token)


def _docker_hub(spec: HubSpec, token: str) -> RegistryFact:
    from cloud.registries import check_docker_hub

    try:
        seen = check_docker_hub(outside.profile(), spec.docker_username, token, spec.image_namespace, spec.image_prefix)
    except SignInFailed:
        return RegistryFact("sign-in-refused")
    except (PermissionDenied, InvalidRequest):
        return RegistryFact("push-refused")
    except SlipwayError:
        return RegistryFact("unreachable")
    return RegistryFact("ok", seen.pulls_left, seen.pulls_limit)


def _other(spec: HubSpec, names: Names, token: str) -> RegistryFact:
    return RegistryFact(other_registry(spec, names, token))


def other_registry(spec: HubSpec, names: Names, token: str) -> PushState:
    """How a registry that is neither Docker Hub's nor Azure's takes the hub's sign-in and a try to push."""
    from cloud.any_registry import Place, try_push

    host = spec.registry_address
    repository = f"{image_prefix(spec, names, host).removeprefix(host + '/')}probe"
    place = Place(host, repository, spec.registry_token_url)
    return try_push(outside.profile(), place, spec.registry_username, token)


def _github(spec: HubSpec, names: Names, secret: str) -> GithubState | None:
    from cloud.github import UNKNOWN_CLIENT, check_oauth_app

    if not spec.signs_in or not secret:
        return None
    callback = oauth_callback(outside.hub_address(spec, names))
    try:
        check_oauth_app(outside.profile(), spec.github_client_id, secret, callback)
    except SignInFailed as error:
        return "unknown-client" if error.code == UNKNOWN_CLIENT else "wrong-secret"
    except InvalidRequest:
        return "other-callback"
    except SlipwayError:
        return "unreachable"
    return "ok"


def _private_token(spec: HubSpec, token: str) -> TokenState | None:
    from cloud.repositories import github_token

    return github_token(outside.profile(), token) if spec.private_repositories and token else None


def _template(spec: HubSpec) -> TemplateFact | None:
    from cloud.repositories import branches

    if not spec.template_repository:
        return None
    # Asked for anew with each thing that is typed: remembered for a minute.
    key = f"branches:{sha256(spec.template_repository.encode()).hexdigest()}"
    try:
        found = cache.get_or_set(key, lambda: branches(outside.profile(), spec.template_repository), 60)
        return TemplateFact("ok", tuple(found or ()))
    except InvalidRequest:
        return TemplateFact("missing")
    except SlipwayError:
        return TemplateFact("unreachable")


def _domain(spec: HubSpec, names: Names) -> DomainFact | None:
    from cloud.dns import leads_to

    if not (spec.domain and spec.name):
        return None
    wanted = outside.record_name(spec, names)
    # Asked for anew with each thing that is typed; whoever makes the record meanwhile sees it soon.
    key = f"domain:{sha256(f'{spec.domain} {wanted}'.encode()).hexdigest()}"
    try:
        lead = cache.get_or_set(key, lambda: leads_to(outside.profile(), spec.domain, wanted), 15)
    except SlipwayError:
        return None
    return DomainFact(lead.state, wanted, lead.found) if lead else None
