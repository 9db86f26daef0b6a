"""What somebody has changed by hand inside a hub's cluster. One look, with the cluster's own credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloud.azure import role_assignments
from cloud.azure.clusters import Cluster
from cloud.azure.role_assignments import ACR_PULL
from cloud.errors import NotYet
from worker.hub import HubContext
from worker.steps.registry import registry_id
from worker.steps.release import is_chart
from worker.survey.drift import RETAG, Difference

#: So many of the settings that differ are named.
NAMED = 4


def in_cluster(ctx: HubContext, cluster: Cluster) -> list[Difference]:
    """What differs inside, and who may read the registry.

    :raises SlipwayError: the cluster, its release or the vault could not be looked at: then nothing is known.
    """
    namespace = ctx.kubernetes().namespace(ctx.names.namespace)
    if namespace is None:
        return [Difference("The hub's namespace was deleted, and BinderHub with it.")]
    if not ctx.is_ours(namespace.labels):
        what = f"The namespace {namespace.name} no longer carries this hub's label."
        return [Difference(what, RETAG.format(tag="slipway-deployment", id=ctx.names.owner), mends=False)]
    return [*_release(ctx), *_roles(ctx, cluster)]


def _release(ctx: HubContext) -> Iterator[Difference]:
    kubeconfig, names = ctx.kubeconfig(), ctx.names
    found = ctx.helm.release(kubeconfig, names.release, names.namespace)
    if found is None:
        yield Difference("BinderHub was uninstalled.")
        return
    if found.pending:
        raise NotYet("Helm is at work on this hub.")
    if not is_chart(found, ctx.spec.chart_version):
        yield Difference(f"{found.chart} is installed instead of version {ctx.spec.chart_version}.")
    elif found.status != "deployed":
        yield Difference(f"BinderHub's installation is in the state “{found.status}”.")
    paths = list(differing(ctx.helm.values(kubeconfig, names.release, names.namespace), ctx.values()))
    if paths:
        more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
        yield Difference(f"BinderHub runs with other settings than described: {', '.join(paths[:NAMED])}{more}.")


def _roles(ctx: HubContext, cluster: Cluster) -> Iterator[Difference]:
    if ctx.spec.registry != "acr" or not cluster.node_identity:
        return
    if not role_assignments.has_role(ctx.az, ctx.subscription, registry_id(ctx), ACR_PULL, cluster.node_identity):
        yield Difference("The machines may no longer read the container registry, so no image starts.")


def differing(there: Any, described: Any, path: str = "") -> Iterator[str]:
    """The paths at which two settings differ; never their values, which may be secrets."""
    if isinstance(there, dict) and isinstance(described, dict):
        for key in sorted({*there, *described}, key=str):
            yield from differing(there.get(key), described.get(key), f"{path}.{key}" if path else str(key))
    elif there != described:
        yield path
