"""Putting a hub back to what it served when a change of it fails."""

from __future__ import annotations

from cloud.errors import NotYet
from deployments.models import Deployment
from deployments.services.secrets import go_back
from worker.hub import HubContext
from worker.step import Found
from worker.steps.cluster import InCluster
from worker.steps.release import install, is_chart
from worker.steps.serving import all_ready


class PutBack(InCluster):
    """The values of the description that the hub served before, installed again; then its pods ready again.

    Rendered anew instead of asking Helm for an old revision: the old one may be among those that Helm has dropped.
    """

    name, title, expected, deadline = "put-back", "Put back what the hub served before", 60, 30 * 60
    #: Also of steps before the release: new secrets are in the vault by then, and must not stay there unused.
    remedies = (
        "providers", "preflight", "control-plane", "pools", "registry", "registry-access", "ingredients", "nodes",
        "release", "address", "certificate", "workloads", "health", "sign-in", "proof",
    )  # fmt: skip

    def look(self, ctx: HubContext) -> Found:
        before = self._before(ctx)
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
        before = self._before(ctx)
        ctx.hold()
        if count := go_back(ctx.operation.deployment):
            ctx.log(f"{count} secrets are the former ones again.")
            before = self._before(ctx)
        install(before)

    def _before(self, ctx: HubContext) -> HubContext:
        serving = Deployment.objects.select_related("serving").get(id=ctx.deployment_id).serving
        return ctx.as_described((serving or ctx.operation.revision).spec)
