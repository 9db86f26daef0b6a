"""One hub's cluster as looks see it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

from cloud.helm import Revision
from cloud.kubernetes import KubernetesCluster
from deployments import outside
from deployments.models import Deployment, SecretRef
from deployments.redaction import remember
from deployments.states import SecretState
from worker.hub import forget_kubeconfig, helm_program, kubeconfig_of

#: Somebody waits at a page: a cluster that does not answer is given up sooner than in a run (seconds).
PATIENCE = (3.0, 8.0)


class Inside:
    """Made once for as long as a job lasts, and shared by its threads.

    Everything that is shown goes through the redaction, which must know the hub's secrets first: where the vault does
    not tell them, nothing is shown.
    """

    def __init__(self, hub: Deployment) -> None:
        self.hub, self.names, self._spec = hub, hub.names, hub.revision.spec
        self._lock = threading.Lock()
        self._masked: set[tuple[str, str]] = set()
        self._cluster: KubernetesCluster | None = None

    @property
    def namespace(self) -> str:
        return self.names.namespace

    def open(self) -> KubernetesCluster:
        """The cluster, once every secret of the hub is known to the redaction."""
        with self._lock, ThreadPoolExecutor(8, thread_name_prefix="secrets") as pool:
            unknown = self._secrets() - self._masked
            masks = [pool.submit(_mask, name, version) for name, version in unknown]
            if self._cluster is None:
                kubeconfig = kubeconfig_of(self._spec, self.names)
                self._cluster = KubernetesCluster(kubeconfig, outside.azure(), PATIENCE)
            for mask in masks:
                mask.result()
            self._masked |= unknown
            return self._cluster

    def history(self) -> list[Revision]:
        """What Helm did here, newest first."""
        kubeconfig = kubeconfig_of(self._spec, self.names)
        return helm_program().history(kubeconfig, self.names.release, self.names.namespace)[::-1]

    def renew(self) -> None:
        """After a refusal: with new credentials the next time."""
        with self._lock:
            forget_kubeconfig(self.names)
            self._cluster = None

    def close(self) -> None:
        if self._cluster is not None:
            self._cluster.close()

    def _secrets(self) -> set[tuple[str, str]]:
        """(name, version) in the vault: those in use, and those that a renewal has just replaced."""
        refs = SecretRef.objects.filter(deployment=self.hub, state=SecretState.STORED)
        return {
            (name, version)
            for name, present, former in refs.values_list("vault_name", "version", "previous_version")
            for version in (present, former)
            if version
        }


def _mask(name: str, version: str) -> None:
    value = outside.vault().get(name, version)
    remember(value)
    for part in _parts(value):
        remember(part)


def _parts(value: str) -> list[str]:
    """The tokens of a hub's parts are kept together, as JSON."""
    try:
        content = json.loads(value)
    except ValueError:
        return []
    return [str(part) for part in content.values()] if isinstance(content, dict) else []
