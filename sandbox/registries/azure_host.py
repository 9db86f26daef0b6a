"""The data plane of an Azure Container Registry: what its ARM resource, tokens and roles allow."""

from __future__ import annotations

import hmac
from typing import Any

from sandbox.azure import registries_tokens, role_assignments
from sandbox.azure.store import Store
from sandbox.core import Core
from sandbox.registries import addresses
from sandbox.registries.hosts import TokenHost

PULL, PUSH = "7f951dda-4ed3-4680-a7ca-43fe172d538d", "8311e382-0749-4cb8-b61a-304f252e45ec"
#: Roles of a directory's identities that may pull: AcrPull, AcrPush, Contributor, Owner, Reader.
PULLERS = {
    PULL,
    PUSH,
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",
}
SPREADING = 60  # seconds until a new role is known to the registry
ALL = {"pull", "push", "delete"}


class AzureHost(TokenHost):
    token_path = "/oauth2/token"
    issuer = "Azure Container Registry"
    fields = ("access_token",)
    denied = "authentication required, visit https://aka.ms/acr/authorization for more information."

    def __init__(self, core: Core, body: dict[str, Any], admin: list[str]) -> None:
        name = body["name"]
        super().__init__(core, body["properties"]["loginServer"], addresses.shelf(core, name))
        self.body, self.name = body, name
        self.admin = admin if body["properties"]["adminUserEnabled"] else []
        self.service, self.realm = self.address, f"https://{self.address}{self.token_path}"

    def knows(self, username: str, password: str) -> bool:
        if username.lower() == self.name.lower():
            return any(hmac.compare_digest(each.encode(), password.encode()) for each in self.admin)
        return registries_tokens.opens(Store(self.core), self.name, username, password)

    def actions(self, username: str, repository: str) -> set[str]:
        if not username:
            return {"pull"} if self.body["properties"]["anonymousPullEnabled"] else set()
        if username.lower() == self.name.lower():
            return ALL
        return registries_tokens.verbs(Store(self.core), self.name, username)

    def lets_pull(self, object_id: str) -> bool:
        """Whether an identity of the directory may pull, by its roles."""
        return bool(role_assignments.roles_of(Store(self.core), object_id, self.body["id"], SPREADING) & PULLERS)
