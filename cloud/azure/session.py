"""One signed-in view of Azure: SDK clients made once, shared by threads, remade after a fork."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cloud.azure.credential import Renewable, watch
from cloud.azure.limits import Limits
from cloud.azure.transport import counted_transport
from cloud.errors import SignInFailed
from cloud.patience import answer_seconds
from cloud.profile import AzureCloud

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.keyvault.secrets import SecretClient
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient
    from azure.mgmt.containerservice import ContainerServiceClient
    from azure.mgmt.resource.resources import ResourceManagementClient
    from azure.mgmt.resource.subscriptions import SubscriptionClient

Client = TypeVar("Client")

CONNECT_SECONDS = 10
READ_SECONDS = 60
#: Only what a hiccup of the network needs. Statuses go to the engine at once: the SDK would sleep on a Retry-After.
RETRIES = {"retry_total": 2, "retry_connect": 2, "retry_read": 1, "retry_status": 0, "retry_backoff_factor": 0.2}
NOT_REGISTERED = "MissingSubscriptionRegistration"
#: The application that every AKS API server accepts tokens for.
KUBERNETES_SCOPE = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"


class AzureSession:
    """Hands out SDK clients for one identity in one cloud; safe to share between threads.

    A forked child makes clients of its own: two processes on one TLS connection would garble it.
    """

    def __init__(
        self, profile: AzureCloud, make_credential: "Callable[[], TokenCredential]", limits: Limits | None = None
    ) -> None:
        self.profile = profile
        self.credential = Renewable(make_credential)
        self.limits = limits
        self._clients: dict[tuple[int, str, str], Any] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_environment(
        cls, profile: AzureCloud, environ: Mapping[str, str], limits: Limits | None = None
    ) -> "AzureSession":
        """Sign in as the identity the environment names; with `limits` every request to ARM goes through them.

        AZURE_CLIENT_SECRET or AZURE_CLIENT_SECRET_FILE: that application; else workload identity when
        AZURE_FEDERATED_TOKEN_FILE is set; else whatever the machine offers (managed identity above all).
        """
        return cls(profile, lambda: _credential(profile, environ), limits)

    def clusters(self, subscription: str) -> "ContainerServiceClient":
        """AKS in one subscription."""
        from azure.mgmt.containerservice import ContainerServiceClient

        return self._arm("clusters", subscription, ContainerServiceClient)

    def registries(self, subscription: str) -> "ContainerRegistryManagementClient":
        """Container registries of one subscription."""
        from azure.mgmt.containerregistry import ContainerRegistryManagementClient

        return self._arm("registries", subscription, ContainerRegistryManagementClient)

    def resources(self, subscription: str) -> "ResourceManagementClient":
        """Resource groups, tags and providers of one subscription."""
        from azure.mgmt.resource.resources import ResourceManagementClient

        return self._arm("resources", subscription, ResourceManagementClient)

    def compute(self, subscription: str) -> "ComputeManagementClient":
        """Machine sizes and core quotas of one subscription."""
        from azure.mgmt.compute import ComputeManagementClient

        return self._arm("compute", subscription, ComputeManagementClient)

    def subscriptions(self) -> "SubscriptionClient":
        """The subscriptions this identity sees."""
        from azure.mgmt.resource.subscriptions import SubscriptionClient

        return self._once("subscriptions", "", lambda: SubscriptionClient(self.credential, **self._arm_options()))

    def vault(self, url: str) -> "SecretClient":
        """The secrets of one vault."""
        from azure.keyvault.secrets import SecretClient

        def make() -> SecretClient:
            verify = self.profile.verify_challenge_resource
            options = self._options("vault")
            return SecretClient(url, self.credential, verify_challenge_resource=verify, **options)

        return self._once("vault", url, make)

    def token(self, scope: str) -> str:
        """A bearer token for somebody other than ARM."""
        from cloud.azure.translate import translated

        with translated("sign in to Azure"):
            return self.credential.get_token(scope).token

    def renew(self) -> None:
        """After Azure did not take a token: forget all of them."""
        self.credential.renew()

    def _arm(self, kind: str, subscription: str, make: Callable[..., Client]) -> Client:
        return self._once(kind, subscription, lambda: make(self.credential, subscription, **self._arm_options()))

    def _once(self, kind: str, about: str, make: Callable[[], Client]) -> Client:
        key = (os.getpid(), kind, about)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = make()
            return cast(Client, self._clients[key])

    def _options(self, service: str) -> dict[str, Any]:
        return network_options(self.profile, service) | {"per_call_policies": [watch(self.renew)]}

    def _arm_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "base_url": self.profile.arm,
            "credential_scopes": [self.profile.arm_scope],
            "raw_response_hook": _switch_nothing_on,
        }
        if self.limits is not None:
            from cloud.azure.gate import gate

            # Within the SDK's own tries: each of them is a request that Azure counts.
            options["per_retry_policies"] = [gate(self.limits)]
        return self._options("arm") | options


def network_options(profile: AzureCloud, service: str) -> dict[str, Any]:
    """What every SDK client is told about the wire; its calls are counted under the service's name."""
    options: dict[str, Any] = dict(
        RETRIES, connection_timeout=CONNECT_SECONDS, read_timeout=answer_seconds(READ_SECONDS)
    )
    if profile.ca_bundle:
        options["connection_verify"] = profile.ca_bundle
        # Our own CA means this machine: a proxy of the environment has no business there.
        options["proxies"] = {"http": "", "https": ""}
    return options | {"transport": counted_transport(service, options)}


def _switch_nothing_on(response: Any) -> None:
    """Keeps the SDKs from registering a provider that is missing, which they do unasked and wait minutes for.

    A look changes nothing; the plan has a step that registers.
    """
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.core.exceptions import ARMErrorFormat

    answer = response.http_response
    if answer.status_code != 409:
        return
    answer.read()  # what is begun comes as a stream, which nobody has read yet
    if NOT_REGISTERED in answer.text():
        raise HttpResponseError(response=answer, error_format=ARMErrorFormat)


def _credential(profile: AzureCloud, environ: Mapping[str, str]) -> "TokenCredential":
    options = network_options(profile, "entra") | {
        "authority": profile.authority,
        "disable_instance_discovery": not profile.instance_discovery,
    }
    tenant, client, secret = environ.get("AZURE_TENANT_ID", ""), environ.get("AZURE_CLIENT_ID", ""), _secret(environ)
    if secret:
        return _application(tenant, client, secret, options)
    if environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        from azure.identity import WorkloadIdentityCredential

        file = environ["AZURE_FEDERATED_TOKEN_FILE"]
        return WorkloadIdentityCredential(tenant_id=tenant, client_id=client, token_file_path=file, **options)
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=client or None, **options)


def _application(tenant: str, client: str, secret: str, options: dict[str, Any]) -> "TokenCredential":
    from azure.identity import ClientSecretCredential

    if not (tenant and client):
        raise SignInFailed(
            "A client secret is set, but not who it belongs to.", "Set AZURE_TENANT_ID and AZURE_CLIENT_ID as well."
        )
    return ClientSecretCredential(tenant, client, secret, **options)


def _secret(environ: Mapping[str, str]) -> str:
    path = environ.get("AZURE_CLIENT_SECRET_FILE")
    if not path:
        return environ.get("AZURE_CLIENT_SECRET", "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise SignInFailed(
            f"The file with Azure's client secret cannot be read: {exc.strerror}.", "Check AZURE_CLIENT_SECRET_FILE."
        ) from exc
