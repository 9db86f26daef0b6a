"""One look of the controllers at one namespace of one cluster, and what they may do there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.admission import ALPHABET, suffix
from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.kinds import BY_RESOURCE
from sandbox.kubernetes.symptoms import wished

if TYPE_CHECKING:
    from sandbox.kubernetes.clusters import Cluster, Clusters

Body = dict[str, Any]
KEPT_EVENTS = 200


class Look:
    """Reads and writes of the controllers. A lost race is not an error: the next look sees what is."""

    def __init__(self, clusters: Clusters, cluster: Cluster, namespace: str) -> None:
        self.clusters, self.cluster, self.namespace = clusters, cluster, namespace
        self.store, self.gate, self.clock = cluster.store, cluster.gate, cluster.clock

    @property
    def region(self) -> str:
        return str(self.clusters.about(self.cluster.key)["region"])

    def list(self, resource: str) -> list[Body]:
        return self.store.list(resource, self.namespace)

    def get(self, resource: str, name: str) -> Body | None:
        return self.store.get(resource, self.namespace, name)

    def owned(self, resource: str, owner: Body) -> list[Body]:
        """The objects whose controller is `owner`, oldest first."""
        uid = owner["metadata"]["uid"]
        found = [body for body in self.list(resource) if controller_uid(body) == uid]
        return sorted(found, key=lambda body: (body["metadata"]["creationTimestamp"], body["metadata"]["name"]))

    def create(self, resource: str, body: Body, on_behalf: Body | None = None) -> Body | None:
        """None where the server refuses; the refusal becomes an event of `on_behalf`."""
        try:
            self._admit(resource, body)
            return self.gate.create(BY_RESOURCE[resource], self.namespace, body)
        except ApiError as error:
            if on_behalf is not None and error.reason != "AlreadyExists":
                component = f"{on_behalf['kind'].lower()}-controller"
                self.event(on_behalf, "FailedCreate", f"Error creating: {error.message}", component, warning=True)
            return None

    def _admit(self, resource: str, body: Body) -> None:
        """Refuses a pod as a webhook, a policy or a quota would that a test wished for."""
        meta = body.get("metadata") or {}
        named = {"metadata": {"name": meta.get("name") or meta.get("generateName") or ""}}
        wish = self.symptom(named) if resource == "pods" else None
        if wish is not None and wish["kind"] == "FailedCreate":
            raise ApiError(403, "Forbidden", wish["message"])

    def delete(self, resource: str, body: Body, policy: str | None = None) -> None:
        if not body["metadata"].get("deletionTimestamp"):
            self.gate.delete(BY_RESOURCE[resource], body, {"propagationPolicy": policy} if policy else None)

    def put(self, resource: str, body: Body) -> Body:
        return self.store.put(resource, body)

    def status(self, resource: str, body: Body, status: Body) -> Body:
        """Writes the status when it differs."""
        return body if body.get("status") == status else self.put(resource, body | {"status": status})

    def elapsed(self, body: Body, phase: str, seconds: float, at_least: float = 0.0) -> bool:
        """Whether so many simulated seconds have passed since this was first asked; wakes the loop when they have.

        `at_least` is in real seconds: what repeats for ever must not keep a fast sandbox busy.
        """
        return self.cluster.timers.elapsed(body["metadata"]["uid"], phase, seconds, self.namespace, at_least)

    def restart_timer(self, body: Body, phase: str) -> None:
        self.cluster.timers.restart(body["metadata"]["uid"], phase)

    def symptom(self, body: Body, what: str = "pod") -> Body | None:
        """The trouble a test or a demo wished this thing, if any."""
        return wished(self.clusters.symptoms, what, self.cluster.key, self.namespace, body["metadata"]["name"])

    def event(
        self, about: Body, reason: str, message: str, component: str, *, warning: bool = False, again: bool = False
    ) -> None:
        """Records an event once; with `again` a repeated one counts up."""
        meta, now = about["metadata"], self.clock.iso()
        space = meta.get("namespace") or "default"
        digest = hashlib.sha256(f"{meta['uid']}{reason}{message}".encode()).hexdigest()[:16]
        name = f"{meta['name']}.{digest}"
        old = self.store.get("events", space, name)
        if old is not None and not again:
            return
        if old is not None:
            self.put("events", old | {"count": old["count"] + 1, "lastTimestamp": now})
            return
        self._forget_old_events(space)
        body = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": space, "uid": f"{digest}-{suffix()}", "creationTimestamp": now},
            "involvedObject": _reference(about),
            "reason": reason,
            "message": message,
            "source": {"component": component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": "Warning" if warning else "Normal",
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": "",
        }
        self.write_event(body)

    def write_event(self, body: Body) -> None:
        self.put("events", body)

    def end(self, pod: Body) -> None:
        """The pod's containers have stopped: it goes."""
        self.store.remove("pods", self.namespace, pod["metadata"]["name"])

    def _forget_old_events(self, space: str) -> None:
        if self.store.count("events", space) >= KEPT_EVENTS:
            oldest = min(self.store.list("events", space), key=lambda body: body["lastTimestamp"])
            self.store.remove("events", space, oldest["metadata"]["name"])


def _reference(about: Body) -> Body:
    meta = about["metadata"]
    reference = {key: meta[key] for key in ("namespace", "name", "uid", "resourceVersion") if key in meta}
    return {"kind": about["kind"], "apiVersion": about["apiVersion"]} | reference


def controller_uid(body: Body) -> str | None:
    """The uid of what controls this object."""
    owners = body["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def owner_of(body: Body) -> list[Body]:
    """The ownerReferences that make `body` the controller."""
    meta = body["metadata"]
    return [
        {
            "apiVersion": body["apiVersion"],
            "kind": body["kind"],
            "name": meta["name"],
            "uid": meta["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def pod_from(template: Body, owner: Body, labels: Body | None = None, name: str = "") -> Body:
    """A pod made of a template; `name` "" lets the server choose after the owner's."""
    meta = template.get("metadata") or {}
    named = {"name": name} if name else {"generateName": f"{owner['metadata']['name']}-"}
    body = named | {
        "labels": (meta.get("labels") or {}) | (labels or {}),
        "ownerReferences": owner_of(owner),
    }
    if meta.get("annotations"):
        body["annotations"] = meta["annotations"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": body, "spec": template["spec"]}


def hash_of(template: Body) -> str:
    """The pod-template-hash: short, in Kubernetes' own letters."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:10])


def is_active(pod: Body) -> bool:
    return not pod["metadata"].get("deletionTimestamp") and pod["status"]["phase"] not in ("Succeeded", "Failed")


def is_ready(pod: Body) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"].get("conditions") or [])


def ready_count(pods: Iterable[Body]) -> int:
    return sum(is_ready(pod) and is_active(pod) for pod in pods)


def condition(old: Body, kind: str, value: bool, reason: str, message: str, now: str) -> Body:
    """A condition of `old`'s status; an unchanged one keeps its times."""
    status = "True" if value else "False"
    before = next((item for item in (old.get("status") or {}).get("conditions") or [] if item["type"] == kind), None)
    same = before is not None and before["status"] == status
    if before is not None and same and before.get("reason") == reason and before.get("message") == message:
        return before
    changed = before["lastTransitionTime"] if before is not None and same else now
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": changed}
