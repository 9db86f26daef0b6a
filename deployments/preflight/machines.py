"""What the hub runs on: machine sizes, cores, public addresses, Kubernetes versions, the cluster's tier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
                f"Azure does not offer {name} to this subscription in {facts.place(spec)}.",
                "Choose another node size or region.",
                field,
            )
        elif size.restricted:
            yield error(
                "size-restricted",
                f"Azure has closed {name} in {facts.place(spec)} for this subscription.",
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


def cores_of(spec: HubSpec, sizes: Mapping[str, SizeFact]) -> dict[str, int]:
    """The cores that such a hub takes at the most, by the quota that they count against."""
    needs: dict[str, int] = {}
    for name, _field, count, _count_field in _pools(spec):
        if size := sizes.get(name):
            for key in ("cores", size.family.lower()):
                needs[key] = needs.get(key, 0) + size.vcpus * count
    return needs


def _quota(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.sizes is None or facts.quotas is None or (facts.own_cluster_exists and facts.own_cores is None):
        return
    tightest: tuple[int, CoresFact] | None = None
    for key, needed in cores_of(spec, facts.sizes).items():
        quota, more = facts.quotas.get(key) or CoresFact(key, 0, 0), needed - (facts.own_cores or {}).get(key, 0)
        if 0 < more > quota.left:
            yield _too_many_cores(facts, spec, key, quota, more)
        elif more > 0 and (tightest is None or quota.left - more < tightest[0]):
            tightest = quota.left - more, quota
    if tightest:
        yield from _surge(facts, spec, *tightest)


def _too_many_cores(facts: Facts, spec: HubSpec, key: str, quota: CoresFact, needed: int) -> Finding:
    more = " more" if facts.own_cluster_exists else ""
    return error(
        "quota" if key == "cores" else "quota-family",
        f"This hub needs {needed}{more} cores; of “{quota.label}” only {quota.left} are left in {facts.place(spec)}.",
        f"{_room(facts, spec, quota)}Choose fewer or smaller nodes or another region, or ask Azure for more quota.",
        "node_count",
        letters.more_quota(facts, spec, quota, needed),
    )


def _surge(facts: Facts, spec: HubSpec, free: int, quota: CoresFact) -> Iterator[Finding]:
    """An upgrade puts a spare node beside those that are there."""
    needed = max((size.vcpus for name, *_ in _pools(spec) if (size := (facts.sizes or {}).get(name))), default=0)
    if free < needed:
        yield warning(
            "quota-surge",
            f"Of “{quota.label}” {free} cores stay free: an upgrade needs {needed} for a spare node.",
            "Ask Azure for more quota before you upgrade.",
            "node_count",
        )


def _room(facts: Facts, spec: HubSpec, quota: CoresFact) -> str:
    """How many nodes would fit, where all are of one size."""
    size = (facts.sizes or {}).get(spec.node_size)
    if size is None or not size.vcpus or spec.has_user_pool:
        return ""
    fits = quota.left // size.vcpus
    return (
        f"There is room for {fits} more of this size. "
        if facts.own_cluster_exists
        else f"Only {fits} of this size fit. "
    )


def _addresses(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    quota = facts.addresses
    if quota is None or facts.own_cluster_exists or quota.left >= ADDRESSES:
        return
    yield error(
        "addresses",
        f"A hub needs {ADDRESSES} public addresses: of “{quota.label}” {quota.left} are left in {facts.place(spec)}.",
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
            f"Kubernetes {spec.kubernetes_version} is only a preview in {facts.place(spec)}.",
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
        f"Azure does not offer Kubernetes {spec.kubernetes_version} in {facts.place(spec)} any more.",
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
