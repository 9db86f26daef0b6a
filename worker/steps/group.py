"""The resource group that holds everything of one hub."""

from __future__ import annotations

from datetime import date

from cloud.azure import groups
from cloud.errors import NotOurs
from deployments import tagging
from deployments.naming import OWNER_TAG
from worker.hub import HubContext
from worker.step import Found, Step

KIND = "resource group"


def group_id(ctx: HubContext, name: str) -> str:
    return f"/subscriptions/{ctx.subscription}/resourceGroups/{name}"


def not_ours(what: str, name: str) -> NotOurs:
    return NotOurs(
        f"There is a {what} called {name} that does not belong to this hub (its tag {OWNER_TAG} is missing or other).",
        "Slipway does not touch it. Remove or rename it yourself, then try again.",
    )


class ResourceGroup(Step[HubContext]):
    name, title, after, expected, deadline = "group", "Resource group", ("preflight", "domain"), 3, 300

    def check(self, ctx: HubContext) -> Found:
        group = groups.get_group(ctx.az, ctx.subscription, ctx.names.group)
        if group is None:
            return Found.absent()
        if not ctx.is_ours(group.tags):
            return Found.failed(not_ours(KIND, group.name))
        if group.state == "Deleting":
            return Found.changing("an earlier group of this name is still being deleted")
        ctx.seen(KIND, group_id(ctx, ctx.names.group), ctx.names.group)
        if day := group.tags.get(tagging.TAG):
            tagging.note(ctx.deployment_id, date.fromisoformat(day))
        return Found.ready(f"{group.name} in {group.region}")

    def apply(self, ctx: HubContext) -> None:
        ctx.intend(KIND, group_id(ctx, ctx.names.group), ctx.names.group)
        groups.create_group(
            ctx.az, ctx.subscription, ctx.names.group, ctx.spec.region, tagging.tags(ctx.operation.deployment)
        )
