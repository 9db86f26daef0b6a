"""One subscription at one moment, by a few lists that all its hubs share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cloud.azure import groups, node_pools, vaults
from cloud.azure.groups import ResourceGroup, TaggedResource
from cloud.azure.node_pools import ClusterWithPools
from cloud.azure.session import NOT_REGISTERED, AzureSession
from cloud.azure.vaults import DeletedVault
from cloud.errors import SlipwayError

T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """What Azure's lists show. `at` is from before the first of them: what was made later may be missing in some."""

    place: str
    at: datetime
    groups: dict[str, ResourceGroup]
    resources: list[TaggedResource]
    clusters: dict[str, ClusterWithPools]
    deleted_vaults: list[DeletedVault]

    def group(self, cloud_id: str) -> ResourceGroup | None:
        return self.groups.get(cloud_id.lower())

    def cluster(self, cloud_id: str) -> ClusterWithPools | None:
        return self.clusters.get(cloud_id.lower())

    def has(self, cloud_id: str) -> bool:
        wanted = cloud_id.lower()
        return any(each.id.lower() == wanted for each in self.resources)


def look(az: AzureSession, subscription: str, at: datetime) -> Seen:
    """A fresh look. Azure writes the same id in different cases: ours are in small letters."""
    return Seen(
        place=subscription.lower(),
        at=at,
        groups=_by_id(groups.list_groups(az, subscription)),
        resources=groups.list_all(az, subscription),
        clusters={
            each.cluster.id.lower(): each
            for each in _where_switched_on(lambda: node_pools.list_clusters(az, subscription))
        },
        deleted_vaults=_where_switched_on(lambda: vaults.list_deleted_vaults(az, subscription)),
    )


def _where_switched_on(look: Callable[[], list[T]]) -> list[T]:
    """A subscription that has not switched a service on has nothing of it: Azure refuses to list that nothing."""
    try:
        return look()
    except SlipwayError as error:
        if error.code == NOT_REGISTERED:
            return []
        raise


def _by_id(found: Iterable[ResourceGroup]) -> dict[str, ResourceGroup]:
    return {group.id.lower(): group for group in found}
