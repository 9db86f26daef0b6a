"""Resource groups, and everything that carries a tag."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud.azure.clusters import ABSENT_CODES
from cloud.azure.enums import word
from cloud.azure.session import AzureSession
from cloud.azure.translate import error_code, translated
from cloud.errors import InvalidRequest

GROUP_TYPE = "Microsoft.Resources/resourceGroups"


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """A resource group; `managed_by` is set on those Azure made for a cluster's machines: not ours to touch."""

    id: str
    name: str
    region: str
    tags: dict[str, str] = field(default_factory=dict)
    state: str = ""
    managed_by: str = ""


@dataclass(frozen=True, slots=True)
class TaggedResource:
    """Anything in the subscription that carries the tag asked for."""

    id: str
    type: str
    name: str
    region: str
    tags: dict[str, str] = field(default_factory=dict)


def get_group(az: AzureSession, subscription: str, name: str) -> ResourceGroup | None:
    """The group, or None when Azure itself says that there is none."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated(f"look at the resource group {name}"):
        try:
            return _group(az.resources(subscription).resource_groups.get(name))
        except ResourceNotFoundError as exc:
            if error_code(exc) == "ResourceGroupNotFound":
                return None
            raise


def create_group(az: AzureSession, subscription: str, name: str, region: str, tags: Mapping[str, str]) -> ResourceGroup:
    """Make the group, or set its tags; look first whose it is. A group elsewhere under this name is an error."""
    with translated(f"create the resource group {name}"):
        body = {"location": region, "tags": dict(tags)}
        return _group(az.resources(subscription).resource_groups.create_or_update(name, body))


def delete_group(az: AzureSession, subscription: str, name: str) -> None:
    """Start deleting the group and everything in it; already gone is fine."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated(f"delete the resource group {name}"):
        try:
            az.resources(subscription).resource_groups.begin_delete(name, polling=False)
        except ResourceNotFoundError as exc:
            if error_code(exc) != "ResourceGroupNotFound":
                raise


def list_groups(az: AzureSession, subscription: str) -> list[ResourceGroup]:
    """Every group of the subscription, also those Azure manages."""
    with translated("list the resource groups"):
        return [_group(group) for group in az.resources(subscription).resource_groups.list()]


def list_tagged(az: AzureSession, subscription: str, tag: str, value: str) -> list[TaggedResource]:
    """Everything that carries the tag with this value, groups included. Only these are shown with their tags."""
    with translated("list what carries the hub's tag"):
        wanted = f"tagName eq '{_quoted(tag)}' and tagValue eq '{_quoted(value)}'"
        client = az.resources(subscription)
        groups = [_tagged(group, GROUP_TYPE) for group in client.resource_groups.list(filter=wanted)]
        return groups + [_tagged(found, found.type or "") for found in client.resources.list(filter=wanted)]


def list_all(az: AzureSession, subscription: str) -> list[TaggedResource]:
    """Everything in the subscription but its groups, with tags: Azure leaves them out where a tag is asked for."""
    with translated("list what is in the subscription"):
        return [_tagged(each, each.type or "") for each in az.resources(subscription).resources.list()]


def list_resources(az: AzureSession, subscription: str, group: str) -> list[TaggedResource]:
    """Everything in the group, with its tags."""
    with translated(f"list what is in the resource group {group}"):
        found = az.resources(subscription).resources.list_by_resource_group(group)
        return [_tagged(each, each.type or "") for each in found]


def delete_resource(az: AzureSession, subscription: str, resource_id: str, kind: str) -> None:
    """Start deleting one thing of any type; already gone is fine."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated(f"delete {resource_id.rpartition('/')[2]}"):
        version = _newest_version(az, subscription, kind)
        try:
            az.resources(subscription).resources.begin_delete_by_id(resource_id, api_version=version, polling=False)
        except ResourceNotFoundError as exc:
            if error_code(exc) not in ABSENT_CODES:
                raise


def _newest_version(az: AzureSession, subscription: str, kind: str) -> str:
    """The interface of a type of things that its own provider names first; one no preview where there is one."""
    namespace, _, wanted = kind.partition("/")
    types = az.resources(subscription).providers.get(namespace).resource_types or []
    listed = [each.api_versions or [] for each in types if (each.resource_type or "").lower() == wanted.lower()]
    versions = [version for each in listed for version in each]
    if not versions:
        raise InvalidRequest(f"Azure does not say how to delete a {kind}.", "Remove it in the Azure portal.")
    return next((version for version in versions if "preview" not in version), versions[0])


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _group(group: Any) -> ResourceGroup:
    return ResourceGroup(
        id=group.id or "",
        name=group.name or "",
        region=group.location or "",
        tags=dict(group.tags or {}),
        state=word(group.properties.provisioning_state) if group.properties else "",
        managed_by=group.managed_by or "",
    )


def _tagged(found: Any, kind: str) -> TaggedResource:
    return TaggedResource(
        id=found.id or "", type=kind, name=found.name or "", region=found.location or "", tags=dict(found.tags or {})
    )
