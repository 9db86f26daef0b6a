"""Texts to send to whoever can mend what a researcher cannot: what is asked for, why, and exactly how. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from deployments.preflight.facts import CoresFact, Facts
from deployments.preflight.words import listed
from deployments.spec import HubSpec

WHY = (
    "Slipway, our portal for BinderHubs, makes one resource group with a Kubernetes cluster there for each request that"
    " is approved, and removes it again."
)


def role(facts: Facts, spec: HubSpec, roles: Sequence[str], lacking: Sequence[str] = ()) -> str:
    """Asks for roles on the subscription."""
    command = [
        f"az role assignment create --assignee-object-id {facts.object_id} --assignee-principal-type ServicePrincipal"
        f' --role "{each}" --scope /subscriptions/{spec.subscription_id}'
        for each in roles
        if facts.object_id
    ]
    return _letter(
        f"Please give {facts.identity} the role {listed(roles)} on the Azure subscription"
        f" {_subscription(facts, spec)}.",
        WHY,
        f"In the Azure portal: Subscriptions, {facts.subscription_name}, Access control (IAM), Add role assignment.",
        "Or on the command line:\n" + "\n".join(command) if command else "",
        f"It lacks now: {', '.join(lacking)}" if lacking else "",
    )


def register(facts: Facts, spec: HubSpec, providers: Sequence[str]) -> str:
    """Asks to switch services on."""
    commands = "\n".join(f"az provider register --namespace {name}" for name in providers)
    return _letter(
        f"Please register these resource providers in the Azure subscription {_subscription(facts, spec)}:"
        f" {', '.join(providers)}.",
        f"{WHY} Azure makes nothing of a kind that is not registered; registering costs nothing.",
        f"In the Azure portal: Subscriptions, {facts.subscription_name}, Resource providers, Register.",
        f"Or on the command line:\naz account set --subscription {spec.subscription_id}\n{commands}",
    )


def exempt(facts: Facts, spec: HubSpec, policy: str, refused: str) -> str:
    """Asks for an exemption from a policy."""
    return _letter(
        f"The policy “{policy}” refuses {refused} in the Azure subscription {_subscription(facts, spec)},"
        f" region {facts.place(spec)}.",
        f"{WHY} Could you exempt from it the resource groups whose names begin with slipway- and MC_slipway-, where"
        " Azure keeps their machines? Or tell us what it would allow.",
    )


def more_quota(facts: Facts, spec: HubSpec, quota: CoresFact, needed: int) -> str:
    """Asks for a higher quota."""
    return _letter(
        f"Please ask Azure for more of “{quota.label}” in {facts.place(spec)} for the subscription"
        f" {_subscription(facts, spec)}: {quota.used} of {quota.limit} are in use, and {needed} more are needed.",
        "In the Azure portal: Quotas, the provider's name, the row of that name, Request increase. Small increases are"
        " often granted within minutes.",
    )


def vault_role(facts: Facts) -> str:
    """Asks for a role on the vault."""
    return _letter(
        f"Please give {facts.identity} the role Key Vault Secrets Officer on the vault {facts.vault_name}.",
        "Slipway's worker reads the secrets of each hub from it, and removes them when the hub is gone.",
    )


def _subscription(facts: Facts, spec: HubSpec) -> str:
    known = facts.subscription_name != Facts.subscription_name
    return f"{facts.subscription_name} ({spec.subscription_id})" if known else spec.subscription_id


def _letter(*paragraphs: str) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
