"""The node pools of a cluster that stands: look, make or change, delete. Nothing here waits."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cloud.azure.clusters import ABSENT_CODES, Cluster, NodePool, cluster_seen, pool_body
from cloud.azure.enums import word
from cloud.azure.session import AzureSession
from cloud.azure.translate import error_code, translated

#: What Azure says when there is nothing to abort.
AT_REST = {"OperationNotAllowed", "Conflict"}


@dataclass(frozen=True, slots=True)
class PoolFound:
    """A pool as Azure sees it; `state` is ARM's provisioningState. `count` moves by itself where it autoscales."""

    name: str
    mode: str
    count: int
    vm_size: str
    version: str
    state: str
    autoscales: bool = False
    min_count: int | None = None
    max_count: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterWithPools:
    """A cluster as a list shows it: its pools come with it."""

    cluster: Cluster
    pools: tuple[PoolFound, ...]


def list_clusters(az: AzureSession, subscription: str) -> list[ClusterWithPools]:
    """Every cluster of the subscription with its pools, by one list."""
    with translated("list the clusters"):
        found = az.clusters(subscription).managed_clusters.list()
        return [ClusterWithPools(cluster_seen(each), _pools(_profiles(each))) for each in found]


def list_pools(az: AzureSession, subscription: str, group: str, cluster: str) -> list[PoolFound]:
    """All pools of the cluster, by name."""
    with translated(f"look at the nodes of {cluster}"):
        return list(_pools(az.clusters(subscription).agent_pools.list(group, cluster)))


def put_pool(az: AzureSession, subscription: str, group: str, cluster: str, pool: NodePool, version: str = "") -> None:
    """Begin to make the pool, or to bring the one of that name to this number, range and version."""
    from cloud.azure.polling import StepPolling

    with translated(f"change the nodes “{pool.name}” of {cluster}"):
        properties = {key: value for key, value in pool_body(pool).items() if key != "name"}
        if version:
            properties["orchestratorVersion"] = version
        body: Any = {"properties": properties}
        pools = az.clusters(subscription).agent_pools
        polling: Any = StepPolling()
        pools.begin_create_or_update(group, cluster, pool.name, body, polling=polling)


def delete_pool(az: AzureSession, subscription: str, group: str, cluster: str, name: str) -> None:
    """Begin to delete the pool; one that is gone already is fine."""
    from azure.core.exceptions import ResourceNotFoundError

    from cloud.azure.polling import StepPolling

    with translated(f"remove the nodes “{name}” of {cluster}"):
        polling: Any = StepPolling()
        try:
            az.clusters(subscription).agent_pools.begin_delete(group, cluster, name, polling=polling)
        except ResourceNotFoundError as exc:
            if error_code(exc) not in ABSENT_CODES:
                raise


def abort_pool(az: AzureSession, subscription: str, group: str, cluster: str, name: str) -> None:
    """Ask Azure to stop what it is doing to the pool; one that is gone, or at rest by now, is fine."""
    from azure.core.exceptions import HttpResponseError

    from cloud.azure.polling import StepPolling

    with translated(f"stop the change of the nodes “{name}” of {cluster}"):
        polling: Any = StepPolling()
        try:
            az.clusters(subscription).agent_pools.begin_abort_latest_operation(group, cluster, name, polling=polling)
        except HttpResponseError as exc:
            if error_code(exc) not in ABSENT_CODES | AT_REST:
                raise


def _profiles(found: Any) -> Iterable[Any]:
    return found.properties.agent_pool_profiles or ()


def _pools(items: Iterable[Any]) -> tuple[PoolFound, ...]:
    return tuple(sorted((_pool(item) for item in items), key=lambda pool: pool.name))


def _pool(item: Any) -> PoolFound:
    properties = item.properties if getattr(item, "properties", None) is not None else item
    return PoolFound(
        name=item.name or "",
        mode=word(properties.mode),
        count=properties.count or 0,
        vm_size=properties.vm_size or "",
        version=properties.current_orchestrator_version or properties.orchestrator_version or "",
        state=word(properties.provisioning_state),
        autoscales=bool(properties.enable_auto_scaling),
        min_count=properties.min_count,
        max_count=properties.max_count,
        labels=dict(properties.node_labels or {}),
        taints=tuple(properties.node_taints or ()),
    )
