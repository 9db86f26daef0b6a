"""Everything ARM knows: resources, operations and what is due, in the sandbox's state.

A resource record is `{"body": <what ARM answers>, "private": <what only the sandbox knows>}` under its lowercase id.
"""

from __future__ import annotations

import copy
import uuid
from typing import Any

from sandbox import seeds
from sandbox.core import Core

Record = dict[str, Any]
VAULT_TYPE = "Microsoft.KeyVault/vaults"
REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
FILLER = "MIIHhzCCBm-gAwIBAgITfAd" * 90  # a real poll address carries a certificate: some 2 kB


class Store:
    def __init__(self, core: Core) -> None:
        self.core = core
        self.resources = core.state.bucket("azure.resources")
        self.operations = core.state.bucket("azure.operations")
        self.due = core.state.bucket("azure.due")
        # name → id: names are unique in the whole world
        self.vaults = core.state.bucket("azure.vaults")
        self.registries = core.state.bucket("azure.registries")
        self.unique = {VAULT_TYPE: self.vaults, REGISTRY_TYPE: self.registries}

    # resources

    def get(self, resource_id: str) -> Record | None:
        """A copy of the record, free to change and `put` back."""
        record = self.resources.get(resource_id.lower())
        return copy.deepcopy(record) if record else None

    def put(self, record: Record) -> None:
        record["private"]["changed"] = self.core.clock.now()
        record["private"].setdefault("created", self.core.clock.now())
        body = record["body"]
        self.resources.put(body["id"].lower(), record)
        if (names := self.unique.get(body["type"])) is not None:
            names.put(body["name"].lower(), {"id": body["id"]})

    def delete(self, resource_id: str) -> bool:
        record = self.resources.get(resource_id.lower())
        if record and (names := self.unique.get(record["body"]["type"])) is not None:
            names.delete(record["body"]["name"].lower())
        roles = self.core.state.bucket("azure.role_assignments")
        for key in roles.keys(f"{resource_id.lower()}/providers/microsoft.authorization/"):
            roles.delete(key)  # what is gone cannot be entered
        return self.resources.delete(resource_id.lower())

    def under(self, prefix: str, resource_type: str = "") -> list[Record]:
        """Records whose id starts with `prefix`, of one type when named. Read-only."""
        wanted = resource_type.lower()
        return [
            record
            for _, record in self.resources.items(prefix.lower())
            if not wanted or record["body"]["type"].lower() == wanted
        ]

    def group(self, subscription: str, name: str) -> Record | None:
        return self.get(group_id(subscription, name))

    def subscriptions(self) -> dict[str, dict[str, Any]]:
        """Subscriptions by lowercase id: the seeded ones, then what a test added or changed."""
        found = {entry["id"].lower(): dict(entry) for entry in seeds.SUBSCRIPTIONS}
        for key, entry in self.core.state.bucket("azure.subscriptions").items():
            found[key] = found.get(key, {}) | entry
        return found

    # operations and what is due

    def begin(self, subscription: str, namespace: str, location: str) -> str:
        """A new operation in progress; returns its id."""
        number = str(uuid.uuid4())
        entry = {
            "name": number,
            "status": "InProgress",
            "startTime": self.core.clock.iso(),
            "subscription": subscription,
            "namespace": namespace,
            "location": location,
        }
        self.operations.put(number, entry)
        return number

    def finish(
        self, operation: str, status: str, error: dict[str, Any] | None = None, result: dict[str, Any] | None = None
    ) -> None:
        """Ends an operation once: what has ended stays as it ended. `result` is what its Location then answers."""
        entry = self.operations.get(operation)
        if entry is None or entry["status"] != "InProgress":
            return
        ended = entry | {"status": status, "endTime": self.core.clock.iso()}
        more = {name: value for name, value in (("error", error), ("result", result)) if value}
        self.operations.put(operation, ended | more)

    def schedule(self, kind: str, seconds: float, **facts: Any) -> None:
        """Has the transition `kind` happen after so many simulated seconds."""
        moment = self.core.clock.after(seconds)
        key = f"{moment:018.6f}|{uuid.uuid4().hex[:8]}"
        self.due.put(key, {"kind": kind, "moment": moment} | facts)

    def unschedule(self, **facts: Any) -> None:
        """Forgets what is due with these facts."""
        for key, item in self.due.items():
            if all(item.get(name) == value for name, value in facts.items()):
                self.due.delete(key)


def group_id(subscription: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def resource_group_of(resource_id: str) -> str:
    """The resource group's name in an id, as written there; "" where there is none."""
    parts = resource_id.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""
