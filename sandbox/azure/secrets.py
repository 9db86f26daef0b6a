"""Secrets with versions and soft delete. They live in the state file, never in the journal or a log."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from sandbox.azure.errors import AzureError
from sandbox.azure.store import Store

DELETING, PURGING = 5, 5  # seconds
LARGEST = 25_600  # bytes
PAGE = 25
MOST_TAGS = 15
Entry = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """One request for a vault's secrets; `key` is the name in lowercase, since names ignore case."""

    store: Store
    vault: dict[str, Any]
    key: str
    name: str
    parts: list[str]
    query: dict[str, str]
    body: Any

    @property
    def base(self) -> str:
        return str(self.vault["properties"]["vaultUri"]).rstrip("/")

    @property
    def issuer(self) -> str:
        """What ids begin with: the SDK refuses ids with more path than `/secrets/<name>/<version>`."""
        return self.store.core.config.origin

    @property
    def place(self) -> str:
        return f"{self.vault['name'].lower()}|{self.key}"

    @property
    def bucket(self) -> Any:
        return self.store.core.state.bucket("azure.secrets")

    def entry(self) -> Entry | None:
        """The secret's record as of now: purged ones are gone."""
        found: Entry | None = self.bucket.get(self.place)
        if found and found.get("purged_at") and found["purged_at"] <= self.now():
            self.bucket.delete(self.place)
            return None
        return found

    def now(self) -> float:
        return self.store.core.clock.now()

    def days(self) -> int:
        return int(self.vault["properties"].get("softDeleteRetentionInDays", 90))


def _not_found(ask: Ask) -> AzureError:
    return AzureError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {ask.name} was not found in this key vault. If you recently deleted this secret you "
        "may be able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def _being_deleted(ask: Ask) -> AzureError:
    return AzureError(409, "Conflict", f"Secret {ask.name} is currently being deleted.", inner="ObjectIsBeingDeleted")


def _live(ask: Ask) -> Entry:
    entry = ask.entry()
    if entry is None or entry.get("deleted_at"):
        raise _not_found(ask)
    return entry


def _attributes(ask: Ask, version: Entry) -> dict[str, Any]:
    return {
        **version["attributes"],
        "created": int(version["created"]),
        "updated": int(version["updated"]),
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": ask.days(),
    }


def _bundle(ask: Ask, entry: Entry, version: Entry, *, value: bool = False, versioned: bool = True) -> dict[str, Any]:
    number = f"{ask.issuer}/secrets/{entry['name']}" + (f"/{version['id']}" if versioned else "")
    body: dict[str, Any] = {"id": number, "attributes": _attributes(ask, version), "tags": version["tags"]}
    if version.get("contentType"):
        body["contentType"] = version["contentType"]
    return {"value": version["value"]} | body if value else body


def _deleted_bundle(ask: Ask, entry: Entry, *, versioned: bool = True) -> dict[str, Any]:
    return _bundle(ask, entry, entry["versions"][-1], versioned=versioned) | {
        "recoveryId": f"{ask.issuer}/deletedsecrets/{entry['name']}",
        "deletedDate": int(entry["deleted_at"]),
        "scheduledPurgeDate": int(entry["deleted_at"]) + ask.days() * 86400,
    }


def put(ask: Ask) -> Response:
    entry = ask.entry()
    if entry and entry.get("deleted_at"):
        if entry["deletion_done"] > ask.now() or entry.get("purged_at"):
            raise _being_deleted(ask)
        raise AzureError(
            409,
            "Conflict",
            f"Secret {ask.name} is currently in a deleted but recoverable state, and its name cannot be reused; in "
            "this state, the secret can only be recovered or purged.",
            inner="ObjectIsDeletedButRecoverable",
        )
    body = ask.body if isinstance(ask.body, dict) else {}
    value = body.get("value")
    if not isinstance(value, str):
        raise AzureError(400, "BadParameter", "Property  has invalid value: the secret's value is missing")
    if len(value.encode()) > LARGEST:
        raise AzureError(400, "BadParameter", f"The secret's value is longer than {LARGEST} bytes.")
    if len(body.get("tags") or {}) > MOST_TAGS:
        raise AzureError(400, "BadParameter", f"A secret has at most {MOST_TAGS} tags.")
    version = {
        "id": uuid.uuid4().hex,
        "value": value,
        "created": ask.now(),
        "updated": ask.now(),
        "tags": body.get("tags") or {},
        "contentType": body.get("contentType"),
        "attributes": {"enabled": True} | (body.get("attributes") or {}),
    }
    updated = {
        "name": entry["name"] if entry else ask.name,
        "versions": [*(entry["versions"] if entry else []), version],
    }
    ask.bucket.put(ask.place, updated)
    return JSONResponse(_bundle(ask, updated, version, value=True))


def _version(ask: Ask, entry: Entry) -> Entry:
    if len(ask.parts) < 3:
        return dict(entry["versions"][-1])
    for version in entry["versions"]:
        if version["id"] == ask.parts[2].lower():
            return dict(version)
    raise _not_found(ask)


def get(ask: Ask) -> Response:
    entry = _live(ask)
    version = _version(ask, entry)
    if version["attributes"].get("enabled") is False:
        message = "Operation get is not allowed on a disabled secret."
        raise AzureError(403, "Forbidden", message, inner="SecretDisabled")
    return JSONResponse(_bundle(ask, entry, version, value=True))


def patch(ask: Ask) -> Response:
    """Changes attributes, tags and content type of a version; never its value."""
    entry = _live(ask)
    version, body = _version(ask, entry), ask.body if isinstance(ask.body, dict) else {}
    version["attributes"] = version["attributes"] | (body.get("attributes") or {})
    version["tags"] = body.get("tags", version["tags"])
    version["contentType"] = body.get("contentType", version.get("contentType"))
    version["updated"] = ask.now()
    kept = [version if old["id"] == version["id"] else old for old in entry["versions"]]
    ask.bucket.put(ask.place, entry | {"versions": kept})
    return JSONResponse(_bundle(ask, entry, version))


def delete(ask: Ask) -> Response:
    entry = ask.entry()
    if entry and entry.get("deleted_at"):
        if entry["deletion_done"] > ask.now():
            raise _being_deleted(ask)
        raise _not_found(ask)
    if entry is None:
        raise _not_found(ask)
    done = ask.store.core.clock.after(DELETING)
    deleted = entry | {"deleted_at": ask.now(), "deletion_done": done}
    ask.bucket.put(ask.place, deleted)
    return JSONResponse(_deleted_bundle(ask, deleted))


def _deleted(ask: Ask) -> Entry:
    entry = ask.entry()
    if entry is None or not entry.get("deleted_at") or entry["deletion_done"] > ask.now() or entry.get("purged_at"):
        message = f"Deleted Secret not found: {ask.name}"
        raise AzureError(404, "SecretNotFound", message)
    return entry


def get_deleted(ask: Ask) -> Response:
    return JSONResponse(_deleted_bundle(ask, _deleted(ask)))


def purge(ask: Ask) -> Response:
    entry = ask.entry()
    if entry and entry.get("deleted_at") and entry["deletion_done"] > ask.now():
        raise _being_deleted(ask)
    entry = _deleted(ask)
    if ask.vault["properties"].get("enablePurgeProtection"):
        message = 'Operation "purge" is not allowed because purge protection is enabled for this vault.'
        raise AzureError(403, "Forbidden", message, inner="PurgeProtectionEnabled")
    ask.bucket.put(ask.place, entry | {"purged_at": ask.store.core.clock.after(PURGING)})
    return Response(status_code=204)


def recover(ask: Ask) -> Response:
    entry = _deleted(ask)
    kept = {"name": entry["name"], "versions": entry["versions"]}
    ask.bucket.put(ask.place, kept)
    return JSONResponse(_bundle(ask, kept, kept["versions"][-1]))


def _entries(ask: Ask) -> list[Entry]:
    prefix = ask.vault["name"].lower() + "|"
    return [entry for _, entry in ask.bucket.items(prefix) if (entry.get("purged_at") or ask.now() + 1) > ask.now()]


def _page(ask: Ask, items: list[dict[str, Any]]) -> Response:
    try:
        size = int(ask.query.get("maxresults") or PAGE)
        start = int(ask.query.get("$skiptoken") or 0)
    except ValueError as error:
        raise AzureError(400, "BadParameter", "maxresults or $skiptoken is not valid") from error
    if not 1 <= size <= PAGE:
        raise AzureError(400, "BadParameter", f"maxresults must be from 1 to {PAGE}")
    following = None
    if start + size < len(items):
        query = {**ask.query, "maxresults": str(size), "$skiptoken": str(start + size)}
        following = f"{ask.base}/{'/'.join(ask.parts)}?{urlencode(query)}"
    return JSONResponse({"value": items[start : start + size], "nextLink": following})


def listing(ask: Ask) -> Response:
    live = [entry for entry in _entries(ask) if not entry.get("deleted_at")]
    return _page(ask, [_bundle(ask, entry, entry["versions"][-1], versioned=False) for entry in live])


def versions(ask: Ask) -> Response:
    entry = _live(ask)
    return _page(ask, [_bundle(ask, entry, version) for version in entry["versions"]])


def deleted_listing(ask: Ask) -> Response:
    gone = [
        entry
        for entry in _entries(ask)
        if entry.get("deleted_at") and entry["deletion_done"] <= ask.now() and not entry.get("purged_at")
    ]
    return _page(ask, [_deleted_bundle(ask, entry, versioned=False) for entry in gone])
