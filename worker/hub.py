"""A step's way to one hub in the cloud: who it is, and how to reach Azure, its cluster and its release."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from django.conf import settings

from cloud import kubeconfig as kubeconfigs
from cloud.azure import clusters, limits
from cloud.azure.clusters import Cluster
from cloud.azure.session import AzureSession
from cloud.errors import PermanentError, SignInFailed
from cloud.helm import Helm
from cloud.kubernetes import KubernetesCluster, connect
from cloud.profile import AzureCloud
from deployments import outside, services
from deployments.diagnosis import Symptoms
from deployments.models import Deployment, Operation, SecretRef, StepRun
from deployments.naming import OWNER_TAG, Names
from deployments.redaction import remember
from deployments.spec import HubSpec
from deployments.states import OperationKind, SecretState
from deployments.values import HubSecrets, hub_values
from worker import masks
from worker.context import Context
from worker.lookouts import Lookouts
from worker.shared import Answer, Shared
from worker.step import Watch
from worker.symptoms import gather

#: Credentials are fetched again after so long (seconds). They live in this process's memory only.
CREDENTIALS_LAST = 600.0


class Credentials:
    """Kubeconfigs of the clusters this process works with. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, bytes]] = {}

    def get(self, key: str) -> bytes | None:
        with self._lock:
            until, kubeconfig = self._known.get(key, (0.0, b""))
            return kubeconfig if until > time.monotonic() else None

    def put(self, key: str, kubeconfig: bytes) -> None:
        with self._lock:
            self._known[key] = (time.monotonic() + CREDENTIALS_LAST, kubeconfig)

    def forget(self, key: str) -> None:
        with self._lock:
            self._known.pop(key, None)


_credentials = Credentials()
_shared = Shared()


def _cluster_states(subscription: str) -> dict[str, str]:
    with limits.turn("lookout"):
        return clusters.cluster_states(outside.azure(), subscription)


#: What one look tells of many hubs.
LOOKOUTS = Lookouts({"clusters": _cluster_states})


def kubeconfig_of(spec: HubSpec, names: Names) -> bytes:
    """A hub's cluster's credentials, from memory or from Azure; never on disk, in an argument or in the database."""
    known = _credentials.get(names.owner)
    if known is None:
        known = clusters.kubeconfig(outside.azure(), spec.subscription_id, names.group, names.cluster)
        for secret in kubeconfigs.read(known).secrets():
            remember(secret)
        _credentials.put(names.owner, known)
    return known


def forget_kubeconfig(names: Names) -> None:
    """After a refusal: Azure is asked anew the next time."""
    _credentials.forget(names.owner)


def helm_program() -> Helm:
    patience = settings.SLIPWAY_HELM_STUCK_SECONDS
    return Helm(Path(settings.HELM_BINARY), settings.SLIPWAY_HOME / "helm", stuck_after=patience)


@dataclass
class HubContext(Context):
    """What the hub's steps see."""

    lookouts = LOOKOUTS

    @classmethod
    def only_looking(cls, hub: Deployment) -> Self:
        """A way to a hub without a run: one may look, and nothing can be recorded."""
        operation = Operation(deployment=hub, revision=hub.revision, kind=OperationKind.MEND)
        return cls(operation=operation, fence=0, run=StepRun(operation=operation))

    @cached_property
    def spec(self) -> HubSpec:
        return self.operation.revision.spec

    def as_described(self, spec: HubSpec) -> HubContext:
        """The same hub as another of its descriptions has it."""
        other = replace(self, cache={key: value for key, value in self.cache.items() if key == "kubernetes"})
        other.__dict__["spec"] = spec
        return other

    @cached_property
    def names(self) -> Names:
        return self.operation.deployment.names

    @property
    def address(self) -> str:
        """What the description says; a change of domain moves the hub before its deployment's page says so."""
        return outside.hub_address(self.spec, self.names)

    @property
    def profile(self) -> AzureCloud:
        return outside.profile()

    @property
    def az(self) -> AzureSession:
        return outside.azure()

    @property
    def subscription(self) -> str:
        """Where the description puts the hub, or where something of it was found."""
        return str(self.operation.arguments.get("subscription") or self.spec.subscription_id)

    def is_ours(self, tags: dict[str, str]) -> bool:
        """Whether the thing carries this deployment's tag; nothing else may be touched."""
        return tags.get(OWNER_TAG) == self.names.owner

    def turn(self) -> AbstractContextManager[object]:
        return limits.turn(self.names.owner)

    def cluster(self) -> Cluster | None:
        return clusters.get_cluster(self.az, self.subscription, self.names.group, self.names.cluster)

    def shared(self, what: str, max_age: float, ask: Callable[[], Answer]) -> Answer:
        """What Azure tells of this hub's subscription and region; all hubs that are there share it for so long."""
        return _shared.get((what, self.subscription, self.spec.region), max_age, ask)

    def watch_cluster(self, state: str) -> Watch | None:
        """Nothing need be looked at before Azure's list of clusters shows another state for this one."""
        place = f"{self.subscription}/resourceGroups/{self.names.group}"
        thing = f"/subscriptions/{place}/providers/{clusters.TYPE}/{self.names.cluster}".lower()
        return self.lookouts.watch(f"clusters:{self.subscription}", thing, state)

    def kubeconfig(self) -> bytes:
        return kubeconfig_of(self.spec, self.names)

    def kubernetes(self) -> KubernetesCluster:
        """The cluster's API, one client for all steps of a pass."""
        client: KubernetesCluster | None = self.cache.get("kubernetes")
        if client is None:
            client = self.cache["kubernetes"] = connect(self.kubeconfig(), self.az)
        return client

    def forget_credentials(self) -> None:
        """After a refusal: ask Azure anew the next time, and where one signs in there, sign in anew."""
        self.az.renew()
        forget_kubeconfig(self.names)
        self.cache.pop("kubernetes", None)

    @property
    def helm(self) -> Helm:
        return helm_program()

    def symptoms(self, unhealthy: Sequence[str] = (), failure: str = "") -> Symptoms:
        """What goes on inside the hub, as far as a diagnosis may need it; its words may be told in the log."""
        masks.learn(self.deployment_id)
        return gather(self.kubernetes(), self.names.namespace, self.now(), unhealthy=unhealthy, failure=failure)

    def secret(self, purpose: str) -> str:
        """Reads a secret from the vault, at the moment of use; its value is masked everywhere from then on."""
        ref = SecretRef.objects.filter(
            deployment_id=self.deployment_id, purpose=purpose, state=SecretState.STORED
        ).first()
        if ref is None:
            raise PermanentError(
                "A secret of this hub is no longer in the vault.", "Take the hub down and request it anew."
            )
        value = outside.vault().get(ref.vault_name, ref.version)
        remember(value)
        return value

    def hub_tokens(self) -> dict[str, str]:
        """The tokens that we have made for the hub, once a pass."""
        known: dict[str, str] | None = self.cache.get("tokens")
        if known is None:
            known = self.cache["tokens"] = json.loads(self.secret(services.HUB_TOKENS))
            for token in known.values():
                remember(token)
        return known

    def hub_secrets(self) -> HubSecrets:
        """Everything the values need, once a pass."""
        known: HubSecrets | None = self.cache.get("secrets")
        if known is None:
            spec = self.spec
            known = HubSecrets(
                docker_token=self.secret(services.REGISTRY_TOKEN if spec.registry == "acr" else services.DOCKER_TOKEN),
                github_secret=self.secret(services.GITHUB_SECRET) if spec.signs_in else "",
                private_token=self.secret(services.PRIVATE_TOKEN) if spec.private_repositories else "",
                **self.hub_tokens(),
            )
            self.cache["secrets"] = known
        return known

    def values(self) -> dict[str, object]:
        host = outside.registry_host(self.spec, self.names)
        return hub_values(self.spec, self.names, self.address, self.hub_secrets(), host)


__all__ = ["HubContext", "SignInFailed"]
