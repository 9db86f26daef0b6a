"""Soft-deleted vaults: kept with their secrets until purged or their time is over."""

from __future__ import annotations

from typing import Any

from sandbox.azure.due import transition
from sandbox.azure.store import Store

DAY = 86400


def soft_delete(store: Store, resource_id: str) -> None:
    """Moves a vault among the deleted ones, where its name stays taken."""
    record = store.get(resource_id)
    if record is None:
        return
    body, now = record["body"], store.core.clock.now()
    days = body["properties"].get("softDeleteRetentionInDays", 90)
    subscription, name = body["id"].split("/")[2], body["name"]
    entry = {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{body['location']}"
        f"/deletedVaults/{name}",
        "name": name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": body["id"],
            "location": body["location"],
            "tags": body.get("tags") or {},
            "deletionDate": store.core.clock.iso(now),
            "scheduledPurgeDate": store.core.clock.iso(now + days * DAY),
            "purgeProtectionEnabled": bool(body["properties"].get("enablePurgeProtection")),
        },
    }
    deleted(store).put(name.lower(), {"body": entry, "vault": record})
    store.delete(resource_id)


def deleted(store: Store) -> Any:
    return store.core.state.bucket("azure.deleted_vaults")


@transition("vault.purged")
def _purged(store: Store, item: dict[str, Any]) -> None:
    deleted(store).delete(item["name"])
    secrets = store.core.state.bucket("azure.secrets")
    for key in secrets.keys(item["name"] + "|"):
        secrets.delete(key)
    store.finish(item["operation"], "Succeeded")


@transition("vault.ready")
def _ready(store: Store, item: dict[str, Any]) -> None:
    record = store.get(item["vault"])
    if record is not None:
        record["body"]["properties"]["provisioningState"] = "Succeeded"
        store.put(record)
