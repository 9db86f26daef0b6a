"""Which parts a prepared subscription has, in the order in which they must be made."""

from __future__ import annotations

from deployments.roles import PROVIDERS, ROLES, VAULT_PROVIDER
from worker.connect.parts import Definition, Given, Group, Part, PortalVault, Provider, Wanted

#: A new role is not known to all of Azure at once (seconds).
SPREADING = 60


def parts(wanted: Wanted) -> list[Part]:
    """Everything, first what the rest needs."""
    subscriptions = tuple(f"/subscriptions/{each}" for each in wanted.subscriptions)
    home = (f"/subscriptions/{wanted.home}",)
    scopes = {"worker": subscriptions, "registry access": subscriptions, "worker secrets": home, "web secrets": home}
    return [
        Provider(wanted.home, VAULT_PROVIDER),
        *(Provider(each, name) for each in wanted.subscriptions for name in PROVIDERS),
        Group(wanted),
        PortalVault(wanted),
        *(Definition(wanted, role, scopes[key]) for key, role in ROLES.items()),
        *(
            Given(wanted, ROLES[key], wanted.worker, scope)
            for scope in subscriptions
            for key in ("worker", "registry access")
        ),
        Given(wanted, ROLES["worker secrets"], wanted.worker, wanted.vault_id),
        Given(wanted, ROLES["web secrets"], wanted.web, wanted.vault_id),
    ]


def script(found: list[Part]) -> str:
    """All commands as one script for somebody who has the right to run them."""
    lines = ["#!/bin/sh", "# Prepares Azure for Slipway. Run it in the folder where its files are.", "set -eu", ""]
    for part in found:
        if isinstance(part, Given) and "sleep" not in " ".join(lines):
            lines += [f"sleep {SPREADING}  # until Azure knows the new roles everywhere", ""]
        lines += [f"# {part.title}", part.command(), ""]
    return "\n".join(lines)


def files(found: list[Part]) -> dict[str, str]:
    """The script and what it reads."""
    return {name: text for part in found for name, text in part.files().items()} | {"connect.sh": script(found)}
