"""How much one person may have, which repositories may be built, and on which nodes."""

from __future__ import annotations

import re
from typing import Any

from deployments.spec import HubSpec

USER_NODES = {"hub.jupyter.org/node-purpose": "user"}


def limit_values(spec: HubSpec) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if spec.most_sessions:
        config["LaunchQuota"] = {"total_quota": spec.most_sessions}
    if lists := _repository_lists(spec):
        # Set on the common base of all providers: a repository must not come in by another door.
        config["RepoProvider"] = lists
    jupyterhub: dict[str, Any] = {}
    if singleuser := _sizes(spec):
        jupyterhub["singleuser"] = singleuser
    if spec.idle_minutes:
        seconds = spec.idle_minutes * 60
        jupyterhub["cull"] = {"timeout": seconds, "every": min(600, max(60, seconds // 2))}
    return _without_empty({"config": config, "jupyterhub": jupyterhub})


def node_values(spec: HubSpec) -> dict[str, Any]:
    """With a pool of their own, people's sessions and builds go there and nowhere else."""
    if not spec.has_user_pool:
        return {}
    purpose = {"nodeAffinity": {"matchNodePurpose": "require"}}
    return {
        # The chart puts its builder on the same nodes by this.
        "config": {"BinderHub": {"build_node_selector": USER_NODES}},
        "jupyterhub": {"scheduling": {"userPods": purpose}},
    }


def _sizes(spec: HubSpec) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    if spec.user_memory_gib:
        sizes["memory"] = {"limit": f"{spec.user_memory_gib:g}G", "guarantee": f"{spec.user_memory_gib / 2:g}G"}
    if spec.user_cpus:
        sizes["cpu"] = {"limit": spec.user_cpus, "guarantee": spec.user_cpus / 4}
    return sizes


def _repository_lists(spec: HubSpec) -> dict[str, list[str]]:
    lists = {
        "allowed_specs": [pattern(name) for name in spec.allowed_repositories],
        "banned_specs": [pattern(name) for name in spec.banned_repositories],
    }
    return {key: patterns for key, patterns in lists.items() if patterns}


def pattern(repository: str) -> str:
    """The expression for `owner/name` or `owner/*`, as GitHub's name or as a Git address of it (percent-encoded)."""
    owner, _, name = repository.partition("/")
    slash = r"(/|%2F)"
    end = r"(\.git)?(/|%2F|$)" if name and name != "*" else ""
    rest = re.escape(name) + end if name and name != "*" else ""
    return rf"^(https?(:|%3A){slash}{slash}github\.com{slash})?{re.escape(owner)}{slash}{rest}"


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
