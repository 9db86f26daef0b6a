"""What bears our mark and has no hub: in a subscription by its tag, in the vault by its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from cloud.azure import role_assignments
from cloud.azure.groups import ResourceGroup, TaggedResource
from cloud.azure.session import AzureSession
from cloud.keyvault import SecretVault
from deployments import naming
from deployments.models import Deployment, Resource, SecretRef
from deployments.naming import OWNER_TAG
from deployments.states import DiscrepancyKind, Lifecycle, SecretState
from deployments.upkeep import OPEN
from worker.steps import cluster as made_cluster
from worker.steps import group as made_group
from worker.steps import registry as made_registry
from worker.survey.seen import Seen
from worker.survey.told import Told

Things = dict[str, list[dict[str, Any]]]
#: How things are called here whose type Azure writes its own way.
WORDS = {
    "microsoft.containerservice/managedclusters": made_cluster.KIND,
    "microsoft.containerregistry/registries": made_registry.KIND,
}


def in_subscription(az: AzureSession, seen: Seen) -> list[Told]:
    """Everything that is left over, by the deployment whose tag it bears. Our records are read after the lists."""
    found: Things = {}
    for group in seen.groups.values():
        _add(found, group.tags, _group(seen, group))
    for thing in seen.resources:
        if not _in_machines(seen, thing):
            _add(found, thing.tags, _thing(thing))
    for vault in seen.deleted_vaults:
        _add(found, vault.tags, _row("soft-deleted vault", vault.name, vault.id, vault.region))
    for owner, things in _roles(az, seen).items():
        found.setdefault(owner, []).extend(things)
    return _orphans(found)


def in_vault(vault: SecretVault) -> list[Told]:
    """Secrets under the id of a deployment that needs none, also deleted ones that could still be brought back."""
    names = {name: "" for name in vault.names()}
    names |= {name: "deleted, and could still be brought back" for name in vault.deleted_names()}
    owners = {name: owner for name in names if (owner := naming.secret_owner(name)) is not None}
    accounted = set(
        SecretRef.objects.filter(state__in=[*OPEN, SecretState.RECOVERABLE]).values_list("vault_name", flat=True)
    )
    found: Things = {}
    for name, owner in sorted(owners.items()):
        if name not in accounted:
            found.setdefault(str(owner), []).append(_row("secret", name, name, "", names[name]))
    return _orphans(found)


def _add(found: Things, tags: dict[str, str], thing: dict[str, Any]) -> None:
    if owner := tags.get(OWNER_TAG):
        found.setdefault(_normal(owner), []).append(thing)


def _normal(owner: str) -> str:
    """An id as we write it; any other tag as it is."""
    try:
        return str(UUID(owner))
    except ValueError:
        return owner[:256]


def _group(seen: Seen, group: ResourceGroup) -> dict[str, Any]:
    inside = sum(thing.id.lower().startswith(f"{group.id.lower()}/") for thing in seen.resources)
    kind = made_cluster.NODE_GROUP if group.managed_by else made_group.KIND
    note = f"{inside} things in it" if inside else ""
    return _row(
        kind, group.name, group.id, group.region, f"{note}, goes with its cluster" if group.managed_by else note
    )


def _thing(thing: TaggedResource) -> dict[str, Any]:
    return _row(WORDS.get(thing.type.lower(), thing.type), thing.name, thing.id, thing.region)


def _row(kind: str, name: str, cloud_id: str, region: str, note: str = "") -> dict[str, Any]:
    return {"kind": kind, "name": name, "cloud_id": cloud_id, "region": region, "note": note}


def _in_machines(seen: Seen, thing: TaggedResource) -> bool:
    """What Azure has made for a cluster's machines is counted with their group."""
    group = seen.group("/".join(thing.id.split("/")[:5]))
    return group is not None and bool(group.managed_by)


def _roles(az: AzureSession, seen: Seen) -> Things:
    """Roles bear no tag: those that the ledger of a hub that is gone does not know to be gone."""
    rows = Resource.objects.filter(kind=made_registry.ROLE, gone_at=None, deployment__lifecycle=Lifecycle.DELETED)
    found: Things = {}
    for row in rows.filter(cloud_id__istartswith=f"/subscriptions/{seen.place}/"):
        if role_assignments.get_assignment(az, seen.place, row.cloud_id):
            found.setdefault(str(row.deployment_id), []).append(_row(row.kind, row.name, row.cloud_id, ""))
    return found


def _orphans(found: Things) -> list[Told]:
    """Those that belong to no hub that exists. One that goes just now is no orphan: `keep` sees to that."""
    known = _known(found)
    told = []
    for owner, things in sorted(found.items()):
        hub = known.get(owner)
        if hub is None or hub.lifecycle in (Lifecycle.DELETED, Lifecycle.REJECTED):
            told.append(Told(DiscrepancyKind.LEFT_OVER, owner, hub, _groups_first(things)))
    return told


def _known(found: Iterable[str]) -> dict[str, Deployment]:
    ids = []
    for owner in found:
        try:
            ids.append(UUID(owner))
        except ValueError:
            continue
    return {str(hub.id): hub for hub in Deployment.objects.filter(id__in=ids)}


def _groups_first(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order = [made_group.KIND, made_cluster.KIND, made_registry.KIND, made_cluster.NODE_GROUP]
    return sorted(
        things, key=lambda each: (order.index(each["kind"]) if each["kind"] in order else 9, each["cloud_id"])
    )
