"""Preflight: everything that would fail late is looked at before anything is made."""

from __future__ import annotations

from cloud.azure import groups, offers, rights
from cloud.errors import InvalidRequest, PermanentError, PermissionDenied, QuotaExceeded
from deployments.naming import OWNER_TAG
from deployments.preflight import NEEDED_PROVIDERS, CoresFact, Facts, Finding, SizeFact, findings
from deployments.states import Level
from worker.hub import HubContext
from worker.step import Found, Step

KINDS: dict[str, type[PermanentError]] = {"quota": QuotaExceeded, "rights-missing": PermissionDenied}


class Preflight(Step[HubContext]):
    """Compares what the person asked for with what Azure allows right now."""

    name, title, expected, deadline = "preflight", "Check that nothing stands in the way", 5, 300
    after = ("providers",)

    def check(self, ctx: HubContext) -> Found:
        facts = look(ctx)
        found = findings(facts, ctx.spec, ctx.names)
        for finding in found:
            level = Level.ERROR if finding.severity == "error" else Level.WARNING
            ctx.log(f"{finding.what} {finding.remedy}", level)
        errors = [finding for finding in found if finding.severity == "error"]
        if errors:
            return Found.failed(_as_error(errors))
        cores = (facts.quotas or {}).get("cores")
        left = f" ({cores.limit - cores.used} cores left)" if cores else ""
        return Found.ready(f"rights, quota{left}, size, version and names are fine")


def look(ctx: HubContext) -> Facts:
    """A fresh look at everything the findings need."""
    az, subscription, region = ctx.az, ctx.subscription, ctx.spec.region
    mine = next((s for s in offers.list_subscriptions(az) if s.id.lower() == subscription.lower()), None)
    if mine is None:
        raise PermissionDenied(
            "Slipway's identity cannot see this subscription.",
            "Ask the subscription's owner to give Slipway's identity the role Contributor there.",
        )
    group = groups.get_group(az, subscription, ctx.names.group)
    return Facts(
        subscription_name=mine.name,
        subscription_state=mine.state,
        allows=rights.permissions(az, subscription).allows,
        providers=rights.provider_states(az, subscription, NEEDED_PROVIDERS),
        sizes={
            size.name: SizeFact(size.family, size.vcpus, size.restricted)
            for size in offers.list_node_sizes(az, subscription, region)
        },
        quotas={
            key: CoresFact(quota.label, quota.used, quota.limit)
            for key, quota in offers.list_quotas(az, subscription, region).items()
        },
        versions=tuple(
            version.version
            for version in offers.list_kubernetes_versions(az, subscription, region)
            if not version.is_preview
        ),
        taken_group_owner=None if group is None else group.tags.get(OWNER_TAG, "somebody else"),
        own_cluster_exists=group is not None and ctx.is_ours(group.tags) and ctx.cluster() is not None,
    )


def _as_error(errors: list[Finding]) -> PermanentError:
    kind = KINDS.get(errors[0].code, InvalidRequest)
    return kind(
        " ".join(finding.what for finding in errors),
        " ".join(finding.remedy for finding in errors),
        code=errors[0].code,
    )
