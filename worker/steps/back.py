"""Putting a hub back to what it served when a change of it fails: its settings, its machines, its tier."""

from __future__ import annotations

from cloud.errors import NotYet
from deployments.models import Deployment
from deployments.services.secrets import go_back
from worker.hub import HubContext
from worker.step import Found
from worker.steps.cluster import InCluster
from worker.steps.registry import RegistryGone
from worker.steps.release import install, is_chart
from worker.steps.reshape import ControlPlane, NodePools, OnCluster
from worker.steps.serving import all_ready

#: Also steps before the release: new secrets are in the vault by then, and must not stay there unused.
REMEDIES = (
    "providers", "preflight", "domain", "control-plane", "pools", "registry", "registry-access", "ingredients", "nodes",
    "release", "address", "certificate", "workloads", "health", "sign-in", "proof",
)  # fmt: skip


def served_before(ctx: HubContext) -> HubContext:
    """The hub as its page says that it serves."""
    serving = Deployment.objects.select_related("serving").get(id=ctx.deployment_id).serving
    return ctx.as_described((serving or ctx.operation.revision).spec)


class AsBefore(OnCluster):
    """Looks and acts as if the hub were still to be what it served before."""

    def check(self, ctx: HubContext) -> Found:
        return super().check(served_before(ctx))

    def apply(self, ctx: HubContext) -> None:
        super().apply(served_before(ctx))


class TierBack(AsBefore, ControlPlane):
    """A newer Kubernetes stays: Azure cannot go back."""

    name, title, expected, remedies = "tier-back", "Put back the cluster's tier", 5, REMEDIES
    after = ()


class PoolsBack(AsBefore, NodePools):
    """As many machines as before, of the same sizes: what is paid for is what the page says."""

    name, title, expected, remedies = "pools-back", "Put back the machines", 10, REMEDIES
    after = ("tier-back",)


class RegistryBack(RegistryGone):
    """A registry that the change brought would cost on, and nobody would use it."""

    name, title, expected, remedies = "registry-back", "Put back the registry", 5, REMEDIES
    after = ("put-back",)

    def check(self, ctx: HubContext) -> Found:
        if served_before(ctx).spec.registry == "acr":
            return Found.ready("the hub has it as before")
        return super().check(ctx)


class PutBack(InCluster):
    """The values of the description that the hub served before, installed again; then its pods ready again.

    Rendered anew instead of asking Helm for an old revision: the old one may be among those that Helm has dropped.
    """

    name, title, expected, deadline = "put-back", "Put back what the hub served before", 60, 30 * 60
    heavy = True
    remedies = REMEDIES

    def look(self, ctx: HubContext) -> Found:
        before = served_before(ctx)
        found = ctx.helm.release(ctx.kubeconfig(), ctx.names.release, ctx.names.namespace)
        if found is None:
            return Found.absent()
        if found.pending:
            raise NotYet("Helm is still at work on this hub.", delay=1.0)
        same = found.status == "deployed" and is_chart(found, before.spec.chart_version)
        if not same or ctx.helm.values(ctx.kubeconfig(), found.name, found.namespace) != before.values():
            return Found.drifted("the hub has the new settings")
        ready, summary = all_ready(ctx)
        if not ready:
            return Found.changing(summary)
        return Found.ready("the hub serves what it served before")

    def apply(self, ctx: HubContext) -> None:
        before = served_before(ctx)
        ctx.hold()
        if count := go_back(ctx.operation.deployment):
            ctx.log(f"{count} secrets are the former ones again.")
            before = served_before(ctx)
        install(before)
