"""The receipt: a fresh look at the cloud for everything the ledger names and everything that bears our tag."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from cloud.azure import groups, vaults
from cloud.errors import Conflict
from deployments import outside
from deployments.naming import OWNER_TAG
from deployments.spec import HubSpec
from deployments.states import Level
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps.evidence import Evidence

NETWORK_WATCHER = {
    "text": "The resource group NetworkWatcherRG may be there: Azure made it for the whole subscription. "
    "It is shared, costs nothing by itself, and stays.",
    "url": "https://learn.microsoft.com/azure/network-watcher/network-watcher-overview",
}


class Receipt(Step[HubContext]):
    """Done only when nothing of ours is left; otherwise it says what, and the receipt shows it."""

    name, title, expected, deadline = "receipt", "Look whether anything is left", 5, 600
    after: tuple[str, ...] = ("group", "secrets")

    def check(self, ctx: HubContext) -> Found:
        items = Evidence(ctx).items()
        leftovers = self.leftovers(ctx)
        left = [item for item in items if not item["gone"]] + leftovers
        ctx.keep_result(
            receipt={
                "checked_at": timezone.now().isoformat(),
                "complete": not left,
                "items": items,
                "leftovers": leftovers,
                "left_alone": ctx.operation.result.get("left_alone", []),
                "reminders": self.reminders(ctx),
            }
        )
        if not left:
            return Found.ready(f"{len(items)} things are gone, nothing is left")
        if (ctx.now() - (ctx.run.started_at or ctx.now())).total_seconds() < settings.SLIPWAY_LIST_LAG_SECONDS:
            return Found.changing(f"{len(left)} still shown by Azure")
        return self._left(ctx, left)

    def leftovers(self, ctx: HubContext) -> list[dict[str, Any]]:
        """Whatever in the subscription still bears this hub's tag, soft-deleted vaults included."""
        owner = ctx.names.owner
        listed = groups.list_tagged(ctx.az, ctx.subscription, OWNER_TAG, owner)
        found = [(each.type, each.name, each.id) for each in listed]
        found += [
            ("soft-deleted vault", vault.name, vault.id)
            for vault in vaults.list_deleted_vaults(ctx.az, ctx.subscription)
            if ctx.is_ours(vault.tags)
        ]
        return [{"kind": kind, "name": name, "cloud_id": cloud_id} for kind, name, cloud_id in found]

    def reminders(self, ctx: HubContext) -> list[dict[str, str]]:
        """What only the person can remove, and what stays on purpose."""
        return [*_reminders(ctx), NETWORK_WATCHER]

    @staticmethod
    def _left(ctx: HubContext, left: list[dict[str, Any]]) -> Found:
        for thing in left:
            ctx.log(f"Left: {thing['kind']} {thing['name']} ({thing['cloud_id']})", Level.ERROR)
        names = ", ".join(dict.fromkeys(f"{thing['kind']} {thing['name']}" for thing in left))
        reasons = " ".join(note["why"] for note in ctx.operation.result.get("left_alone", []))
        return Found.failed(
            Conflict(
                f"The hub is down, but this is left: {names}. {reasons}".strip(),
                "Remove it in the Azure portal, then try again: Slipway looks once more.",
                code="Leftovers",
            )
        )


def _images(spec: HubSpec) -> list[dict[str, str]]:
    """Where images stay. Azure's registry goes with the hub."""
    if spec.registry == "acr":
        return []
    if spec.registry == "other":
        told = f"Images that begin with {spec.image_prefix} stay in {spec.registry_address} until you delete them."
        return [{"text": f"{told} You may now revoke the token of {spec.registry_username}.", "url": ""}]
    return [
        {
            "text": f"Images {spec.image_namespace}/{spec.image_prefix}… stay on Docker Hub until you delete them.",
            "url": f"https://hub.docker.com/repositories/{spec.image_namespace}",
        },
        {
            "text": "You may now revoke the Docker Hub access token that you gave to this hub.",
            "url": "https://app.docker.com/settings/personal-access-tokens",
        },
    ]


def _reminders(ctx: HubContext) -> list[dict[str, str]]:
    spec = ctx.spec
    told = _images(spec)
    if spec.access == "github":
        told.append(
            {
                "text": "The GitHub OAuth app is yours: delete it if no other hub uses it.",
                "url": f"{ctx.profile.github}/settings/developers",
            }
        )
    if spec.domain:
        # Whoever gets that name from Azure next would answer under the person's own domain.
        record = outside.record(spec, ctx.names)
        told.append(
            {
                "text": f"Have the record {record} removed: the name it leads to is free now, and whoever takes it next"
                f" would answer at {spec.domain}.",
                "url": "",
            }
        )
    return told
