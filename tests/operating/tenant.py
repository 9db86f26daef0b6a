"""A subscription of a real tenant's kind: its owner, and two identities that may do nothing yet."""

from __future__ import annotations

import io
import time
import uuid
from typing import Any

from django.core.management import call_command

from cloud.azure.session import AzureSession
from cloud.errors import SlipwayError
from cloud.keyvault import SecretVault
from cloud.profile import load
from tests.operating.conftest import acting
from tests.sandbox_process import SandboxProcess

SECRET = "a-secret-of-an-application"


class Tenant:
    def __init__(self, cloud: SandboxProcess) -> None:
        self.cloud, self.vault = cloud, f"v{uuid.uuid4().hex[:10]}"
        self.subscription = self.new_subscription()
        self.owner, _ = self._application()
        self.own(self.subscription)
        self.web, self.web_id = self._application()
        self.worker, self.worker_id = self._application()

    def new_subscription(self, **more: Any) -> str:
        number = str(uuid.uuid4())
        kind = {"name": "Teaching", "kind": "PayAsYouGo", "cores": 100}
        self.cloud.control("azure/subscriptions", {"id": number, **kind, **more})
        return number

    def own(self, subscription: str) -> None:
        body = {"client_id": self.owner, "subscription": subscription, "actions": ["*"]}
        self.cloud.control("azure/rights", body)

    def _application(self) -> tuple[str, str]:
        made = self.cloud.control("azure/applications", {"client_secret": SECRET})
        return made["client_id"], made["object_id"]

    @property
    def vault_url(self) -> str:
        return f"{self.cloud.origin}/kv/{self.vault}/"

    def environ(self, client_id: str) -> dict[str, str]:
        portal = {key: value for key, value in self.cloud.portal_env.items() if key != "AZURE_KEY_VAULT_URL"}
        who = {"AZURE_CLIENT_ID": client_id, "AZURE_CLIENT_SECRET": SECRET, "AZURE_CLIENT_SECRET_FILE": ""}
        return {**portal, **who, "AZURE_KEY_VAULT_URL": self.vault_url}

    def session_of(self, client_id: str) -> AzureSession:
        environ = self.environ(client_id)
        return AzureSession.from_environment(load(environ), environ)

    def vault_of(self, client_id: str) -> SecretVault:
        return SecretVault(self.session_of(client_id), self.vault_url)

    def connect(self, *more: str, client_id: str = "", subscriptions: tuple[str, ...] = ()) -> str:
        """What the command prints, run by the owner unless said otherwise."""
        told, places = io.StringIO(), subscriptions or (self.subscription,)
        arguments = [f"--subscription={each}" for each in places]
        arguments += [f"--web={self.web_id}", f"--worker={self.worker_id}", f"--vault={self.vault}"]
        with acting(self.environ(client_id or self.owner)):
            call_command("connect_azure", *arguments, "--region=uksouth", *more, stdout=told)
        return told.getvalue()


def prepared(cloud: SandboxProcess) -> Tenant:
    """A tenant to which everything was applied, once its roles have spread."""
    tenant = Tenant(cloud)
    tenant.connect("--apply")
    until = time.monotonic() + 20
    while not (_arrived(tenant, tenant.web, "set") and _arrived(tenant, tenant.worker, "names")):
        assert time.monotonic() < until, "the roles have not arrived"
    tenant.vault_of(tenant.worker).delete("first")
    return tenant


def _arrived(tenant: Tenant, client_id: str, verb: str) -> bool:
    try:
        getattr(tenant.vault_of(client_id), verb)(*(("first", "x") if verb == "set" else ()))
    except SlipwayError as error:
        assert error.code == "ForbiddenByRbac", error
        return False
    return True
