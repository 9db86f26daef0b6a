"""Texts to send to whoever can mend what a researcher cannot: what is asked for, why, and exactly how. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from deployments.preflight.facts import CoresFact, Facts
from deployments.preflight.words import listed
from deployments.roles import ROLES, Role
from deployments.spec import HubSpec

WHY = (
    "Slipway, our portal for BinderHubs, makes one resource group with a Kubernetes cluster there for each request that"
    " is approved, and removes it again."
)


LEAST = (
    "No role that comes with Azure holds as little as Slipway needs: what it asks for is made for it alone. Where Azure"
    " does not know it yet, whoever runs Slipway has a script for you to read and to run:"
)


def named(facts: Facts, roles: Iterable[str]) -> str:
    """The portal's own roles by the names that they have in Azure."""
    names = [f"“{_name(facts, ROLES[each])}”" for each in dict.fromkeys(roles)]
    return f"the {'role' if len(names) == 1 else 'roles'} {listed(names)}"


def role(facts: Facts, spec: HubSpec, roles: Iterable[str], lacking: Sequence[str] = ()) -> str:
    """Asks for some of the portal's own roles on the subscription."""
    wanted = [ROLES[each] for each in dict.fromkeys(roles)]
    commands = [_command(facts, each, spec.subscription_id) for each in wanted if facts.object_id]
    bound = ", with the condition below" if any(each.condition for each in wanted) else ""
    return _letter(
        f"Please give {facts.identity} {named(facts, roles)} on the Azure subscription {_subscription(facts, spec)}.",
        WHY,
        f"In the Azure portal: Subscriptions, {facts.subscription_name}, Access control (IAM), Add role assignment"
        f"{bound}.",
        "Or on the command line:\n" + "\n".join(commands) if commands else "",
        f"{LEAST} manage.py connect_azure --subscription {spec.subscription_id} … --write FOLDER.",
        f"It lacks now: {', '.join(lacking)}" if lacking else "",
        *(_contents(facts, each) for each in wanted),
    )


def _name(facts: Facts, role: Role) -> str:
    known = facts.vault_name != Facts.vault_name
    return role.name(facts.vault_name) if known else f"Slipway {role.key}"


def _command(facts: Facts, role: Role, subscription: str) -> str:
    bound = f" --condition-version 2.0 --condition {shlex.quote(role.condition)}" if role.condition else ""
    return (
        f"az role assignment create --assignee-object-id {facts.object_id} --assignee-principal-type ServicePrincipal"
        f' --role "{_name(facts, role)}" --scope /subscriptions/{subscription}{bound}'
    )


def _contents(facts: Facts, role: Role) -> str:
    """Everything that its holder may do."""
    rights = sorted({**role.actions, **role.data_actions}.items())
    bound = [f"Its condition, so that it gives and takes AcrPull alone: {role.condition}"] if role.condition else []
    return "\n".join([f"“{_name(facts, role)}” holds:", *(f"{action}: {why}" for action, why in rights), *bound])


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
        f"Please give {facts.identity} {named(facts, ['worker secrets'])} on the vault {facts.vault_name}.",
        "Slipway's worker reads the secrets of each hub from it, and removes them when the hub is gone."
        " manage.py connect_azure --apply gives the role to the worker, and makes it where it is missing.",
        _contents(facts, ROLES["worker secrets"]),
    )


def _subscription(facts: Facts, spec: HubSpec) -> str:
    known = facts.subscription_name != Facts.subscription_name
    return f"{facts.subscription_name} ({spec.subscription_id})" if known else spec.subscription_id


def _letter(*paragraphs: str) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
