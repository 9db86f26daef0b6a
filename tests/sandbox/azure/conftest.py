"""One sandbox process, and the SDK's own clients signed in to it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from azure.core import PipelineClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.core.exceptions import ARMErrorFormat
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

from sandbox import seeds
from tests.sandbox_process import SandboxProcess

ARM = "https://management.azure.com/.default"


class World:
    """The sandbox with a client of each kind; `subscription` is a subscription of its own with 100 cores."""

    def __init__(self, process: SandboxProcess) -> None:
        self.process, self.origin, self.ca = process, process.origin, str(process.ca)
        self.worker, self.web = self.credential("worker"), self.credential("web")
        self.http = httpx.Client(base_url=self.origin, verify=self._trust(), trust_env=False)
        self.use(self.new_subscription())

    def use(self, subscription: str) -> None:
        self.subscription, options = subscription, self.options()
        self.groups = ResourceManagementClient(self.worker, subscription, **options)
        self.aks = ContainerServiceClient(self.worker, subscription, **options)
        self.compute = ComputeManagementClient(self.worker, subscription, **options)
        self.vaults = KeyVaultManagementClient(self.worker, subscription, **options)
        self.subscriptions = SubscriptionClient(self.worker, **options)

    def _trust(self) -> Any:
        import ssl

        return ssl.create_default_context(cafile=self.ca)

    def options(self) -> dict[str, Any]:
        return {
            "base_url": self.origin,
            "credential_scopes": [ARM],
            "connection_verify": self.ca,
            "polling_interval": 0.02,
            "retry_total": 0,
        }

    def credential(
        self, name: str = "", *, tenant: str = "", client: str = "", secret: str = ""
    ) -> ClientSecretCredential:
        known = {"web": seeds.WEB_CLIENT_ID, "worker": seeds.WORKER_CLIENT_ID, "": seeds.WORKER_CLIENT_ID}
        path = self.process.home / f"{name or 'worker'}-client-secret"
        return ClientSecretCredential(
            tenant or seeds.TENANT_ID,
            client or known[name],
            secret or path.read_text(),
            authority=self.origin,
            disable_instance_discovery=True,
            connection_verify=self.ca,
        )

    def control(self, name: str, /, **body: Any) -> Any:
        return self.process.control(f"azure/{name}", body)

    def new_subscription(self, cores: int = 100, kind: str = "PayAsYouGo") -> str:
        number = str(uuid.uuid4())
        self.control("subscriptions", id=number, name="test", kind=kind, cores=cores)
        return number

    def group(self, name: str = "", **tags: str) -> str:
        name = name or f"g-{uuid.uuid4().hex[:8]}"
        self.groups.resource_groups.create_or_update(name, {"location": "uksouth", "tags": tags})
        return name

    def create(self, group: str, name: str = "c1", body: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.aks.managed_clusters.begin_create_or_update(group, name, body or cluster_body(), **more)

    def secrets(self, credential: Any = None, vault: str = seeds.PORTAL_VAULT) -> SecretClient:
        return SecretClient(
            f"{self.origin}/kv/{vault}/",
            credential or self.worker,
            connection_verify=self.ca,
            verify_challenge_resource=False,
            retry_total=0,
        )

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        credential: Any = None,
        *,
        media_type: str = "application/json",
        scope: str = ARM,
    ) -> HttpResponse:
        """A request that the typed clients would never make, through the SDK's own pipeline; raises its errors."""
        policies = [BearerTokenCredentialPolicy(credential or self.worker, scope)] if credential is not False else []
        content = body if isinstance(body, bytes) or body is None else json.dumps(body)
        headers = {"Content-Type": media_type}
        request = HttpRequest(method, urljoin(self.origin, path), content=content, headers=headers)
        with PipelineClient(self.origin, policies=policies, connection_verify=self.ca) as client:
            answer = client.send_request(request)
        if answer.status_code >= 400:
            raise HttpResponseError(response=answer, error_format=ARMErrorFormat)
        return answer

    def token(self, credential: Any = None, scope: str = ARM) -> str:
        return str((credential or self.worker).get_token(scope).token)


def cluster_body(**properties: Any) -> dict[str, Any]:
    """The smallest body that AKS takes, with changes; `pool` changes its one agent pool."""
    pool = {"name": "core", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5"} | properties.pop("pool", {})
    top = properties.pop("top", {})
    base = {"location": "uksouth", "identity": {"type": "SystemAssigned"}} | top
    return base | {"properties": {"dnsPrefix": "c1", "agentPoolProfiles": [pool]} | properties}


class FixedToken:
    """A credential that always hands out one token."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        return AccessToken(self.token, 4_000_000_000)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with SandboxProcess(tmp_path_factory.mktemp("azure"), speed=2000) as process:
        yield World(process)


@pytest.fixture
def own(world: World) -> Iterator[World]:
    """The same, in a fresh subscription."""
    world.use(world.new_subscription())
    yield world


@pytest.fixture
def refused() -> Callable[..., HttpResponseError]:
    return refusal


def refusal(code: str, status: int, call: Callable[[], Any]) -> HttpResponseError:
    """Calls, expects the refusal, returns it."""
    with pytest.raises(HttpResponseError) as caught:
        call()
    error = caught.value
    assert (error.error.code if error.error else None, error.status_code) == (code, status), str(error)
    return error
