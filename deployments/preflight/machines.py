"""What the hub runs on: machine sizes, cores, public addresses, Kubernetes versions, the cluster's tier."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.naming import Names
from deployments.preflight import letters
from deployments.preflight.facts import Check, CoresFact, Facts, Finding, SizeFact, error, warning
from deployments.spec import HubSpec

#: Azure's advice for the machines that a cluster's own parts run on, and the least that it takes.
ADVISED_CPUS = 4
LEAST_CPUS, LEAST_GIB = 2, 4
FREE_TIER_NODES = 10
#: The cluster speaks to the world from one address, people reach the hub at another.
ADDRESSES = 2


def _pools(spec: HubSpec) -> list[tuple[str, str, int, str]]:
    """(size, its field, how many at the most, the count's field) of every pool."""
    pools = [(spec.node_size, "node_size", spec.node_count, "node_count")]
    if spec.has_user_pool:
        pools.append((spec.user_node_size, "user_node_size", spec.user_nodes_max, "user_nodes_max"))
    return pools


def _size(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.sizes is None:
        return
    for name, field, _count, _count_field in _pools(spec):
        size = facts.sizes.get(name)
        if size is None:
            yield error(
                "size-not-offered",
                f"Azure does not offer {name} to this subscription in {spec.region}.",
                "Choose another node size or region.",
                field,
            )
        elif size.restricted:
            yield error(
                "size-restricted",
                f"Azure has closed {name} in {spec.region} for this subscription.",
                "Choose another node size or region, or ask Azure to open it.",
                field,
            )
    own = facts.sizes.get(spec.node_size)
    if own and (own.vcpus < LEAST_CPUS or 0 < own.memory_gib < LEAST_GIB):
        yield error(
            "size-too-small",
            f"{spec.node_size} is too small for the nodes that a cluster's own parts run on.",
            f"Choose a size with at least {LEAST_CPUS} CPUs and {LEAST_GIB} GB of memory.",
            "node_size",
        )


def _advice(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    size = (facts.sizes or {}).get(spec.node_size)
    if size is None:
        return
    if spec.node_size.startswith("Standard_B"):
        yield warning(
            "size-burstable",
            f"{spec.node_size} slows down after some time of full use; Azure advises against it for clusters.",
            "Choose a size of the D series if you can.",
            "node_size",
        )
    elif size.vcpus < ADVISED_CPUS and _has_room(facts, size, spec):
        yield warning(
            "size-small",
            f"Azure advises at least {ADVISED_CPUS} CPUs for the nodes that a cluster's own parts run on.",
            "Two CPUs are enough to try things out; for a workshop choose a size with four.",
            "node_size",
        )


def _has_room(facts: Facts, size: SizeFact, spec: HubSpec) -> bool:
    cores = (facts.quotas or {}).get("cores")
    return cores is not None and cores.limit - cores.used >= ADVISED_CPUS * spec.node_count


def _quota(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.sizes is None or facts.quotas is None or (facts.own_cluster_exists and facts.own_cores is None):
        return
    needs: dict[str, int] = {}
    surge = 0
    for name, _field, count, _count_field in _pools(spec):
        if size := facts.sizes.get(name):
            surge = max(surge, size.vcpus)
            for key in ("cores", size.family.lower()):
                needs[key] = needs.get(key, 0) + size.vcpus * count
    for key, needed in needs.items():
        own = (facts.own_cores or {}).get(key, 0)
        if needed > own:
            yield from _quota_of(facts, spec, key, needed - own, surge)


def _quota_of(facts: Facts, spec: HubSpec, key: str, needed: int, surge: int) -> Iterator[Finding]:
    quota = (facts.quotas or {}).get(key) or CoresFact(key, 0, 0)
    more = " more" if facts.own_cluster_exists else ""
    if quota.left < needed:
        yield error(
            "quota" if key == "cores" else "quota-family",
            f"This hub needs {needed}{more} cores; of “{quota.label}” only {quota.left} are left in {spec.region}.",
            "Choose fewer or smaller nodes or another region, or ask Azure for more quota.",
            "node_count",
            letters.more_quota(facts, spec, quota, needed),
        )
    elif quota.left < needed + surge:
        yield warning(
            "quota-surge",
            f"Of “{quota.label}” {quota.left - needed} cores stay free: an upgrade needs {surge} for a spare node.",
            "Ask Azure for more quota before you upgrade.",
            "node_count",
        )


def _addresses(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    quota = facts.addresses
    if quota is None or facts.own_cluster_exists or quota.left >= ADDRESSES:
        return
    yield error(
        "addresses",
        f"A hub needs {ADDRESSES} public addresses; of “{quota.label}” only {quota.left} are left in {spec.region}.",
        "Choose another region, take down a hub that nobody needs any more, or ask Azure for more quota.",
        "region",
        letters.more_quota(facts, spec, quota, ADDRESSES),
    )


def _version(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if not facts.versions or spec.kubernetes_version in facts.versions or _runs_already(facts, spec):
        return
    if spec.kubernetes_version in facts.previews:
        yield error(
            "version-preview",
            f"Kubernetes {spec.kubernetes_version} is only a preview in {spec.region}.",
            f"Choose one of {', '.join(facts.versions)}.",
            "kubernetes_version",
        )
        return
    if spec.kubernetes_version in facts.long_term:
        yield error(
            "version-long-term",
            f"Kubernetes {spec.kubernetes_version} is only for clusters with paid long-term support.",
            f"Choose one of {', '.join(facts.versions)}.",
            "kubernetes_version",
        )
        return
    yield error(
        "version-not-offered",
        f"Azure does not offer Kubernetes {spec.kubernetes_version} in {spec.region} any more.",
        f"Choose one of {', '.join(facts.versions)}.",
        "kubernetes_version",
    )


def _runs_already(facts: Facts, spec: HubSpec) -> bool:
    """Whether the hub's own cluster has this version, or a newer patch that Azure has put in by itself."""
    if not facts.own_cluster_exists:
        return False
    return not facts.own_version or _number(spec.kubernetes_version) <= _number(facts.own_version)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _tier(_facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    nodes = spec.node_count + (spec.user_nodes_max if spec.has_user_pool else 0)
    if spec.tier == "Free" and nodes >= FREE_TIER_NODES:
        yield warning(
            "tier-free",
            f"The Free tier is meant for clusters of fewer than {FREE_TIER_NODES} nodes; this hub may have {nodes}.",
            "Choose the Standard tier for a hub that people rely on.",
            "tier",
        )


CHECKS: tuple[Check, ...] = (_size, _advice, _quota, _addresses, _version, _tier)
