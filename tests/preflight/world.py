"""States of the simulated world in which something stands in a hub's way. Each case has a subscription of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import httpx

from accounts.models import SpendingPolicy
from deployments import outside
from deployments.models import SecretRef
from deployments.naming import Names
from deployments.services import DOCKER_TOKEN
from sandbox import seeds
from tests.sandbox_process import SandboxProcess, trusting

CONTRIBUTOR = {"actions": ["*"], "not_actions": ["Microsoft.Authorization/*/write", "Microsoft.Authorization/*/delete"]}
READER = {"actions": ["*/read"]}
VAULT_VERSION = "2023-07-01"


@dataclass
class World:
    """What a case may do to its subscription, and to what everybody shares."""

    process: SandboxProcess
    subscription: str
    _vault_is_deleted: bool = False

    # --- Azure -------------------------------------------------------------------------------------------------

    def azure(self, what: str, /, **more: Any) -> None:
        self.process.control(f"azure/{what}", {"subscription": self.subscription} | more)

    def may(self, *roles: dict[str, Any]) -> None:
        """All that the worker may do in the subscription."""
        self.azure("rights", client_id=seeds.WORKER_CLIENT_ID, roles=list(roles))

    def may_not(self, *actions: str) -> None:
        """A Contributor may do everything but this."""
        self.may({"actions": ["*"], "not_actions": [*CONTRIBUTOR["not_actions"], *actions]})

    def is_disabled(self) -> None:
        self.process.control("azure/subscriptions", {"id": self.subscription, "state": "Disabled"})

    def is_a_trial(self) -> None:
        self.process.control("azure/subscriptions", {"id": self.subscription, "kind": "FreeTrial", "cores": 4})

    def lacks(self, namespace: str) -> None:
        self.azure("providers", namespace=namespace, state="NotRegistered")

    def has(self, namespace: str) -> None:
        self.azure("providers", namespace=namespace, state="Registered")

    def denies(self, policy: str, **rule: Any) -> None:
        self.azure("policies", name=policy, **rule)

    def has_cores(self, limit: int, name: str = "cores") -> None:
        self.azure("quota", name=name, limit=limit)

    def group_is_taken(self, names: Names) -> None:
        from cloud.azure import groups

        groups.create_group(outside.azure(), self.subscription, names.group, "uksouth", {"owner": "somebody"})

    def label_is_taken(self, names: Names) -> None:
        self.azure("dns", region="uksouth", label=names.dns_label)

    def registry_is_taken(self, names: Names) -> None:
        self.azure("registry-names", name=names.registry)

    # --- the vault ---------------------------------------------------------------------------------------------

    def vault_allows(self, *verbs: str) -> None:
        rights = {"vault": seeds.PORTAL_VAULT, "client_id": seeds.WORKER_CLIENT_ID, "verbs": list(verbs)}
        self.process.control("azure/vault-rights", rights)

    def delete_vault(self, _names: Names) -> None:
        """The portal's own, as somebody who tidies up might."""
        self._vault("DELETE")
        self._vault_is_deleted = True

    def put_right(self) -> None:
        """The vault is there, and the worker may do with it what it should."""
        rights = ("get", "list", "set", "delete", "purge")
        self.vault_allows(*rights)
        if self._vault_is_deleted:
            self._recover_vault()

    def _recover_vault(self) -> None:
        properties = {"tenantId": seeds.TENANT_ID, "sku": {"family": "A", "name": "standard"}, "createMode": "recover"}
        self._vault("PUT", {"location": "uksouth", "properties": properties})

    def _vault(self, method: str, body: Any = None) -> None:
        group = f"/subscriptions/{seeds.SUBSCRIPTIONS[0]['id']}/resourceGroups/{seeds.PORTAL_VAULT}"
        path = f"{group}/providers/Microsoft.KeyVault/vaults/{seeds.PORTAL_VAULT}?api-version={VAULT_VERSION}"
        token = outside.azure().token(outside.profile().arm_scope)
        with httpx.Client(verify=trusting(self.process.ca), trust_env=False) as http:
            headers = {"Authorization": f"Bearer {token}"}
            http.request(method, f"{self.process.origin}{path}", headers=headers, json=body).raise_for_status()

    def secret_is_purged(self, names: Names) -> None:
        """The hub's token for its registry, by somebody who tidies up."""
        ref = SecretRef.objects.get(deployment_id=names.owner, purpose=DOCKER_TOKEN)
        outside.vault().delete(ref.vault_name)
        while outside.vault().state(ref.vault_name).state != "deleted":
            pass
        outside.vault().purge(ref.vault_name)

    def lets_hubs_stay(self, days: int) -> None:
        """An administrator has become strict."""
        SpendingPolicy.objects.create(group=None, max_days=days, max_monthly_cost=90_000)

    # --- who we are --------------------------------------------------------------------------------------------

    def sign_in_with(self, **changes: str) -> None:
        """The worker's identity is not what it was: AZURE_TENANT_ID, AZURE_CLIENT_ID or its secret."""
        os.environ |= changes
        if "AZURE_CLIENT_SECRET" in changes:
            os.environ.pop("AZURE_CLIENT_SECRET_FILE", None)
        forget_connections()

    # --- everybody else ----------------------------------------------------------------------------------------

    def docker_account(self, username: str, **more: Any) -> None:
        self.process.control("dockerhub/accounts", {"username": username, "token": "dckr_pat_demo"} | more)

    def docker_pulls_left(self, username: str, left: int) -> None:
        self.process.control("dockerhub/pulls", {"username": username, "left": left})

    def github_app(self, client_id: str, callback: str) -> None:
        app = {"client_id": client_id, "client_secret": "github-demo-secret", "callback": callback}
        self.process.control("github/apps", app)

    def registry(self, name: str) -> str:
        found = next(each for each in self.process.control("registries") if each["name"] == name)
        return str(found["address"])

    @property
    def github(self) -> str:
        return f"{self.process.origin}/github"

    # --- what was done -----------------------------------------------------------------------------------------

    def written(self) -> list[str]:
        """Everything that was made, changed or removed in the subscription; asking with a POST is no writing."""
        rows = self.process.control("journal")
        mine = [row for row in rows if row["path"].lower().startswith(f"/subscriptions/{self.subscription}")]
        return [f"{row['method']} {row['path']}" for row in mine if not row["path"].endswith(QUESTIONS)]


def forget_connections() -> None:
    """What this process knows of the outside is read anew from its environment."""
    for made in (outside.profile, outside.azure, outside.vault):
        made.cache_clear()


#: What is asked with a POST.
QUESTIONS = ("/checkPolicyRestrictions", "/checkNameAvailability", "/listClusterAdminCredential")
