"""Taking a hub down, from the inside out. Only what carries our tag is touched.

What does not is left alone: the run says so, takes down the rest, and the receipt repeats it. Whose a thing is, is read
once more just before it is deleted.
"""

from __future__ import annotations

from abc import abstractmethod

from cloud.azure import clusters, groups
from cloud.azure.clusters import Cluster as AksCluster
from deployments import outside, upkeep
from deployments.models import Resource, SecretRef
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps import cluster as made_cluster
from worker.steps import group as made_group
from worker.steps import release as made_release
from worker.steps import serving
from worker.steps.cluster import InCluster
from worker.steps.leaving import OTHERS, left_alone

ABORTED = "aborted"


class FromCluster(InCluster):
    """Removes something from inside the cluster; where the cluster cannot be asked, it goes with the cluster."""

    kind: str

    def look(self, ctx: HubContext) -> Found:
        if not Resource.objects.filter(deployment_id=ctx.deployment_id, kind=self.kind).exists():
            return Found.ready("there was none")
        cluster = ctx.cluster()
        if cluster is None or cluster.state != "Succeeded" or cluster.power != "Running":
            return Found.ready("goes with the cluster")
        if not ctx.is_ours(cluster.tags):
            return Found.ready("the cluster is not this hub's")
        return self.look_inside(ctx)

    @abstractmethod
    def look_inside(self, ctx: HubContext) -> Found:
        """Tells how things stand in a cluster that is ours and answers."""


class ReleaseGone(FromCluster):
    name, title, expected, deadline = "uninstall", "Uninstall BinderHub with Helm", 15, 900
    kind = made_release.KIND
    heavy = True

    def look_inside(self, ctx: HubContext) -> Found:
        found = ctx.helm.release(ctx.kubeconfig(), ctx.names.release, ctx.names.namespace)
        if found is None:
            ctx.gone(self.kind)
            return Found.ready("nothing is installed")
        return Found.drifted(f"{found.chart} is {found.status}")

    def apply(self, ctx: HubContext) -> None:
        ctx.hold()
        ctx.helm.uninstall(ctx.kubeconfig(), ctx.names.release, ctx.names.namespace, on_lines=ctx.log_lines)


class AddressGone(FromCluster):
    """An address that is still being released would keep the group from going."""

    name, title, after, expected, deadline = "address", "Release the public address", ("uninstall",), 30, 1200
    kind = made_release.KIND

    def look_inside(self, ctx: HubContext) -> Found:
        found = ctx.kubernetes().services(ctx.names.namespace)
        left = [service for service in found if service.type == "LoadBalancer"]
        if left:
            return Found.changing(f"waiting for Azure to release {len(left)}")
        ctx.gone(serving.KIND)
        return Found.ready("released")


class NamespaceGone(FromCluster):
    name, title, after, expected, deadline = "namespace", "Delete the namespace", ("address",), 15, 1200
    kind = made_release.NAMESPACE

    def look_inside(self, ctx: HubContext) -> Found:
        namespace = ctx.kubernetes().namespace(ctx.names.namespace)
        if namespace is None:
            ctx.gone(self.kind)
            return Found.ready("gone")
        if not ctx.is_ours(namespace.labels):
            return left_alone(ctx, self.kind, namespace.name, OTHERS)
        if namespace.phase == "Terminating":
            return Found.changing("being emptied")
        return Found.drifted()

    def apply(self, ctx: HubContext) -> None:
        namespace = ctx.kubernetes().namespace(ctx.names.namespace)
        if namespace is not None and ctx.is_ours(namespace.labels):
            ctx.hold()
            ctx.kubernetes().delete_namespace(ctx.names.namespace)


class ClusterGone(Step[HubContext]):
    """One that is still being made is stopped first: Azure refuses to delete it before."""

    name, title, after, expected, deadline = "cluster", "Delete the cluster", ("namespace",), 240, 60 * 60

    def check(self, ctx: HubContext) -> Found:
        cluster = ctx.cluster()
        if cluster is None:
            for kind in (made_cluster.KIND, made_release.NAMESPACE, made_release.KIND, serving.KIND):
                ctx.gone(kind)
            return Found.ready("gone")
        if not ctx.is_ours(cluster.tags):
            return left_alone(ctx, made_cluster.KIND, cluster.name, OTHERS)
        if cluster.state == "Deleting":
            told = "Azure is deleting it; this usually takes some minutes"
            return Found.changing(told, watch=ctx.watch_cluster(cluster.state))
        if self._is_busy(cluster) and ctx.run.token == ABORTED:
            told = "waiting for Azure to stop what it was doing"
            return Found.changing(told, watch=ctx.watch_cluster(cluster.state))
        return Found.drifted(f"it is {cluster.state.lower()}")

    def apply(self, ctx: HubContext) -> None:
        cluster = ctx.cluster()
        if cluster is None or not ctx.is_ours(cluster.tags):
            return
        ctx.hold()
        place = (ctx.az, ctx.subscription, ctx.names.group, ctx.names.cluster)
        if self._is_busy(cluster):
            clusters.abort_cluster(*place)
            ctx.keep_token(ABORTED)
        else:
            clusters.delete_cluster(*place)

    @staticmethod
    def _is_busy(cluster: AksCluster) -> bool:
        return cluster.state not in ("Succeeded", "Failed", "Canceled", "Stopped")


class GroupGone(Step[HubContext]):
    """A group goes with all that is in it: one in which somebody has put something of theirs is left."""

    name, title, after, expected, deadline = "group", "Delete the resource group", ("cluster", "registry"), 60, 60 * 60

    def check(self, ctx: HubContext) -> Found:
        group = groups.get_group(ctx.az, ctx.subscription, ctx.names.group)
        if group is None:
            ctx.gone(made_group.KIND)
            return Found.ready("gone")
        if not ctx.is_ours(group.tags):
            return left_alone(ctx, made_group.KIND, group.name, OTHERS)
        if group.state == "Deleting":
            return Found.changing("Azure is deleting it")
        if strangers := guests(ctx, group.name):
            return left_alone(ctx, made_group.KIND, group.name, f"It holds what is not this hub's: {strangers}.")
        return Found.drifted()

    def apply(self, ctx: HubContext) -> None:
        group = groups.get_group(ctx.az, ctx.subscription, ctx.names.group)
        if group is not None and ctx.is_ours(group.tags):
            ctx.hold()
            groups.delete_group(ctx.az, ctx.subscription, ctx.names.group)


def guests(ctx: HubContext, group: str) -> str:
    """What is in the group and is not this hub's, in words; "" when nothing is."""
    inside = groups.list_resources(ctx.az, ctx.subscription, group)
    return ", ".join(f"{each.type} {each.name}" for each in inside if not ctx.is_ours(each.tags))


class SecretsGone(Step[HubContext]):
    """Deleted and purged, or kept until a known day where the vault insists."""

    name, title, expected, deadline = "secrets", "Purge the secrets", 20, 1800

    def check(self, ctx: HubContext) -> Found:
        refs = SecretRef.objects.filter(deployment_id=ctx.deployment_id)
        for ref in refs.filter(state__in=upkeep.OPEN):
            ctx.hold()
            upkeep.purge(outside.vault(), ref)
        total, left = refs.count(), refs.filter(state__in=upkeep.OPEN).count()
        summary = f"{total - left} of {total} gone from the vault"
        return Found.changing(summary) if left else Found.ready(summary)
