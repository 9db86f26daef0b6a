"""What Azure lets the portal do: the subscription, rights, services, policies, the vault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deployments.naming import Names
from deployments.preflight import letters
from deployments.preflight.facts import Check, Denial, Facts, Finding, error, warning
from deployments.preflight.words import listed
from deployments.roles import (
    BASE_ACTIONS,
    GIVING,
    NEEDED_PROVIDERS,
    REGISTER_ACTION,
    REGISTRY_ACTIONS,
    REGISTRY_PROVIDER,
)
from deployments.spec import HubSpec

#: How a right begins → what it is about.
KINDS = {
    "Microsoft.Resources/": "resource groups",
    "Microsoft.ContainerService/": "Kubernetes clusters",
    "Microsoft.ContainerRegistry/": "container registries",
    "Microsoft.Authorization/": "roles",
}
#: So many things are named one by one; of more only the kinds are.
FEW = 2
ON, COMING = "Registered", "Registering"


def needed_actions(spec: HubSpec) -> dict[str, str]:
    return BASE_ACTIONS | (REGISTRY_ACTIONS if spec.registry == "acr" else {})


def needed_providers(spec: HubSpec) -> tuple[str, ...]:
    return (*NEEDED_PROVIDERS, REGISTRY_PROVIDER) if spec.registry == "acr" else NEEDED_PROVIDERS


def _subscription(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.subscription_seen is False:
        yield error(
            "subscription-unseen",
            "Slipway's identity does not see this subscription: it has no role there, or the subscription is gone.",
            "Send the text below to whoever owns the subscription, or choose another one.",
            "subscription_id",
            letters.role(facts, spec, ["worker"]),
        )
    elif facts.subscription_state not in (None, "Enabled", "Warned"):
        yield error(
            "subscription-disabled",
            f"The subscription {facts.subscription_name} is {str(facts.subscription_state).lower()}:"
            " Azure makes nothing there.",
            "Choose another subscription, or ask its owner to enable it in the Azure portal.",
            "subscription_id",
        )


def _rights(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.allows is None:
        return
    missing = {action: what for action, what in needed_actions(spec).items() if not facts.allows(action)}
    if not missing:
        return
    roles = ["registry access" if action.startswith(GIVING) else "worker" for action in missing]
    yield error(
        "rights-missing",
        f"Slipway may not {_together(missing)} in {facts.subscription_name}.",
        f"Send the text below to whoever owns the subscription: Slipway needs {letters.named(facts, roles)} there.",
        "subscription_id",
        letters.role(facts, spec, roles, list(missing)),
    )


def _together(missing: Mapping[str, str]) -> str:
    """What may not be done: each thing, or, where that would be a long list, the kinds of things."""
    if len(missing) <= FEW:
        return listed(list(missing.values()), "or")
    kinds = [what for start, what in KINDS.items() if any(action.startswith(start) for action in missing)]
    return f"make and remove {listed(kinds, 'or')}"


def _providers(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.providers is None:
        return
    missing = [name for name in needed_providers(spec) if facts.providers.get(name) not in (ON, COMING)]
    if not missing:
        return
    if facts.allows is not None and all(facts.allows(f"{name}{REGISTER_ACTION}") for name in missing):
        yield warning(
            "provider-registers",
            f"The subscription {facts.subscription_name} has not switched on {listed(missing)} yet.",
            "Nothing to do: Slipway switches this on first when the hub is built. It costs nothing and takes some"
            " minutes.",
            "subscription_id",
        )
        return
    yield error(
        "provider-not-registered",
        f"The subscription {facts.subscription_name} has not switched on {listed(missing)}, and Slipway may not do it.",
        "Send the text below to whoever owns the subscription. It costs nothing and takes some minutes.",
        "subscription_id",
        letters.register(facts, spec, missing),
    )


def _policies(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    yield from _by_size(facts, spec, "node_size", spec.node_size)
    if spec.has_user_pool and spec.user_node_size != spec.node_size:
        yield from _by_size(facts, spec, "user_node_size", spec.user_node_size)
    whole: dict[str, list[str]] = {}
    for denial in facts.denials:
        if not denial.sizes and _is_there(denial, spec):
            whole.setdefault(denial.policy, []).append(denial.refuses)
    for policy, refused in whole.items():
        several = list(dict.fromkeys(refused))
        things = listed(several, "or")
        told = f"{things} like this" if len(several) <= FEW else "what a hub is made of"
        yield error(
            "policy-denies",
            f"The policy “{policy}” of {facts.subscription_name} does not allow {told} in {facts.place(spec)}.",
            "Choose what the policy allows, often another region; or send the text below to who runs Azure for you.",
            "region",
            letters.exempt(facts, spec, policy, things),
        )


def _by_size(facts: Facts, spec: HubSpec, field: str, size: str) -> Iterator[Finding]:
    policies = [each.policy for each in facts.denials if size in each.sizes and _is_there(each, spec)]
    for policy in dict.fromkeys(policies):
        yield error(
            "policy-denies-size",
            f"The policy “{policy}” of {facts.subscription_name} does not allow machines of the size {size}.",
            "Choose another node size, or send the text below to who runs Azure for you.",
            field,
            letters.exempt(facts, spec, policy, f"machines of the size {size}"),
        )


def _is_there(denial: Denial, spec: HubSpec) -> bool:
    return not denial.regions or spec.region in denial.regions


def _vault(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    told = {
        "refused": error(
            "vault-refused",
            "Slipway's worker may not read this hub's secrets in the vault.",
            "Send the text below to whoever runs Slipway, then press Retry.",
            letter=letters.vault_role(facts),
        ),
        "missing": error(
            "secret-missing",
            "A secret of this hub is not in the vault any more.",
            "Give it anew under Renew secrets on the hub's page."
            if facts.own_cluster_exists
            else "Take the hub down and request it anew: what was typed is kept nowhere else.",
        ),
        "deleted": error(
            "vault-deleted",
            f"The vault {facts.vault_name} was deleted, and with it everything that this hub needs to sign in.",
            "Ask whoever runs Slipway to recover it: Azure keeps a deleted vault for some weeks. Then press Retry.",
        ),
    }
    if finding := told.get(facts.vault or ""):
        yield finding


def _unseen(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if not facts.unseen:
        return
    rights = [each.right for each in facts.unseen if each.right]
    yield warning(
        "not-looked",
        f"Slipway could not look at {listed([each.what for each in facts.unseen])}.",
        "What is wrong there would only show while the hub is made."
        + (" To have it checked before, send the text below to whoever owns the subscription." if rights else ""),
        "",
        letters.role(facts, spec, ["worker"], rights) if rights else "",
    )


#: What must be in order before anything else can be looked at.
GATE: tuple[Check, ...] = (_subscription, _rights, _providers)
CHECKS: tuple[Check, ...] = (*GATE, _policies, _vault, _unseen)
