"""Hubs whose cloud is gone although nobody took them down here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloud.azure import clusters, groups
from cloud.azure.session import AzureSession
from deployments.models import Deployment, Resource
from deployments.states import DiscrepancyKind
from worker.steps import cluster as made_cluster
from worker.steps import group as made_group
from worker.survey.seen import Seen
from worker.survey.told import Told


def gone(az: AzureSession, seen: Seen, hubs: Iterable[Deployment]) -> list[Told]:
    """Those of whose group or cluster Azure says that there is none. Lists may lag: each is asked for by its name."""
    told = []
    for hub in hubs:
        rows = [row for row in hub.resources.all() if row.seen_at is not None and row.gone_at is None]
        missing = [row for row in rows if _missing(az, seen, hub, row)]
        if missing:
            told.append(Told(DiscrepancyKind.GONE, str(hub.id), hub, [_told(row) for row in missing]))
    return told


def _missing(az: AzureSession, seen: Seen, hub: Deployment, row: Resource) -> bool:
    names = hub.names
    if row.kind == made_group.KIND and seen.group(row.cloud_id) is None:
        return groups.get_group(az, seen.place, row.name) is None
    if row.kind == made_cluster.KIND and seen.cluster(row.cloud_id) is None:
        return clusters.get_cluster(az, seen.place, names.group, row.name) is None
    return False


def _told(row: Resource) -> dict[str, Any]:
    note = f"Azure says that there is no such {row.kind}"
    return {"kind": row.kind, "name": row.name, "cloud_id": row.cloud_id, "note": note}
