"""How an object gets in: create, update, delete, and what each of them refuses."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import Any

from sandbox.clock import Clock
from sandbox.kubernetes import apply, defaults, errors, kinds, validation
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.store import Store

Body = dict[str, Any]
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
#: Kinds without a generation.
_UNNUMBERED = {"Secret", "ConfigMap", "ServiceAccount", "Event", "Endpoints", "Role", "RoleBinding", "ClusterRole",
               "ClusterRoleBinding", "Namespace", "Node", "PersistentVolumeClaim", "PersistentVolume", "Service",
               "Lease", "StorageClass", "ControllerRevision"}  # fmt: skip
#: Fields of a Service's spec that the server keeps when an update leaves them out.
_SERVICE_KEPT = ("clusterIP", "clusterIPs", "healthCheckNodePort")
LB_FINALIZER = "service.kubernetes.io/load-balancer-cleanup"


def suffix(length: int = 5) -> str:
    """Random letters as Kubernetes appends them: no vowels, no words."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


class Gate:
    """The one way into a cluster's store, for clients and controllers alike."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def create(self, kind: Kind, namespace: str, body: Body, manager: str = "", dry_run: bool = False) -> Body:
        """Raises ApiError. `manager` "" leaves managedFields alone (controllers, apply)."""
        body = self._addressed(kind, namespace, body)
        self._check_place(kind, namespace, body["metadata"]["name"])
        full = defaults.filled(kind, body | {"apiVersion": kind.api_version, "kind": kind.kind})
        if self.store.get(kind.resource, namespace, body["metadata"]["name"]) is not None:
            raise errors.already_exists(kind, body["metadata"]["name"])
        validation.check(kind, full, None)
        if kind.resource == "pods":
            self._check_account(kind, namespace, full)
        full = self._stamped(kind, full)
        if manager:
            full = apply.track(kind, None, full, manager, self.clock.iso())
        if dry_run:
            return full
        return self.store.put(kind.resource, full)

    def _addressed(self, kind: Kind, namespace: str, body: Body) -> Body:
        meta = dict(body.get("metadata") or {})
        if kind.namespaced:
            if meta.get("namespace", namespace) != namespace:
                raise errors.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
            meta["namespace"] = namespace
        else:
            meta.pop("namespace", None)
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + suffix()
        if not meta.get("name"):
            raise errors.invalid(kind, "", [validation.required("metadata.name", "name or generateName is required")])
        return body | {"metadata": meta}

    def _check_place(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        space = self.store.get("namespaces", "", namespace)
        if space is None:
            raise errors.not_found(kinds.BY_RESOURCE["namespaces"], namespace)
        if space["metadata"].get("deletionTimestamp") and kind.resource != "events":
            raise errors.being_terminated(kind, name, namespace)

    def _check_account(self, kind: Kind, namespace: str, pod: Body) -> None:
        account = pod["spec"]["serviceAccountName"]
        if self.store.get("serviceaccounts", namespace, account) is None:
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise errors.forbidden(kind, pod["metadata"]["name"], why)

    def _stamped(self, kind: Kind, body: Body) -> Body:
        meta = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": self.clock.iso()}
        if kind.kind not in _UNNUMBERED and "spec" in body:
            meta["generation"] = 1
        full = body | {"metadata": meta}
        if "status" in kind.subresources and kind.resource not in ("nodes", "persistentvolumes"):
            full.pop("status", None)
        return self._first_status(kind, full)

    def _first_status(self, kind: Kind, body: Body) -> Body:
        if kind.resource == "namespaces":
            meta = body["metadata"]
            meta["labels"] = (meta.get("labels") or {}) | {"kubernetes.io/metadata.name": meta["name"]}
            return body | {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        if kind.resource == "services":
            return self._with_address(body) | {"status": {"loadBalancer": {}}}
        if kind.resource == "pods":
            return body | {"status": {"phase": "Pending", "qosClass": _quality(body["spec"])}}
        if kind.resource == "persistentvolumeclaims":
            body["metadata"]["finalizers"] = ["kubernetes.io/pvc-protection"]
            return body | {"status": {"phase": "Pending"}}
        if kind.resource == "jobs":
            return body | {"status": {}}
        if kind.resource in ("deployments", "statefulsets", "daemonsets", "replicasets"):
            return body | {"status": {"replicas": 0} if kind.resource != "daemonsets" else _NO_DAEMONS}
        return body

    def _with_address(self, body: Body) -> Body:
        """A Service with the cluster address and node ports it gets."""
        spec = dict(body["spec"])
        if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
            spec["clusterIP"] = self._free_address(body["metadata"]["uid"])
        if spec.get("clusterIP"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        if spec["type"] in ("LoadBalancer", "NodePort"):
            taken = {p.get("nodePort") for service in self.store.list("services") for p in service["spec"]["ports"]}
            spec["ports"] = [_with_node_port(port, taken) for port in spec["ports"]]
        return body | {"spec": spec}

    def _free_address(self, seed: str) -> str:
        taken = {service["spec"].get("clusterIP") for service in self.store.list("services")}
        for attempt in range(1000):
            digest = hashlib.sha256(f"{seed}{attempt}".encode()).digest()
            address = f"10.0.{digest[0]}.{1 + digest[1] % 254}"
            if address not in taken:
                return address
        raise errors.ApiError(500, "InternalError", "failed to allocate a serviceIP: range is full")

    def update(self, kind: Kind, old: Body, body: Body, manager: str = "", dry_run: bool = False) -> Body:
        """Replaces `old`; what only the server may change stays. Raises ApiError."""
        self._check_version(kind, old, body)
        meta = dict(body.get("metadata") or {})
        for key in ("uid", "creationTimestamp", "namespace", "name", "generation", "deletionTimestamp",
                    "deletionGracePeriodSeconds", "resourceVersion"):  # fmt: skip
            meta.pop(key, None)
            if key in old["metadata"]:
                meta[key] = old["metadata"][key]
        full = body | {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta}
        if "status" in kind.subresources:
            full.pop("status", None)
            full |= {"status": old["status"]} if "status" in old else {}
        full = self._kept(kind, old, defaults.filled(kind, full))
        validation.check(kind, full, old)
        if "generation" in meta and full.get("spec") != old.get("spec"):
            meta["generation"] += 1
        if manager:
            full = apply.track(kind, old, full, manager, self.clock.iso())
        return full if dry_run else self.settle(kind, full)

    def _check_version(self, kind: Kind, old: Body, body: Body) -> None:
        given = body.get("metadata") or {}
        name = old["metadata"]["name"]
        if given.get("name", name) != name:
            raise errors.bad_request(
                f"the name of the object ({given['name']}) does not match the name on the URL ({name})"
            )
        if given.get("uid") not in (None, "", old["metadata"]["uid"]):
            raise errors.precondition_failed(kind, name, "UID", given["uid"], old["metadata"]["uid"])
        if given.get("resourceVersion") not in (None, "", old["metadata"]["resourceVersion"]):
            raise errors.conflict(kind, name)

    def _kept(self, kind: Kind, old: Body, full: Body) -> Body:
        if kind.resource == "services" and full["spec"]["type"] != "ExternalName":
            spec = full["spec"]
            kept = {key: old["spec"][key] for key in _SERVICE_KEPT if key in old["spec"] and not spec.get(key)}
            ports = {(port["port"], port["protocol"]): port.get("nodePort") for port in old["spec"].get("ports", [])}
            spec["ports"] = [_old_node_port(port, ports, spec["type"]) for port in spec["ports"]]
            return self._with_address(full | {"spec": spec | kept})
        if kind.resource == "persistentvolumeclaims" and "volumeName" in old["spec"]:
            return full | {"spec": {"volumeName": old["spec"]["volumeName"]} | full["spec"]}
        if kind.resource == "pods" and "nodeName" in old["spec"]:
            return full | {"spec": {"nodeName": old["spec"]["nodeName"]} | full["spec"]}
        if kind.resource == "namespaces":
            return full | {"spec": old["spec"]}
        return full

    def settle(self, kind: Kind, body: Body) -> Body:
        """Stores a changed object; one being deleted goes when its last finalizer does."""
        meta = body["metadata"]
        done = not meta.get("finalizers") and not (body.get("spec") or {}).get("finalizers")
        if meta.get("deletionTimestamp") and done and not meta.get("deletionGracePeriodSeconds"):
            return self.store.remove(kind.resource, meta.get("namespace"), meta["name"]) or body
        return self.store.put(kind.resource, body)

    def delete(self, kind: Kind, body: Body, options: Body | None = None) -> tuple[Body, bool]:
        """(the object, whether it is gone at once). Raises 409 when a precondition does not hold."""
        options = options or {}
        self._check_preconditions(kind, body, options.get("preconditions") or {})
        meta = body["metadata"]
        finalizers = _finalizers(kind, body, options.get("propagationPolicy"))
        grace = _grace(kind, body, options.get("gracePeriodSeconds"))
        if "DryRun" in str(options.get("dryRun")) or options.get("dryRun") == ["All"]:
            return body, False
        if not finalizers and not grace and kind.resource != "namespaces":
            return self.store.remove(kind.resource, meta.get("namespace"), meta["name"]) or body, True
        marked = meta | {"deletionTimestamp": meta.get("deletionTimestamp") or self.clock.iso(self.clock.now() + grace)}
        marked["deletionGracePeriodSeconds"] = min(grace, meta.get("deletionGracePeriodSeconds", grace))
        if finalizers:
            marked["finalizers"] = finalizers
        full = body | {"metadata": marked}
        if kind.resource == "namespaces":
            full["status"] = body["status"] | {"phase": "Terminating"}
        return self.store.put(kind.resource, full), False

    def _check_preconditions(self, kind: Kind, body: Body, wanted: Body) -> None:
        meta = body["metadata"]
        if wanted.get("uid", meta["uid"]) != meta["uid"]:
            raise errors.precondition_failed(kind, meta["name"], "UID", wanted["uid"], meta["uid"])
        version = meta["resourceVersion"]
        if wanted.get("resourceVersion", version) != version:
            raise errors.precondition_failed(kind, meta["name"], "ResourceVersion", wanted["resourceVersion"], version)


_NO_DAEMONS = {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0}


def _finalizers(kind: Kind, body: Body, policy: str | None) -> list[str]:
    found = list(body["metadata"].get("finalizers") or [])
    if policy == "Foreground" and "foregroundDeletion" not in found:
        found.append("foregroundDeletion")
    if policy == "Orphan" and "orphan" not in found:
        found.append("orphan")
    return found


def _grace(kind: Kind, body: Body, asked: int | None) -> int:
    """Seconds a pod on a node is given to end; nothing else has any."""
    if kind.resource != "pods" or not body["spec"].get("nodeName"):
        return 0
    return int(body["spec"].get("terminationGracePeriodSeconds", 30)) if asked is None else int(asked)


def _quality(spec: Body) -> str:
    resources = [container.get("resources") or {} for container in spec["containers"]]
    if not any(item.get("requests") or item.get("limits") for item in resources):
        return "BestEffort"
    same = all(item.get("limits") and item.get("requests") == item["limits"] for item in resources)
    return "Guaranteed" if same else "Burstable"


def _with_node_port(port: Body, taken: set[Any]) -> Body:
    if port.get("nodePort"):
        return port
    number = next(n for n in iter(lambda: 30000 + secrets.randbelow(2768), -1) if n not in taken)
    taken.add(number)
    return port | {"nodePort": number}


def _old_node_port(port: Body, olds: dict[Any, Any], kind: str) -> Body:
    number = olds.get((port["port"], port["protocol"]))
    return port | {"nodePort": number} if number and kind != "ClusterIP" and not port.get("nodePort") else port
