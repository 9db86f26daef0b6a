"""Every name the hub's things will have: its rules, and whether it is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deployments import naming
from deployments.naming import OWNER_TAG, Names
from deployments.preflight.facts import Check, Facts, Finding, error
from deployments.spec import HubSpec

NODE_GROUP_LENGTH = 80
CLUSTER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
DNS_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
REGISTRY = re.compile(r"[a-z0-9]{5,50}")


def is_dns_label(label: str) -> bool:
    return bool(DNS_LABEL.fullmatch(label))


def _rules(_facts: Facts, spec: HubSpec, names: Names) -> Iterator[Finding]:
    if problem := naming.problem_with_hub_name(spec.name):
        yield error("name-refused", problem, "Choose another hub name.", "name")
        return
    node_group = f"MC_{names.group}_{names.cluster}_{spec.region}"
    fits = {
        f"resource group {names.group}": len(names.group) <= 90,
        f"cluster {names.cluster}": bool(CLUSTER.fullmatch(names.cluster)),
        f"address {names.dns_label}": is_dns_label(names.dns_label),
        f"registry {names.registry}": bool(REGISTRY.fullmatch(names.registry)),
        f"node group {node_group}": len(node_group) <= NODE_GROUP_LENGTH,
    }
    for what, good in fits.items():
        if not good:
            yield error(
                "name-derived",
                f"With this hub name Azure would refuse the name of the {what}.",
                "Choose a shorter hub name of small letters, digits and single hyphens.",
                "name",
            )


def _group(facts: Facts, _spec: HubSpec, names: Names) -> Iterator[Finding]:
    if facts.taken_group_owner is not None and facts.taken_group_owner != names.owner:
        yield error(
            "group-taken",
            f"A resource group called {names.group} exists already and is not ours (no tag {OWNER_TAG}).",
            "Choose another hub name.",
            "name",
        )


def _unique(facts: Facts, spec: HubSpec, names: Names) -> Iterator[Finding]:
    if facts.dns_label is not None and not facts.dns_label.available and not facts.own_cluster_exists:
        yield error(
            "dns-label-taken",
            f"The address {names.dns_label} is in use in {facts.place(spec)}. {facts.dns_label.reason}".strip(),
            "Choose another hub name.",
            "name",
        )
    if spec.registry == "acr" and facts.registry_name is not None and not facts.registry_name.available:
        yield error(
            "registry-name-taken",
            f"A container registry called {names.registry} exists already. {facts.registry_name.reason}".strip(),
            "Choose another hub name.",
            "name",
        )


CHECKS: tuple[Check, ...] = (_rules, _group, _unique)
