"""HubSpec → the node pools of its cluster. Pure."""

from __future__ import annotations

from cloud.azure.clusters import NodePool
from deployments.spec import HubSpec

CORE, USER = "core", "user"
USER_LABELS = {"hub.jupyter.org/node-purpose": "user"}
#: Only people's sessions and builds bear this taint.
USER_TAINT = "hub.jupyter.org_dedicated=user:NoSchedule"


def wanted_pools(spec: HubSpec) -> tuple[NodePool, ...]:
    """One pool for everything; or one for the hub's own parts and one for sessions that comes and goes by need."""
    disk = spec.os_disk_gib or None
    core = NodePool(name=CORE, mode="System", count=spec.node_count, vm_size=spec.node_size, os_disk_gb=disk)
    if not spec.has_user_pool:
        return (core,)
    user = NodePool(
        name=USER,
        mode="User",
        count=spec.user_nodes_min,
        vm_size=spec.user_node_size,
        min_count=spec.user_nodes_min,
        max_count=spec.user_nodes_max,
        labels=USER_LABELS,
        taints=(USER_TAINT,),
        os_disk_gb=disk,
    )
    return (core, user)
