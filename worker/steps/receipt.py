"""The receipt: a fresh look at the cloud for everything the ledger names and everything that bears our tag."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from cloud.azure import groups, vaults
from cloud.errors import Conflict
from deployments import outside
from deployments.models import Resource, SecretRef
from deployments.naming import OWNER_TAG
from deployments.states import Level, SecretState
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps import cluster as made_cluster
from worker.steps import group as made_group


class Receipt(Step[HubContext]):
    """Done only when nothing of ours is left; otherwise it says what, and the receipt shows it."""

    name, title, after, expected, deadline = "receipt", "Look whether anything is left", ("group", "secrets"), 5, 600

    def check(self, ctx: HubContext) -> Found:
        items = [_item(ctx, row) for row in Resource.objects.filter(deployment_id=ctx.deployment_id)]
        items += [_secret(ref) for ref in SecretRef.objects.filter(deployment_id=ctx.deployment_id)]
        leftovers = _leftovers(ctx)
        left = [item for item in items if not item["gone"]] + leftovers
        ctx.keep_result(
            receipt={
                "checked_at": timezone.now().isoformat(),
                "complete": not left,
                "items": items,
                "leftovers": leftovers,
                "reminders": _reminders(ctx),
            }
        )
        if not left:
            return Found.ready(f"{len(items)} things are gone, nothing is left")
        if (ctx.now() - (ctx.run.started_at or ctx.now())).total_seconds() < settings.SLIPWAY_LIST_LAG_SECONDS:
            return Found.changing(f"{len(left)} still shown by Azure")
        return self._left(ctx, left)

    @staticmethod
    def _left(ctx: HubContext, left: list[dict[str, Any]]) -> Found:
        for thing in left:
            ctx.log(f"Left: {thing['kind']} {thing['name']} ({thing['cloud_id']})", Level.ERROR)
        names = ", ".join(f"{thing['kind']} {thing['name']}" for thing in left)
        return Found.failed(
            Conflict(
                f"The hub is down, but this is left: {names}.",
                "Remove it in the Azure portal, then try again: Slipway looks once more.",
                code="Leftovers",
            )
        )


def _item(ctx: HubContext, row: Resource) -> dict[str, Any]:
    """One line of the ledger, with what a fresh look says."""
    note = "went with the cluster"
    gone = row.gone_at is not None
    if row.kind in (made_group.KIND, made_cluster.NODE_GROUP):
        gone = groups.get_group(ctx.az, ctx.subscription, row.name) is None
        note = "asked Azure for it"
    elif row.kind == made_cluster.KIND:
        gone = ctx.cluster() is None
        note = "asked Azure for it"
    if gone and row.gone_at is None:
        Resource.objects.filter(id=row.id).update(gone_at=ctx.now())
    return {"kind": row.kind, "name": row.name, "cloud_id": row.cloud_id, "gone": gone, "note": note if gone else ""}


def _secret(ref: SecretRef) -> dict[str, Any]:
    """A secret is gone when the vault knows it neither as active nor as deleted."""
    found = outside.vault().state(ref.vault_name)
    note = "purged from the vault"
    if found.state == "deleted":
        until = f" until {found.scheduled_purge:%d %B %Y}" if found.scheduled_purge else ""
        note = f"deleted; the vault's own rules keep it recoverable{until}"
    gone = found.state == "absent" or (found.state == "deleted" and ref.state == SecretState.RECOVERABLE)
    return {
        "kind": "secret",
        "name": ref.purpose,
        "cloud_id": ref.vault_name,
        "gone": gone,
        "note": note if gone else "",
    }


def _leftovers(ctx: HubContext) -> list[dict[str, Any]]:
    """Whatever in the subscription still bears this hub's tag, soft-deleted vaults included."""
    owner = ctx.names.owner
    found = [(each.type, each.name, each.id) for each in groups.list_tagged(ctx.az, ctx.subscription, OWNER_TAG, owner)]
    found += [
        ("soft-deleted vault", vault.name, vault.id)
        for vault in vaults.list_deleted_vaults(ctx.az, ctx.subscription)
        if ctx.is_ours(vault.tags)
    ]
    return [{"kind": kind, "name": name, "cloud_id": cloud_id} for kind, name, cloud_id in found]


def _reminders(ctx: HubContext) -> list[dict[str, str]]:
    """What only the person can remove, and what stays on purpose."""
    spec = ctx.spec
    told = [
        {
            "text": f"Images {spec.image_namespace}/{spec.image_prefix}… stay on Docker Hub until you delete them.",
            "url": f"https://hub.docker.com/repositories/{spec.image_namespace}",
        },
        {
            "text": "You may now revoke the Docker Hub access token that you gave to this hub.",
            "url": "https://app.docker.com/settings/personal-access-tokens",
        },
    ]
    if spec.access == "github":
        told.append(
            {
                "text": "The GitHub OAuth app is yours: delete it if no other hub uses it.",
                "url": f"{ctx.profile.github}/settings/developers",
            }
        )
    told.append(
        {
            "text": "The resource group NetworkWatcherRG may be there: Azure made it for the whole subscription. "
            "It is shared, costs nothing by itself, and stays.",
            "url": "https://learn.microsoft.com/azure/network-watcher/network-watcher-overview",
        }
    )
    return told
