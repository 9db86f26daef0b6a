"""One hub's cluster as looks see it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from cloud.helm import Revision
from cloud.kubernetes import KubernetesCluster
from deployments import outside
from deployments.models import Deployment
from worker import masks
from worker.hub import forget_kubeconfig, helm_program, kubeconfig_of

#: Somebody waits at a page: a cluster that does not answer is given up sooner than in a run (seconds).
PATIENCE = (3.0, 8.0)


class Inside:
    """Made once for as long as a job lasts, and shared by its threads."""

    def __init__(self, hub: Deployment) -> None:
        self.hub, self.names, self._spec = hub, hub.names, hub.revision.spec
        self._lock = threading.Lock()
        self._cluster: KubernetesCluster | None = None

    @property
    def namespace(self) -> str:
        return self.names.namespace

    def open(self) -> KubernetesCluster:
        """The cluster, once every secret of the hub is known to the redaction."""
        with self._lock, ThreadPoolExecutor(1, thread_name_prefix="sign-in") as pool:
            reached = pool.submit(self._reach)
            masks.learn(self.hub.id)
            return reached.result()

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

    def _reach(self) -> KubernetesCluster:
        if self._cluster is None:
            kubeconfig = kubeconfig_of(self._spec, self.names)
            self._cluster = KubernetesCluster(kubeconfig, outside.azure(), PATIENCE)
        return self._cluster
