"""Removing what was left over under one deployment's tag: whatever it is and wherever it is. Nothing else is touched.

A teardown knows what it made and goes from the inside out. Here nobody knows, so what bears the tag is searched for, is
entered into the ledger, and goes group by group and thing by thing. Vaults in soft delete are shown, not purged.
"""

from __future__ import annotations

from typing import Any

from cloud.azure import groups, role_assignments
from cloud.azure.groups import GROUP_TYPE, TaggedResource
from cloud.azure.groups import ResourceGroup as AzureGroup
from deployments import naming, outside
from deployments.models import Resource, SecretRef
from deployments.naming import OWNER_TAG
from deployments.spec import HubSpec
from deployments.states import SecretState
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps import cluster as made_cluster
from worker.steps import group as made_group
from worker.steps import registry as made_registry
from worker.steps.leaving import left_alone
from worker.steps.receipt import NETWORK_WATCHER, Receipt
from worker.steps.removal import SecretsGone, guests


def own_groups(ctx: HubContext) -> list[AzureGroup]:
    """The groups that bear the tag, without those that Azure made for a cluster's machines: these go with it."""
    return [group for group in tagged_groups(ctx) if not group.managed_by]


def tagged_groups(ctx: HubContext) -> list[AzureGroup]:
    return [group for group in groups.list_groups(ctx.az, ctx.subscription) if ctx.is_ours(group.tags)]


def tagged_things(ctx: HubContext) -> list[TaggedResource]:
    """What bears the tag now and is no group."""
    found = groups.list_tagged(ctx.az, ctx.subscription, OWNER_TAG, ctx.names.owner)
    return [thing for thing in found if thing.type != GROUP_TYPE]


def within(thing: TaggedResource, holders: list[AzureGroup]) -> bool:
    return any(thing.id.lower().startswith(f"{group.id.lower()}/") for group in holders)


class InSubscription(Step[HubContext]):
    """What was found in the vault alone has no subscription to look into."""

    def concerns(self, spec: HubSpec) -> bool:
        return bool(spec.subscription_id)


class Search(Step[HubContext]):
    """Enters what is there into the ledger, so that the receipt answers for each of it."""

    name, title, expected, deadline = "search", "Look for what is left", 5, 600

    def check(self, ctx: HubContext) -> Found:
        count = self._secrets(ctx)
        if not ctx.subscription:
            return Found.ready(f"{count} secrets")
        found, things = tagged_groups(ctx), tagged_things(ctx)
        for group in found:
            kind = made_cluster.NODE_GROUP if group.managed_by else made_group.KIND
            ctx.seen(kind, made_group.group_id(ctx, group.name), group.name)
        for thing in things:
            self._note(ctx, thing, alone=not within(thing, found))
        return Found.ready(f"{len(found) + len(things)} things, {count} secrets")

    @staticmethod
    def _note(ctx: HubContext, thing: TaggedResource, alone: bool) -> None:
        """A cluster or registry of the name that we give it has its row; of the rest, what is in no group of ours."""
        usual = {made_cluster.cluster_id(ctx): made_cluster.KIND, made_registry.registry_id(ctx): made_registry.KIND}
        known = next((each for each in usual.items() if each[0].lower() == thing.id.lower()), None)
        if known or alone:
            cloud_id, kind = known or (thing.id, thing.type[:40])
            ctx.seen(kind, cloud_id, thing.name)

    @staticmethod
    def _secrets(ctx: HubContext) -> int:
        """Secrets under the deployment's id: those that no row knows get one, those believed purged count as there."""
        vault, owner = outside.vault(), ctx.deployment_id
        mine = [name for name in {*vault.names(), *vault.deleted_names()} if naming.secret_owner(name) == owner]
        user = ctx.operation.requested_by or ctx.operation.deployment.owner
        for name in mine:
            values = {"purpose": name.partition("-")[2][:30], "set_by": user, "deployment_id": owner}
            ref, _ = SecretRef.objects.get_or_create(vault_name=name, defaults=values)
            SecretRef.objects.filter(id=ref.id).exclude(state=SecretState.RECOVERABLE).update(state=SecretState.STORED)
        return len(mine)


class RolesGone(InSubscription):
    """Roles bear no tag: those that the ledger knows are taken away by their ids."""

    name, title, after, expected, deadline = "roles", "Take away roles", ("search",), 3, 600

    def check(self, ctx: HubContext) -> Found:
        rows = Resource.objects.filter(deployment_id=ctx.deployment_id, kind=made_registry.ROLE, gone_at=None)
        if any(role_assignments.get_assignment(ctx.az, ctx.subscription, row.cloud_id) for row in rows):
            return Found.drifted()
        ctx.gone(made_registry.ROLE)
        return Found.ready("none is left")

    def apply(self, ctx: HubContext) -> None:
        for row in Resource.objects.filter(deployment_id=ctx.deployment_id, kind=made_registry.ROLE, gone_at=None):
            ctx.hold()
            role_assignments.remove_assignment(ctx.az, ctx.subscription, row.cloud_id)


class GroupsGone(InSubscription):
    """Each with all that is in it; one in which somebody has put something of theirs is left."""

    name, title, after, expected, deadline = "group", "Delete resource groups", ("roles",), 240, 2 * 60 * 60

    def check(self, ctx: HubContext) -> Found:
        found = own_groups(ctx)
        free = [group for group in found if group.state != "Deleting" and not guests(ctx, group.name)]
        if free:
            return Found.drifted(f"{len(free)} to delete")
        going = [group for group in found if group.state == "Deleting"]
        if going:
            return Found.changing(f"Azure is deleting {', '.join(group.name for group in going)}")
        for group in found:
            why = f"It holds what is not this hub's: {guests(ctx, group.name)}."
            left_alone(ctx, made_group.KIND, group.name, why)
        return Found.ready(f"{len(found)} left alone" if found else "none is left")

    def apply(self, ctx: HubContext) -> None:
        for seen in own_groups(ctx):
            group = groups.get_group(ctx.az, ctx.subscription, seen.name)
            if group is None or not ctx.is_ours(group.tags) or group.state == "Deleting" or guests(ctx, group.name):
                continue
            ctx.hold()
            groups.delete_group(ctx.az, ctx.subscription, group.name)


class ThingsGone(InSubscription):
    """What bears the tag elsewhere, each by its own id."""

    name, title, after, expected, deadline = "things", "Delete single things", ("group",), 30, 60 * 60

    def check(self, ctx: HubContext) -> Found:
        things = self._single(ctx)
        present = {thing.id.lower() for thing in things}
        for row in Resource.objects.filter(deployment_id=ctx.deployment_id, gone_at=None, kind__contains="/"):
            if row.cloud_id.lower() not in present:
                Resource.objects.filter(id=row.id).update(gone_at=ctx.now())
        if not things:
            return Found.ready("none is left")
        if present <= set(ctx.run.token.splitlines()):
            return Found.changing(f"Azure is deleting {len(things)}")
        return Found.drifted(f"{len(things)} to delete")

    def apply(self, ctx: HubContext) -> None:
        asked = ctx.run.token.splitlines()
        for thing in (each for each in self._single(ctx) if each.id.lower() not in asked):
            ctx.hold()
            ctx.log(f"Deleting {thing.type} {thing.name}.")
            groups.delete_resource(ctx.az, ctx.subscription, thing.id, thing.type)
            ctx.keep_token(f"{ctx.run.token}\n{thing.id.lower()}".strip())

    @staticmethod
    def _single(ctx: HubContext) -> list[TaggedResource]:
        """What a managed group holds goes with its cluster."""
        managed = [group for group in groups.list_groups(ctx.az, ctx.subscription) if group.managed_by]
        return [thing for thing in tagged_things(ctx) if not within(thing, managed)]


class SecretsSwept(SecretsGone):
    after = ("search",)


class CleanReceipt(Receipt):
    after = ("group", "things", "secrets")

    def leftovers(self, ctx: HubContext) -> list[dict[str, Any]]:
        return super().leftovers(ctx) if ctx.subscription else []

    def reminders(self, ctx: HubContext) -> list[dict[str, str]]:
        """What only the person can remove was on the receipt of the teardown, if there was one."""
        return [NETWORK_WATCHER]
