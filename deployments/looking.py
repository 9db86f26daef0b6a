"""What can be found out while somebody fills in the form: from the catalogue, and by trying its sign-ins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from accounts.policy import allowance
from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, SlipwayError
from deployments import catalogue, grounds, outside, services
from deployments.naming import Names
from deployments.place import region_name
from deployments.preflight import Denial, DomainFact, Facts, RegistryFact, SizeFact, TemplateFact
from deployments.preflight.facts import GithubState, TokenState
from deployments.spec import HubSpec
from deployments.values import oauth_callback
from deployments.values.overlay import ChartSchema, problems
from deployments.values.registry import image_prefix

if TYPE_CHECKING:
    from cloud.any_registry import State as PushState


def quick(spec: HubSpec, names: Names, secrets: Mapping[str, str], *, user: User) -> Facts:
    """No call to Azure is made; what needs a secret is tried only with that secret (by purpose)."""
    return Facts(
        **_subscription(spec),
        **_offered(spec),
        **{fact: look() for fact, look in trials(spec, names, secrets).items()},
        today=timezone.localdate(),
        longest_days=allowance(user).max_days,
    )


def _subscription(spec: HubSpec) -> dict[str, Any]:
    """What the worker has seen of the subscription, and may do there."""
    known, ground = catalogue.subscription(spec.subscription_id), grounds.ground(spec.subscription_id)
    seen: dict[str, Any] = {"region_name": region_name(spec)}
    if vault := outside.vault_name():
        seen["vault_name"] = vault
    if known:
        seen |= {"subscription_name": known.name, "subscription_state": known.state}
    if ground:
        seen |= {
            "identity": ground.identity,
            "object_id": ground.object_id,
            "allows": ground.permissions.allows,
            "providers": ground.providers,
            "denials": (*ground.denials, *_denied_sizes(spec)),
        }
    return seen


def _denied_sizes(spec: HubSpec) -> list[Denial]:
    offer = catalogue.offer(spec.subscription_id, spec.region)
    by_policy: dict[str, list[str]] = {}
    for size, policy in (offer.denied if offer else {}).items():
        by_policy.setdefault(policy, []).append(size)
    return [Denial(policy, "virtual machines", sizes=tuple(sizes)) for policy, sizes in by_policy.items()]


def _offered(spec: HubSpec) -> dict[str, Any]:
    """What the region offers, as it was last seen."""
    offer = catalogue.offer(spec.subscription_id, spec.region)
    if offer is None:
        return {}
    open_sizes = {each.name: SizeFact(each.family, each.vcpus, False, each.memory_gib) for each in offer.sizes}
    closed = {each.name: SizeFact(each.family, each.vcpus, True, each.memory_gib) for each in offer.closed}
    return {
        "sizes": closed | open_sizes,
        "quotas": offer.quotas,
        "versions": offer.versions,
        "previews": offer.previews,
        "long_term": offer.long_term,
        "addresses": offer.addresses,
    }


def trials(spec: HubSpec, names: Names, secrets: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
    """Fact → the try that tells it, of everybody outside but Azure. None of them touches the database."""
    return {
        "registry": partial(_registry, spec, names, secrets.get(services.DOCKER_TOKEN, "")),
        "github_app": partial(_github, spec, names, secrets.get(services.GITHUB_SECRET, "")),
        "callback": lambda: oauth_callback(outside.hub_address(spec, names)),
        "unknown_organisations": partial(_unknown_organisations, spec),
        "private_token": partial(_private_token, spec, secrets.get(services.PRIVATE_TOKEN, "")),
        "template": partial(_template, spec),
        "domain": partial(_domain, spec, names),
    }


def overlay_problems(spec: HubSpec) -> tuple[str, ...]:
    """What is wrong with the expert values, by the chart's own rules where they can be had."""
    if not spec.overlay.strip():
        return ()
    return tuple(str(problem) for problem in problems(spec.overlay, chart_schema(spec.chart_version)))


def chart_found(version: str) -> bool | None:
    """Whether the chart repository has this version; None while it does not answer."""
    from cloud.chart_schema import chart_schemas

    try:
        chart_schemas(outside.profile(), version)
    except SlipwayError as error:
        return False if error.code == "404" else None
    return True


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


def _unknown_organisations(spec: HubSpec) -> tuple[str, ...]:
    """GitHub answers only so many questions in an hour: each name's answer is remembered for a while."""
    if not spec.signs_in:
        return ()
    try:
        return tuple(name for name in spec.github_organisations if _is_unknown(name))
    except SlipwayError:
        return ()


def _is_unknown(name: str) -> bool:
    from cloud.github import unknown_organisations

    key = f"organisation:{sha256(name.lower().encode()).hexdigest()}"
    return bool(cache.get_or_set(key, lambda: bool(unknown_organisations(outside.profile(), [name])), 600))


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
