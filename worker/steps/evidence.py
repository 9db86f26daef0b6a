"""For each thing in the ledger: is it gone? Each answer rests on a look of its own, made now, and says which."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from cloud import binderhub
from cloud.azure import groups, role_assignments
from cloud.azure.clusters import Cluster
from deployments import outside
from deployments.models import Resource, SecretRef
from deployments.states import SecretState
from worker.hub import HubContext
from worker.steps import cluster as made_cluster
from worker.steps import group as made_group
from worker.steps import registry as made_registry
from worker.steps import release as made_release
from worker.steps import serving

#: Whether it is gone, and how we know.
Answer = tuple[bool, str]


class Evidence:
    """One fresh look at the cloud; what is inside a cluster is asked of the cluster as long as there is one."""

    def __init__(self, ctx: HubContext) -> None:
        self.ctx = ctx
        self._looks: dict[str, Callable[[Resource], Answer]] = {
            made_group.KIND: self._group,
            made_cluster.NODE_GROUP: self._group,
            made_cluster.KIND: self._cluster,
            made_release.NAMESPACE: self._namespace,
            made_release.KIND: self._release,
            serving.KIND: self._address,
            made_registry.KIND: self._registry,
            made_registry.ROLE: self._role,
        }

    def items(self) -> list[dict[str, Any]]:
        """Every line of the ledger and every secret, each with what a look of its own says and when that was."""
        rows = Resource.objects.filter(deployment_id=self.ctx.deployment_id)
        found = [self._item(row.kind, row.name, row.cloud_id, self._looked(row)) for row in rows]
        refs = SecretRef.objects.filter(deployment_id=self.ctx.deployment_id)
        return found + [self._item("secret", ref.purpose, ref.vault_name, _secret(ref)) for ref in refs]

    def _item(self, kind: str, name: str, cloud_id: str, answer: Answer) -> dict[str, Any]:
        gone, note = answer
        at = self.ctx.now().isoformat()
        return {"kind": kind, "name": name, "cloud_id": cloud_id, "gone": gone, "note": note, "at": at}

    def _looked(self, row: Resource) -> Answer:
        look = self._looks.get(row.kind)
        gone, note = look(row) if look else (row.gone_at is not None, "")
        if gone and row.gone_at is None:
            Resource.objects.filter(id=row.id).update(gone_at=self.ctx.now())
        return gone, note

    @cached_property
    def cluster(self) -> Cluster | None:
        return self.ctx.cluster()

    def _group(self, row: Resource) -> Answer:
        found = groups.get_group(self.ctx.az, self.ctx.subscription, row.name)
        if found is not None and row.kind == made_group.KIND and not self.ctx.is_ours(found.tags):
            return True, "a group of this name exists, but it bears another's tag: it was left alone"
        return found is None, "" if found else "Azure says that there is no such group"

    def _cluster(self, row: Resource) -> Answer:
        if self.cluster is not None and not self.ctx.is_ours(self.cluster.tags):
            return True, "a cluster of this name exists, but it bears another's tag: it was left alone"
        return self.cluster is None, "" if self.cluster else "Azure says that there is no such cluster"

    def _registry(self, row: Resource) -> Answer:
        found = made_registry.find(self.ctx)
        if found is not None and not self.ctx.is_ours(found.tags):
            return True, "a registry of this name exists, but it bears another's tag: it was left alone"
        return found is None, "" if found else "Azure says that there is no such registry"

    def _role(self, row: Resource) -> Answer:
        found = role_assignments.get_assignment(self.ctx.az, self.ctx.subscription, row.cloud_id)
        return not found, "" if found else "Azure says that nobody has this role any more"

    def _inside(self, look: Callable[[], Answer]) -> Answer:
        """Asks the cluster; without one there is nothing that could hold the thing."""
        if self.cluster is None:
            return True, "Azure says that the cluster it was in is gone"
        if not self.ctx.is_ours(self.cluster.tags):
            return True, "the cluster of this name is not this hub's"
        if self.cluster.state != "Succeeded" or self.cluster.power != "Running":
            return False, "the cluster does not answer"
        return look()

    def _namespace(self, row: Resource) -> Answer:
        def look() -> Answer:
            found = self.ctx.kubernetes().namespace(row.name)
            if found is not None and not self.ctx.is_ours(found.labels):
                return True, "a namespace of this name exists, but it is another's: it was left alone"
            return found is None, "" if found else "the cluster says that there is no such namespace"

        return self._inside(look)

    def _release(self, row: Resource) -> Answer:
        def look() -> Answer:
            found = self.ctx.helm.release(self.ctx.kubeconfig(), row.name, self.ctx.names.namespace)
            return found is None, "" if found else "Helm says that nothing is installed"

        return self._inside(look)

    def _address(self, row: Resource) -> Answer:
        """`cloud_id` is the address that people used, `name` what the load balancer had."""
        holders = Resource.objects.filter(deployment_id=self.ctx.deployment_id, kind=made_cluster.NODE_GROUP)
        if any(groups.get_group(self.ctx.az, self.ctx.subscription, holder.name) for holder in holders):
            return False, "the group that holds it is still there"
        silent = not binderhub.answers(row.cloud_id, self.ctx.profile.ca_bundle)
        return True, f"the group that held it is gone; {'nothing' if silent else 'somebody else'} answers there now"


def _secret(ref: SecretRef) -> Answer:
    """A secret is gone when the vault knows it neither as active nor as deleted."""
    found = outside.vault().state(ref.vault_name)
    if found.state == "deleted":
        until = f" until {found.scheduled_purge:%-d %B %Y}" if found.scheduled_purge else ""
        kept = ref.state == SecretState.RECOVERABLE
        return kept, f"deleted; the vault's own rules keep it recoverable{until}" if kept else ""
    return found.state == "absent", "the vault knows no such secret" if found.state == "absent" else ""
