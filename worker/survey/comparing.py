"""One place compared with our records."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from cloud.azure.session import AzureSession
from cloud.errors import SlipwayError
from cloud.keyvault import SecretVault
from deployments.models import Deployment
from deployments.redaction import redact
from deployments.states import DiscrepancyKind, Lifecycle
from deployments.surveys import VAULT
from worker.hub import HubContext
from worker.steps.cluster import cluster_id
from worker.steps.group import group_id
from worker.steps.registry import registry_id
from worker.survey import drift, inside, leftovers
from worker.survey.gone import gone
from worker.survey.seen import Seen, look
from worker.survey.told import Told, keep, unsettled

log = logging.getLogger(__name__)

#: Hubs looked into at once, and in one job.
WIDTH, BATCH = 8, 200


def vault(found: SecretVault, at: datetime) -> bool:
    """Compares the vault; False: there is never more than one job does."""
    keep(VAULT, leftovers.in_vault(found), at, set())
    return False


def subscription(az: AzureSession, place: str, hubs: list[Deployment], at: datetime) -> bool:
    """Compares one subscription; True when there were more hubs than one job looks into."""
    seen = look(az, place, at)
    moving = set(unsettled(seen.at).values_list("deployment_id", flat=True))
    settled = [hub for hub in hubs if hub.id not in moving]
    told = [*leftovers.in_subscription(az, seen), *gone(az, seen, settled)]
    lost = {each.owner for each in told if each.kind == DiscrepancyKind.GONE}
    standing = [
        hub for hub in settled if hub.lifecycle in (Lifecycle.READY, Lifecycle.STOPPED) and str(hub.id) not in lost
    ]
    looked, passed_over = _drift(seen, standing[:BATCH])
    Deployment.objects.filter(id__in=[hub.id for hub in standing[:BATCH]]).update(inspected_at=seen.at)
    unseen = {str(hub.id) for hub in [*standing[BATCH:], *(hub for hub in hubs if hub.id in moving)]}
    keep(place, [*told, *looked], seen.at, passed_over | unseen)
    return len(standing) > BATCH and _is_old(standing[BATCH], seen.at)


def _is_old(hub: Deployment, at: datetime) -> bool:
    half = timedelta(seconds=settings.SLIPWAY_SURVEY_SECONDS / 2)
    return hub.inspected_at is None or hub.inspected_at < at - half


@dataclass(frozen=True)
class Compared:
    """A hub and what differs; None when it could not be told now."""

    hub: Deployment
    differences: list[drift.Difference] | None


def _drift(seen: Seen, hubs: list[Deployment]) -> tuple[list[Told], set[str]]:
    """What was changed by hand, and the hubs of which that could not be told."""
    with ThreadPoolExecutor(WIDTH, thread_name_prefix="survey") as pool:
        compared = list(pool.map(lambda hub: _compare(seen, hub), hubs))
    told = [
        Told(DiscrepancyKind.DRIFTED, str(each.hub.id), each.hub, [found.as_detail() for found in each.differences])
        for each in compared
        if each.differences
    ]
    return told, {str(each.hub.id) for each in compared if each.differences is None}


def _compare(seen: Seen, hub: Deployment) -> Compared:
    ctx = HubContext.only_looking(hub)
    try:
        found, group = seen.cluster(cluster_id(ctx)), seen.group(group_id(ctx, ctx.names.group))
        if found is None or group is None or drift.is_busy(found):
            return Compared(hub, None)
        if strange := list(drift.untagged(hub, group, found.cluster)):
            return Compared(hub, strange)
        differences = drift.in_azure(hub, seen, found, registry_id(ctx))
        if hub.lifecycle == Lifecycle.READY and found.cluster.power == "Running":
            differences += inside.in_cluster(ctx, found.cluster)
        return Compared(hub, differences)
    except SlipwayError as error:
        log.info("Nobody can tell now whether %s was changed by hand: %s", hub.id, redact(str(error)))
        return Compared(hub, None)
    finally:
        connection.close()
