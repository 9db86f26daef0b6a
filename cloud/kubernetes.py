"""A cluster's own API, over the official client; its credentials stay in memory."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from cloud import calls
from cloud import kubeconfig as kubeconfigs
from cloud import kubernetes_inside as inside
from cloud import kubernetes_objects as objects
from cloud.azure.session import KUBERNETES_SCOPE, AzureSession
from cloud.errors import (
    Conflict,
    InvalidRequest,
    NotYet,
    PermissionDenied,
    SignInFailed,
    SlipwayError,
    Throttled,
    Unavailable,
)
from cloud.kubernetes_inside import ContainerLog, NodeDetail, PodDetail
from cloud.kubernetes_objects import Event, Namespace, Node, Pod, Service, VolumeClaim, Workload
from cloud.patience import answer_seconds
from cloud.profile import is_loopback

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

__all__ = ["Event", "KubernetesCluster", "Namespace", "Node", "Pod", "Service", "VolumeClaim", "Workload", "connect"]

Thing = TypeVar("Thing")
#: Seconds to wait for a connection, and for an answer.
PATIENCE = (10.0, 30.0)
#: A log is read in pieces of so many bytes at the most.
LOG_BYTES = 1_000_000
JSON = "application/json"
WORKLOAD_KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
AGAIN = "It is tried again by itself."


def connect(kubeconfig: bytes, session: AzureSession | None = None) -> "KubernetesCluster":
    """A client that is kept together with its connections: whoever asks again soon gets the same.

    Not where sign-in goes through Azure: those tokens run out.
    """
    access = kubeconfigs.read(kubeconfig)
    if access.certificate or access.token:
        return _kept(os.getpid(), kubeconfig)
    return KubernetesCluster(kubeconfig, session)


@lru_cache(maxsize=32)
def _kept(_process: int, kubeconfig: bytes) -> "KubernetesCluster":
    """One for each process: a fork must not share connections."""
    return KubernetesCluster(kubeconfig)


class KubernetesCluster:
    """One cluster, reached with its kubeconfig; with `session` also where sign-in goes through Azure."""

    def __init__(
        self, kubeconfig: bytes, session: AzureSession | None = None, patience: tuple[float, float] = PATIENCE
    ) -> None:
        self._access, self._patience = kubeconfigs.read(kubeconfig), patience
        self._client = self._build(session)

    def __enter__(self) -> "KubernetesCluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections; the object stays usable."""
        self._client.rest_client.close()

    def version(self) -> str:
        """The version of the control plane."""
        return str(self._get("read the cluster's version", "/version").get("gitVersion", ""))

    def nodes(self) -> list[Node]:
        """Every machine of the cluster."""
        return self._list("list the nodes", "/api/v1/nodes", objects.node)

    def namespace(self, name: str) -> Namespace | None:
        """The namespace, or None."""
        found = self._find(f"look at the namespace {name}", f"/api/v1/namespaces/{name}")
        return objects.namespace(found) if found is not None else None

    def create_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> Namespace:
        """Make the namespace; raises Conflict when it is there already."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}}
        return objects.namespace(self._call(f"create the namespace {name}", "POST", "/api/v1/namespaces", body))

    def delete_namespace(self, name: str) -> None:
        """Start deleting the namespace and all in it; already gone is fine."""
        what, path = f"delete the namespace {name}", f"/api/v1/namespaces/{name}"
        self._find(what, path, method="DELETE", body={"propagationPolicy": "Background"})

    def workloads(self, namespace: str) -> list[Workload]:
        """Deployments, StatefulSets and DaemonSets with their ready counts."""
        found: list[Workload] = []
        for plural, kind in WORKLOAD_KINDS.items():
            path = f"/apis/apps/v1/namespaces/{namespace}/{plural}"
            found += self._list("list the workloads", path, partial(objects.workload, kind))
        return found

    def pods(self, namespace: str) -> list[Pod]:
        """The namespace's pods, people's servers and builds included."""
        return self._list("list the pods", f"/api/v1/namespaces/{namespace}/pods", objects.pod)

    def delete_pod(self, namespace: str, name: str) -> None:
        """Ends a pod; what it belongs to makes another one. Already gone is fine."""
        self._find(f"restart {name}", f"/api/v1/namespaces/{namespace}/pods/{name}", method="DELETE")

    def pod_details(self, namespace: str) -> list[PodDetail]:
        """The same with their containers, conditions and volumes."""
        return self._list("list the pods", f"/api/v1/namespaces/{namespace}/pods", inside.pod_detail)

    def pod_detail(self, namespace: str, name: str) -> PodDetail | None:
        """One pod, or None."""
        found = self._find(f"look at the pod {name}", f"/api/v1/namespaces/{namespace}/pods/{quote(name, safe='')}")
        return inside.pod_detail(found) if found is not None else None

    def node_details(self) -> list[NodeDetail]:
        """Every machine with its pressures and taints."""
        return self._list("list the nodes", "/api/v1/nodes", inside.node_detail)

    def services(self, namespace: str) -> list[Service]:
        """Services with the public addresses they have so far."""
        return self._list("list the services", f"/api/v1/namespaces/{namespace}/services", objects.service)

    def volume_claims(self, namespace: str) -> list[VolumeClaim]:
        """Disks that were asked for."""
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
        return self._list("list the disks", path, objects.volume_claim)

    def events(self, namespace: str) -> list[Event]:
        """What Kubernetes noted lately, oldest first."""
        found = self._list("list the events", f"/api/v1/namespaces/{namespace}/events", objects.event)
        return sorted(found, key=lambda event: event.last_seen.timestamp() if event.last_seen else 0.0)

    def container_log(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail: int = 500
    ) -> ContainerLog:
        """The last lines of a container, or of the one before its last restart, each with its moment.

        Kubernetes cuts a long answer off at its end, where the newest lines are: then fewer are asked for.
        """
        query = [("container", container), ("tailLines", str(tail)), ("limitBytes", str(LOG_BYTES))]
        query += [("timestamps", "true"), *([("previous", "true")] if previous else [])]
        what, path = f"read the log of {pod}", f"/api/v1/namespaces/{namespace}/pods/{quote(pod, safe='')}/log"
        status, data = self._exchange(what, "GET", path, None, query)
        if status in {400, 404}:
            return ContainerLog((), _status(data).get("message") or "not found")
        if status >= 400:
            raise _refusal(what, status, data)
        if len(data) >= LOG_BYTES and tail > 1:
            return self.container_log(namespace, pod, container, previous=previous, tail=max(1, tail // 10))
        return inside.container_log(data.decode("utf-8", "replace"))

    def pod_log(self, namespace: str, pod: str, *, container: str = "", tail: int = 100) -> list[str]:
        """The last lines a pod printed; none while it has not started, or when it is gone."""
        query = [("tailLines", str(tail))] + ([("container", container)] if container else [])
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        status, data = self._exchange(f"read the log of {pod}", "GET", path, None, query)
        if status in {400, 404}:
            return []
        if status >= 400:
            raise _refusal(f"read the log of {pod}", status, data)
        return data.decode("utf-8", "replace").splitlines()

    def labels_of(self, what: str, path: str, selector: str) -> list[dict[str, str]]:
        """The labels of the objects that match, and nothing else of them: what is in a Secret stays where it is."""
        accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
        page = self._call(what, "GET", path, query=[("labelSelector", selector)], accept=accept)
        return [item["metadata"].get("labels") or {} for item in page.get("items") or []]

    def find_raw(self, what: str, path: str) -> dict[str, Any] | None:
        """One object as its JSON, or None; for the few that have no type here."""
        return self._find(what, path)

    def replace_raw(self, what: str, path: str, content: dict[str, Any]) -> None:
        """Writes an object back; raises Conflict when somebody else has changed it since it was read."""
        self._call(what, "PUT", path, body=content)

    def _list(self, what: str, path: str, read: Callable[[Any], Thing]) -> list[Thing]:
        items: list[Thing] = []
        query = [("limit", "500")]
        while True:
            page = self._get(what, path, query)
            items += [read(item) for item in page.get("items") or []]
            more = (page.get("metadata") or {}).get("continue")
            if not more:
                return items
            query = [("limit", "500"), ("continue", more)]

    def _get(self, what: str, path: str, query: list[tuple[str, str]] | None = None) -> dict[str, Any]:
        return self._call(what, "GET", path, query=query)

    def _find(self, what: str, path: str, *, method: str = "GET", body: Any = None) -> dict[str, Any] | None:
        status, data = self._exchange(what, method, path, body)
        if status == 404 and _status(data).get("reason") == "NotFound":
            return None
        return _checked(what, status, data)

    def _call(
        self,
        what: str,
        method: str,
        path: str,
        body: Any = None,
        query: list[tuple[str, str]] | None = None,
        accept: str = JSON,
    ) -> dict[str, Any]:
        return _checked(what, *self._exchange(what, method, path, body, query, accept))

    def _exchange(
        self,
        what: str,
        method: str,
        path: str,
        body: Any,
        query: list[tuple[str, str]] | None = None,
        accept: str = JSON,
    ) -> tuple[int, bytes]:
        headers = {"Accept": accept, "Content-Type": JSON}
        signed = {"header_params": headers, "query_params": query or [], "auth_settings": ["BearerToken"]}
        with _reaching(what), calls.counted("kubernetes") as call:
            request = self._client.param_serialize(method, path, body=body, **signed)
            connect, read = self._patience
            answer = self._client.call_api(*request, _request_timeout=(connect, answer_seconds(read)))
            call.code = str(answer.status)
            return answer.status, answer.read()  # type: ignore[no-untyped-call]

    def _build(self, session: AzureSession | None) -> "ApiClient":
        import urllib3
        from kubernetes.client import ApiClient, Configuration

        access, certificate, key = self._access, None, None
        if access.certificate:
            certificate = f"/proc/self/fd/{kubeconfigs.memory_file('certificate', access.certificate, self)}"
            key = f"/proc/self/fd/{kubeconfigs.memory_file('key', access.key, self)}"
        configuration = Configuration(
            host=access.server,
            ca_cert_data=access.ca or None,
            cert_file=certificate,
            key_file=key,
            retries=urllib3.Retry(total=1, status=0, redirect=0, backoff_factor=0.2, respect_retry_after_header=False),
        )
        if is_loopback(access.server):
            configuration.proxy = None
        self._sign_in(configuration, session)
        return ApiClient(configuration)

    def _sign_in(self, configuration: Any, session: AzureSession | None) -> None:
        if self._access.token:
            configuration.api_key = {"authorization": f"Bearer {self._access.token}"}
        elif not self._access.certificate and session is not None:
            configuration.api_key = {"authorization": f"Bearer {session.token(KUBERNETES_SCOPE)}"}


@contextmanager
def _reaching(what: str) -> Iterator[None]:
    """Turn failures of the wire into Unavailable."""
    import urllib3
    from kubernetes.client import ApiException

    try:
        yield
    except (urllib3.exceptions.HTTPError, ApiException, OSError) as exc:
        reason = exc.reason if isinstance(exc, urllib3.exceptions.MaxRetryError) else exc
        raise Unavailable(f"We could not {what}: the cluster did not answer ({type(reason).__name__}).", AGAIN) from exc


def _checked(what: str, status: int, data: bytes) -> dict[str, Any]:
    if status >= 300:
        raise _refusal(what, status, data)
    try:
        content = json.loads(data)
    except ValueError as exc:
        raise Unavailable(f"We could not {what}: the cluster's answer could not be read.", AGAIN) from exc
    if not isinstance(content, dict):
        raise Unavailable(f"We could not {what}: the cluster's answer makes no sense.", AGAIN)
    return content


def _status(data: bytes) -> dict[str, Any]:
    """Kubernetes' own account of a failure, {} when somebody else answered."""
    try:
        content = json.loads(data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) and content.get("kind") == "Status" else {}


def _refusal(what: str, status: int, data: bytes) -> SlipwayError:
    account = _status(data)
    reason, said = account.get("reason") or "", account.get("message") or ""
    message = f"We could not {what}: the cluster answered {status}{f' {reason}' if reason else ''}"
    message += f" and said “{said}”." if said else "."
    after = (account.get("details") or {}).get("retryAfterSeconds")
    if status == 429:
        return Throttled(message, AGAIN, code=reason, delay=after)
    if status >= 500 or not account:
        return Unavailable(message, AGAIN, code=reason, delay=after)
    return _typed(status, reason, message)


def _typed(status: int, reason: str, message: str) -> SlipwayError:
    if status == 401:
        return SignInFailed(message, "The cluster's credentials have changed; they are fetched again.", code=reason)
    if status == 403 and "being terminated" in message:
        return NotYet(message, AGAIN, code=reason)
    if status == 403:
        return PermissionDenied(message, "The portal needs administrator's credentials of the cluster.", code=reason)
    if status == 409:
        return Conflict(message, "It is there already, or somebody changed it meanwhile.", code=reason)
    return InvalidRequest(message, "This is likely a fault of the portal: tell whoever runs it.", code=reason)
