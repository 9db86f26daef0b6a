"""Public addresses in a node group, and whether a DNS label is still free."""

from __future__ import annotations

import re
import uuid
from typing import Any

from starlette.responses import Response

from sandbox.azure import groups
from sandbox.azure.call import Call, ok, page
from sandbox.azure.errors import AzureError
from sandbox.azure.regions import normalise
from sandbox.azure.store import Store

ANNOTATION = "service.beta.kubernetes.io/azure-dns-label-name"
LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
CLUSTERS = "Microsoft.ContainerService/managedClusters"


def balancers(store: Store, key: str) -> list[tuple[str, str, str]]:
    """(address, DNS label, namespace/name) of every Service of the cluster that has a public address."""
    kubernetes = store.core.services.get("kubernetes")
    if kubernetes is None or key not in list(kubernetes.keys()):
        return []
    found = []
    for service in kubernetes.objects(key).list("services"):
        meta = service["metadata"]
        label = (meta.get("annotations") or {}).get(ANNOTATION, "")
        for ingress in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []:
            found.append((ingress.get("ip", ""), label, f"{meta.get('namespace', 'default')}/{meta['name']}"))
    return found


def labels_in_use(store: Store, region: str) -> set[str]:
    """DNS labels taken in a region, by any subscription's clusters or by a test."""
    taken = set(store.core.state.bucket("azure.dns").keys(f"{region}|"))
    found = {key.split("|", 1)[1] for key in taken}
    for record in store.under("/subscriptions/", CLUSTERS):
        if record["body"]["location"] == region:
            found |= {label for _, label, _ in balancers(store, record["private"]["key"]) if label}
    return found


def check_dns_name(call: Call) -> Response:
    region = normalise(call.params["location"])
    label = call.query.get("domainNameLabel", "")
    if not LABEL.fullmatch(label):
        raise AzureError(
            400,
            "InvalidDomainNameLabel",
            f"The domain name label {label} is invalid. It must conform to the following regular expression: "
            "^[a-z][a-z0-9-]{1,61}[a-z0-9]$.",
        )
    return ok({"available": label not in labels_in_use(call.store, region)})


#: How many public addresses a subscription may have in a region, unless a test says otherwise.
ADDRESSES = 1000
ADDRESS_QUOTAS = {
    "PublicIPAddresses": "Public IP Addresses",
    "StandardSkuPublicIpAddresses": "Public IP Addresses - Standard",
    "IPv4StandardSkuPublicIpAddresses": "Public IPv4 Addresses - Standard",
}


def address_limit(store: Store, subscription: str, region: str) -> int:
    for place in (region, "*"):
        stored = store.core.state.bucket("azure.quota").get(f"{subscription.lower()}|{place}|publicipaddresses")
        if stored is not None:
            return int(stored["limit"])
    return ADDRESSES


def no_address_left(store: Store, subscription: str, region: str) -> str:
    """Azure's words when the subscription may have no more public addresses there; "" when it may."""
    limit = address_limit(store, subscription, region)
    if limit == ADDRESSES or addresses_used(store, subscription, region) < limit:
        return ""
    return f"Cannot create more than {limit} public IP addresses for this subscription in this region."


def addresses_used(store: Store, subscription: str, region: str) -> int:
    """Public addresses of the subscription in the region: those of its clusters, and planted ones."""
    scope = f"/subscriptions/{subscription.lower()}/"
    clusters = [record for record in store.under(scope, CLUSTERS) if record["body"]["location"] == region]
    planted = store.under(scope, "Microsoft.Network/publicIPAddresses")
    own = sum(record["body"].get("location") == region for record in planted)
    return own + sum(len(addresses_of(store, record)) for record in clusters)


def usages(call: Call) -> Response:
    """What of the network is used and allowed in a region; of the many rows there are, those about addresses."""
    region = normalise(call.params["location"])
    used = addresses_used(call.store, call.subscription, region)
    limit = address_limit(call.store, call.subscription, region)
    rows = [
        {
            "id": f"/subscriptions/{call.params['subscription']}/providers/Microsoft.Network/locations/{region}"
            f"/usages/{name}",
            "unit": "Count",
            "currentValue": used,
            "limit": limit,
            "name": {"value": name, "localizedValue": label},
        }
        for name, label in ADDRESS_QUOTAS.items()
    ]
    return page(call, rows, 200)


def refuse_address(store: Store, cluster: str) -> str:
    """The same for the cluster with this Kubernetes key."""
    for record in store.under("/subscriptions/", CLUSTERS):
        if record["private"]["key"] == cluster:
            return no_address_left(store, record["body"]["id"].split("/")[2], record["body"]["location"])
    return ""


def addresses_of(store: Store, cluster: dict[str, Any]) -> list[dict[str, Any]]:
    """The public addresses AKS holds in the node group: one outbound, one for each load-balanced Service."""
    body = cluster["body"]
    if not cluster["private"]["control_plane"]:
        return []
    group = f"/subscriptions/{body['id'].split('/')[2]}/resourceGroups/{body['properties']['nodeResourceGroup']}"
    outbound = uuid.uuid5(uuid.NAMESPACE_URL, body["id"].lower() + "outbound")
    digits = outbound.bytes
    found = [_address(group, body, str(outbound), f"20.{digits[0]}.{digits[1]}.{digits[2]}", "", "")]
    for ip, label, service in balancers(store, cluster["private"]["key"]):
        name = f"kubernetes-a{uuid.uuid5(outbound, service).hex}"
        found.append(_address(group, body, name, ip, label, service))
    return found


def _address(group: str, body: dict[str, Any], name: str, ip: str, label: str, service: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "provisioningState": "Succeeded",
        "ipAddress": ip,
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static",
        "idleTimeoutInMinutes": 4 if service else 30,
    }
    if label:
        region = body["location"]
        properties["dnsSettings"] = {"domainNameLabel": label, "fqdn": f"{label}.{region}.cloudapp.azure.com"}
    own = {"k8s-azure-cluster-name": "kubernetes", "k8s-azure-service": service} if service else {}
    return {
        "id": f"{group}/providers/Microsoft.Network/publicIPAddresses/{name}",
        "name": name,
        "type": "Microsoft.Network/publicIPAddresses",
        "location": body["location"],
        "tags": (body.get("tags") or {}) | own,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": properties,
    }


def public_addresses(call: Call) -> Response:
    group = groups.require(call)
    cluster = call.store.get(group["private"].get("cluster", ""))
    planted = call.store.under(group["body"]["id"] + "/", "Microsoft.Network/publicIPAddresses")
    own = [record["body"] for record in planted]
    return page(call, own + (addresses_of(call.store, cluster) if cluster else []), 100)
