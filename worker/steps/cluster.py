"""The Kubernetes cluster and its nodes."""

from __future__ import annotations

from abc import abstractmethod

from cloud.azure import clusters
from cloud.azure.clusters import Cluster as AksCluster
from cloud.errors import Conflict, PermanentError, SignInFailed, SlipwayError, Unavailable
from deployments.diagnosis import Symptoms
from deployments.diagnosis.cluster import NODE_PATIENCE
from deployments.making import cluster_request
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps.cause import Diagnosed
from worker.steps.group import group_id, not_ours

KIND, NODE_GROUP = "cluster", "node group"
BROKEN = ("Failed", "Canceled")


def cluster_id(ctx: HubContext) -> str:
    group = group_id(ctx, ctx.names.group)
    return f"{group}/providers/{clusters.TYPE}/{ctx.names.cluster}"


class Cluster(Step[HubContext]):
    """Azure takes four to six minutes for it; other steps run meanwhile."""

    name, title, after, expected, deadline = "cluster", "Kubernetes cluster", ("group",), 300, 45 * 60

    def check(self, ctx: HubContext) -> Found:
        cluster = ctx.cluster()
        ctx.cache["only-new"] = cluster is None
        if cluster is None:
            return Found.absent()
        if not ctx.is_ours(cluster.tags):
            return Found.failed(not_ours(KIND, cluster.name))
        ctx.seen(KIND, cluster_id(ctx), cluster.name)
        if cluster.node_group:
            # Azure makes this one by itself for the machines; it goes with the cluster.
            ctx.seen(NODE_GROUP, group_id(ctx, cluster.node_group), cluster.node_group)
        if cluster.state == "Succeeded":
            return Found.ready(f"Kubernetes {cluster.kubernetes_version} in {cluster.region}")
        if cluster.state in BROKEN:
            return self._broken(ctx, cluster)
        told = "Azure is making the cluster; this usually takes four to six minutes"
        return Found.changing(told, watch=ctx.watch_cluster(cluster.state))

    def _broken(self, ctx: HubContext, cluster: AksCluster) -> Found:
        if not ctx.run.token:
            # Not this try's failure: the person pressed Try again after it, or the worker died before it could note it.
            return Found.drifted("the last try to make the cluster failed")
        change = clusters.poll_change(ctx.az, ctx.subscription, ctx.run.token)
        return Found.failed(change.error or _failure(cluster))

    def apply(self, ctx: HubContext) -> None:
        ctx.intend(KIND, cluster_id(ctx), ctx.names.cluster)
        request = cluster_request(ctx.spec, ctx.names)
        try:
            ctx.keep_token(clusters.create_cluster(ctx.az, request, only_new=ctx.cache["only-new"]))
        except Conflict:
            # Another process was faster between our look and our call; the next look finds its cluster.
            ctx.log("The cluster is being made already.")

    def abort(self, ctx: HubContext) -> None:
        cluster = ctx.cluster()
        if cluster is not None and ctx.is_ours(cluster.tags) and cluster.state == "Creating":
            ctx.log("Asking Azure to stop making the cluster.")
            clusters.abort_cluster(ctx.az, ctx.subscription, ctx.names.group, ctx.names.cluster)


def _failure(cluster: AksCluster) -> SlipwayError:
    return PermanentError(
        f"Azure could not make the cluster: {cluster.error or 'it gave no reason'}",
        "Try again; if it fails the same way, choose another node size or region.",
        code=cluster.error_code,
    )


class InCluster(Step[HubContext]):
    """A step that talks to the cluster itself: credentials that have changed are fetched anew."""

    def check(self, ctx: HubContext) -> Found:
        try:
            return self.look(ctx)
        except SignInFailed as error:
            ctx.forget_credentials()
            raise Unavailable(error.user_message, error.remedy, code=error.code) from error

    @abstractmethod
    def look(self, ctx: HubContext) -> Found:
        """Tells how things stand in the cluster."""


class Nodes(Diagnosed, InCluster):
    """Every node says that it is ready: of the pools as they are to be, so that nothing starts on one that is to go."""

    name, title, after, expected, deadline = "nodes", "Nodes", ("cluster", "start", "pools"), 60, 20 * 60
    calm = NODE_PATIENCE

    def look(self, ctx: HubContext) -> Found:
        nodes = ctx.kubernetes().nodes()
        ready = [node for node in nodes if node.ready]
        spec = ctx.spec
        wanted = max(spec.node_count + (spec.user_nodes_min if spec.has_user_pool else 0), len(nodes))
        summary = f"{len(ready)} of {wanted} nodes ready"
        if len(ready) < wanted:
            return self.waiting(ctx, summary)
        for node in nodes:
            ctx.log(f"Node {node.name} runs Kubernetes {node.version}.")
        return Found.ready(summary)

    def relevant(self, symptoms: Symptoms) -> Symptoms:
        """The machines alone: the hub need not be installed yet."""
        return Symptoms(nodes=symptoms.nodes, silence=symptoms.silence, now=symptoms.now)
