"""Key vaults that were deleted and can still be brought back: they hold their names until they are purged."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloud import web
from cloud.azure.session import AzureSession
from cloud.errors import Unavailable

API_VERSION = "2023-07-01"
AZURE = "Azure"


@dataclass(frozen=True, slots=True)
class DeletedVault:
    """A vault in soft delete, with the tags it had."""

    id: str
    name: str
    region: str
    tags: dict[str, str] = field(default_factory=dict)


def list_deleted_vaults(az: AzureSession, subscription: str) -> list[DeletedVault]:
    """Every soft-deleted vault of the subscription.

    Plain requests: azure-mgmt-keyvault would be a whole SDK for this one list.
    """
    url: str | None = (
        f"{az.profile.arm.rstrip('/')}/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults"
        f"?api-version={API_VERSION}"
    )
    headers = {"Authorization": f"Bearer {az.token(az.profile.arm_scope)}"}
    found: list[DeletedVault] = []
    with web.client(az.profile.arm, ca_bundle=az.profile.ca_bundle) as http, web.reaching(AZURE):
        while url:
            answer = http.get(url, headers=headers)
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
