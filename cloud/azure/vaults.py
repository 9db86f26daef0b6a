"""Key vaults: the portal's own, and those that were deleted and hold their names until they are purged.

By the generic client and plain requests: azure-mgmt-keyvault would be a whole SDK for a few calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cloud import web
from cloud.azure.session import AzureSession
from cloud.azure.translate import error_code, retry_after, translated
from cloud.errors import Unavailable

API_VERSION = "2023-07-01"
AZURE = "Azure"
#: The least that Azure keeps deleted secrets for; a purge does not wait for it.
RETENTION_DAYS = 7


@dataclass(frozen=True, slots=True)
class DeletedVault:
    """A vault in soft delete, with the tags it had."""

    id: str
    name: str
    region: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault and what matters of its settings; `url` is where its secrets are."""

    id: str
    url: str
    state: str
    by_roles: bool
    purge_protection: bool


def get_vault(az: AzureSession, number: str) -> Vault | None:
    """The vault with this id, or None when Azure itself says that there is none."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated("look at the vault"):
        try:
            found = az.resources(number.split("/")[2]).resources.get_by_id(number, api_version=API_VERSION)
        except ResourceNotFoundError as exc:
            if error_code(exc) not in {"ResourceNotFound", "ResourceGroupNotFound"}:
                raise
            return None
    facts: Any = found.properties or {}
    return Vault(
        id=found.id or number,
        url=str(facts.get("vaultUri") or ""),
        state=str(facts.get("provisioningState") or ""),
        by_roles=bool(facts.get("enableRbacAuthorization")),
        purge_protection=bool(facts.get("enablePurgeProtection")),
    )


def create_vault(az: AzureSession, number: str, region: str, tenant: str, *, purge_protection: bool) -> None:
    """Start making a vault whose rights come from roles; look with `get_vault`. A name that is taken is an error."""
    properties = {
        "tenantId": tenant,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": RETENTION_DAYS,
    }
    properties |= {"enablePurgeProtection": True} if purge_protection else {}  # it cannot be set to false
    with translated("make the vault"):
        body: Any = {"location": region, "properties": properties}
        resources = az.resources(number.split("/")[2]).resources
        resources.begin_create_or_update_by_id(number, body, api_version=API_VERSION, polling=False)


def list_deleted_vaults(az: AzureSession, subscription: str) -> list[DeletedVault]:
    """Every soft-deleted vault of the subscription."""
    url: str | None = (
        f"{az.profile.arm.rstrip('/')}/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults"
        f"?api-version={API_VERSION}"
    )
    headers = {"Authorization": f"Bearer {az.token(az.profile.arm_scope)}"}
    found: list[DeletedVault] = []
    with web.client(az.profile.arm, ca_bundle=az.profile.ca_bundle) as http, web.reaching(AZURE):
        while url:
            if az.limits is not None:
                az.limits.enter("GET", url)
            answer = http.get(url, headers=headers)
            if az.limits is not None and answer.status_code == 429:
                az.limits.refused(url, retry_after(answer.headers))
            if patience := web.not_now(answer, AZURE):
                raise patience
            if answer.status_code == 401:
                az.renew()
            if answer.status_code != 200:
                raise Unavailable(f"Azure does not list deleted vaults (status {answer.status_code}).", web.AGAIN)
            page = web.body(answer, AZURE)
            found += [_vault(entry) for entry in page.get("value", [])]
            url = page.get("nextLink")
    return found


def _vault(entry: dict[str, object]) -> DeletedVault:
    properties = entry.get("properties")
    facts: dict[str, object] = properties if isinstance(properties, dict) else {}
    tags = facts.get("tags")
    return DeletedVault(
        id=str(entry.get("id", "")),
        name=str(entry.get("name", "")),
        region=str(facts.get("location", "")),
        tags={str(key): str(value) for key, value in tags.items()} if isinstance(tags, dict) else {},
    )
