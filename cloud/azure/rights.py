"""What the portal may do in a subscription, seen before anything is spent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cloud.azure.enums import word
from cloud.azure.plain import ask
from cloud.azure.session import AzureSession
from cloud.azure.translate import translated

PERMISSIONS_API = "2022-04-01"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Actions as Azure writes them, `*` and all. Each role stands alone: its exclusions bind only itself."""

    roles: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(action for allowed, _ in self.roles for action in allowed)

    @property
    def not_actions(self) -> tuple[str, ...]:
        return tuple(action for _, excluded in self.roles for action in excluded)

    def allows(self, action: str) -> bool:
        """Whether any role grants the action without excluding it."""
        return any(_covers(allowed, action) and not _covers(excluded, action) for allowed, excluded in self.roles)


def permissions(az: AzureSession, subscription: str) -> Permissions:
    """What the signed-in identity may do in the subscription."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/permissions"
    with translated("read the portal's own rights"):
        answer = ask(az, subscription, "GET", path, PERMISSIONS_API)
        roles = [
            (tuple(role.get("actions") or ()), tuple(role.get("notActions") or ())) for role in answer.get("value", [])
        ]
    return Permissions(tuple(roles))


def provider_states(az: AzureSession, subscription: str, namespaces: Iterable[str]) -> dict[str, str]:
    """Registration of each resource provider: Registered, NotRegistered, Registering, Unregistering."""
    with translated("see which Azure services the subscription is registered for"):
        providers = az.resources(subscription).providers
        return {name: word(providers.get(name).registration_state) for name in namespaces}


def register_provider(az: AzureSession, subscription: str, namespace: str) -> None:
    """Start registering a resource provider; takes minutes, look with `provider_states`."""
    with translated(f"register the subscription for {namespace}"):
        az.resources(subscription).providers.register(namespace)


def _covers(patterns: Iterable[str], action: str) -> bool:
    return any(re.fullmatch(re.escape(p).replace(r"\*", ".*"), action, re.IGNORECASE) for p in patterns)
