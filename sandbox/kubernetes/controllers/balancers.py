"""Load-balancer Services get a public address after a while, and give it back when they go."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from sandbox.kubernetes.admission import LB_FINALIZER
from sandbox.kubernetes.controllers.look import Look
from sandbox.kubernetes.kinds import BY_RESOURCE

Body = dict[str, Any]
LABEL = "service.beta.kubernetes.io/azure-dns-label-name"
ENSURE_SECONDS, RELEASE_SECONDS, RETRY_SECONDS = 40, 15, 30
CONTROLLER = "service-controller"


def reconcile(look: Look) -> None:
    for service in look.list("services"):
        balanced = service["spec"]["type"] == "LoadBalancer" and not service["metadata"].get("deletionTimestamp")
        if balanced:
            _ensure(look, service)
        elif LB_FINALIZER in (service["metadata"].get("finalizers") or []):
            _release(look, service)


def hub_address(label: str, region: str) -> str:
    """The loopback address that stands for `label.region.cloudapp.azure.com`."""
    digest = hashlib.sha256(f"{label}.{region}".encode()).digest()
    return "127." + ".".join(str(1 + byte % 254) for byte in digest[:3])


def label_of(service: Body) -> str:
    return str((service["metadata"].get("annotations") or {}).get(LABEL) or "")


def address_of(service: Body) -> str:
    points = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return points[0]["ip"] if points else ""


def _ensure(look: Look, service: Body) -> None:
    region = look.region
    label, meta = label_of(service), service["metadata"]
    wanted = hub_address(label or meta["uid"], region if label else "")
    if address_of(service) == wanted:
        return
    if LB_FINALIZER not in (meta.get("finalizers") or []):
        finalizers = [*(meta.get("finalizers") or []), LB_FINALIZER]
        service = look.put("services", service | {"metadata": meta | {"finalizers": finalizers}})
        look.event(service, "EnsuringLoadBalancer", "Ensuring load balancer", CONTROLLER)
    if not look.elapsed(service, f"balance-{label}", ENSURE_SECONDS):
        return
    wish = look.symptom(service, "service")
    if trouble := (wish or {}).get("message") or _trouble(look, service, label, region):
        _report(look, service, trouble)
    if trouble or wish:
        return
    points = [{"ip": wanted, "ipMode": "VIP"}]
    look.status("services", service, service["status"] | {"loadBalancer": {"ingress": points}})
    look.event(service, "EnsuredLoadBalancer", "Ensured load balancer", CONTROLLER)


def _report(look: Look, service: Body, trouble: str) -> None:
    """Says what is wrong now and at each new attempt."""
    again = look.elapsed(service, "retry", RETRY_SECONDS, at_least=1)
    if again:
        look.restart_timer(service, "retry")
        look.elapsed(service, "retry", RETRY_SECONDS, at_least=1)
    look.event(service, "SyncLoadBalancerFailed", trouble, CONTROLLER, warning=True, again=again)


def _trouble(look: Look, service: Body, label: str, region: str) -> str:
    """Why Azure would not give an address, or not this DNS label."""
    refuse = look.clusters.core.services.get("refuse address")
    code, text = "", refuse(look.cluster.key) if refuse and not address_of(service) else ""
    if text:
        code = "PublicIPCountLimitReached"
    elif not label:
        return ""
    elif not re.fullmatch(r"[a-z][a-z0-9-]{1,61}[a-z0-9]", label):
        code = "DomainNameLabelInvalid"
        text = f"The domain name label {label} is invalid. It must conform to the following regular expression:"
        text += " ^[a-z][a-z0-9-]{1,61}[a-z0-9]$."
    elif any(other is not service for other in _holders(look, label, region)):
        code = "DnsRecordInUse"
        text = f"DNS record {label}.{region}.cloudapp.azure.com is already used by another public IP."
    if not code:
        return ""
    return f"Error syncing load balancer: failed to ensure load balancer: PUT publicIPAddresses: {code}: {text}"


def _holders(look: Look, label: str, region: str) -> Iterator[Body]:
    """The other Services of the region, over all clusters, that hold the label's address."""
    wanted = hub_address(label, region)
    for key, cluster in look.clusters.live.items():
        if look.clusters.about(key)["region"] == region:
            yield from (body for body in cluster.store.list("services") if address_of(body) == wanted)


def _release(look: Look, service: Body) -> None:
    if not look.elapsed(service, "release", RELEASE_SECONDS):
        look.event(service, "DeletingLoadBalancer", "Deleting load balancer", CONTROLLER)
        return
    meta = service["metadata"]
    left = [item for item in meta["finalizers"] if item != LB_FINALIZER]
    look.event(service, "DeletedLoadBalancer", "Deleted load balancer", CONTROLLER)
    free = {key: value for key, value in meta.items() if key != "finalizers"} | ({"finalizers": left} if left else {})
    changed = service | {"metadata": free, "status": {"loadBalancer": {}}}
    look.gate.settle(BY_RESOURCE["services"], changed)
    look.restart_timer(service, "release")
